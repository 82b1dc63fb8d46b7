"""How often the worst of k answers to a question is a hit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offtarget.core.errors import ConfigError
from offtarget.core.stats.cluster import cluster_bounds, cluster_rate
from offtarget.core.stats.counts import Counts
from offtarget.core.stats.rate import Rate
from offtarget.core.stats.spread import row_limit, unit_weights

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WorstOf:
    """The share of questions where at least one of k answers is a hit, beside the plain rate."""

    draws: int
    """k: how many answers to a question are looked at."""
    rate: float
    low: float | None
    """Two-sided 95 % for questions like these; None with one question."""
    high: float | None
    mean: Rate
    """The rate of single answers over the same questions."""
    n_short: int
    """Questions left out because they have fewer than k rows."""


def any_hit(hits: Array, n: Array, draws: int) -> Array:
    """Return 1 - C(n - m, k) / C(n, k) for m hits among n rows, element by element.

    The chance that k rows drawn without replacement hold a hit: the unbiased estimate for k
    fresh answers. Computed as a sum of logarithms, so that large n and k neither overflow nor
    cancel. NaN where n < k.

    Source: Chen et al. 2021, arXiv:2107.03374, equation 1 (pass@k).
    """
    hits, n = np.broadcast_arrays(np.asarray(hits, float), np.asarray(n, float))
    logarithm = np.zeros(n.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        for i in range(draws):
            logarithm = logarithm + np.log1p(-np.minimum(hits / (n - i), 1))
    return np.where(n < draws, np.nan, -np.expm1(logarithm))


def worst_of(counts: Counts, draws: int) -> WorstOf:
    """Return the rate of the worst of k, averaged over questions, rows of all seeds pooled.

    Raises:
        ConfigError: If k is below 1, or no question has k rows.
    """
    if draws < 1:
        raise ConfigError(f"worst of {draws}: give how many answers to look at, 1 or more")
    hits, n = counts.hits.sum(axis=1), counts.n.sum(axis=1)
    is_long = n >= draws
    if not is_long.any():
        raise ConfigError(
            f"worst of {draws}: the longest question has {int(n.max())} rows; ask for at most that"
        )
    n_long = counts.cluster_sums(is_long.astype(np.float64))  # (U,): questions that have k rows
    kept = n_long > 0
    strata = counts.strata[kept]
    per_question = np.where(is_long, any_hit(hits, n, draws), 0.0)
    per_unit = counts.cluster_sums(per_question)[kept] / n_long[kept]
    low = high = None
    if len(per_unit) > 1:
        per_long = np.zeros(len(kept))
        per_long[kept] = unit_weights(strata) / n_long[kept]
        weights = per_long[counts.owner] * is_long
        limit = row_limit((n / draws)[:, None], weights[:, None])
        bounds = cluster_bounds(per_unit, strata, limit)
        low, high = float(bounds[0]), float(bounds[1])
    return WorstOf(
        draws=draws,
        rate=float(unit_weights(strata) @ per_unit),
        low=low,
        high=high,
        mean=cluster_rate(counts),
        n_short=int((~is_long).sum()),
    )
