"""What an evaluation's results say of their plan, judges and canaries, against the plan."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from offtarget.core.chain import Chain
from offtarget.core.codec import decode, parse
from offtarget.core.errors import VerifyError
from offtarget.core.schema import check_schema
from offtarget.evaluate.evaluation.lock import (
    PLAN,
    QUESTIONS,
    Deviation,
    EvaluationPlan,
    PlannedJudge,
    plan_differences,
)
from offtarget.evaluate.evaluation.results import SCHEMA
from offtarget.evaluate.evaluation.run import BASE, RESULTS, SUBJECT
from offtarget.evaluate.judges import JUDGE, JudgeIdentity
from offtarget.evaluate.subjects import SubjectIdentity
from offtarget.verify.stored_arm import file_names


@dataclass(frozen=True, slots=True)
class Claims:
    """The parts of results.json that no raw record of the run gives."""

    plan: EvaluationPlan
    """What was done."""
    judges: tuple[JudgeIdentity, ...]
    left_out: tuple[str, ...]

    @property
    def identities(self) -> dict[str, SubjectIdentity]:
        """The models by name, the subject first."""
        base = {BASE: self.plan.base} if self.plan.base is not None else {}
        return {SUBJECT: self.plan.subject} | base


def read_results(run: Path) -> dict[str, Any]:
    """Return results.json as plain values.

    Raises:
        VerifyError: If it is missing, no JSON object, or of another schema.
    """
    path = run / RESULTS
    if not path.is_file():
        raise VerifyError(f"{RESULTS}: missing; run the evaluation to its end or restore the file")
    try:
        raw = parse(path.read_text("utf-8"), place=RESULTS)
    except UnicodeDecodeError as error:
        raise VerifyError(f"{RESULTS}: not UTF-8 text; restore it from a copy") from error
    if not isinstance(raw, dict):
        raise VerifyError(f"{RESULTS}: not an object; restore it from a copy")
    check_schema(RESULTS, raw, SCHEMA)
    return raw


def claims_of(results: dict[str, Any]) -> Claims:
    """Return what is taken from the results before anything is counted again.

    Raises:
        VerifyError: If it is malformed.
    """
    given = {field.name: results.get(field.name) for field in fields(Claims)}
    return decode(given, Claims, place=RESULTS, error=VerifyError)


def claim_faults(
    claims: Claims, planned: EvaluationPlan, deviations: list[Deviation]
) -> Iterator[str]:
    """Yield a line per departure from the plan that is not on record, and per judge not in it."""
    for field, before, now in plan_differences(planned, claims.plan):
        if not any((one.field, one.done) == (field, now) for one in deviations):
            yield (
                f"{RESULTS}: plan.{field} is {now}, {PLAN} was locked with {before}, and no "
                "deviation is on record"
            )
    for identity, judge in _paired(claims):
        for one in fields(PlannedJudge):
            is_, was = getattr(identity, one.name, None), getattr(judge, one.name, None)
            if is_ != was:
                yield f"{RESULTS}: judges.{one.name} is {is_!r}, the plan says {was!r}"


def stage_faults(chain: Chain, planned: EvaluationPlan, claims: Claims) -> Iterator[str]:
    """Yield a line per stage that is missing, strange, misplaced, or of another plan."""
    expected = {"plan": [PLAN], "questions": [QUESTIONS]}
    expected |= {"judge": [JUDGE]} if claims.judges else {}
    files = {n: file_names(claims.plan, one) for n, one in claims.identities.items()}
    for name, (rollouts, _) in files.items():
        expected[f"rollouts/{name}"] = [f"records/{name}/seed-0/{file}" for file in rollouts]
    for name, (_, margins) in files.items():
        if margins:
            expected[f"margins/{name}"] = [f"records/{name}/seed-0/{file}" for file in margins]
    expected["results"] = [RESULTS]
    found = [record.name for record in chain.stages]
    for name in expected:
        if name not in found:
            yield f"stage {name!r} is missing: the run is not finished, or it was removed"
    for name in found:
        if name not in expected:
            yield f"stage {name!r} is not in the plan"
    if set(expected) == set(found) and list(expected) != found:
        yield f"stages stand in the order {', '.join(found)}; {', '.join(expected)} was run"
    for record in chain.stages:
        plan = planned if record.name == "plan" else claims.plan
        inputs = {} if record.name == "plan" else {"plan": plan.sha256}
        if record.config_sha256 != plan.sha256 or record.inputs != inputs:
            yield f"stage {record.name!r} was run under another plan"
        if record.name in expected and sorted(record.outputs) != sorted(expected[record.name]):
            yield f"stage {record.name!r} wrote other files than it does"


def _paired(claims: Claims) -> Iterator[tuple[JudgeIdentity | None, PlannedJudge | None]]:
    judges, planned = claims.judges, claims.plan.judges
    for number in range(max(len(judges), len(planned))):
        yield (
            judges[number] if number < len(judges) else None,
            planned[number] if number < len(planned) else None,
        )
