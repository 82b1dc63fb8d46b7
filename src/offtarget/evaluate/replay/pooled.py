"""The interval of k / n over questions that have different numbers of rows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offtarget.core.stats import RateMethod, binomial_interval
from offtarget.core.stats.binomial import exact_bounds
from offtarget.core.stats.spread import effective_rows, few_shown
from offtarget.evaluate.replay.definition import Count, total

Array = NDArray[np.float64]

LEVEL = 0.95
NO_METHOD = RateMethod.NONE.value


@dataclass(frozen=True, slots=True)
class PooledRate:
    """A share of rows, k / n, with its two-sided 95 % interval."""

    k: int
    n: int
    rate: float | None
    """None where nothing was counted or the file cannot say."""
    low: float
    high: float
    interval_method: str
    """Formula and unit: `cluster_...` is over questions, `..._rows` over rows; `none` with [0, 1]."""


def blanked(rate: PooledRate) -> PooledRate:
    """Return the rate as unknown, its counts kept."""
    return PooledRate(rate.k, rate.n, None, 0.0, 1.0, NO_METHOD)


def row_rate(count: Count) -> PooledRate:
    """Return a rate whose interval takes rows for independent: it speaks of these questions only."""
    if not count.n:
        return PooledRate(0, 0, None, 0.0, 1.0, NO_METHOD)
    low, high, method = binomial_interval(count.k, count.n)
    return PooledRate(count.k, count.n, count.k / count.n, low, high, f"{method.value}_rows")


def pooled_rate(counts: Sequence[Count], clusters: Sequence[str]) -> PooledRate:
    """Return a rate whose interval speaks of questions like these.

    Where all questions have as many rows, this is `cluster_rate` of the statistics. Else a question
    weighs as many rows as it has, and the variance is that of a ratio (linearized). With one
    cluster that has rows there is no spread to see, and the interval is over rows. With fewer than
    3 clusters that have a hit, or a miss, each cluster counts as one row: wide.

    Args:
        counts: One per question.
        clusters: What each question shares with its paraphrases and formats.

    Source: Korn and Graubard 1998, Survey Methodology 24, 193-201; Cochran 1977, Sampling
        Techniques, section 6.3 (ratio of means).
    """
    whole = total(counts)
    groups: dict[str, Count] = {}
    for count, cluster in zip(counts, clusters, strict=True):
        groups[cluster] = total([count, groups.get(cluster, Count(0, 0))])
    units = [one for one in groups.values() if one.n]
    if len(units) < 2:
        return row_rate(whole)
    k = np.array([one.k for one in units], dtype=np.float64)
    n = np.array([one.n for one in units], dtype=np.float64)
    per_unit, weights = k / n, n / whole.n  # (U,)
    is_few = bool(few_shown(per_unit))
    rate = np.array(whole.k / whole.n)
    rows = effective_rows(
        rate,
        np.array(_half(per_unit, weights, float(rate), is_few=is_few)),
        np.array(min(whole.n, 1 / float((weights**2).sum())) if is_few else whole.n),
        level=LEVEL,
    )
    low, high = exact_bounds(rate, rows, level=LEVEL)
    method = RateMethod.CLUSTER_AS_ROWS if is_few else RateMethod.CLUSTER
    return PooledRate(whole.k, whole.n, float(rate), float(low), float(high), method.value)


def _half(per_unit: Array, weights: Array, rate: float, *, is_few: bool) -> float:
    """Return t times the standard error between clusters; arguments of shape (U,)."""
    from scipy.special import ndtri, stdtrit

    n_units = len(per_unit)
    variance = float((weights**2 * (per_unit - rate) ** 2).sum()) * n_units / (n_units - 1)
    seen = float(stdtrit(n_units - 1, 0.5 + LEVEL / 2)) * math.sqrt(variance)
    if not is_few:
        return seen
    spread = rate * (1 - rate) * float((weights**2).sum())
    return max(seen, float(ndtri(0.5 + LEVEL / 2)) * math.sqrt(spread))
