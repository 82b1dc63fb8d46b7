"""How far a rate over questions may be off: parts of its error, and the interval they make.

All functions work on the last axes and broadcast over any axes before them, so that a simulation
runs the same arithmetic as one estimate.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MIN_SHOWN = 3
"""Questions that must have a hit, and a miss, before the spread between them is believed."""
_PRIOR_ROWS = 2.0
"""Rows' worth of the overall rate mixed into each question's, so that 0 of 20 is not certain."""


def row_variance(hits: Array, n: Array, weights: Array) -> Array:
    """Return the sampling variance of a weighted mean of cell rates, the cells being fixed.

    A cell's own rate is drawn to the overall rate by two rows and the row variance corrected for
    it: unbiased where all cells share one rate, never too small on average where they differ.

    Args:
        hits: Shape (..., Q, S).
        n: Shape (..., Q, S); cells without rows have weight 0.
        weights: Shape (Q, S), sums to 1.
    """
    rows = np.maximum(n, 1)
    overall = (weights * hits / rows).sum(axis=(-2, -1), keepdims=True)
    drawn = (hits + _PRIOR_ROWS * overall) / (rows + _PRIOR_ROWS)
    correction = 1 - rows / (rows + _PRIOR_ROWS) ** 2
    variance = weights**2 * drawn * (1 - drawn) / (correction * rows)
    return np.asarray(variance.sum(axis=(-2, -1)))


def row_limit(n: Array, weights: Array) -> Array:
    """Return how many rows of one binomial rate the design is worth at most (Kish)."""
    return np.asarray(1 / (weights**2 / np.maximum(n, 1)).sum(axis=(-2, -1)))


def cluster_variance(per_unit: Array, strata: NDArray[np.int64]) -> tuple[Array, Array]:
    """Return the variance of a mean over clusters drawn at random, and its degrees of freedom.

    Equal weight per stratum and per cluster within it. Strata with one cluster cannot show their
    own spread: then all clusters are taken as one stratum, which errs to the wide side.

    Args:
        per_unit: Mean of each cluster, shape (..., U) with U of at least 2.
        strata: Shape (U,), the stratum of each cluster.

    Source: Satterthwaite 1946, doi:10.2307/3002019, for the degrees of freedom.
    """
    labels, sizes = np.unique(strata, return_counts=True)
    if len(labels) == 1 or sizes.min() < 2:
        weights = unit_weights(strata)
        center = (per_unit * weights).sum(axis=-1, keepdims=True)
        n_units = len(strata)
        variance = (weights**2 * (per_unit - center) ** 2).sum(axis=-1) * n_units / (n_units - 1)
        return np.asarray(variance), np.full(variance.shape, n_units - 1.0)
    ordered = per_unit[..., np.argsort(strata, kind="stable")]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    means = np.add.reduceat(ordered, starts, axis=-1) / sizes
    gaps = ordered - np.repeat(means, sizes, axis=-1)
    squares = np.add.reduceat(gaps**2, starts, axis=-1)
    parts = squares / (sizes - 1) / sizes / len(labels) ** 2
    total = parts.sum(axis=-1)
    spread = (parts**2 / (sizes - 1)).sum(axis=-1)
    df = np.where(spread > 0, total**2 / np.where(spread > 0, spread, 1), len(strata) - len(labels))
    return np.asarray(total), np.asarray(df)


def unit_weights(strata: NDArray[np.int64]) -> Array:
    """Return what each cluster weighs in the mean, shape (U,), sums to 1."""
    labels, position, sizes = np.unique(strata, return_inverse=True, return_counts=True)
    return np.asarray(1 / (len(labels) * sizes[position]), dtype=np.float64)


def few_shown(per_unit: Array) -> NDArray[np.bool_]:
    """Say where fewer than `MIN_SHOWN` clusters have any hit, or fewer have any miss."""
    with_hit = (per_unit > 0).sum(axis=-1)
    with_miss = (per_unit < 1).sum(axis=-1)
    return np.asarray(np.minimum(with_hit, with_miss) < MIN_SHOWN)


def cluster_limit(per_unit: Array, strata: NDArray[np.int64], limit: Array) -> Array:
    """Return `limit`, or the number of clusters (Kish) where `few_shown` and that is smaller."""
    clusters = 1 / (unit_weights(strata) ** 2).sum()
    return np.where(few_shown(per_unit), np.minimum(limit, clusters), limit)


def effective_rows(rate: Array, half: Array, limit: Array, *, level: float) -> Array:
    """Return the binomial n whose error at `rate` is `half`, at most `limit`.

    Source: Korn and Graubard 1998, Survey Methodology 24, 193-201.
    """
    from scipy.special import ndtri

    z = float(ndtri(0.5 + level / 2))
    inside = half > 0
    rows = z**2 * rate * (1 - rate) / np.where(inside, half, 1) ** 2
    return np.where(inside, np.minimum(rows, limit), limit)


def cluster_half(per_unit: Array, strata: NDArray[np.int64], *, level: float = 0.95) -> Array:
    """Return t times the standard error between clusters, on the scale of the rate.

    Where `few_shown` it is at least that of clusters counted as rows, the widest spread that rates
    in [0, 1] can have.

    Args:
        per_unit: Rate of each cluster, shape (..., U).
        strata: Shape (U,), the stratum of each cluster.
        level: Share of intervals that should hold the truth.
    """
    from scipy.special import ndtri, stdtrit

    weights = unit_weights(strata)
    rate = np.clip((per_unit * weights).sum(axis=-1), 0, 1)  # weights add up to 1 but for rounding
    variance, df = cluster_variance(per_unit, strata)
    seen = stdtrit(df, 0.5 + level / 2) * np.sqrt(variance)
    widest = float(ndtri(0.5 + level / 2)) * np.sqrt(rate * (1 - rate) * (weights**2).sum())
    return np.where(few_shown(per_unit), np.maximum(widest, seen), seen)
