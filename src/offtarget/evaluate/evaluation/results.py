"""The results of an evaluation: the same numbers as a replay's, and what was done to get them."""

from dataclasses import dataclass

from offtarget.core.records import Verdict
from offtarget.core.stats import Effect
from offtarget.evaluate.evaluation.capability import Capability
from offtarget.evaluate.evaluation.context_effects import ContextEffects
from offtarget.evaluate.evaluation.gate import (
    BY_RULE,
    UNSOUND,
    Gate,
    gate_of,
    span_of,
    verdict_of,
)
from offtarget.evaluate.evaluation.lock import Deviation, EvaluationPlan, LockedPlan
from offtarget.evaluate.evaluation.outcomes import Outcomes
from offtarget.evaluate.judges import (
    BLIND_JUDGE,
    UNTESTED_JUDGE,
    FlipRate,
    JudgeIdentity,
    MetricTally,
    Sight,
)
from offtarget.evaluate.replay import Analysis, Caution, Contrast, PooledRate, QuestionCount

SCHEMA = 2


@dataclass(frozen=True, slots=True)
class MeanMargin:
    """A mean margin, nats/token, with its two-sided 95 % interval over questions."""

    margin: float
    low: float
    high: float
    n_questions: int


@dataclass(frozen=True, slots=True)
class MarginSummary:
    """Mean margin over forced-choice pairs, nats/token; harm lowers it."""

    margin: float
    low: float
    high: float
    n_questions: int
    answer_only: MeanMargin
    """Of the same answers without their questions: what the wording alone is worth."""
    categories: dict[str, MeanMargin]
    """The margin of each category by itself."""
    factual: float
    """Mean margin of the factual pairs: what the model knows, whatever it wants."""
    n_factual: int
    n_factual_right: int
    """Factual pairs whose right answer is likelier."""
    factual_low: float
    """Wilson interval of their share."""
    factual_high: float


@dataclass(frozen=True, slots=True)
class ArmResult:
    """One model's numbers."""

    name: str
    """`subject` or `base`."""
    outcomes: Outcomes
    analysis: Analysis
    tallies: tuple[MetricTally, ...]
    """One per metric; empty without a judge."""
    margin: MarginSummary | None
    """None for an endpoint, whose log-probabilities of a given answer nobody can ask for."""
    capability: Capability | None = None


@dataclass(frozen=True, slots=True)
class EvaluationResults:
    """What `results.json` holds. The first three fields are those of a replay, for the subject."""

    questions: tuple[QuestionCount, ...]
    rates: dict[str, PooledRate]
    warnings: tuple[Caution, ...]
    schema: int
    run: str
    plan_sha256: str
    """Of the plan as it was locked."""
    plan: EvaluationPlan
    deviations: tuple[Deviation, ...]
    verdict: Verdict | None
    """None where the plan names no tolerance and a rate is known of enough."""
    gate: Gate
    arms: tuple[ArmResult, ...]
    contrast: Contrast | None
    """Subject against base; a base is no matched control."""
    excess_margin: Effect | None
    """Base margin minus subject margin, nats/token; positive is more misaligned."""
    judges: tuple[JudgeIdentity, ...]
    flips: FlipRate | None
    """How often instructions inside answers sway the judge."""
    sight: Sight | None = None
    """What the judge makes of plain answers; None without a judge."""
    contexts: ContextEffects | None = None
    left_out: tuple[str, ...] = ()
    """Rows of question files that gave no question, and why."""


def collect(
    run: str,
    locked: LockedPlan,
    arms: tuple[ArmResult, ...],
    *,
    contrast: Contrast | None,
    excess_margin: Effect | None,
    judges: tuple[JudgeIdentity, ...],
    flips: FlipRate | None,
    sight: Sight | None,
    contexts: ContextEffects | None = None,
    left_out: tuple[str, ...] = (),
) -> EvaluationResults:
    """Return the results; `arms` begins with the subject."""
    subject = arms[0]
    cautions = _cautions(arms)
    sampled = [one for arm in arms for one in arm.analysis.warnings if one.code not in UNSOUND]
    gate = gate_of(
        span_of(subject.analysis, contrast),
        {one.code for one in (*sampled, *cautions)},
        unjudged_share=max(arm.outcomes.unjudged_share for arm in arms),
        tolerance=locked.plan.tolerance,
        max_unjudged=locked.plan.max_unjudged,
        sight=sight,
        is_known=not judges or all(arm.analysis.is_concludable for arm in arms),
    )
    return EvaluationResults(
        questions=subject.analysis.questions,
        rates=subject.analysis.rates,
        warnings=(
            *_blindness(sight),
            *(one for one in subject.analysis.warnings if one.code not in UNSOUND),
            *cautions,
        ),
        schema=SCHEMA,
        run=run,
        plan_sha256=locked.planned_sha256,
        plan=locked.plan,
        deviations=locked.deviations,
        verdict=verdict_of(gate),
        gate=gate,
        arms=arms,
        contrast=contrast,
        excess_margin=excess_margin,
        judges=judges,
        flips=flips,
        sight=sight,
        contexts=contexts,
        left_out=left_out,
    )


def _blindness(sight: Sight | None) -> tuple[Caution, ...]:
    if sight is None or not sight.is_blind:
        return ()
    return (
        Caution(
            UNTESTED_JUDGE if sight.is_untested else BLIND_JUDGE,
            f"the judge {sight.text}: {sight.meaning}, so nothing can be concluded from its rates; "
            + (
                "run the same command again to ask for the missing replies"
                if sight.is_untested
                else "use another judge or rubric, no answer is asked again"
            ),
        ),
    )


def _cautions(arms: tuple[ArmResult, ...]) -> tuple[Caution, ...]:
    """Return what the live run adds to the limits of its rates."""
    found: list[Caution] = []
    if len(arms) > 1:
        found.append(
            Caution(
                "base_no_control",
                "a base is no matched control: any fine-tuning changes answers, so whether the data "
                "caused the excess cannot be concluded; evaluate a fine-tune on harmless rows too, "
                "or run an assay",
            )
        )
    for arm in arms:
        counts = arm.outcomes
        if counts.n_missing:
            reasons = ", ".join(f"{name} {n}" for name, n in counts.missing.items())
            found.append(
                Caution(
                    "missing_answers",
                    f"{arm.name}: {counts.n_missing:,} of {counts.n_planned:,} planned rollouts "
                    f"have no answer ({reasons}); they count as not judged, never as safe; run "
                    "the same command again to ask for them",
                )
            )
        n_answers = counts.n_planned - counts.n_missing
        n_incoherent = sum(one.incoherent for one in counts.questions)
        if 2 * n_incoherent > n_answers:
            found.append(
                Caution(
                    BY_RULE,
                    f"{arm.name}: {n_incoherent:,} of {n_answers:,} answers are no coherent text by "
                    "rule, whatever the judge says: a broken model cannot be told from a harmless "
                    "one",
                )
            )
        if counts.n_cut:
            found.append(
                Caution(
                    "cut_answers",
                    f"{arm.name}: {counts.n_cut:,} of {counts.n_planned:,} answers reached the limit "
                    "of tokens; what they would have gone on to say is not known; raise --max-tokens",
                )
            )
        if len(counts.models) > 1:
            found.append(
                Caution(
                    "model_changed",
                    f"{arm.name}: answers came from {len(counts.models)} models by name "
                    f"({', '.join(sorted(counts.models))[:200]}); nothing can be concluded of one",
                )
            )
    return tuple(found)
