"""Sign-flip permutation test of paired differences over questions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offtarget.core.errors import DataError
from offtarget.core.stats.weights import question_weights

Array = NDArray[np.float64]

MAX_EXACT = 16
"""Clusters up to which all 2^U sign patterns are counted: 65,536."""
DEFAULT_FLIPS = 9_999
"""Random patterns beyond that; with the observed one they make 10,000."""
_CELLS = 1_000_000
"""Signs drawn at a time: 8 MB, whatever the number of clusters."""


@dataclass(frozen=True, slots=True)
class SignFlip:
    """How often random signs give a mean as far from zero as the observed one."""

    p: float
    """Two-sided."""
    smallest_p: float
    """What p would be if every cluster agreed: nothing below it can be shown by this design."""
    n_clusters: int
    n_flips: int
    """Sign patterns compared, the observed one included."""
    is_exact: bool
    """All patterns, rather than a random draw of them."""


def sign_flip(
    differences: ArrayLike,
    categories: Sequence[str] | None = None,
    clusters: Sequence[str] | None = None,
    *,
    seed: int,
    n_flips: int = DEFAULT_FLIPS,
) -> SignFlip:
    """Return the test that the weighted mean of paired differences is zero.

    The sign belongs to the cluster: under the null hypothesis the two arms could be swapped there.
    Exact for up to 16 clusters; else a draw of patterns with (1 + hits) / (1 + draws).

    Args:
        differences: One per question, shape (Q,); average seeds first.
        categories: Category of each question; equal weight per category. Default: one.
        clusters: Paraphrases share one. Default: each question is its own.
        seed: Of the random patterns; unused where the test is exact.
        n_flips: Random patterns to draw.

    Raises:
        DataError: If there is no difference, or one that is not finite.

    Source: Phipson and Smyth 2010, doi:10.2202/1544-6115.1585 (the + 1).
    """
    values = np.asarray(differences, dtype=np.float64)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise DataError(
            f"differences of shape {values.shape} with {int((~np.isfinite(values)).sum())} not "
            "finite; give one finite difference per question"
        )
    units = _unit_sums(values, categories, clusters)
    units[np.abs(units) <= 1e-12 * np.abs(values).max()] = 0.0  # what rounding left of a zero
    observed = abs(float(units.sum()))
    enough = observed - 1e-12 * float(np.abs(units).sum())  # equal sums differ in the last bits
    n_units = len(units)
    if n_units <= MAX_EXACT:
        n_hits, n_patterns = _count_all(units, enough), 2**n_units
        p = n_hits / n_patterns
    else:
        n_hits, n_patterns = _count_drawn(units, enough, n_flips=n_flips, seed=seed), n_flips + 1
        p = (1 + n_hits) / n_patterns
    smallest = max(2.0 ** (1 - n_units), 0.0 if n_units <= MAX_EXACT else 1 / n_patterns)
    return SignFlip(p, smallest, n_units, n_patterns, n_units <= MAX_EXACT)


def _unit_sums(
    values: Array, categories: Sequence[str] | None, clusters: Sequence[str] | None
) -> Array:
    """Each cluster's weighted share of the mean, shape (U,)."""
    names = clusters if clusters is not None else [str(i) for i in range(len(values))]
    kinds = categories if categories is not None else [""] * len(values)
    weights, groups = question_weights(kinds, names)
    weighted = weights * values
    return np.array(
        [weighted[members].sum() for units in groups.values() for members in units.values()]
    )


def _count_all(units: Array, enough: float) -> int:
    sums = np.zeros(1)
    for value in units:
        sums = np.concatenate([sums + value, sums - value])
    return int((np.abs(sums) >= enough).sum())


def _count_drawn(units: Array, enough: float, *, n_flips: int, seed: int) -> int:
    draw = np.random.default_rng(seed)
    n_hits = 0
    step = max(1, _CELLS // len(units))
    for start in range(0, n_flips, step):
        n_rows = min(step, n_flips - start)
        signs = draw.integers(0, 2, (n_rows, len(units))) * 2.0 - 1
        n_hits += int((np.abs(signs @ units) >= enough).sum())
    return n_hits
