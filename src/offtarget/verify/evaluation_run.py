"""Recompute what an evaluation claims: plan, records, and every number from the raw records."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offtarget.core.chain import Chain
from offtarget.core.codec import parse, pretty
from offtarget.core.errors import OfftargetError
from offtarget.evaluate.evaluation.cost import SPEND
from offtarget.evaluate.evaluation.lock import (
    DEVIATIONS,
    PLAN,
    Deviation,
    EvaluationPlan,
    LockedPlan,
    read_deviations,
    read_plan,
)
from offtarget.evaluate.evaluation.run import RESULTS
from offtarget.evaluate.evaluation.summary import summarize
from offtarget.evaluate.judges import JUDGE
from offtarget.verify.answer_faults import (
    derived_faults,
    judgement_faults,
    pairing_faults,
    source_faults,
)
from offtarget.verify.claims import Claims, claim_faults, claims_of, read_results, stage_faults
from offtarget.verify.files import check_files, check_strangers
from offtarget.verify.judge_faults import canary_faults
from offtarget.verify.measured_faults import code_faults, margin_faults, planned_code, text_faults
from offtarget.verify.outcome import Check, attempt, check_of, differences
from offtarget.verify.planned_asks import PlannedAsks, plan_faults, planned_asks
from offtarget.verify.stored_arm import StoredArm, read_arm, read_judge, records_of

PAGE = "evaluation.html"
FREE_FILES = frozenset({"run.json", PAGE, SPEND, DEVIATIONS})
"""Files that no stage lists: what a pass adds, and the page, which shows what was spent."""
HEADLINE = ("verdict", "gate", "rates", "questions")
"""What is named first where numbers differ."""


@dataclass(frozen=True, slots=True)
class _Run:
    """A run directory with what is known of it before anything is counted."""

    path: Path
    chain: Chain
    planned: EvaluationPlan
    deviations: list[Deviation]
    results: dict[str, Any]
    claims: Claims
    asked: PlannedAsks


def check_evaluation(path: Path, chain: Chain) -> list[Check]:
    """Return the outcome of every check on the evaluation at `path`, in order.

    A run that fails one check is checked on as far as it can be read.

    Args:
        path: The run directory.
        chain: Its chain, already found whole.
    """
    checks = [
        Check("chain", True, f"{len(chain.stages)} stages, each sealing the one before"),
        check_files(path, chain),
        check_strangers(path, chain, free=FREE_FILES),
    ]
    try:
        results = read_results(path)
        claims = claims_of(results)
        planned, deviations = read_plan(path / PLAN), read_deviations(path)
        asked = planned_asks(path, claims.plan)
    except OfftargetError as error:
        return [*checks, Check("plan", False, str(error))]
    run = _Run(path, chain, planned, deviations, results, claims, asked)
    n = len(deviations)
    return [
        *checks,
        attempt(
            "plan",
            lambda: claim_faults(claims, planned, deviations),
            sound=f"kept, {n} deviations on record",
        ),
        check_of(
            "stages",
            stage_faults(chain, planned, claims),
            sound="every stage of the plan, once, in order",
        ),
        attempt(
            "records",
            lambda: _record_faults(run),
            sound="complete, in order, self-consistent",
        ),
        attempt("code", lambda: _code_faults(run), sound=_code_detail(claims.plan)),
        attempt("numbers", lambda: _number_faults(run), sound="recomputed from raw records"),
    ]


def _arms(run: _Run) -> list[StoredArm]:
    return [
        read_arm(run.path, run.claims.plan, name, identity)
        for name, identity in run.claims.identities.items()
    ]


def _record_faults(run: _Run) -> Iterator[str]:
    plan = run.claims.plan
    metrics = [judge.metric for judge in plan.judges]
    arms = _arms(run)
    if (judge := read_judge(run.path, plan)) is not None:
        yield from canary_faults(judge)
        if judge.identity.key not in {identity.key for identity in run.claims.judges}:
            yield f"{JUDGE}: was not said by a judge of the run"
    for stored in arms:
        planned = run.asked
        faults = [
            *plan_faults(stored, planned, plan),
            *source_faults(stored, planned, plan),
            *judgement_faults(stored, plan),
            *margin_faults(stored, plan),
            *text_faults(stored),
        ]
        yield from faults
        if not faults:  # only whole records can be put together
            arm = records_of(stored, planned.names, metrics=metrics, n_code=0)
            yield from derived_faults(stored, arm)
    yield from pairing_faults(arms)


def _code_faults(run: _Run) -> Iterator[str]:
    for stored in _arms(run):
        yield from code_faults(stored, run.claims.plan)


def _code_detail(plan: EvaluationPlan) -> str:
    return "every answer parsed and scanned again" if plan.n_code else "none was asked for"


def _number_faults(run: _Run) -> Iterator[str]:
    plan, claims = run.claims.plan, run.claims
    metrics = [judge.metric for judge in plan.judges]
    n_code = len(planned_code(plan))
    arms = [
        records_of(stored, run.asked.names, metrics=metrics, n_code=n_code) for stored in _arms(run)
    ]
    recomputed = summarize(
        run.chain.run,
        LockedPlan(run.planned.sha256, plan, tuple(run.deviations)),
        arms,
        judges=claims.judges,
        measured=read_judge(run.path, plan),
        left_out=claims.left_out,
    )
    actual = parse(pretty(recomputed), place=RESULTS)
    found = sorted(
        differences(run.results, actual), key=lambda one: not one[0].startswith(HEADLINE)
    )
    for place, is_value, was in found:
        yield f"{RESULTS}: {place} says {is_value}, the records give {was}"
