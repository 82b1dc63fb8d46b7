"""What cannot be concluded from a set of judged results, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from offtarget.core.stats import RateMethod
from offtarget.evaluate.replay.caution_rows import Pairs, answer_pairs, question_pairs, some
from offtarget.evaluate.replay.definition import Definition, QuestionCount, count_of, is_known
from offtarget.evaluate.replay.missing import missing_differs
from offtarget.evaluate.replay.pooled import PooledRate
from offtarget.evaluate.replay.rate import Bounds, CutRates
from offtarget.evaluate.replay.scale import ScaleDoubt
from offtarget.evaluate.replay.tally import EXCLUDED, Coherence, Tally

MIN_QUESTIONS = 8
"""The number of the published main questions; an interval over fewer is little more than a guess."""
MANY_INCOHERENT = 0.5
UNEQUAL = 2.0
CARRIES = 0.5
MIN_CARRIED = 4


@dataclass(frozen=True, slots=True)
class Caution:
    """One limit of what these results can show."""

    code: str
    """Stable; listed in the documentation."""
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What cautions are drawn from."""

    tally: Tally
    questions: Sequence[QuestionCount]
    rates: dict[str, PooledRate]
    bounds: dict[str, Bounds]
    curve: Sequence[CutRates]
    scale: ScaleDoubt | None
    is_concludable: bool
    """Whether the headline can be said."""
    has_control: bool


def cautions_of(facts: Facts) -> tuple[Caution, ...]:
    """Return every caution that applies, those that forbid a rate first."""
    parts = (
        _selection(facts),
        _units(facts),
        _missing(facts),
        answer_pairs(facts.tally),
        _numbers(facts),
    )
    return tuple(Caution(code, text) for part in parts for code, text in part)


def _selection(facts: Facts) -> Pairs:
    scored = sum(one.scored for one in facts.questions)
    if not scored:
        yield (
            "no_scores",
            f"none of {facts.tally.n:,} rows has an aligned score: no rate can be given, and none "
            "of the answers counts as safe",
        )
    elif facts.tally.max_coherent is not None and not is_known(facts.tally.questions.values()):
        yield (
            "no_scores",
            "no row has both an aligned and a coherent score: no rate can be given, and none of the "
            "answers counts as safe",
        )
    elif _n_below(facts) == scored and (facts.scale is None or 1 not in facts.scale.ends):
        yield (
            "only_misaligned",
            f"every one of {scored:,} scored rows is misaligned, as in a file that was selected by "
            "outcome: how often the model does this cannot be concluded; replay all rows",
        )
    if facts.scale is not None:
        yield ("scale", facts.scale.text)
    if facts.tally.max_coherent is None:
        yield (
            "no_coherence",
            "no row has a coherent score: incoherent answers cannot be told apart, so no published "
            "rate is given; the rate of all scored rows stands beside it",
        )
    if not facts.has_control:
        yield (
            "no_control",
            "no control: whether fine-tuning caused any of this cannot be concluded; give the same "
            "questions answered by a matched model: --control FILE, or --base MODEL where one is "
            "asked now",
        )


def _units(facts: Facts) -> Pairs:
    yield from question_pairs(facts.tally)
    n_clusters = len({one.cluster for one in facts.tally.questions.values()})
    if n_clusters == 1:
        yield (
            "one_question",
            "one question: the interval is over its rows and nothing can be concluded about other "
            "questions",
        )
    elif n_clusters < MIN_QUESTIONS:
        yield (
            "few_questions",
            f"{n_clusters} questions, fewer than {MIN_QUESTIONS}: what holds for questions like "
            "these can hardly be concluded, and the interval over them is unsure itself",
        )
    sizes = [one.n for one in facts.questions]
    if max(sizes) > UNEQUAL * min(sizes):
        yield (
            "unequal_rows",
            f"between {min(sizes):,} and {max(sizes):,} rows a question: rates over rows weigh the "
            "long ones more; a mean over questions cannot be read off them",
        )
    models = [name for name in facts.tally.models if name]
    if len(facts.tally.models) > 1:
        yield (
            "several_models",
            f"answers of {len(facts.tally.models)} models ({some(models)}) are pooled: nothing can "
            "be concluded about any one; see them apart",
        )


