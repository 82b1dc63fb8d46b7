"""What only a live evaluation's page shows: plan, judges, margins, deviations, spend."""

from collections.abc import Sequence

from offtarget.evaluate.evaluation.cost import CostLine
from offtarget.evaluate.evaluation.lock import EvaluationPlan
from offtarget.evaluate.evaluation.results import ArmResult, EvaluationResults
from offtarget.evaluate.subjects import SubjectIdentity
from offtarget.report.numerals import count, number, percent, plural
from offtarget.report.summary import EXIT_CODES

MAX_DEVIATIONS = 20


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
        "margins": [arm for arm in results.arms if arm.margin is not None],
        "plan_rows": _plan_rows(results),
        "spend": [(line, _money(line, currency)) for line in spend],
    }


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
    return ", ".join(f"{arm.name} {percent(arm.outcomes.unjudged_share)}" for arm in arms)


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
        ("left out", ", ".join(plan.excluded) or "nothing"),
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
        ("forced-choice pairs, sha256", plan.pairs_sha256),
    ]
    rows += [(f"answers of the {arm.name}", _held(arm)) for arm in results.arms]
    return [(name, text) for name, text in rows if text]


def _asked(plan: EvaluationPlan) -> str:
    return (
        f"{plural(plan.n_questions, 'question')} in {plural(plan.n_paraphrases, 'wording')}, "
        f"{plural(plan.n_rollouts, 'answer')} to each question"
    )


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
