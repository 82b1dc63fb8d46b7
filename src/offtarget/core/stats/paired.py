"""Two arms compared question by question."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from offtarget.core.errors import DataError
from offtarget.core.records import Claim
from offtarget.core.stats.effect import Effect, crossed_effect
from offtarget.core.stats.rate import Estimand, Rate
from offtarget.core.stats.sign_flip import DEFAULT_FLIPS, SignFlip, sign_flip
from offtarget.core.stats.signed_rates import ContrastMethod, HitsAndRows, signed_rates


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
    subject: HitsAndRows,
    control: HitsAndRows,
    categories: Sequence[str] | None = None,
    clusters: Sequence[str] | None = None,
    *,
    estimand: Estimand,
    claim: Claim = Claim.CHECKPOINT,
    seed: int,
) -> RateContrast:
    """Return the difference of two rates over the same questions and matched seeds.

    Its interval is that of `signed_rates`; arguments and errors too.
    """
    found = signed_rates(
        [subject, control], [1, -1], categories, clusters,
        estimand=estimand, claim=claim, seed=seed,
    )  # fmt: skip
    return RateContrast(
        difference=found.difference,
        low=found.low,
        high=found.high,
        interval_method=found.interval_method,
        subject=found.rates[0],
        control=found.rates[1],
        flips=found.flips,
        n_excluded=found.n_excluded,
        reason=found.reason,
    )
