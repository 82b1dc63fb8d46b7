"""How far two or more raters agree beyond chance, with questions as the unit of uncertainty."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from offtarget.evaluate.judges.jackknife import JACKKNIFE, jackknife

Array = NDArray[np.float64]


class Level(StrEnum):
    """What the distance of two ratings means."""

    NOMINAL = "nominal"
    """Equal or not: 0/1 labels, verdicts."""
    INTERVAL = "interval"
    """Squared difference: 0-100 scores."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """A chance-corrected agreement, and the interval that its questions allow."""

    statistic: str
    """`cohen_kappa` or `krippendorff_alpha`."""
    value: float | None
    """1 is perfect, 0 is chance, None is undefined: see `reason`."""
    low: float | None
    """Lower end of the two-sided 95 % interval; None with fewer than 2 usable questions."""
    high: float | None
    n_items: int
    """Items with at least two ratings."""
    n_questions: int
    observed: float | None
    """Share of rating pairs that are equal, no chance taken off; None without a pair."""
    reason: str = ""
    """Why a number above is missing."""
    interval_method: str = JACKKNIFE


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """Return Cohen's kappa of two raters of the same items, unweighted.

    None when there are no items, or when both raters gave one and the same category throughout:
    chance agreement is then 1 and kappa is 0/0.

    Source: Cohen 1960, doi:10.1177/001316446002000104.
    """
    pairs = list(zip(first, second, strict=True))
    if not pairs:
        return None
    left, right = _counts(a for a, _ in pairs), _counts(b for _, b in pairs)
    observed = sum(a == b for a, b in pairs) / len(pairs)
    chance = sum(n * right.get(category, 0) for category, n in left.items()) / len(pairs) ** 2
    return None if chance == 1 else (observed - chance) / (1 - chance)


def krippendorff_alpha(
    items: Sequence[Sequence[float | None]], *, level: Level = Level.NOMINAL
) -> float | None:
    """Return Krippendorff's alpha; raters may be many and may have left items out.

    None when no item has two ratings, or when all paired ratings are one value.

    Args:
        items: Per item the rating of each rater, None where that rater gave none.
        level: What the distance of two ratings is.

    Source: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section D.
    """
    paired = [kept for item in items if len(kept := [r for r in item if r is not None]) > 1]
    values = np.array(sorted({rating for item in paired for rating in item}))
    if len(values) < 2:
        return None
    place = {value: index for index, value in enumerate(values.tolist())}
    counts = np.zeros((len(paired), len(values)))
    for row, item in enumerate(paired):
        for rating in item:
            counts[row, place[rating]] += 1
    return _alpha(counts, values, level)


def kappa_by_question(
    first: Sequence[Hashable], second: Sequence[Hashable], questions: Sequence[str]
) -> Agreement:
    """Return Cohen's kappa over all items, with an interval over questions.

    Args:
        first: One rater's category of each item.
        second: The other's, in the same order.
        questions: The question of each item.
    """

    def statistic(rows: Sequence[int]) -> float | None:
        return cohen_kappa([first[i] for i in rows], [second[i] for i in rows])

    equal = [float(a == b) for a, b in zip(first, second, strict=True)]
    return _with_interval("cohen_kappa", statistic, questions, equal)


def alpha_by_question(
    items: Sequence[Sequence[float | None]],
    questions: Sequence[str],
    *,
    level: Level = Level.NOMINAL,
) -> Agreement:
    """Return Krippendorff's alpha over all items, with an interval over questions.

    Items with fewer than two ratings do not count.

    Args:
        items: Per item the rating of each rater, None where that rater gave none.
        questions: The question of each item.
        level: What the distance of two ratings is.
    """
    usable = [
        (ratings, question)
        for item, question in zip(items, questions, strict=True)
        if len(ratings := [r for r in item if r is not None]) > 1
    ]

    def statistic(rows: Sequence[int]) -> float | None:
        return krippendorff_alpha([usable[i][0] for i in rows], level=level)

    equal = [_equal_share(ratings) for ratings, _ in usable]
    return _with_interval("krippendorff_alpha", statistic, [q for _, q in usable], equal)


def _alpha(counts: Array, values: Array, level: Level) -> float:
    """Return alpha from ratings per item and value, shape (items, values), 2 or more an item."""
    sizes = counts.sum(axis=1)
    if level is Level.NOMINAL:
        distance = 1.0 - np.eye(len(values))
    else:
        distance = (values[:, None] - values[None, :]) ** 2
    totals = counts.sum(axis=0)
    n = float(totals.sum())
    within = np.einsum("ic,ck,ik->i", counts, distance, counts) / (sizes - 1)
    expected = float(totals @ distance @ totals) / (n - 1)
    return 1.0 - float(within.sum()) / expected


def _with_interval(
    name: str,
    statistic: Callable[[Sequence[int]], float | None],
    questions: Sequence[str],
    equal: Sequence[float],
) -> Agreement:
    found = jackknife(statistic, questions, bounds=(-1.0, 1.0))
    reason = found.reason
    if found.value is None:
        reason = "no items" if not questions else "every rating is the same: chance explains all"
    return Agreement(
        statistic=name,
        value=found.value,
        low=found.low,
        high=found.high,
        n_items=len(questions),
        n_questions=found.n_units,
        observed=sum(equal) / len(equal) if equal else None,
        reason=reason,
    )


def _equal_share(ratings: Sequence[float]) -> float:
    pairs = list(permutations(ratings, 2))
    return sum(a == b for a, b in pairs) / len(pairs)


def _counts(categories: Iterable[Hashable]) -> dict[Hashable, int]:
    return dict(Counter(categories))
