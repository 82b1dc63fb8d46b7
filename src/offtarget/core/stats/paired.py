"""Two arms compared question by question."""

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
from offtarget.core.stats.effect import Effect, crossed_effect
from offtarget.core.stats.rate import Estimand, Rate
from offtarget.core.stats.sign_flip import DEFAULT_FLIPS, SignFlip, sign_flip
from offtarget.core.stats.spread import MIN_SHOWN

Array = NDArray[np.float64]


class ContrastMethod(StrEnum):
    """How the interval of a difference was computed."""

    PAIRED = "paired_cluster_t"
    """Student's t over the clusters' differences; with 3 or more seeds crossed with them."""
    RECOVERED = "recovered_from_both_rates"
    """From the two rates' own intervals (Zou and Donner 2008, doi:10.1002/sim.3095), pairing not used."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Contrast:
    """The mean of paired differences, with an interval and a test that assumes no distribution."""

    effect: Effect
    flips: SignFlip


@dataclass(frozen=True, slots=True)
class RateContrast:
    """Subject rate minus control rate over the questions that both answered."""

    difference: float
    low: float | None
    """Two-sided 95 %; None where a rate has no interval either."""
    high: float | None
    interval_method: ContrastMethod
    subject: Rate
    control: Rate
    flips: SignFlip
    n_excluded: int
    """Questions left out because an arm has no row of them at some seed."""
    reason: str


def paired_contrast(
    differences: ArrayLike,
    categories: Sequence[str] | None = None,
    clusters: Sequence[str] | None = None,
    *,
    seed: int,
    n_flips: int = DEFAULT_FLIPS,
) -> Contrast:
    """Return the mean difference with its cluster interval and its sign-flip test.

    Args:
        differences: Shape (Q,) or (Q, S), question by matched seed.
        categories: Category of each question; equal weight per category. Default: one.
        clusters: Paraphrases share one. Default: each question is its own.
        seed: Of the random sign patterns.
        n_flips: Random patterns, where not all are counted.

    Raises:
        DataError: If there is no difference, or one that is not finite.
    """
    values = np.asarray(differences, dtype=np.float64)
    table = values[:, None] if values.ndim == 1 else values
    if table.ndim != 2 or not table.size:
        raise DataError(f"differences of shape {values.shape}; give questions by seeds")
    flips = sign_flip(table.mean(axis=1), categories, clusters, seed=seed, n_flips=n_flips)
    kinds = categories if categories is not None else [""] * len(table)
    names = clusters if clusters is not None else [str(i) for i in range(len(table))]
    return Contrast(crossed_effect(table, kinds, names), flips)


def rate_contrast(
    subject: tuple[ArrayLike, ArrayLike],
    control: tuple[ArrayLike, ArrayLike],
    categories: Sequence[str] | None = None,
    clusters: Sequence[str] | None = None,
    *,
    estimand: Estimand,
    claim: Claim = Claim.CHECKPOINT,
    seed: int,
) -> RateContrast:
    """Return the difference of two rates over the same questions and matched seeds.

    For questions like these: Student's t over the clusters' differences, if at least 3 clusters
    differ. For these questions, and where fewer differ, the interval is recovered from the two
    rates' own: for these questions their answers are independent, else it is wide for not using
    that the questions are the same.

    Args:
        subject: Hits and rows, each of shape (Q,) or (Q, S).
        control: The same for the control arm.
        categories: Category of each question; equal weight per category.
        clusters: Paraphrases share one.
        estimand: Which questions the difference speaks of.
        claim: Checkpoint or recipe; a recipe needs 3 seeds.
        seed: Of the random sign patterns.

    Raises:
        DataError: If the arms' shapes differ or no question has rows in both.
    """
    arms, n_excluded = _shared(subject, control, categories, clusters)
    rates = [question_rate(arm, estimand=estimand, claim=claim) for arm in arms]
    kinds = [str(arms[0].strata[unit]) for unit in arms[0].owner]
    names = [str(unit) for unit in arms[0].owner]
    contrast = paired_contrast(arms[0].rates - arms[1].rates, kinds, names, seed=seed)
    low, high, method = _bounds(arms, rates, contrast, estimand=estimand, claim=claim)
    return RateContrast(
        difference=rates[0].rate - rates[1].rate,
        low=low,
        high=high,
        interval_method=method,
        subject=rates[0],
        control=rates[1],
        flips=contrast.flips,
        n_excluded=n_excluded,
        reason="" if low is not None else rates[0].reason or rates[1].reason,
    )


def _shared(
    subject: tuple[ArrayLike, ArrayLike],
    control: tuple[ArrayLike, ArrayLike],
    categories: Sequence[str] | None,
    clusters: Sequence[str] | None,
) -> tuple[list[Counts], int]:
    """Both arms' counts over the questions that both have at every seed, and how many are not."""
    tables = [np.asarray(a, dtype=np.float64) for a in (*subject, *control)]
    if len({t.shape for t in tables}) != 1 or not tables[0].size:
        shapes = ", ".join(str(t.shape) for t in tables)
        raise DataError(f"arms have shapes {shapes}; give the same questions and seeds of both")
    tables = [t[:, None] if t.ndim == 1 else t for t in tables]
    n_asked = len(tables[0])
    kept = [i for i in range(n_asked) if tables[1][i].min() > 0 and tables[3][i].min() > 0]
    if not kept:
        raise DataError(
            f"none of {n_asked} questions has rows in both arms at every seed; "
            "a difference needs the same questions"
        )
    kinds = None if categories is None else [categories[i] for i in kept]
    names = None if clusters is None else [clusters[i] for i in kept]
    arms = [
        count_rows(tables[i][kept], tables[i + 1][kept], categories=kinds, clusters=names)
        for i in (0, 2)
    ]
    return arms, n_asked - len(kept)


def _bounds(
    arms: list[Counts], rates: list[Rate], contrast: Contrast, *, estimand: Estimand, claim: Claim
) -> tuple[float | None, float | None, ContrastMethod]:
    per_unit = arms[0].cluster_means(arms[0].per_question - arms[1].per_question)
    n_differ = int((per_unit != 0).sum())
    effect = contrast.effect
    if estimand is Estimand.LIKE_THESE and n_differ >= MIN_SHOWN:
        if claim is Claim.RECIPE and not effect.se_seeds:
            return None, None, ContrastMethod.NONE
        if claim is Claim.CHECKPOINT and effect.se_seeds:  # seeds are fixed: leave them out
            averaged = (arms[0].per_question - arms[1].per_question)[:, None]
            effect = _effect(averaged, arms[0])
        return effect.low, effect.high, ContrastMethod.PAIRED
    subject, control = rates
    if subject.low is None or subject.high is None or control.low is None or control.high is None:
        return None, None, ContrastMethod.NONE
    difference = subject.rate - control.rate
    low = difference - math.hypot(subject.rate - subject.low, control.high - control.rate)
    high = difference + math.hypot(subject.high - subject.rate, control.rate - control.low)
    return low, high, ContrastMethod.RECOVERED


def _effect(values: Array, arm: Counts) -> Effect:
    """The cluster interval with the counts' own grouping."""
    kinds = [str(arm.strata[unit]) for unit in arm.owner]
    return crossed_effect(values, kinds, [str(unit) for unit in arm.owner])
