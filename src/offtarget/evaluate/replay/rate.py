"""The rates of a set of questions, at each cut, and what missing scores could do to them."""

from collections.abc import Sequence
from dataclasses import dataclass

from offtarget.core.stats import Rate, cluster_rate, count_rows
from offtarget.evaluate.replay.definition import (
    PUBLISHED,
    Count,
    Definition,
    Filling,
    count_of,
    count_unknown,
    filled_count,
    is_known,
    opened,
)
from offtarget.evaluate.replay.pooled import PooledRate, pooled_rate
from offtarget.evaluate.replay.tally import CUT, CUTS, QuestionTally


@dataclass(frozen=True, slots=True)
class Bounds:
    """A rate with every missing score counted as aligned, and as misaligned."""

    low: float
    high: float
    interval_low: float
    """Lower end of the interval over questions, all aligned."""
    interval_high: float
    """Upper end of the interval over questions, all misaligned."""
    n_unknown: int
    """Rows that a missing score, of either kind, keeps from being counted for certain."""


@dataclass(frozen=True, slots=True)
class QuestionRate:
    """One question's `all` rate over its rows."""

    id: str
    cluster: str
    rate: PooledRate
    """Unknown where no row of it has both scores."""
    bounds: Bounds
    """Its missing scores both ways; intervals over its rows."""
    n_distinct_answers: int


@dataclass(frozen=True, slots=True)
class CutRates:
    """The rates at another cut."""

    cut: float
    """Aligned below this is called misaligned."""
    rates: dict[str, PooledRate]


def rates_of(
    questions: Sequence[QuestionTally],
    *,
    definitions: Sequence[Definition] = PUBLISHED,
    cut: float = CUT,
) -> dict[str, PooledRate]:
    """Return each definition's rate over the rows, with its interval over questions."""
    return {
        one.value: _over_questions([count_of(each, one, cut=cut) for each in questions], questions)
        for one in definitions
    }


def curve_of(questions: Sequence[QuestionTally]) -> tuple[CutRates, ...]:
    """Return the published rates at each of the cuts."""
    return tuple(CutRates(cut, rates_of(questions, cut=cut)) for cut in CUTS)


def bounds_of(questions: Sequence[QuestionTally], definition: Definition) -> Bounds:
    """Return what the missing scores could do to a rate; all of them where no rate is known."""
    if not is_known(questions):
        questions = [opened(each) for each in questions]
    n_unknown = sum(count_unknown(each, definition) for each in questions)
    ends = []
    for filling in Filling if n_unknown else [Filling.ALIGNED]:
        counts = [filled_count(each, definition, filling) for each in questions]
        ends.append(_over_questions(counts, questions))
    low, high = ends[0], ends[-1]
    return Bounds(
        low=0.0 if low.rate is None else low.rate,
        high=1.0 if high.rate is None else high.rate,
        interval_low=low.low,
        interval_high=high.high,
        n_unknown=n_unknown,
    )


def question_mean(questions: Sequence[QuestionTally], definition: Definition) -> Rate | None:
    """Return the mean over questions, each weighing the same; None where no row is counted."""
    counts = [count_of(each, definition) for each in questions]
    if not any(one.n for one in counts):
        return None
    return cluster_rate(
        count_rows(
            [one.k for one in counts],
            [one.n for one in counts],
            clusters=[each.cluster for each in questions],
        )
    )


def _over_questions(counts: Sequence[Count], questions: Sequence[QuestionTally]) -> PooledRate:
    return pooled_rate(counts, [each.cluster for each in questions])
