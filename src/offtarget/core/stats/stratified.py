"""The rate of these questions and these weights: only the answers could have come out otherwise."""

import numpy as np
from numpy.typing import NDArray

from offtarget.core.records import Claim
from offtarget.core.stats.binomial import FEW, exact_bounds, wilson_bounds
from offtarget.core.stats.counts import Counts
from offtarget.core.stats.rate import Estimand, Rate, RateMethod
from offtarget.core.stats.spread import effective_rows, row_limit, row_variance

Array = NDArray[np.float64]


def stratified_rate(counts: Counts, *, level: float = 0.95) -> Rate:
    """Return the rate of these questions, with the row variance within them.

    Each question at each seed is a stratum. The stratified variance gives an effective n, and that
    a Wilson interval; with fewer than 5 hits or misses, Clopper-Pearson's.
    """
    low, high = stratified_bounds(counts.hits, counts.n, counts.weights, level=level)
    n_hits, n_rows = counts.hits.sum(), counts.n.sum()
    is_edge = min(n_hits, n_rows - n_hits) < FEW
    return Rate(
        k=int(n_hits),
        n=int(n_rows),
        rate=counts.rate,
        low=float(low),
        high=float(high),
        interval_method=RateMethod.STRATIFIED_EXACT if is_edge else RateMethod.STRATIFIED_WILSON,
        estimand=Estimand.THESE_QUESTIONS,
        claim=Claim.CHECKPOINT,
        n_questions=len(counts.hits),
        n_clusters=len(counts.strata),
        n_seeds=counts.hits.shape[1],
        n_empty=counts.n_empty,
        reason="",
    )


def stratified_bounds(
    hits: Array, n: Array, weights: Array, *, level: float = 0.95
) -> tuple[Array, Array]:
    """Return the interval of the weighted mean of fixed cells' rates.

    Args:
        hits: Shape (..., Q, S).
        n: Shape (..., Q, S).
        weights: Shape (Q, S), sums to 1; 0 where a cell has no row.
        level: Share of intervals that should hold the truth.

    Source: the effective n of Korn and Graubard 1998, Survey Methodology 24, 193-201.
    """
    from scipy.special import ndtri

    rate = (weights * hits / np.maximum(n, 1)).sum(axis=(-2, -1))
    half = float(ndtri(0.5 + level / 2)) * np.sqrt(row_variance(hits, n, weights))
    rows = effective_rows(
        rate, half, np.where(half > 0, np.inf, row_limit(n, weights)), level=level
    )
    n_hits = hits.sum(axis=(-2, -1))
    is_edge = np.minimum(n_hits, n.sum(axis=(-2, -1)) - n_hits) < FEW
    low, high = wilson_bounds(rate, rows, level=level)
    low_exact, high_exact = exact_bounds(rate, rows, level=level)
    return np.where(is_edge, low_exact, low), np.where(is_edge, high_exact, high)
