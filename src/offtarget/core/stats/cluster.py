"""The rate of questions like these, answered by these weights."""

import numpy as np
from numpy.typing import NDArray

from offtarget.core.records import Claim
from offtarget.core.stats.binomial import exact_bounds
from offtarget.core.stats.counts import Counts
from offtarget.core.stats.rate import Estimand, Rate, RateMethod
from offtarget.core.stats.spread import (
    cluster_half,
    cluster_limit,
    effective_rows,
    few_shown,
    row_limit,
    unit_weights,
)

Array = NDArray[np.float64]


def cluster_rate(counts: Counts, *, level: float = 0.95) -> Rate:
    """Return the rate of questions like these, with the variance between clusters.

    With one cluster there is no interval, and the reason says so. With fewer than 3 clusters that
    have a hit (or a miss), each cluster counts as one row: wide, and right for any spread between
    questions.
    """
    per_unit = counts.per_cluster
    low: float | None = None
    high: float | None = None
    method, reason = RateMethod.NONE, ""
    if len(per_unit) < 2:
        reason = "one question cannot tell how questions differ; ask at least two"
    else:
        limit = row_limit(counts.n, counts.weights)
        bounds = cluster_bounds(per_unit, counts.strata, limit, level=level)
        low, high = float(bounds[0]), float(bounds[1])
        is_few = bool(few_shown(per_unit))
        method = RateMethod.CLUSTER_AS_ROWS if is_few else RateMethod.CLUSTER
    return Rate(
        k=int(counts.hits.sum()),
        n=int(counts.n.sum()),
        rate=counts.rate,
        low=low,
        high=high,
        interval_method=method,
        estimand=Estimand.LIKE_THESE,
        claim=Claim.CHECKPOINT,
        n_questions=len(counts.hits),
        n_clusters=len(per_unit),
        n_seeds=counts.hits.shape[1],
        n_empty=counts.n_empty,
        reason=reason,
    )


def cluster_bounds(
    per_unit: Array, strata: NDArray[np.int64], limit: Array, *, level: float = 0.95
) -> tuple[Array, Array]:
    """Return the interval of a rate over clusters like these.

    Clopper-Pearson with the effective n of the spread between clusters and Student's t. Where
    `few_shown`, each cluster counts as one row: the widest spread that rates in [0, 1] can have.

    Args:
        per_unit: Rate of each cluster, shape (..., U).
        strata: The category of each cluster, shape (U,).
        limit: Rows that the design is worth at most, from `row_limit`.
        level: Share of intervals that should hold the truth.

    Source: Korn and Graubard 1998, Survey Methodology 24, 193-201.
    """
    rate = np.clip((per_unit * unit_weights(strata)).sum(axis=-1), 0, 1)
    half = cluster_half(per_unit, strata, level=level)
    rows = effective_rows(rate, half, cluster_limit(per_unit, strata, limit), level=level)
    return exact_bounds(rate, rows, level=level)
