"""From the raw records of an evaluation to its results; the run and its verification share it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from offtarget.evaluate.evaluation.capability import CodeAnswer, capability_of
from offtarget.evaluate.evaluation.context_effects import ContextEffects, context_effects
from offtarget.evaluate.evaluation.draw import Drawn
from offtarget.evaluate.evaluation.lock import LockedPlan
from offtarget.evaluate.evaluation.outcomes import (
    Said,
    context_rows,
    count_outcomes,
    item_of,
    judged_rows,
)
from offtarget.evaluate.evaluation.results import ArmResult, EvaluationResults, collect
from offtarget.evaluate.judges import (
    JudgeIdentity,
    JudgeRecord,
    MetricTally,
    sight_of,
    tally_judgements,
)
from offtarget.evaluate.replay import Contrast, Replayed, analyze, contrast_all
from offtarget.evaluate.subjects import SubjectIdentity

if TYPE_CHECKING:
    from offtarget.evaluate.capability import TextRecord
    from offtarget.evaluate.evaluation.margins import Margins
    from offtarget.evaluate.margin import MarginRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRecords:
    """Everything that the numbers of one model come from."""

    name: str
    """`subject` or `base`."""
    identity: SubjectIdentity
    drawn: tuple[Drawn, ...]
    """Every planned rollout, in the plan's order."""
    said: Said
    n_code: int
    """Planned answers to code tasks."""
    code: tuple[CodeAnswer, ...]
    """Those that were had."""
    margins: "tuple[MarginRecord, ...]" = ()
    """Empty for an endpoint."""
    texts: "tuple[TextRecord, ...]" = ()
    """Empty for an endpoint."""


def summarize(
    run: str,
    locked: LockedPlan,
    arms: Sequence[ArmRecords],
    *,
    judges: tuple[JudgeIdentity, ...],
    measured: JudgeRecord | None,
    left_out: tuple[str, ...],
) -> EvaluationResults:
    """Return the results; nothing is asked of a model or a judge.

    Args:
        run: Name of the run.
        locked: The plan, and where the run left it.
        arms: The subject, then perhaps its base.
        judges: Who judged; empty without a judge.
        measured: What the judge of alignment said of the canaries; None without a judge.
        left_out: Rows of question files that gave no question, and why.

    Raises:
        DataError: If there is no rollout, or subject and base share no question.
        VerifyError: If subject and base scored different pairs.
    """
    replayed = [_analyzed(one, has_control=len(arms) > 1) for one in arms]
    margins = [_margins(one) for one in arms]
    limit = locked.plan.max_unjudged
    results = tuple(
        ArmResult(
            name=one.name,
            outcomes=count_outcomes(one.identity, one.drawn, one.said),
            analysis=found.analysis,
            tallies=_tallies(one, limit),
            margin=scored.summary if scored is not None else None,
            capability=capability_of(one.texts, one.code, n_planned=one.n_code),
        )
        for one, found, scored in zip(arms, replayed, margins, strict=True)
    )
    excess = None
    if len(arms) > 1 and margins[0] is not None and margins[1] is not None:
        excess = margins[0].excess_over(margins[1])
    return collect(
        run,
        locked,
        results,
        contrast=_contrast(replayed),
        excess_margin=excess,
        contexts=_contexts(arms, is_judged=bool(judges), seed=locked.plan.seed),
        left_out=left_out,
        judges=judges,
        flips=measured.flips if measured is not None else None,
        sight=sight_of(measured) if measured is not None else None,
    )


def _analyzed(arm: ArmRecords, *, has_control: bool) -> Replayed:
    rows = judged_rows(arm.drawn, arm.said, model=arm.identity.name)
    return analyze(rows, source=arm.name, has_control=has_control)


def _margins(arm: ArmRecords) -> "Margins | None":
    if not arm.margins:
        return None
    from offtarget.evaluate.evaluation.margins import summarize_margins

    return summarize_margins(arm.margins, name=arm.name)


def _contrast(replayed: Sequence[Replayed]) -> Contrast | None:
    if len(replayed) < 2:
        return None
    found = contrast_all([replayed[0]], replayed[1])[0]
    # the same judges with the same rubrics scored both sides of this run
    known = tuple(one for one in found.warnings if one.code != "judge_not_compared")
    return replace(found, warnings=known)


def _contexts(arms: Sequence[ArmRecords], *, is_judged: bool, seed: int) -> ContextEffects:
    rows = [context_rows(one.drawn, one.said) for one in arms]
    control = rows[1] if len(rows) > 1 else None
    return context_effects(rows[0], control, is_judged=is_judged, seed=seed)


def _tallies(arm: ArmRecords, limit: float) -> tuple[MetricTally, ...]:
    return tuple(
        tally_judgements(
            metric,
            (said[item.key] for one in arm.drawn if (item := item_of(one)) is not None),
            limit=limit,
        )
        for metric, said in arm.said.items()
    )
