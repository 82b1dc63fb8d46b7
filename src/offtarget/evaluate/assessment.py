"""From raw records to the results of an assay; the same code makes and verifies them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offtarget.core.errors import DataError
from offtarget.core.records import Role
from offtarget.core.stats import Effect, crossed_effect, holm
from offtarget.evaluate.contexts import PLAIN
from offtarget.evaluate.margin import ANSWER_ONLY
from offtarget.evaluate.measured import Grid, Measured, Replicate, difference
from offtarget.evaluate.narrative import explain, headline, limits
from offtarget.evaluate.results import (
    Contrast,
    Excess,
    JudgeSummary,
    PositiveControl,
    ProfileRow,
    Provenance,
    Results,
)
from offtarget.evaluate.summaries import arm_result, draw_answers, seed_means
from offtarget.evaluate.verdict import Decision, Evidence, decide

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class ArmFacts:
    """What the plan says of one arm."""

    name: str
    role: Role
    against: str
    """The arm it is compared with; empty for the base and for controls."""
    n_rows: int
    n_excluded: int
    note: str


@dataclass(frozen=True, slots=True)
class AssayFacts:
    """What the locked plan says that the verdict needs."""

    run: str
    title: str
    subject: str
    control: str
    tolerance: float
    dose_margin: float
    contrasts: tuple[str, ...]
    """Further arms that a PASS must also hold against."""
    excluded_categories: tuple[str, ...]
    """Of the sight gate: the positive control's own domain."""
    arms: tuple[ArmFacts, ...]
    pairing: str
    control_quality: str
    warnings: tuple[str, ...]
    model: str
    n_rows_available: int
    provenance: Provenance
    judge: JudgeSummary | None = None


def assess(facts: AssayFacts, replicates: Sequence[Replicate]) -> Results:
    """Return the results of a finished assay.

    Raises:
        DataError: If the base, subject or control was not measured.
        VerifyError: If replicates scored different pairs.
    """
    arms = measured_arms(facts, replicates)
    subject, control = arms[facts.subject], arms[facts.control]
    base = next(arm for arm in arms.values() if arm.role is Role.BASE)
    grid = difference(control, subject)
    effect = effect_of(grid)
    positive = _positive(facts, arms)
    evidence = Evidence(
        tolerance=facts.tolerance,
        excess=effect,
        control_harm=effect_of(control.grid()).estimate,
        control_factual=effect_of(control.grid(factual=True)).estimate,
        subject_factual=effect_of(subject.grid(factual=True)).estimate,
        base_right=_right(base),
        control_right=_right(control),
        subject_right=_right(subject),
        positive=positive,
        heldout_before=base.heldout(),
        heldout_after=subject.heldout(),
        dose_margin=facts.dose_margin,
        other_uppers={
            name: effect_of(difference(arms[name], subject)).upper_one_sided
            for name in facts.contrasts
            if name != facts.control
        },
        is_derived=facts.control_quality == "derived",
    )
    decision = decide(evidence)
    return _results(facts, arms, decision, evidence, grid)


def measured_arms(facts: AssayFacts, replicates: Sequence[Replicate]) -> dict[str, Measured]:
    """Group replicates by arm, in the plan's order, seeds ascending."""
    arms: dict[str, Measured] = {}
    for arm in facts.arms:
        own = sorted((r for r in replicates if r.arm == arm.name), key=lambda r: r.seed)
        if not own:
            raise DataError(f"arm {arm.name!r} was not measured; run the assay to its end")
        arms[arm.name] = Measured(arm.name, arm.role, tuple(own))
    return arms


def effect_of(grid: Grid) -> Effect:
    """Return the crossed effect over a grid."""
    return crossed_effect(grid.values, grid.categories, grid.clusters)


def _positive(facts: AssayFacts, arms: Mapping[str, Measured]) -> Effect | None:
    found = [arm for arm in facts.arms if arm.role is Role.POSITIVE]
    if not found:
        return None
    grid = difference(arms[facts.control], arms[found[0].name])
    return effect_of(grid.only(without=facts.excluded_categories))


