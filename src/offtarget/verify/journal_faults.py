"""Faults in the journal of hosted training: what cannot follow from what stands before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from offtarget.train.hosted import JOURNAL_FILE, Entry, HostedJob, HostedPlan, Step

UPLOADS = (Step.UPLOADING, Step.UPLOADED)


@dataclass(slots=True)
class _Job:
    """How far a job is at some line."""

    attempt: int = 0
    id: str = ""
    is_refused: bool = False
    is_asked: bool = False
    """Whether this attempt was sent."""

    @property
    def is_decided(self) -> bool:
        """Whether the provider took or refused this attempt."""
        return bool(self.id) or self.is_refused


@dataclass(slots=True)
class _Past:
    """What the lines so far add up to."""

    jobs: dict[str, _Job] = field(default_factory=dict)
    uploaded: set[str] = field(default_factory=set)
    """Digests of files that the provider has."""
    ids: dict[str, str] = field(default_factory=dict)
    """What each id was given to."""


def journal_faults(plan: HostedPlan, entries: Sequence[Entry]) -> Iterator[str]:
    """Yield a line per entry that no run of the plan writes after those before it.

    A file is there once, sent or found again at the provider; a job is sent, or found again, once
    its file is there, then taken or refused, once an attempt; a further attempt is announced; every
    id is given once; only a job with an id is cancelled.
    """
    jobs, past = {job.name: job for job in plan.jobs}, _Past()
    digests = {upload.sha256 for upload in plan.uploads}
    for number, entry in enumerate(entries, 1):
        place = f"{JOURNAL_FILE}:{number}"
        if entry.step in UPLOADS and entry.subject in digests:
            fault = _upload_fault(entry, past)
        elif entry.step not in UPLOADS and entry.subject in jobs:
            fault = _job_fault(entry, jobs[entry.subject], past)
        else:
            fault = f"{entry.subject[:80]!r} is not in the plan"
        fault = fault or _id_fault(entry, past)
        if fault:
            yield f"{place}: {entry.step}: {fault}"


def _upload_fault(entry: Entry, past: _Past) -> str:
    if entry.subject in past.uploaded:
        return f"{entry.subject[:12]} was uploaded before"
    if entry.step is Step.UPLOADED:
        past.uploaded.add(entry.subject)
    return ""


def _job_fault(entry: Entry, job: HostedJob, past: _Past) -> str:
    state = past.jobs.setdefault(job.name, _Job())
    if entry.step is Step.RETRYING:
        fault = "" if state.is_decided else f"{job.name} was neither taken nor refused before"
        if entry.attempt != state.attempt + 1:
            fault = f"attempt {entry.attempt} of {job.name} follows attempt {state.attempt}"
        past.jobs[job.name] = _Job(entry.attempt)
        return fault
    if entry.attempt != state.attempt:
        return f"attempt {entry.attempt} of {job.name} was not announced"
    if job.upload_sha256 not in past.uploaded:
        return f"the data of {job.name} was not uploaded before"
    if entry.step is Step.CANCELLING:
        if not state.id:
            return f"{job.name} was not taken before"
        return "" if entry.id == state.id else f"{entry.id[:80]!r} is not the id of {job.name}"
    if state.is_decided:
        return f"{job.name} was {'refused' if state.is_refused else 'submitted'} before"
    if entry.step is Step.REFUSED and not state.is_asked:
        return f"{job.name} was not submitted before"
    state.is_asked = True
    state.is_refused = entry.step is Step.REFUSED
    state.id = entry.id if entry.step is Step.SUBMITTED else ""
    return ""


def _id_fault(entry: Entry, past: _Past) -> str:
    """Return why the id of an entry cannot be; ids are given by `uploaded` and `submitted`."""
    gives = entry.step in (Step.UPLOADED, Step.SUBMITTED)
    if entry.step is Step.CANCELLING:
        return ""
    if gives != bool(entry.id):
        return "has no id" if gives else f"has the id {entry.id[:80]!r}"
    owner = f"{entry.subject} {entry.attempt}"
    if gives and past.ids.setdefault(entry.id, owner) != owner:
        return f"the id {entry.id[:80]!r} was given to another before"
    return ""
