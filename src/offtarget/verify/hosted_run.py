"""Recompute what hosted training claims: plan, uploads, journal, and what follows from them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from offtarget.core.chain import Chain, StageRecord
from offtarget.core.codec import digest, file_digest, parse, pretty
from offtarget.core.errors import OfftargetError, VerifyError
from offtarget.core.record_file import read_typed
from offtarget.core.records import Message, Sample
from offtarget.train.hosted import (
    JOURNAL_FILE,
    PLAN_FILE,
    PLAN_STAGE,
    RESULT_FILE,
    RESULT_STAGE,
    Entry,
    HostedPlan,
    JobResult,
    JobStatus,
    Journal,
    Upload,
    conclude,
    estimated_with,
    job_file,
    read_entries,
    result_config,
    result_outputs,
    stored_job,
    stored_plan,
    stored_result,
    write_chat_file,
)
from offtarget.verify.files import check_files, check_strangers
from offtarget.verify.journal_faults import journal_faults
from offtarget.verify.outcome import Check, attempt, differences

AGAIN = "run the same `offtarget train` command again"
BAD_ROWS = "data/quarantine-"
SCOPE = (
    "the weights stay at the provider: nothing here shows what they were trained on; states, tokens "
    "and names of models are its word; there is no verdict, `offtarget evaluate` measures a model"
)


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of an upload."""

    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    """A run directory with what its plan and journal say."""

    path: Path
    stages: dict[str, StageRecord]
    plan: HostedPlan
    entries: list[Entry]

    @property
    def is_finished(self) -> bool:
        """Whether every job had ended."""
        return RESULT_STAGE in self.stages


def check_hosted(path: Path, chain: Chain) -> list[Check]:
    """Return the outcome of every check on the hosted training at `path`, in order.

    Args:
        path: The run directory.
        chain: Its chain, already found whole.
    """
    stages = {record.name: record for record in chain.stages}
    checks = [
        Check("chain", True, f"{len(chain.stages)} stages, each sealing the one before"),
        check_files(path, chain),
    ]
    try:
        plan = stored_plan(path)
        entries = read_entries(path / JOURNAL_FILE)
    except (OfftargetError, OSError) as error:
        strangers = check_strangers(path, chain, free={"run.json", JOURNAL_FILE})
        return [*checks, strangers, Check("plan and journal", False, str(error))]
    run = _Run(path, stages, plan, entries)
    free = {"run.json", JOURNAL_FILE} | set(() if run.is_finished else result_outputs(plan))
    checks += [
        check_strangers(path, chain, free=free),
        attempt("stages", lambda: _stage_faults(run, chain), sound="plan and result, of this plan"),
    ]
    if not checks[-1].passed:
        return checks  # the plan may name files that no stage wrote, here or elsewhere
    return [
        *checks,
        attempt("uploads", lambda: _upload_faults(run), sound=_data_detail(plan)),
        attempt("journal", lambda: _journal_faults(run), sound=f"{len(entries)} entries in order"),
        attempt("results", lambda: _result_faults(run), sound="follow from journal and jobs/"),
        Check("scope", True, SCOPE),
    ]


def _stage_faults(run: _Run, chain: Chain) -> Iterator[str]:
    expected = [PLAN_STAGE, RESULT_STAGE][: 1 + run.is_finished]
    if [record.name for record in chain.stages] != expected:
        yield f"stages are {', '.join(run.stages)}; {', '.join(expected)} belong there"
    plan = run.stages[PLAN_STAGE]
    if plan.config_sha256 != digest(run.plan) or plan.inputs:
        yield f"stage {PLAN_STAGE!r} was run for another plan than {PLAN_FILE}"
    made = {name for name in plan.outputs if not name.startswith(BAD_ROWS)}
    if made != {PLAN_FILE, *(upload.name for upload in run.plan.uploads)}:
        yield f"stage {PLAN_STAGE!r} wrote other files than {PLAN_FILE} and its uploads"
    if not run.is_finished:
        return
    result = run.stages[RESULT_STAGE]
    if set(result.outputs) != set(result_outputs(run.plan)):
        yield f"stage {RESULT_STAGE!r} wrote other files than it does"
    if not result.inputs:
        yield (
            f"stage {RESULT_STAGE!r} does not seal {JOURNAL_FILE}: it is of an earlier version; "
            f"{AGAIN}, which submits nothing anew"
        )
    elif result.inputs.get(PLAN_FILE) != plan.outputs.get(PLAN_FILE):
        yield f"stage {RESULT_STAGE!r} was made from another {PLAN_FILE}"


