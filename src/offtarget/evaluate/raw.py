"""Raw records of a finished run, read back for the verdict and for its verification."""

from pathlib import Path
from typing import TypeVar

from offtarget.core.errors import VerifyError
from offtarget.core.record_file import read_record, read_typed
from offtarget.evaluate.assay_judge import blindness, judge_summary
from offtarget.evaluate.assessment import ArmFacts, AssayFacts
from offtarget.evaluate.judges import JUDGE, JudgeRecord
from offtarget.evaluate.margin import MarginRecord
from offtarget.evaluate.measured import HeldoutRecord, Replicate
from offtarget.evaluate.plan import Plan, PlanArm
from offtarget.evaluate.results import Provenance
from offtarget.evaluate.rollouts import RolloutRecord
from offtarget.train import StepRecord

T = TypeVar("T")


def load_replicates(run: Path, plan: Plan) -> list[Replicate]:
    """Return the records of every replicate of a run, in the plan's order.

    Raises:
        VerifyError: If a record file is missing or malformed.
    """
    return [_replicate(run, plan, arm, seed) for arm in plan.arms for seed in arm.seeds]


def load_judge(run: Path, plan: Plan) -> JudgeRecord | None:
    """Return who judged a run's answers; None where its plan names no judge.

    Raises:
        VerifyError: If the record is missing or malformed.
    """
    if plan.asks_judge is None:
        return None
    path = run / JUDGE
    if not path.is_file():
        raise VerifyError(f"{JUDGE}: missing; run the assay to its end or restore the file")
    return read_record(path, JudgeRecord, place=JUDGE, error=VerifyError)


def facts_of(
    plan: Plan, *, plan_sha256: str, chain_sha256: str, judge: JudgeRecord | None = None
) -> AssayFacts:
    """Return what the verdict needs of a plan."""
    return AssayFacts(
        run=plan.name,
        title=plan.title,
        subject=plan.subject,
        control=plan.control,
        tolerance=plan.tolerance,
        dose_margin=plan.dose_margin,
        contrasts=plan.contrasts,
        excluded_categories=plan.excluded_categories,
        arms=tuple(
            ArmFacts(arm.name, arm.role, arm.against, arm.n_rows, arm.n_excluded, arm.note)
            for arm in plan.arms
        ),
        pairing=plan.pairing,
        control_quality=plan.control_quality,
        warnings=(*plan.warnings, *blindness(judge)),
        model=plan.model_name,
        n_rows_available=plan.n_rows_available,
        provenance=Provenance(
            plan_sha256=plan_sha256,
            model=plan.model_name,
            model_sha256=plan.model_sha256,
            suite_sha256=plan.suite_sha256,
            data={arm.name: arm.sha256 for arm in plan.arms if arm.sha256},
            recognized={arm.name: arm.recognized for arm in plan.arms if arm.recognized},
            chain_sha256=chain_sha256,
            versions=plan.versions,
        ),
        judge=judge_summary(judge) if judge else None,
    )


def read_stored(
    run: Path, relative: str, type_: type[T], *, made_by: str = "assay", place: str = ""
) -> tuple[T, ...]:
    """Return the records of one file of a run.

    Args:
        run: The run directory.
        relative: The file, in it.
        type_: Of its records.
        made_by: What is to be run to its end where the file is missing.
        place: What errors call a malformed line's file; `relative` when "".

    Raises:
        VerifyError: If the file is missing or a record malformed.
    """
    path = run / relative
    if not path.is_file():
        raise VerifyError(f"{relative}: missing; run the {made_by} to its end or restore the file")
    return tuple(read_typed(path, type_, place=place or relative, error=VerifyError))


def _replicate(run: Path, plan: Plan, arm: PlanArm, seed: int) -> Replicate:
    name = f"{arm.name}/seed-{seed}"

    def read(relative: str, type_: type[T]) -> tuple[T, ...]:
        return read_stored(run, relative, type_, place=relative.rpartition("/")[2])

    return Replicate(
        arm=arm.name,
        role=arm.role,
        seed=seed,
        margins=read(f"records/{name}/margins.jsonl", MarginRecord),
        heldout=read(f"records/{name}/heldout.jsonl", HeldoutRecord),
        rollouts=read(f"records/{name}/rollouts.jsonl", RolloutRecord) if plan.rollouts else (),
        steps=read(f"arms/{name}/steps.jsonl", StepRecord) if arm.is_trained else (),
    )