def _right(arm: Measured) -> float:
    return float((arm.grid(factual=True).values > 0).mean())


def _results(
    facts: AssayFacts,
    arms: Mapping[str, Measured],
    decision: Decision,
    evidence: Evidence,
    grid: Grid,
) -> Results:
    effect = evidence.excess
    subject = arms[facts.subject]
    control = arms[facts.control]
    return Results(
        schema=SCHEMA,
        run=facts.run,
        title=facts.title,
        verdict=decision.verdict,
        claim=decision.claim,
        metric="margin",
        tolerance=facts.tolerance,
        headline=headline(decision, evidence, facts.model),
        explanation=explain(decision, evidence),
        decides=decision.decides,
        excess=_excess(effect, grid, facts.control),
        gates=decision.gates,
        positive_control=_positive_control(facts, evidence),
        smallest_detectable=effect.smallest_detectable,
        contrasts=_contrasts(facts, arms),
        categories=_profile(control, subject, [(c, PLAIN, c) for c in sorted(set(grid.categories))]),
        contexts=_profile(
            control,
            subject,
            [(c, c, None) for c in subject.contexts if c not in (PLAIN, ANSWER_ONLY)],
        ),
        arms=tuple(arm_result(arms[fact.name], fact.n_rows, fact.n_excluded, fact.note,
                              before=evidence.heldout_before) for fact in facts.arms),
        answers=draw_answers(subject),
        pairing=facts.pairing,
        control_quality=facts.control_quality,
        warnings=facts.warnings,
        limits=limits(decision, evidence, facts.model, facts.n_rows_available, subject),
        provenance=facts.provenance,
        judge=facts.judge,
    )  # fmt: skip


def _excess(effect: Effect, grid: Grid, against: str) -> Excess:
    return Excess(
        estimate=effect.estimate,
        low=effect.low,
        high=effect.high,
        upper_one_sided=effect.upper_one_sided,
        against=against,
        se_questions=effect.se_questions,
        se_seeds=effect.se_seeds,
        n_questions=effect.n_questions,
        n_seeds=effect.n_seeds,
        p=effect.p,
        by_seed=seed_means(grid),
    )


def _positive_control(facts: AssayFacts, evidence: Evidence) -> PositiveControl | None:
    found = evidence.positive
    if found is None:
        return None
    return PositiveControl(
        detected=found.low > 0,
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        excluded_categories=facts.excluded_categories,
    )


def _contrasts(facts: AssayFacts, arms: Mapping[str, Measured]) -> tuple[Contrast, ...]:
    rows = []
    pairs = [(arm.name, arm.against) for arm in facts.arms if arm.against]
    pairs += [(facts.subject, name) for name in facts.contrasts if name != facts.control]
    for name, against in pairs:
        effect = effect_of(difference(arms[against], arms[name]))
        rows.append(
            Contrast(
                name,
                against,
                effect.estimate,
                effect.low,
                effect.high,
                is_exploratory=name != facts.subject,
            )
        )
    return tuple(rows)


def _profile(
    control: Measured, subject: Measured, parts: Sequence[tuple[str, str, str | None]]
) -> tuple[ProfileRow, ...]:
    """Return one row per (name, context, category or all), with Holm's correction over them."""
    effects: list[Effect] = []
    means: list[tuple[float, float]] = []
    for _, context, category in parts:
        effects.append(effect_of(difference(control, subject, context).only(category=category)))
        means.append(
            (
                effect_of(control.grid(context).only(category=category)).estimate,
                effect_of(subject.grid(context).only(category=category)).estimate,
            )
        )
    adjusted = holm([effect.p for effect in effects])
    return tuple(
        ProfileRow(
            name=name,
            estimate=effect.estimate,
            low=effect.low,
            high=effect.high,
            p_holm=p,
            n_questions=effect.n_questions,
            control_margin=one,
            subject_margin=other,
        )
        for (name, _, _), effect, p, (one, other) in zip(
            parts, effects, adjusted, means, strict=True
        )
    )
