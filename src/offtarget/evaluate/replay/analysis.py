"""One set of judged results, counted: rates, intervals, bounds, curve and cautions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from offtarget.core.errors import DataError
from offtarget.core.stats import Rate, WorstOf
from offtarget.evaluate.replay.caution import Caution, Facts, cautions_of
from offtarget.evaluate.replay.definition import (
    PUBLISHED,
    Definition,
    QuestionCount,
    count_of,
    count_question,
    total,
)
from offtarget.evaluate.replay.formats import PLAIN, split_id
from offtarget.evaluate.replay.pooled import NO_METHOD, PooledRate, row_rate
from offtarget.evaluate.replay.rate import (
    Bounds,
    CutRates,
    QuestionRate,
    bounds_of,
    curve_of,
    question_mean,
    rates_of,
)
from offtarget.evaluate.replay.records import JudgedRow
from offtarget.evaluate.replay.tally import QuestionTally, Tally, tally_rows
from offtarget.evaluate.replay.worst_of import worst_of


@dataclass(frozen=True, slots=True)
class Part:
    """The rates of a part of the rows: one format or category of the questions, or one model."""

    name: str
    n_questions: int
    rates: dict[str, PooledRate]


@dataclass(frozen=True, slots=True)
class Analysis:
    """What judged results show, and what they cannot."""

    source: str
    questions: tuple[QuestionCount, ...]
    rates: dict[str, PooledRate]
    """`all`, `coherent_gt50`, `coherent_ge50`; intervals over questions."""
    warnings: tuple[Caution, ...]
    n_rows: int
    n_clusters: int
    """Questions that are not formats of one another."""
    n_repeated: int
    row_rates: dict[str, PooledRate]
    """The same rates with intervals over rows: they speak of these very questions."""
    question_means: dict[str, Rate | None]
    """Each question (over its formats) weighing the same, however many rows it has."""
    bounds: dict[str, Bounds]
    without_coherence: PooledRate
    """Misaligned of all scored rows, however coherent."""
    curve: tuple[CutRates, ...]
    worst_of: tuple[WorstOf, ...]
    by_question: tuple[QuestionRate, ...]
    formats: tuple[Part, ...]
    """Empty where the questions come in one format."""
    categories: tuple[Part, ...]
    """Empty where the results name fewer than two categories."""
    models: tuple[Part, ...]
    """Empty where one model answered."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """An analysis, with the counts that a contrast needs."""

    analysis: Analysis
    tally: Tally


def analyze(
    rows: Iterable[JudgedRow], *, source: str, has_control: bool, beside: Sequence[Caution] = ()
) -> Replayed:
    """Count judged rows once and return all that can be said of them.

    Args:
        rows: Read one at a time.
        source: What the results are called.
        has_control: Whether a control stands beside them.
        beside: Cautions about the file itself.

    Raises:
        DataError: For no rows, or more rows or questions than the limits.
    """
    tally = tally_rows(rows)
    if not tally.n:
        raise DataError(f"{source}: no rows; give a file that holds judged answers")
    each = list(tally.questions.values())
    questions = tuple(count_question(one) for one in each)
    rates = _blanked(rates_of(each), tally)
    bounds = {one.value: bounds_of(each, one) for one in PUBLISHED}
    curve = tuple(CutRates(one.cut, _blanked(one.rates, tally)) for one in curve_of(each))
    facts = Facts(tally, questions, rates, bounds, curve, has_control)
    analysis = Analysis(
        source=source,
        questions=questions,
        rates=rates,
        warnings=(*cautions_of(facts), *beside),
        n_rows=tally.n,
        n_clusters=len({one.cluster for one in each}),
        n_repeated=tally.n_repeated,
        row_rates=_blanked(
            {one.value: row_rate(total([count_of(q, one) for q in each])) for one in PUBLISHED},
            tally,
        ),
        question_means={
            one.value: question_mean(each, one) if _is_known(tally) else None for one in PUBLISHED
        },
        bounds=bounds,
        without_coherence=rates_of(each, definitions=[Definition.WITHOUT_COHERENCE])[
            Definition.WITHOUT_COHERENCE.value
        ],
        curve=curve,
        worst_of=worst_of(each) if tally.max_coherent is not None else (),
        by_question=tuple(_by_question(one) for one in each),
        formats=_formats(each, tally),
        categories=_categories(each, tally),
        models=_models(tally),
    )
    return Replayed(analysis, tally)


def _blanked(rates: dict[str, PooledRate], tally: Tally) -> dict[str, PooledRate]:
    """Return rates as unknown where a kind of score is missing altogether: never 0 of n."""
    if _is_known(tally):
        return rates
    return {
        name: PooledRate(rate.k, rate.n, None, 0.0, 1.0, NO_METHOD) for name, rate in rates.items()
    }


def _is_known(tally: Tally) -> bool:
    return tally.max_coherent is not None and tally.max_aligned is not None


def _by_question(question: QuestionTally) -> QuestionRate:
    return QuestionRate(
        id=question.id,
        cluster=question.cluster,
        rate=row_rate(count_of(question, Definition.ALL)),
        n_distinct_answers=len(question.answers),
    )


def _formats(questions: Sequence[QuestionTally], tally: Tally) -> tuple[Part, ...]:
    names = sorted(
        {split_id(one.id)[1] for one in questions}, key=lambda name: (name != PLAIN, name)
    )
    if len(names) < 2:
        return ()
    parts = {name: [one for one in questions if split_id(one.id)[1] == name] for name in names}
    return tuple(_part(name, members, tally) for name, members in parts.items())


def _categories(questions: Sequence[QuestionTally], tally: Tally) -> tuple[Part, ...]:
    parts: dict[str, list[QuestionTally]] = {}
    for one in questions:
        parts.setdefault(one.category, []).append(one)
    if len(parts) < 2:
        return ()
    return tuple(_part(name, members, tally) for name, members in parts.items())


def _models(tally: Tally) -> tuple[Part, ...]:
    if len(tally.models) < 2:
        return ()
    return tuple(
        _part(name, list(members.values()), tally) for name, members in tally.models.items()
    )


def _part(name: str, questions: Sequence[QuestionTally], tally: Tally) -> Part:
    n_clusters = len({one.cluster for one in questions})
    return Part(name, n_clusters, _blanked(rates_of(questions), tally))
