"""What a hosted run keeps, under which names, and reading it back."""

from pathlib import Path
from typing import TypeVar

from offtarget.core.chain import HOSTED_PLAN_STAGE
from offtarget.core.codec import digest
from offtarget.core.errors import VerifyError
from offtarget.core.record_file import read_record
from offtarget.train.hosted.cost import PriceTable
from offtarget.train.hosted.records import (
    HOSTED_SCHEMA,
    HostedJob,
    HostedPlan,
    HostedResult,
    JobResult,
)

PLAN_STAGE, PLAN_FILE = HOSTED_PLAN_STAGE, "plan.json"
RESULT_STAGE, RESULT_FILE = "hosted", "arms.json"
JOURNAL_FILE = "journal.jsonl"
"""Grows until every job has ended; sealed as what the result was made from."""
T = TypeVar("T")


def job_file(job: HostedJob) -> str:
    """Return the name of the file that says what became of a job."""
    return f"jobs/{job.name}.json"


def result_outputs(plan: HostedPlan) -> list[str]:
    """Return the files that the result stage writes."""
    return [RESULT_FILE, *map(job_file, plan.jobs)]


def result_config(plan: HostedPlan, prices: PriceTable | None) -> dict[str, object]:
    """Return the config of the result stage: what the result follows from besides its records."""
    return {"plan": digest(plan), "prices": prices}


def stored_plan(run: Path) -> HostedPlan:
    """Return the plan in a run's plan.json.

    Raises:
        VerifyError: If it is missing, malformed or of another schema.
        DataError: If it is no strict JSON.
    """
    return _read(run, PLAN_FILE, HostedPlan, schema=HOSTED_SCHEMA)


def stored_result(run: Path) -> HostedResult:
    """Return what a run's arms.json says.

    Raises:
        VerifyError: If it is missing, malformed or of another schema.
        DataError: If it is no strict JSON.
    """
    return _read(run, RESULT_FILE, HostedResult, schema=HOSTED_SCHEMA)


def stored_job(run: Path, job: HostedJob) -> JobResult:
    """Return what became of a job.

    Raises:
        VerifyError: If it is missing or malformed.
        DataError: If it is no strict JSON.
    """
    return _read(run, job_file(job), JobResult, schema=None)


def _read(run: Path, relative: str, type_: type[T], *, schema: int | None) -> T:
    path = run / relative
    if not path.is_file():
        raise VerifyError(f"{relative}: missing; restore it from a copy, or run the command again")
    return read_record(path, type_, place=relative, error=VerifyError, schema=schema)
