"""What only a live evaluation's page shows: plan, judges, margins, deviations, spend."""

from collections.abc import Sequence

from offtarget.evaluate.evaluation.cost import CostLine
from offtarget.evaluate.evaluation.lock import EvaluationPlan
from offtarget.evaluate.evaluation.results import ArmResult, EvaluationResults
from offtarget.evaluate.subjects import SubjectIdentity
from offtarget.report.evaluation_beside import category_margins, effect_rows, measures
from offtarget.report.numerals import (
    NONE,
    count,
    number,
    percent,
    plural,
    signed,
    signed_interval,
)
from offtarget.report.scan_answer import rate_of
from offtarget.report.summary import EXIT_CODES, Fact

MAX_DEVIATIONS = 20
MAX_LEFT_OUT = 10


def live_values(
    results: EvaluationResults, spend: Sequence[CostLine], currency: str
) -> dict[str, object]:
    """Return what the page's template names for a live evaluation alone."""
    plan = results.plan
    return {
        "kind": "live evaluation",
        "heading": f"Evaluation: {_name(plan.subject)}",
        "under": f"Plan {results.plan_sha256[:12]} was locked before the first question was asked. ",
        "gate": _gate(results),
        "results": results,
        "judges": results.judges,
        "flips": results.flips,
        "deviations": results.deviations[:MAX_DEVIATIONS],
        "n_deviations_hidden": max(0, len(results.deviations) - MAX_DEVIATIONS),
        "measures": measures(results),
        "category_margins": category_margins(results),
        "effects": effect_rows(results.contexts),
        "plan_rows": _plan_rows(results),
        "spend": [(line, _money(line, currency)) for line in spend],
    }


def rule_facts(results: EvaluationResults) -> tuple[Fact, ...]:
    """Return the five facts under the answer where nobody judged."""
    arm = results.arms[0]
    found, margin = arm.outcomes, arm.margin
    n_coherent = sum(one.coherent for one in found.questions)
    rate = rate_of(n_coherent, found.n_planned)
    facts = [
        Fact(
            count(len(found.questions)),
            f"question ids, {plural(results.plan.n_rollouts, 'answer')} to each",
        ),
        Fact(
            percent(rate.rate),
            f"coherent by rule, {count(n_coherent)} of {count(found.n_planned)} "
            f"[{percent(rate.low)}, {percent(rate.high)}] over answers",
        ),
        Fact(count(found.n_missing), "planned answers that never came"),
    ]
    if margin is None:
        missing = Fact(NONE, "log-probabilities of given answers cannot be had from an endpoint")
        return (*facts, missing, Fact(NONE, "factual pairs"))
    between, alone = (
        signed_interval(one.low, one.high).replace(" ", "\N{NO-BREAK SPACE}")
        for one in (margin, margin.answer_only)
    )
    return (
        *facts,
        Fact(
            signed(margin.margin),
            f"margin on {results.plan.pairs}, nats/token {between}; harm lowers it; answers alone "
            f"{signed(margin.answer_only.margin)} {alone}",
        ),
        Fact(
            f"{count(margin.n_factual_right)} of {count(margin.n_factual)}",
            "factual pairs with the right answer likelier "
            f"[{percent(margin.factual_low)}, {percent(margin.factual_high)}]",
        ),
    )


def _gate(results: EvaluationResults) -> list[tuple[str, str]]:
    tolerance = results.plan.tolerance
    exit_code = 0 if results.verdict is None else EXIT_CODES[results.verdict]
    what = "excess over the base" if results.contrast is not None else "rate"
    limit = "none" if tolerance is None else f"{what} up to {percent(tolerance)}"
    return [
        ("tolerance", limit),
        ("unjudged", _unjudged(results.arms)),
        ("unjudged borne", percent(results.plan.max_unjudged)),
        ("exit code", str(exit_code)),
    ]


def _unjudged(arms: Sequence[ArmResult]) -> str:
    shares = (percent(arm.outcomes.unjudged_share) for arm in arms)
    return ", ".join(
        f"{name} {one}" for name, one in zip(("subject", "base"), shares, strict=False)
    )


def _plan_rows(results: EvaluationResults) -> list[tuple[str, str]]:
    """Return name and text of everything that decides the numbers, and what the run holds."""
    plan, sampling = results.plan, results.plan.sampling
    rows = [
        ("run", results.run),
        ("plan as locked, sha256", results.plan_sha256),
        ("subject", _identity(plan.subject)),
        ("base", "none" if plan.base is None else _identity(plan.base)),
        ("suites", ", ".join(plan.suites)),
        ("asked", _asked(plan)),
        ("questions, sha256", plan.questions_sha256),
        ("categories left out", ", ".join(plan.excluded) or "none"),
        ("question rows left out", _left_out(results.left_out)),
        (
            "sampling",
            f"up to {plural(sampling.max_tokens, 'token')}, temperature "
            f"{sampling.temperature:g}, top-p {sampling.top_p:g}, seed {plan.seed}",
        ),
        (
            "misaligned",
            f"aligned below {plan.misaligned_below:g}, coherent above {plan.coherent_above:g}",
        ),
        ("training rows, sha256", plan.training_sha256),
        ("forced-choice pairs", plan.pairs),
        ("forced-choice pairs, sha256", plan.pairs_sha256),
    ]
    rows += [(f"answers of the {arm.name}", _held(arm)) for arm in results.arms]
    return [(name, text) for name, text in rows if text]


def _asked(plan: EvaluationPlan) -> str:
    return (
        f"{plural(plan.n_questions, 'question')} in {plural(plan.n_paraphrases, 'wording')}, "
        f"{plural(plan.n_rollouts, 'answer')} to each question"
    )


def _left_out(reasons: Sequence[str]) -> str:
    more = len(reasons) - MAX_LEFT_OUT
    return "; ".join(reasons[:MAX_LEFT_OUT]) + (f"; and {count(more)} more" if more > 0 else "")


def _held(arm: ArmResult) -> str:
    found = arm.outcomes
    names = ", ".join(f"{name} {count(n)}" for name, n in list(found.models.items())[:5])
    reasons = ", ".join(f"{reason} {count(n)}" for reason, n in found.missing.items())
    return (
        f"{count(found.n_planned - found.n_missing)} of {count(found.n_planned)} in the store "
        f"({names or 'none'}), {count(found.n_prompt_tokens)} tokens in, {count(found.n_tokens)} "
        f"out, {count(found.n_cut)} cut at the limit" + (f"; missing: {reasons}" if reasons else "")
    )


def _name(one: SubjectIdentity) -> str:
    return f"{one.name} + {one.adapter}" if one.adapter else one.name


def _identity(one: SubjectIdentity) -> str:
    parts = (one.kind.value, one.host, one.arithmetic, one.sha256)
    return f"{_name(one)} ({', '.join(part for part in parts if part)})"


def _money(line: CostLine, currency: str) -> str:
    return "no price given" if line.money is None else f"{number(line.money, digits=4)} {currency}"
