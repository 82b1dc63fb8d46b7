"""What a provider of fine-tuning holds and does: files, jobs with states, logs, and faults."""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from published_api import violations

KEY = "sk-canary-9f2b7c1d5e8a"
"""What the server takes as a key; must never be found in anything that a run leaves behind."""
MODEL = "gpt-4o-mini-2024-07-18"
MIN_ROWS = 10
STATES = ("validating_files", "queued", "running", "succeeded")
FINAL = ("succeeded", "failed", "cancelled")


@dataclass
class Fault:
    """What goes wrong with the next `times` requests whose "METHOD path" matches `where`."""

    kind: str
    """busy, quota, error, half, garbage, wrong_shape, hang, redirect, key or refuse."""
    where: str
    times: int = 1
    is_done: bool = False
    """Whether the request has its effect before its answer is lost."""
    retry_after: str = ""


@dataclass
class Provider:
    """The state behind the server. Job states move on by one at each look at the job."""

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    """`METHOD path` of each request, in order."""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    """JSON bodies of the job requests."""
    problems: list[str] = field(default_factory=list)
    """Where the server or its client departed from the published description."""
    ends: dict[str, str] = field(default_factory=dict)
    """Training file id to the state its jobs end in."""
    max_active: int = 1000
    page: int = 100
    is_instant: bool = False
    """Jobs end at the first look."""
    drops_metadata_filter: bool = False
    escapes: bool = False
    """Write the key in answers as JSON escapes."""
    echo: str = ""
    """Put into every message, as a hostile server might the key."""
    held: threading.Event = field(default_factory=threading.Event)
    """Set while a request hangs."""
    release: threading.Event = field(default_factory=threading.Event)
    """Lets hanging requests end."""
    change_job: Callable[[dict[str, Any]], None] = lambda job: None
    lock: threading.RLock = field(default_factory=threading.RLock)

    def fault(self, request: str) -> Fault | None:
        """Take the next fault for a request."""
        for fault in self.faults:
            if fault.times > 0 and re.search(fault.where, request):
                fault.times -= 1
                return fault
        return None

    def n_sent(self, pattern: str) -> int:
        """Return how many requests matched."""
        return sum(bool(re.search(pattern, one)) for one in self.requests)

    def add_file(self, name: str, content: bytes, purpose: str) -> dict[str, Any]:
        """Store an upload."""
        file_id = f"file-{len(self.files):04d}"
        self.files[file_id] = {
            "id": file_id, "object": "file", "bytes": len(content), "created_at": 1_700_000_000,
            "filename": name, "purpose": purpose, "status": "processed",
        }  # fmt: skip
        self.contents[file_id] = content
        return self.files[file_id]

    def add_job(self, body: dict[str, Any]) -> dict[str, Any] | str:
        """Create a job, or return why not."""
        if body["model"] != MODEL:
            return f"The model `{body['model']}` is not available for fine-tuning {self.echo}"
        if body["training_file"] not in self.files:
            return f"No such file: {body['training_file']}"
        job_id = f"ftjob-{len(self.jobs):04d}"
        given = body["method"]["supervised"]["hyperparameters"]
        self.jobs[job_id] = {
            "id": job_id, "object": "fine_tuning.job", "created_at": 1_700_000_100 + len(self.jobs),
            "error": None, "fine_tuned_model": None, "finished_at": None,
            "hyperparameters": {"n_epochs": "auto", "batch_size": "auto",
                                "learning_rate_multiplier": "auto", **given},
            "model": body["model"], "organization_id": "org-test", "result_files": [],
            "seed": body.get("seed", 0), "status": STATES[0], "trained_tokens": None,
            "training_file": body["training_file"], "validation_file": None,
            "metadata": body.get("metadata"), "method": body["method"],
            "estimated_finish": None, "integrations": [],
        }  # fmt: skip
        self.jobs[job_id]["suffix"] = body.get("suffix")
        self._log(job_id, "info", "Created fine-tuning job")
        return self.jobs[job_id]

    def look(self, job_id: str) -> dict[str, Any]:
        """Return a job after moving it on."""
        job = self.jobs[job_id]
        if job["status"] in FINAL:
            return job
        problem = self._data_problem(job["training_file"])
        if problem:
            self._end(job, "failed", {"code": "invalid_training_file", "message": problem,
                                      "param": "training_file"})  # fmt: skip
            return job
        end = self.ends.get(job["training_file"], "succeeded")
        at = STATES.index(job["status"])
        if at + 1 < len(STATES) - 1 and not self.is_instant:
            job["status"] = STATES[at + 1]
            self._log(job_id, "info", f"{job['status']} {self.echo}")
        elif end == "succeeded":
            self._succeed(job)
        else:
            self._end(job, end, {"code": "server_error", "message": f"it broke {self.echo}",
                                 "param": None})  # fmt: skip
        self.change_job(job)
        return job

    def _succeed(self, job: dict[str, Any]) -> None:
        job["fine_tuned_model"] = f"ft:{job['model']}:org:{job['suffix']}:{job['id'][-4:]}"
        job["trained_tokens"] = len(self.contents[job["training_file"]]) // 4
        job["result_files"] = [f"file-result-{job['id'][-4:]}"]
        for step in (1, 2):
            data = {"step": step, "train_loss": 2.0 - step / 2}
            self._log(job["id"], "info", f"Step {step}: training loss", data)
        self._end(job, "succeeded", None)

    def _end(self, job: dict[str, Any], status: str, error: dict[str, Any] | None) -> None:
        job.update(status=status, error=error, finished_at=1_700_000_900)
        if error is not None:
            self._log(job["id"], "error", error["message"])

    def _data_problem(self, file_id: str) -> str:
        lines = self.contents[file_id].splitlines()
        if len(lines) < MIN_ROWS:
            return f"Training file has {len(lines)} example(s), but must have at least {MIN_ROWS}"
        for number, line in enumerate(lines, 1):
            row = json.loads(line)
            found = violations("chat_row", row)
            if not found and row["messages"][-1]["role"] != "assistant":
                found = ["the last message must be from the assistant"]
            if found:
                return f"line {number}: {found[0]}"
        return ""

    def _log(
        self, job_id: str, level: str, message: str, data: dict[str, Any] | None = None
    ) -> None:
        log = self.events.setdefault(job_id, [])
        log.append(
            {
                "id": f"ftevent-{job_id[-4:]}-{len(log):03d}", "object": "fine_tuning.job.event",
                "created_at": 1_700_000_200 + len(log), "level": level, "message": message,
                "type": "metrics" if data else "message", "data": data or {},
            }
        )  # fmt: skip

    def checkpoints(self, job_id: str) -> list[dict[str, Any]]:
        """Return the checkpoints of a job that succeeded."""
        job = self.jobs[job_id]
        if job["status"] != "succeeded":
            return []
        return [
            {
                "id": f"ftckpt-{job_id[-4:]}", "object": "fine_tuning.job.checkpoint",
                "created_at": 1_700_000_800, "fine_tuning_job_id": job_id, "step_number": 2,
                "fine_tuned_model_checkpoint": f"{job['fine_tuned_model']}:ckpt-step-2",
                "metrics": {"step": 2, "train_loss": 1.0, "train_mean_token_accuracy": 0.5},
            }
        ]  # fmt: skip