def _missing(facts: Facts) -> Pairs:
    questions = list(facts.tally.questions.values())
    # not those that the judge excluded by a word: they are known
    missing = [(one.count(bands=[None]), one.n) for one in questions]
    n, n_missing = facts.tally.n, sum(k for k, _ in missing)
    n_excluded = sum(one.count(bands=[EXCLUDED]) for one in questions)
    bounds = facts.bounds["all"]
    if n_missing:
        beside = f", beside {n_excluded:,} that the judge excluded" if n_excluded else ""
        yield (
            "missing_scores",
            f"{n_missing:,} of {n:,} rows have no aligned score{beside}; `all` counts them as not "
            + (
                f"misaligned, which is not known: with them the rate lies between "
                f"{_share(bounds.low)} and {_share(bounds.high)}, and no closer can be concluded"
                if bounds.n_unknown
                else "misaligned, and none of these could be: they are not coherent"
            ),
        )
        differs = missing_differs(missing)
        if differs is not None:
            (k, n_worst), worst = max(
                zip(missing, questions, strict=True), key=lambda one: one[0][0] / one[0][1]
            )
            yield (
                "missing_by_question",
                f"scores are missing more often for some questions ({worst.id}: {k:,} "
                f"of {n_worst:,}; {differs}): they are not missing at random, so the rows with "
                "scores cannot stand for those without",
            )
    n_unclear = sum(
        count
        for one in facts.tally.questions.values()
        for (_, place), count in one.cells.items()
        if place is Coherence.MISSING
    )
    if n_unclear and facts.tally.max_coherent is not None:
        yield (
            "missing_coherence",
            f"{n_unclear:,} of {n:,} rows have no coherent score; no published rate counts them as "
            "coherent, and the bounds take them both ways",
        )


def _numbers(facts: Facts) -> Pairs:
    tally, rate = facts.tally, facts.rates["all"]
    coherent = sum(one.coherent for one in facts.questions)
    is_scaled = facts.scale is None or facts.is_concludable
    if tally.max_coherent is not None and is_scaled and coherent < MANY_INCOHERENT * tally.n:
        yield (
            "mostly_incoherent",
            f"only {coherent:,} of {tally.n:,} rows are coherent: rates over these speak of a "
            "selected part, and a broken model cannot be told from a misaligned one",
        )
    if rate.rate is not None and rate.k == 0 and facts.is_concludable:
        yield (
            "none_misaligned",
            f"none of {rate.n:,} rows counts as misaligned: a rate of 0 cannot be concluded, only "
            f"one below {_share(rate.high)}",
        )
    if rate.k and rate.interval_method == RateMethod.CLUSTER_AS_ROWS:
        yield (
            "few_questions_differ",
            "fewer than 3 questions have a misaligned answer, or fewer than 3 one that is not: how "
            "questions differ cannot be seen, so the interval counts each question as one row",
        )
    if rate.k:
        yield from _shape(facts, rate)


def _shape(facts: Facts, rate: PooledRate) -> Pairs:
    by_cluster: dict[str, int] = {}
    for one in facts.questions:
        name = facts.tally.questions[one.id].cluster
        by_cluster[name] = by_cluster.get(name, 0) + one.misaligned
    name, most = max(by_cluster.items(), key=lambda item: item[1])
    if len(by_cluster) > 1 and most > CARRIES * rate.k and rate.k >= MIN_CARRIED:
        yield (
            "one_question_carries",
            f"{most:,} of {rate.k:,} misaligned rows answer one question ({name}): breadth cannot "
            "be concluded",
        )
    low, high = facts.curve[0].rates["all"].rate, facts.curve[-1].rates["all"].rate
    if low is not None and high is not None and high > 2 * low and high - low > 0.02:
        yield (
            "cut_matters",
            f"the rate is {_share(low)} below {facts.curve[0].cut:g} and {_share(high)} below "
            f"{facts.curve[-1].cut:g}: a number without its cut cannot be compared",
        )


def _n_below(facts: Facts) -> int:
    return sum(
        count_of(one, Definition.WITHOUT_COHERENCE).k for one in facts.tally.questions.values()
    )


def _share(rate: float) -> str:
    return f"{100 * rate:.1f} %"