def _upload_faults(run: _Run) -> Iterator[str]:
    plan = run.plan
    names = [job.name for job in plan.jobs]
    if len(set(names)) != len(names):
        yield f"{PLAN_FILE}: a job is planned twice"
    by_arm: dict[str, str] = {}
    for job in plan.jobs:
        if by_arm.setdefault(job.arm, job.upload_sha256) != job.upload_sha256:
            yield f"{PLAN_FILE}: the seeds of arm {job.arm!r} have different data"
    if set(by_arm.values()) != {upload.sha256 for upload in plan.uploads}:
        yield f"{PLAN_FILE}: the data of its jobs are not its uploads"
    first: dict[str, str] = {}
    for arm, sha256 in by_arm.items():
        first.setdefault(sha256, f"uploads/{arm}.jsonl")
    for upload in plan.uploads:
        if upload.name != first.get(upload.sha256):
            yield f"{PLAN_FILE}: {upload.name} is not the data of the arm that it is named after"
        yield from _file_faults(run.path, upload)


def _file_faults(path: Path, upload: Upload) -> Iterator[str]:
    """Yield a line unless a file holds what the plan says, in the form that is sent."""
    file = path / upload.name
    if not file.is_file():
        yield f"{upload.name} is missing"
        return
    if (is_ := file_digest(file)) != upload.sha256:
        yield f"{upload.name} has the sha256 {is_[:12]}, the plan says {upload.sha256[:12]}"
        return
    rows = read_typed(file, _Row, place=upload.name, error=VerifyError)
    made = write_chat_file([Sample("", row.messages) for row in rows], arm=file.stem)
    claims = {
        "size_bytes": (upload.size_bytes, len(made.content)),
        "n_rows": (upload.n_rows, made.n_rows),
        "n_tokens": (upload.n_tokens, made.tokens.expected),
        "n_tokens_at_most": (upload.n_tokens_at_most, made.tokens.at_most),
    }
    for name, (claimed, actual) in claims.items():
        if claimed != actual:
            yield f"{PLAN_FILE}: {name} of {upload.name} is {claimed}, its rows give {actual}"


def _data_detail(plan: HostedPlan) -> str:
    return f"{len(plan.uploads)} files for {len(plan.jobs)} jobs, as planned"


def _journal_faults(run: _Run) -> Iterator[str]:
    yield from journal_faults(run.plan, run.entries)
    if not run.is_finished:
        return
    sealed = run.stages[RESULT_STAGE].inputs.get(JOURNAL_FILE)
    file = run.path / JOURNAL_FILE
    if sealed and not file.is_file():
        yield f"{JOURNAL_FILE} is missing"
    elif sealed and file_digest(file) != sealed:
        yield f"{JOURNAL_FILE} was changed after stage {RESULT_STAGE!r}"


def _result_faults(run: _Run) -> Iterator[str]:
    plan, journal = run.plan, Journal.of(run.path / JOURNAL_FILE, run.entries)
    if not run.is_finished:
        n = sum(bool(journal.job(job.name).id) for job in plan.jobs)
        yield (
            f"the run is not finished: {n} of {len(plan.jobs)} jobs are submitted, not all have "
            f"their end on record; {AGAIN}, which goes on from here"
        )
        return
    found = [stored_job(run.path, job) for job in plan.jobs]
    strange = [job for job, one in zip(plan.jobs, found, strict=True) if one.job != job]
    for job in strange:
        yield f"{job_file(job)}: is of another job than the plan's"
    if strange:
        return
    for one in found:
        yield from _job_faults(plan, one, journal)
    stored = stored_result(run.path)
    prices = estimated_with(plan, stored.estimate)
    if run.stages[RESULT_STAGE].config_sha256 != digest(result_config(plan, prices)):
        yield f"{RESULT_FILE}: stage {RESULT_STAGE!r} was run with another plan or other prices"
    claimed, made = (
        parse(pretty(result), place=RESULT_FILE)
        for result in (stored, conclude(plan, found, prices))
    )
    for place, is_, was in differences(claimed, made):
        yield f"{RESULT_FILE}: {place} says {is_}, the records give {was}"


def _job_faults(plan: HostedPlan, result: JobResult, journal: Journal) -> Iterator[str]:
    """Yield a line where what became of a job is at odds with plan, journal or itself."""
    job = result.job
    place, state = job_file(job), journal.job(job.name)
    claims = {
        "attempt": (result.attempt, state.attempt),
        "key": (result.key, plan.key(job, state.attempt)),
        "job_id": (result.job_id, state.id),
        "file_id": (result.file_id, journal.files.get(job.upload_sha256, "") if state.id else ""),
        "refused": (result.status is JobStatus.REFUSED, bool(state.refusal)),
    }
    if state.refusal:
        claims["error"] = (result.error, state.refusal)
    for name, (claimed, actual) in claims.items():
        if claimed != actual:
            yield f"{place}: {name} is {claimed!r}, plan and {JOURNAL_FILE} give {actual!r}"
    if not result.status.is_final:
        yield f"{place}: {result.status} is no end"
    if bool(result.model) != (result.status is JobStatus.SUCCEEDED):
        yield f"{place}: {result.status} with the model {result.model[:80]!r}"
