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
    is_known,
    total,
)
from offtarget.evaluate.replay.formats import PLAIN, split_id
from offtarget.evaluate.replay.pooled import PooledRate, blanked, row_rate
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
from offtarget.evaluate.replay.scale import doubt_scale
from offtarget.evaluate.replay.tally import QuestionTally, Tally, tally_rows
from offtarget.evaluate.replay.worst_of import worst_of


@dataclass(frozen=True, slots=True)
class Part:
    """The rates of a part of the rows: one format or category of the questions, or one model."""

    name: str
    n_questions: int
    rates: dict[str, PooledRate]
    """Unknown where no row of the part has both scores."""
    bounds: dict[str, Bounds]


@dataclass(frozen=True, slots=True)
class Analysis:
    """What judged results show, and what they cannot."""

    source: str
    questions: tuple[QuestionCount, ...]
    rates: dict[str, PooledRate]
    """`all`, `coherent_gt50`, `coherent_ge50`; intervals over questions."""
    warnings: tuple[Caution, ...]
    is_concludable: bool
    """Whether `rates` can be believed as they stand: some row has both scores, and nothing says that
    the scores are on another scale."""
    n_rows: int
    n_clusters: int
    """Questions that are neither formats of one another nor asked in the same words."""
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

    @property
    def headline(self) -> PooledRate:
        """The rate `all`, unknown where it cannot be concluded."""
        rate = self.rates[Definition.ALL.value]
        return rate if self.is_concludable else blanked(rate)


@dataclass(frozen=True, slots=True)
class Replayed:
    """An analysis, with the counts that a contrast needs."""

    analysis: Analysis
    tally: Tally


def analyze(
    rows: Iterable[JudgedRow],
    *,
    source: str,
    has_control: bool,
    beside: Sequence[Caution] = (),
    is_scale_known: bool = True,
) -> Replayed:
    """Count judged rows once and return all that can be said of them.

    Args:
        rows: Read one at a time.
        source: What the results are called.
        has_control: Whether a control stands beside them.
        beside: Cautions about the file itself.
        is_scale_known: Whether the scores were asked for from 0 to 100; else a rate is not
            concluded from scores that look as if they were not.

    Raises:
        DataError: For no rows, or more rows or questions than the limits.
    """
    tally = tally_rows(rows)
    if not tally.n:
        raise DataError(f"{source}: no rows; give a file that holds judged answers")
    each = list(tally.questions.values())
    questions = tuple(count_question(one) for one in each)
    rates = _rates(each)
    bounds = _bounds(each)
    curve = tuple(CutRates(one.cut, _blanked(one.rates, each)) for one in curve_of(each))
    scale = None if is_scale_known else doubt_scale(tally)
    is_concludable = is_known(each) and scale is None
    facts = Facts(tally, questions, rates, bounds, curve, scale, is_concludable, has_control)
    analysis = Analysis(
        source=source,
        questions=questions,
        rates=rates,
        warnings=(*cautions_of(facts), *beside),
        is_concludable=is_concludable,
        n_rows=tally.n,
        n_clusters=len({one.cluster for one in each}),
        n_repeated=tally.n_repeated,
        row_rates=_blanked(
            {one.value: row_rate(total([count_of(q, one) for q in each])) for one in PUBLISHED},
            each,
        ),
        question_means={
            one.value: question_mean(each, one) if is_known(each) else None for one in PUBLISHED
        },
        bounds=bounds,
        without_coherence=rates_of(each, definitions=[Definition.WITHOUT_COHERENCE])[
            Definition.WITHOUT_COHERENCE.value
        ],
        curve=curve,
        worst_of=worst_of(each),
        by_question=tuple(_by_question(one) for one in each),
        formats=_formats(each),
        categories=_categories(each),
        models=_models(tally),
    )
    return Replayed(analysis, tally)


def _rates(questions: Sequence[QuestionTally]) -> dict[str, PooledRate]:
    return _blanked(rates_of(questions), questions)


def _bounds(questions: Sequence[QuestionTally]) -> dict[str, Bounds]:
    return {one.value: bounds_of(questions, one) for one in PUBLISHED}


def _blanked(
    rates: dict[str, PooledRate], questions: Sequence[QuestionTally]
) -> dict[str, PooledRate]:
    """Return rates as unknown where no row has the scores that they need: never 0 of n."""
    if is_known(questions):
        return rates
    return {name: blanked(rate) for name, rate in rates.items()}


def _by_question(question: QuestionTally) -> QuestionRate:
    rate = row_rate(count_of(question, Definition.ALL))
    return QuestionRate(
        id=question.id,
        cluster=question.cluster,
        rate=rate if is_known([question]) else blanked(rate),
        bounds=bounds_of([question], Definition.ALL),
        n_distinct_answers=len(question.answers),
    )


def _formats(questions: Sequence[QuestionTally]) -> tuple[Part, ...]:
    names = sorted(
        {split_id(one.id)[1] for one in questions}, key=lambda name: (name != PLAIN, name)
    )
    if len(names) < 2:
        return ()
    parts = {name: [one for one in questions if split_id(one.id)[1] == name] for name in names}
    return tuple(_part(name, members) for name, members in parts.items())


def _categories(questions: Sequence[QuestionTally]) -> tuple[Part, ...]:
    parts: dict[str, list[QuestionTally]] = {}
    for one in questions:
        parts.setdefault(one.category, []).append(one)
    if len(parts) < 2:
        return ()
    return tuple(_part(name, members) for name, members in parts.items())


def _models(tally: Tally) -> tuple[Part, ...]:
    if len(tally.models) < 2:
        return ()
    return tuple(_part(name, list(members.values())) for name, members in tally.models.items())


def _part(name: str, questions: Sequence[QuestionTally]) -> Part:
    n_clusters = len({one.cluster for one in questions})
    return Part(name, n_clusters, _rates(questions), _bounds(questions))
