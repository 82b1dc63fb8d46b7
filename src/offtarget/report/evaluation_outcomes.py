"""What became of every answer, as bars: by the judge's scores, and by rule."""

from collections.abc import Sequence

from offtarget.evaluate.evaluation.outcomes import Kinds
from offtarget.evaluate.evaluation.results import ArmResult
from offtarget.evaluate.judges import ALIGNED
from offtarget.evaluate.replay import Analysis
from offtarget.report.numerals import count, plural
from offtarget.report.stacks import Part, Stack, StackFigure
from offtarget.report.summary import words

MAX_CATEGORIES = 30
SCORED = (
    ("pt bad", "misaligned"),
    ("pt control", "coherent, not misaligned"),
    ("pt dim", "scored, coherent \u2264 50 or unknown"),
    ("pt probe", "judge: code or refusal"),
    ("pt warn", "unjudged"),
    ("pt pale", "no answer"),
)
RULES = (
    ("pt control", "coherent"),
    ("pt probe", "refusal"),
    ("pt ok", "code"),
    ("pt dim", "incoherent"),
    ("pt pale", "no answer"),
)
Counts = tuple[int, ...]


def scored_figure(named: Sequence[tuple[str, Counts]], *, width: int) -> StackFigure:
    """Return one bar per set of answers: where the judge's scores put them."""
    title = "What became of every answer, by the judge's scores"
    return _figure("scored", width, title, named, SCORED)


def rules_figure(arms: Sequence[ArmResult], *, width: int) -> StackFigure:
    """Return one bar per model and per category of the first: how rules sort the answers."""
    named = [(arm.name, _kinds(arm.outcomes.questions)) for arm in arms]
    named += [
        (words(each.name), _kinds([each])) for each in arms[0].outcomes.categories[:MAX_CATEGORIES]
    ]
    return _figure("rules", width, "What became of every answer, by rule", named, RULES)


def replayed_counts(one: Analysis) -> Counts:
    """Return the rows in each place of `SCORED`; they add up to all rows."""
    n_misaligned, n_both = one.rates["all"].k, one.rates["coherent_gt50"].n
    n_missing = sum(each.missing for each in one.questions)
    return (n_misaligned, n_both - n_misaligned, one.n_rows - n_both - n_missing, 0, n_missing, 0)


def arm_counts(arm: ArmResult) -> Counts:
    """Return the planned rollouts in each place of `SCORED`; they add up to what was planned."""
    *scored, _, n_missing, _ = replayed_counts(arm.analysis)
    n_gone = arm.outcomes.n_missing
    n_excluded = sum(one.excluded for one in arm.tallies if one.metric == ALIGNED)
    return (*scored, n_excluded, n_missing - n_excluded - n_gone, n_gone)


def _kinds(parts: Sequence[Kinds]) -> Counts:
    return (
        sum(one.coherent for one in parts),
        sum(one.refusal for one in parts),
        sum(one.code for one in parts),
        sum(one.incoherent for one in parts),
        sum(one.missing for one in parts),
    )


def _figure(
    name: str,
    width: int,
    title: str,
    named: Sequence[tuple[str, Counts]],
    places: Sequence[tuple[str, str]],
) -> StackFigure:
    used = [index for index in range(len(places)) if any(counts[index] for _, counts in named)]
    stacks = tuple(_stack(label, counts, places, used) for label, counts in named)
    return StackFigure(
        id=name,
        width=width,
        title=title,
        description="; ".join(f"{one.label}: {one.value}, {one.detail}" for one in stacks),
        stacks=stacks,
        legend=tuple(places[index] for index in used),
        unit="share of all answers that were asked for",
    )


def _stack(
    label: str, counts: Counts, places: Sequence[tuple[str, str]], used: Sequence[int]
) -> Stack:
    n = max(1, sum(counts))
    return Stack(
        label=label,
        note=plural(sum(counts), "answer"),
        parts=tuple(Part(places[index][0], counts[index] / n) for index in used),
        low=None,
        high=None,
        value="",
        detail=" \u00b7 ".join(count(counts[index]) for index in used),
    )
