"""Upload, submit, poll, cancel and fetch the jobs of a plan; each step is resumable."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from offtarget.core.codec import file_digest
from offtarget.core.errors import DataError, VerifyError
from offtarget.lm.endpoint_reply import is_same_model
from offtarget.train.hosted.fetch import fetch_result
from offtarget.train.hosted.journal import Entry, Journal, Step
from offtarget.train.hosted.patience import Patience, error_of
from offtarget.train.hosted.records import HostedJob, HostedPlan, JobResult, JobStatus
from offtarget.train.hosted.remote import Failure, FailureKind, RemoteFile, RemoteJob
from offtarget.train.hosted.service import Service

Say = Callable[[str], None]


@dataclass(slots=True)
class Runner:
    """Brings the jobs of one plan to their end."""

    plan: HostedPlan
    folder: Path
    """Of the run; holds the uploads."""
    service: Service
    journal: Journal
    patience: Patience
    say: Say
    """Receives one line for people whenever something changes."""
    _last: dict[str, RemoteJob] = field(default_factory=dict)

    def run(self, *, wait: bool) -> tuple[JobResult, ...]:
        """Submit whatever was not submitted yet; wait for every job if asked; fetch the results.

        Raises:
            OfftargetError: If the service cannot be used; what was submitted goes on there, and the
                next call goes on from here.
        """
        self._check_uploads()
        n_idle = n_failed = 0
        while True:
            busy = self._submit_all()
            is_moved = self._refresh()
            is_open = busy is not None or any(not self._is_over(job) for job in self.plan.jobs)
            if not is_open or (not wait and busy is None):
                return self.results()
            n_idle = 0 if is_moved else n_idle + 1
            n_running = sum(self._runs(job) for job in self.plan.jobs)
            if busy is not None and n_running == 0:
                n_failed += 1
                if not self.patience.may_wait(busy, n_failed):
                    raise error_of(busy, on="submitting jobs")
            else:
                n_failed = 0
                self.patience.pause(n_idle)

    def cancel(self) -> tuple[JobResult, ...]:
        """Ask for every job that has not ended to be stopped; return how all stand then."""
        for job in self.plan.jobs:
            state = self.journal.job(job.name)
            if not state.id and state.is_unclear:
                found = self._find_job(job, state.attempt)
                if found is not None:
                    self._submitted(job, state.attempt, found, "found again")
            if not state.id:
                continue
            remote = self._state(job)
            if not JobStatus(remote.status).is_final:
                self.journal.write(Entry(Step.CANCELLING, job.name, state.attempt, state.id))
                remote = self._cancelled(job, state.id)
                self.say(f"{job.name}: {remote.status}")
            self._last[job.name] = remote
        return self.results()

    def retry_ended(self) -> int:
        """Mark jobs that failed, were refused or cancelled to be submitted anew; return how many."""
        n = 0
        for job in self.plan.jobs:
            state = self.journal.job(job.name)
            is_lost = bool(state.refusal)
            if state.id:
                status = JobStatus(self._state(job).status)
                is_lost = status in (JobStatus.FAILED, JobStatus.CANCELLED)
            if is_lost:
                self.journal.write(Entry(Step.RETRYING, job.name, state.attempt + 1))
                self._last.pop(job.name, None)
                n += 1
        return n

    def results(self) -> tuple[JobResult, ...]:
        """Return how every job stands, with the log and metrics of those that have ended."""
        return tuple(self._result(job) for job in self.plan.jobs)

    def _result(self, job: HostedJob) -> JobResult:
        state = self.journal.job(job.name)
        remote = self._last.get(job.name)
        if remote is None:
            status = JobStatus.REFUSED if state.refusal else JobStatus.PLANNED
            return JobResult(
                job=job, status=status, attempt=state.attempt, error=state.refusal,
                key=self.plan.key(job, state.attempt),
            )  # fmt: skip
        return fetch_result(
            self.service, self.patience, job, remote,
            key=self.plan.key(job, state.attempt), attempt=state.attempt,
        )  # fmt: skip

    def _check_uploads(self) -> None:
        for upload in self.plan.uploads:
            path = self.folder / upload.name
            if not path.is_file() or file_digest(path) != upload.sha256:
                raise VerifyError(
                    f"{upload.name}: missing or changed since the plan was locked; restore it, or "
                    "choose another --out"
                )

    def _submit_all(self) -> Failure | None:
        """Submit every job that has no id; return the failure if the service is too busy."""
        for job in self.plan.jobs:
            state = self.journal.job(job.name)
            if state.id or state.refusal:
                continue
            file_id = self._file_id(job.upload_sha256)
            busy = self._submit(job, file_id)
            if busy is not None:
                self.say(f"{job.name}: the service is busy; waiting")
                return busy
        return None

    def _file_id(self, sha256: str) -> str:
        """Return the id of an upload, sending it if it is not there yet."""
        if sha256 in self.journal.files:
            return self.journal.files[sha256]
        upload = self.plan.upload(sha256)
        on = f"upload of {upload.name}"
        for n_failed in range(1, self.patience.n_tries + 1):
            found: RemoteFile | Failure | None = self._find_file(sha256)
            if found is None:
                self.journal.write(Entry(Step.UPLOADING, sha256))
                found = self.service.upload(self.folder / upload.name, name=upload.remote_name)
            if isinstance(found, RemoteFile):
                break
            if not self.patience.may_wait(found, n_failed):
                raise error_of(found, on=on)
        assert isinstance(found, RemoteFile)
        if found.bytes != upload.size_bytes:
            raise DataError(
                f"{on}: the service holds {found.bytes} bytes of {upload.size_bytes}; delete file "
                f"{found.id} there and run again"
            )
        self.journal.write(Entry(Step.UPLOADED, sha256, id=found.id))
        self.say(f"{upload.name}: uploaded, {upload.size_bytes:,} bytes")
        return found.id

    def _find_file(self, sha256: str) -> RemoteFile | None:
        """Return the upload if the service has it, whole: named by its digest."""
        upload = self.plan.upload(sha256)
        listed = self.patience.insist(self.service.files, on="list of files")
        for one in listed:
            is_whole = one.bytes == upload.size_bytes and one.status != "error"
            if one.filename == upload.remote_name and is_whole:
                return one
        return None

    def _submit(self, job: HostedJob, file_id: str) -> Failure | None:
        """Make sure that a job exists, once; return the failure if the service is too busy."""
        state = self.journal.job(job.name)
        key = self.plan.key(job, state.attempt)
        for n_failed in range(1, self.patience.n_tries + 1):
            found: RemoteJob | Failure | None = self._find_job(job, state.attempt)
            note = "found again"
            if found is None:
                note = "submitted"
                self.journal.write(Entry(Step.SUBMITTING, job.name, state.attempt))
                found = self.service.create_job(
                    self.plan.recipe, file_id=file_id, seed=job.seed, key=key
                )
            if isinstance(found, RemoteJob):
                self._submitted(job, state.attempt, found, note)
                return None
            if found.kind is FailureKind.BUSY:
                return found
            if found.kind is FailureKind.REFUSED:
                self.journal.write(Entry(Step.REFUSED, job.name, state.attempt, note=found.detail))
                self.say(f"{job.name}: refused: {found.detail}")
                return None
            if not self.patience.may_wait(found, n_failed):
                break
        assert isinstance(found, Failure)
        raise error_of(found, on=f"job {job.name}")

    def _find_job(self, job: HostedJob, attempt: int) -> RemoteJob | None:
        """Return the job if it was submitted already, by this run or another one."""
        key = self.plan.key(job, attempt)
        found = self.patience.insist(lambda: self.service.jobs_with(key), on="list of jobs")
        if len(found) > 1:
            self.say(f"{job.name}: {len(found)} jobs carry its key; the first one is used")
        return found[-1] if found else None  # newest first: the last one is the oldest

    def _submitted(self, job: HostedJob, attempt: int, remote: RemoteJob, note: str) -> None:
        self.journal.write(Entry(Step.SUBMITTED, job.name, attempt, remote.id, note))
        self._checked(job, remote)
        self.say(f"{job.name}: {note}, {remote.status}")
        self._last[job.name] = remote

    def _refresh(self) -> bool:
        """Ask for the state of every job that has not ended; return whether any changed."""
        is_moved = False
        for job in self.plan.jobs:
            if not self.journal.job(job.name).id or self._is_over(job):
                continue
            before = self._last.get(job.name)
            now = self._state(job)
            if before is None or before.status != now.status:
                is_moved = True
                self.say(f"{job.name}: {now.status}")
            self._last[job.name] = now
        return is_moved

    def _state(self, job: HostedJob) -> RemoteJob:
        job_id = self.journal.job(job.name).id
        on = f"job {job.name} ({job_id})"
        found = self.patience.insist(lambda: self.service.job(job_id), on=on)
        return self._checked(job, found)

    def _cancelled(self, job: HostedJob, job_id: str) -> RemoteJob:
        """Cancel a job; one that ended meanwhile is refused by the service and left as it is."""
        found = self.service.cancel(job_id)
        if isinstance(found, Failure) and found.kind is FailureKind.KEY:
            raise error_of(found, on=f"job {job.name} ({job_id})")
        for n_failed in range(1, self.patience.n_tries + 1):
            now = self._state(job)
            if JobStatus(now.status).is_final:
                return now
            if not isinstance(found, Failure) or not self.patience.may_wait(found, n_failed):
                break
            found = self.service.cancel(job_id)
        if isinstance(found, Failure):
            raise error_of(found, on=f"cancelling job {job.name} ({job_id})")
        return now

    def _checked(self, job: HostedJob, remote: RemoteJob) -> RemoteJob:
        """Return the job, or raise DataError if it is not the one that was asked for."""
        problems = []
        if remote.status not in list(JobStatus):
            problems.append(f"unknown status {remote.status[:40]!r}")
        if not is_same_model(self.plan.recipe.model, remote.model):
            problems.append(f"base model {remote.model[:80]!r}")
        if remote.training_file != self.journal.files.get(job.upload_sha256, remote.training_file):
            problems.append(f"training file {remote.training_file[:80]!r}")
        if remote.seed != job.seed:
            problems.append(f"seed {remote.seed}")
        if problems:
            raise DataError(
                f"job {job.name} ({remote.id[:80]}): not what was asked for: "
                f"{', '.join(problems)}; look at it there, then choose another --out"
            )
        return remote

    def _is_over(self, job: HostedJob) -> bool:
        if self.journal.job(job.name).refusal:
            return True
        remote = self._last.get(job.name)
        return remote is not None and JobStatus(remote.status).is_final

    def _runs(self, job: HostedJob) -> bool:
        return bool(self.journal.job(job.name).id) and not self._is_over(job)
