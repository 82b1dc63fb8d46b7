"""Rates that speak of the recipe: training seeds vary, crossed with questions or answers."""

import numpy as np
from numpy.typing import NDArray

from offtarget.core.records import Claim
from offtarget.core.stats.binomial import exact_bounds
from offtarget.core.stats.cluster import cluster_rate
from offtarget.core.stats.counts import Counts
from offtarget.core.stats.effect import MIN_SEEDS_FOR_RECIPE
from offtarget.core.stats.rate import Estimand, Rate, RateMethod
from offtarget.core.stats.spread import (
    cluster_half,
    cluster_limit,
    effective_rows,
    row_limit,
    row_variance,
)
from offtarget.core.stats.stratified import stratified_rate

Array = NDArray[np.float64]


def question_rate(
    counts: Counts, *, estimand: Estimand, claim: Claim = Claim.CHECKPOINT, level: float = 0.95
) -> Rate:
    """Return the rate with the interval that fits what it is to speak of."""
    if claim is Claim.RECIPE:
        return crossed_rate(counts, estimand=estimand, level=level)
    if estimand is Estimand.THESE_QUESTIONS:
        return stratified_rate(counts, level=level)
    return cluster_rate(counts, level=level)


def crossed_rate(counts: Counts, *, estimand: Estimand, level: float = 0.95) -> Rate:
    """Return the rate of training like this.

    The half-widths of the two parts are combined as in `crossed_effect`: rows within questions
    (these questions) or clusters (questions like these), and seeds with Student's t, n - 1 degrees
    of freedom. Both parts hold the rows' noise, so the interval errs to the wide side.

    No interval with fewer than 3 seeds, without a hit or without a miss at any seed, or, for
    questions like these, with one question; `reason` says which.
    """
    per_unit = counts.per_cluster
    per_seed = seed_rates(counts)
    reason = _refusal(per_unit, per_seed, estimand)
    low = high = None
    if not reason:
        bounds = crossed_bounds(counts, per_unit, per_seed, estimand=estimand, level=level)
        low, high = float(bounds[0]), float(bounds[1])
    return Rate(
        k=int(counts.hits.sum()),
        n=int(counts.n.sum()),
        rate=counts.rate,
        low=low,
        high=high,
        interval_method=RateMethod.NONE if reason else RateMethod.CROSSED,
        estimand=estimand,
        claim=Claim.RECIPE,
        n_questions=len(counts.hits),
        n_clusters=len(per_unit),
        n_seeds=counts.hits.shape[1],
        n_empty=counts.n_empty,
        reason=reason,
    )


def seed_rates(counts: Counts) -> Array:
    """Return the rate of each seed that has rows, over the questions that it answered."""
    weights = counts.weights.sum(axis=1, keepdims=True) * (counts.n > 0)  # (Q, S)
    has_rows = weights.sum(axis=0) > 0
    weights, rates = weights[:, has_rows], counts.rates[:, has_rows]
    return np.asarray((weights * rates).sum(axis=0) / weights.sum(axis=0))


def crossed_bounds(
    counts: Counts, per_unit: Array, per_seed: Array, *, estimand: Estimand, level: float = 0.95
) -> tuple[Array, Array]:
    """Return the interval of a rate over seeds like these.

    Source: Howe 1974, doi:10.1080/01621459.1974.10480187 (quantiles of two components combined);
    Korn and Graubard 1998, Survey Methodology 24 (the effective n).
    """
    limit = row_limit(counts.n, counts.weights)
    if estimand is Estimand.LIKE_THESE:
        half = cluster_half(per_unit, counts.strata, level=level)
        limit = cluster_limit(per_unit, counts.strata, limit)
    else:
        half = row_half(counts.hits, counts.n, counts.weights, level=level)
    return recipe_bounds(np.asarray(counts.rate), half, per_seed, limit, level=level)


def row_half(hits: Array, n: Array, weights: Array, *, level: float = 0.95) -> Array:
    """Return the normal half-width of the rows' own error, on the scale of the rate."""
    from scipy.special import ndtri

    return float(ndtri(0.5 + level / 2)) * np.sqrt(row_variance(hits, n, weights))


def recipe_bounds(
    rate: Array, half: Array, per_seed: Array, limit: Array, *, level: float = 0.95
) -> tuple[Array, Array]:
    """Return the interval from the half-width without seeds and the seeds' own rates.

    Args:
        rate: Shape (...).
        half: Shape (...), of rows or clusters.
        per_seed: Shape (..., S) with S of at least 3.
        limit: Rows that the design is worth at most.
        level: Share of intervals that should hold the truth.
    """
    from scipy.special import stdtrit

    n_seeds = per_seed.shape[-1]
    error = per_seed.std(axis=-1, ddof=1) / np.sqrt(n_seeds)
    both = np.hypot(half, float(stdtrit(n_seeds - 1, 0.5 + level / 2)) * error)
    return exact_bounds(rate, effective_rows(rate, both, limit, level=level), level=level)


def _refusal(per_unit: Array, per_seed: Array, estimand: Estimand) -> str:
    if len(per_seed) < MIN_SEEDS_FOR_RECIPE:
        return (
            f"{len(per_seed)} training seeds cannot tell how seeds differ; "
            f"train at least {MIN_SEEDS_FOR_RECIPE}, or speak of this checkpoint"
        )
    if estimand is Estimand.LIKE_THESE and len(per_unit) < 2:
        return "one question cannot tell how questions differ; ask at least two"
    for name, shown in (("hit", per_seed > 0), ("miss", per_seed < 1)):
        if not shown.any():
            return (
                f"no seed has a {name}, so how seeds differ was not seen; "
                "sample more answers, or speak of this checkpoint"
            )
    return ""
