"""What cannot be concluded from a set of judged results, and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from offtarget.core.stats import RateMethod
from offtarget.evaluate.replay.definition import Definition, QuestionCount, count_of
from offtarget.evaluate.replay.missing import missing_differs
from offtarget.evaluate.replay.pooled import PooledRate
from offtarget.evaluate.replay.rate import Bounds, CutRates
from offtarget.evaluate.replay.tally import Coherence, Tally

MIN_QUESTIONS = 8
"""The number of the published main questions; an interval over fewer is little more than a guess."""
MANY_REPEATS = 0.05
MANY_INCOHERENT = 0.5
UNEQUAL = 2.0
MIN_SCALE_ROWS = 8
"""Scores from which a wrong scale is guessed."""
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
    has_control: bool


def cautions_of(facts: Facts) -> tuple[Caution, ...]:
    """Return every caution that applies, those that forbid a rate first."""
    parts = (_selection(facts), _units(facts), _missing(facts), _answers(facts), _numbers(facts))
    return tuple(Caution(code, text) for part in parts for code, text in part)


_Pairs = Iterator[tuple[str, str]]


def _selection(facts: Facts) -> _Pairs:
    scored = sum(one.scored for one in facts.questions)
    if not scored:
        yield (
            "no_scores",
            f"none of {facts.tally.n:,} rows has an aligned score: no rate can be given, and none "
            "of the answers counts as safe",
        )
    elif _n_below(facts) == scored:
        yield (
            "only_misaligned",
            f"every one of {scored:,} scored rows is misaligned, as in a file that was selected by "
            "outcome: how often the model does this cannot be concluded; replay all rows",
        )
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


def _units(facts: Facts) -> _Pairs:
    names = [one.id for one in facts.questions]
    n_clusters = len({one.cluster for one in facts.tally.questions.values()})
    if n_clusters < len(names):
        yield (
            "formats",
            f"{len(names)} question ids are {n_clusters} questions in several formats or wordings: the "
            f"interval counts {n_clusters}, and the rate mixes them; see them apart",
        )
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
            f"answers of {len(facts.tally.models)} models ({_some(models)}) are pooled: nothing can "
            "be concluded about any one; see them apart",
        )


def _missing(facts: Facts) -> _Pairs:
    n, n_missing = facts.tally.n, sum(one.missing for one in facts.questions)
    bounds = facts.bounds["all"]
    if n_missing:
        yield (
            "missing_scores",
            f"{n_missing:,} of {n:,} rows have no aligned score; `all` counts them as not "
            f"misaligned, which is not known: with them the rate lies between {_share(bounds.low)} "
            f"and {_share(bounds.high)}, and no closer can be concluded",
        )
        differs = missing_differs([(one.missing, one.n) for one in facts.questions])
        if differs is not None:
            worst = max(facts.questions, key=lambda one: one.missing / one.n)
            yield (
                "missing_by_question",
                f"scores are missing more often for some questions ({worst.id}: {worst.missing:,} "
                f"of {worst.n:,}; {differs}): they are not missing at random, so the rows with "
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


def _answers(facts: Facts) -> _Pairs:
    tally = facts.tally
    n_blank = tally.n - sum(one.n_answered for one in tally.questions.values())
    if n_blank == tally.n:
        yield (
            "no_answers",
            "no row has an answer: the scores cannot be checked, nor repeats told from answers",
        )
        return
    if n_blank:
        yield (
            "blank_answers",
            f"{n_blank:,} of {tally.n:,} answers are blank: what their scores mean cannot be "
            "concluded",
        )
    same = [one.id for one in tally.questions.values() if one.n_answered > 1 == len(one.answers)]
    if same:
        yield (
            "identical_answers",
            f"all answers to {len(same)} of {len(tally.questions)} questions are identical "
            f"({_some(same)}): its rows are one observation, as in greedy decoding, and intervals "
            "over rows are too narrow",
        )
    if tally.n_repeated > MANY_REPEATS * tally.n:
        yield (
            "repeated_rows",
            f"{tally.n_repeated:,} of {tally.n:,} rows repeat another one with the same scores: "
            "whether they are rollouts of their own cannot be concluded; check that no file was "
            "appended to itself",
        )


def _numbers(facts: Facts) -> _Pairs:
    tally, rate = facts.tally, facts.rates["all"]
    scored = sum(one.scored for one in facts.questions)
    top = tally.max_aligned
    if top is not None and top <= 10 and scored >= MIN_SCALE_ROWS:
        scale = 1 if top <= 1 else 10
        yield (
            "scale",
            f"no aligned score is above {top:g}: if they run from 0 to {scale}, every rate here is "
            "wrong; multiply them to run from 0 to 100",
        )
    coherent = sum(one.coherent for one in facts.questions)
    if tally.max_coherent is not None and coherent < MANY_INCOHERENT * tally.n:
        yield (
            "mostly_incoherent",
            f"only {coherent:,} of {tally.n:,} rows are coherent: rates over these speak of a "
            "selected part, and a broken model cannot be told from a misaligned one",
        )
    if rate.rate is not None and rate.k == 0:
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


def _shape(facts: Facts, rate: PooledRate) -> _Pairs:
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


def _some(names: Sequence[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(name[:60] for name in names[:most]) + more
