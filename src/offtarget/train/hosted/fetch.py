"""What a job left behind: its model, log and metrics."""

from typing import Any

from offtarget.train.hosted.patience import Patience
from offtarget.train.hosted.records import Checkpoint, HostedJob, JobEvent, JobResult, JobStatus
from offtarget.train.hosted.remote import RemoteEvent, RemoteJob
from offtarget.train.hosted.service import Service

MAX_NAME = 300


def fetch_result(
    service: Service,
    patience: Patience,
    job: HostedJob,
    remote: RemoteJob,
    *,
    key: str,
    attempt: int,
) -> JobResult:
    """Return what became of a job; its log and metrics are fetched once it has ended.

    Raises:
        OfftargetError: If the service cannot be used.
    """
    status = JobStatus(remote.status)
    error, model = _error(remote), ""
    if status is JobStatus.SUCCEEDED:
        model = remote.fine_tuned_model or ""
        if not _is_name(model):
            status, model = JobStatus.FAILED, ""
            error = "the service says succeeded but names no usable model"
    events: tuple[JobEvent, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    if status.is_final:
        on = f"job {job.name} ({remote.id})"
        found = patience.insist(lambda: service.events(remote.id), on=f"log of {on}")
        events = tuple(sorted(map(_event, found), key=lambda e: (e.created_at, e.id)))
    if status is JobStatus.SUCCEEDED:
        kept = patience.insist(lambda: service.checkpoints(remote.id), on=f"checkpoints of {on}")
        checkpoints = tuple(
            Checkpoint(c.fine_tuned_model_checkpoint, c.step_number, c.metrics)
            for c in sorted(kept, key=lambda c: c.step_number)
        )
    return JobResult(
        job=job,
        status=status,
        job_id=remote.id,
        file_id=remote.training_file,
        key=key,
        attempt=attempt,
        model=model,
        trained_tokens=remote.trained_tokens,
        hyperparameters=remote.hyperparameters or {},
        error=error,
        events=events,
        checkpoints=checkpoints,
        result_files=remote.result_files,
    )


def _event(raw: RemoteEvent) -> JobEvent:
    scalars: dict[str, Any] = {}
    if isinstance(raw.data, dict):
        scalars = {
            str(name): value
            for name, value in raw.data.items()
            if value is None or isinstance(value, float | int | str | bool)
        }
    return JobEvent(raw.id, raw.created_at, raw.level, raw.message, scalars)


def _error(remote: RemoteJob) -> str:
    if remote.error is None or not (remote.error.code or remote.error.message):
        return ""
    return f"{remote.error.code or 'error'}: {remote.error.message or 'no reason given'}"


def _is_name(model: str) -> bool:
    """Whether it can be a model's name on a command line: printable, without blanks."""
    return (
        0 < len(model) <= MAX_NAME and model.isascii() and model.isprintable() and " " not in model
    )
