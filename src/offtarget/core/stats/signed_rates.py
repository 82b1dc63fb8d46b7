"""Sums and differences of rates over the same questions: what every contrast of rates is made of."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offtarget.core.errors import DataError
from offtarget.core.records import Claim
from offtarget.core.stats.counts import Counts, count_rows
from offtarget.core.stats.crossed import question_rate
from offtarget.core.stats.effect import crossed_effect
from offtarget.core.stats.rate import Estimand, Rate
from offtarget.core.stats.sign_flip import SignFlip, sign_flip
from offtarget.core.stats.spread import MIN_SHOWN

_ROUNDING = 1e-12
"""Sums of rates closer to 0 than this are 0: equal shares differ in their last bits."""

Array = NDArray[np.float64]
HitsAndRows = tuple[ArrayLike, ArrayLike]
"""Hits and rows of one arm, each of shape (Q,) or (Q, S)."""


class ContrastMethod(StrEnum):
    """How the interval of a difference was computed."""

    PAIRED = "paired_cluster_t"
    """Student's t over the clusters' differences; with 3 or more seeds crossed with them."""
    RECOVERED = "recovered_from_both_rates"
    """From the rates' own intervals (Zou and Donner 2008, doi:10.1002/sim.3095), pairing not used."""
    NONE = "none"


FLAT = "all seeds show the same difference, so how seeds differ was not seen; train more of them"
"""Why a recipe has no interval whose arms each have one."""


@dataclass(frozen=True, slots=True)
class SignedRates:
    """A sum of rates with signs, over the questions that all arms answered."""

    difference: float
    low: float | None
    """Two-sided 95 %; None where a rate has no interval either."""
    high: float | None
    interval_method: ContrastMethod
    rates: tuple[Rate, ...]
    """Of each arm, in the order given."""
    flips: SignFlip
    n_excluded: int
    """Questions left out because an arm has no row of them at some seed."""
    reason: str


def signed_rates(
    arms: Sequence[HitsAndRows],
    signs: Sequence[int],
    categories: Sequence[str] | None = None,
    clusters: Sequence[str] | None = None,
    *,
    estimand: Estimand,
    claim: Claim = Claim.CHECKPOINT,
    seed: int,
) -> SignedRates:
    """Return the sum of the arms' rates, each with its sign, by question.

    For questions like these: Student's t over the clusters' sums, where at least 3 of them are not
    zero and they are not all the same. For these questions, and where fewer differ, the interval is
    recovered from the rates' own, as if the arms were independent: so they are for these questions.
    For questions like these a difference of two arms that rise and fall together is then too wide.
    Arms of the same sign that do so could make it too narrow; simulation shows none (docs/results.md).

    Args:
        arms: Hits and rows of each arm.
        signs: 1 or -1 for each arm.
        categories: Category of each question; equal weight per category.
        clusters: Paraphrases share one.
        estimand: Which questions the sum speaks of.
        claim: Checkpoint or recipe; a recipe needs 3 seeds.
        seed: Of the random sign patterns.

    Raises:
        DataError: If the arms' shapes differ or no question has rows in all.
    """
    counts, n_excluded = _shared(arms, categories, clusters)
    rates = tuple(question_rate(arm, estimand=estimand, claim=claim) for arm in counts)
    first = counts[0]
    kinds = [str(first.strata[unit]) for unit in first.owner]
    names = [str(unit) for unit in first.owner]
    sums = _exact(np.sum([s * arm.rates for s, arm in zip(signs, counts, strict=True)], axis=0))
    bounds = None
    if estimand is Estimand.LIKE_THESE:
        bounds = _paired(first, sums, kinds, names, claim=claim)
    method = ContrastMethod.PAIRED
    if bounds is None:
        bounds, method = _recovered(rates, signs), ContrastMethod.RECOVERED
    low, high = bounds
    return SignedRates(
        difference=float(_exact(np.dot(signs, [one.rate for one in rates]))),
        low=low,
        high=high,
        interval_method=method if low is not None else ContrastMethod.NONE,
        rates=rates,
        flips=sign_flip(sums.mean(axis=1), kinds, names, seed=seed),
        n_excluded=n_excluded,
        reason="" if low is not None else next((one.reason for one in rates if one.reason), FLAT),
    )


def _shared(
    arms: Sequence[HitsAndRows],
    categories: Sequence[str] | None,
    clusters: Sequence[str] | None,
) -> tuple[list[Counts], int]:
    """The arms' counts over the questions that all have at every seed, and how many are not."""
    tables = [np.asarray(table, dtype=np.float64) for arm in arms for table in arm]
    if len({t.shape for t in tables}) != 1 or not tables[0].size:
        shapes = ", ".join(str(t.shape) for t in tables)
        raise DataError(f"arms have shapes {shapes}; give the same questions and seeds of all")
    tables = [t[:, None] if t.ndim == 1 else t for t in tables]
    n_asked = len(tables[0])
    rows = np.stack(tables[1::2])  # (arms, Q, S)
    kept = [int(i) for i in np.flatnonzero((rows > 0).all(axis=(0, 2)))]
    if not kept:
        raise DataError(
            f"none of {n_asked} questions has rows in all {len(arms)} arms at every "
            "seed; a difference needs the same questions"
        )
    kinds = None if categories is None else [categories[i] for i in kept]
    names = None if clusters is None else [clusters[i] for i in kept]
    counts = [
        count_rows(hits[kept], n[kept], categories=kinds, clusters=names)
        for hits, n in zip(tables[::2], tables[1::2], strict=True)
    ]
    return counts, n_asked - len(kept)


def _paired(
    first: Counts, sums: Array, kinds: Sequence[str], names: Sequence[str], *, claim: Claim
) -> tuple[float | None, float | None] | None:
    """Student's t over clusters; None where too few of them show a difference or its spread."""
    per_unit = _exact(first.cluster_means(sums.mean(axis=1)))
    if int((per_unit != 0).sum()) < MIN_SHOWN:
        return None
    if claim is Claim.CHECKPOINT:  # seeds are fixed: leave them out
        sums = sums.mean(axis=1, keepdims=True)
    effect = crossed_effect(sums, kinds, names)
    if claim is Claim.RECIPE and not effect.se_seeds:
        return None, None
    if not effect.se_questions:
        return None
    return effect.low, effect.high


def _exact(sums: ArrayLike) -> Array:
    """Return sums of rates without what rounding left of a zero."""
    values = np.asarray(sums, dtype=np.float64)
    return np.where(np.abs(values) < _ROUNDING, 0.0, values)


def _recovered(rates: Sequence[Rate], signs: Sequence[int]) -> tuple[float | None, float | None]:
    below, above, center = 0.0, 0.0, 0.0
    for sign, one in zip(signs, rates, strict=True):
        if one.low is None or one.high is None:
            return None, None
        down, up = one.rate - one.low, one.high - one.rate
        below = math.hypot(below, down if sign > 0 else up)
        above = math.hypot(above, up if sign > 0 else down)
        center += sign * one.rate
    return center - below, center + above
