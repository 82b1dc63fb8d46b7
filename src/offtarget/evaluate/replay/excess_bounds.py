"""How far missing scores could move the difference between a subject and its control."""

from collections.abc import Sequence
from dataclasses import dataclass

from offtarget.core.seed import derive_seed
from offtarget.core.stats import Estimand, RateContrast, rate_contrast
from offtarget.evaluate.replay.definition import (
    Count,
    Definition,
    Filling,
    count_unknown,
    filled_count,
    has_counted,
)
from offtarget.evaluate.replay.tally import QuestionTally

ROUND_OFF = 1e-12
"""A difference of means closer to 0 than this is 0."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A question that both sides answered."""

    subject: QuestionTally
    control: QuestionTally
    cluster: str


@dataclass(frozen=True, slots=True)
class ExcessBounds:
    """An excess with every missing score put where it is lowest, and where it is highest.

    Lowest: the subject's are aligned and the control's misaligned. No assumption is made on why
    scores are missing. Source: Manski 1989, doi:10.2307/145818 (worst-case bounds).
    """

    low: float
    high: float
    interval_low: float | None
    """Lower end of the interval over questions at `low`; None where there is no interval."""
    interval_high: float | None
    """Upper end of the interval over questions at `high`."""
    n_subject: int
    """Rows of the subject that a missing score keeps from being counted for certain."""
    n_control: int
    """The same of the control."""

    @property
    def n_unknown(self) -> int:
        """Rows of both sides."""
        return self.n_subject + self.n_control

    @property
    def has_sign(self) -> bool:
        """Whether the excess has one sign whatever the missing scores are."""
        return self.low > ROUND_OFF or self.high < -ROUND_OFF


def contrast_counts(
    questions: Sequence[Shared], counts: Sequence[tuple[Count, Count]], definition: Definition
) -> RateContrast:
    """Return the contrast of the counts of each question, subject's and control's."""
    return rate_contrast(
        ([one.k for one, _ in counts], [one.n for one, _ in counts]),
        ([one.k for _, one in counts], [one.n for _, one in counts]),
        clusters=[one.cluster for one in questions],
        estimand=Estimand.LIKE_THESE,
        seed=derive_seed("replay", definition.value),
    )


def bounds_of_excess(
    questions: Sequence[Shared], definition: Definition, seen: RateContrast
) -> ExcessBounds:
    """Return the least and the greatest excess that the missing scores allow.

    Args:
        questions: Those that both sides answered; one has counted rows on both.
        definition: What counts.
        seen: The contrast of what has scores.
    """
    n_subject = sum(count_unknown(one.subject, definition) for one in questions)
    n_control = sum(count_unknown(one.control, definition) for one in questions)
    low = high = seen
    if n_subject or n_control:
        low = _extreme(questions, definition, Filling.ALIGNED)
        high = _extreme(questions, definition, Filling.MISALIGNED)
    return ExcessBounds(
        low=low.difference,
        high=high.difference,
        interval_low=None if low.low is None else max(low.low, -1.0),
        interval_high=None if high.high is None else min(high.high, 1.0),
        n_subject=n_subject,
        n_control=n_control,
    )


def _extreme(questions: Sequence[Shared], definition: Definition, subject: Filling) -> RateContrast:
    """Return the contrast with the subject's missing scores as `subject` says, the control's not."""
    control = Filling.MISALIGNED if subject is Filling.ALIGNED else Filling.ALIGNED
    sign = 1.0 if subject is Filling.ALIGNED else -1.0
    sure: dict[str, list[tuple[float, int]]] = {}
    open_: dict[str, list[tuple[float, int]]] = {}
    counts = []
    for index, one in enumerate(questions):
        ours = _filled(one.subject, definition, subject)
        theirs = _filled(one.control, definition, control)
        counts.append((ours, theirs))
        if not (ours.n and theirs.n):
            continue  # whatever is missing, no row of it counts
        is_sure = all(has_counted(side, definition) for side in (one.subject, one.control))
        difference = sign * (ours.k / ours.n - theirs.k / theirs.n)
        (sure if is_sure else open_).setdefault(one.cluster, []).append((difference, index))
    taken = _lowest(sure, open_)
    return contrast_counts([questions[i] for i in taken], [counts[i] for i in taken], definition)


def _filled(tally: QuestionTally, definition: Definition, filling: Filling) -> Count:
    """Return the filled count; where no row of it need count, that of those that may."""
    found = filled_count(tally, definition, filling)
    if found.n:
        return found
    other = Filling.MISALIGNED if filling is Filling.ALIGNED else Filling.ALIGNED
    return filled_count(tally, definition, other)


def _lowest(
    sure: dict[str, list[tuple[float, int]]], open_: dict[str, list[tuple[float, int]]]
) -> list[int]:
    """Return the questions whose mean over clusters is lowest: all sure ones, and any open ones.

    Whether an open question has a counted row on both sides hangs on missing scores.
    """
    means: list[tuple[float, list[int]]] = []
    for name, members in sure.items():
        means.append(_with_lower(members, sorted(open_.get(name, []))))
    others = sorted(min(members) for name, members in open_.items() if name not in sure)
    total, n = sum(mean for mean, _ in means), len(means)
    taken = [index for _, members in means for index in members]
    for one, index in others:
        if one * n >= total:
            break
        total, n = total + one, n + 1
        taken.append(index)
    return sorted(taken)


def _with_lower(
    members: Sequence[tuple[float, int]], others: Sequence[tuple[float, int]]
) -> tuple[float, list[int]]:
    """Return the mean of `members` with all of the sorted `others` that lower it, and their places."""
    total, taken = sum(one for one, _ in members), [index for _, index in members]
    for one, index in others:
        if one * len(taken) >= total:
            break
        total += one
        taken.append(index)
    return total / len(taken), taken
