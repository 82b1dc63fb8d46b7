"""Records of hosted fine-tuning: what is sent, what it may cost, and what came back."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from offtarget.core.codec import digest
from offtarget.core.errors import VerifyError
from offtarget.core.records import Role

HOSTED_SCHEMA = 1
PROVIDER = "openai"


class JobStatus(StrEnum):
    """State of one job; all but the first and last are the provider's own words."""

    PLANNED = "planned"
    VALIDATING_FILES = "validating_files"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    """The provider would not take the job."""

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to it."""
        return self in _FINAL


_FINAL = (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.REFUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedRecipe:
    """Hyperparameters shared by every job of a plan."""

    model: str
    """Name of the base model at the provider."""
    n_epochs: int = 1
    batch_size: int | None = None
    """Rows per step; None leaves it to the provider, which is then checked to be equal."""
    learning_rate_multiplier: float | None = None
    """None leaves it to the provider."""
    suffix: str = "offtarget"
    """Part of every fine-tuned model's name: the same for all, so that no name betrays its arm."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One training file; arms with the same rows in the same order share it."""

    name: str
    """Path in the run directory."""
    sha256: str
    size_bytes: int
    n_rows: int
    n_tokens: int
    """Estimated, one epoch."""
    n_tokens_at_most: int
    """A bound that holds for any byte-level tokenizer, one epoch."""

    @property
    def remote_name(self) -> str:
        """Name at the provider: says what is inside, so that it is found again."""
        return f"offtarget-{self.sha256[:32]}.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedJob:
    """One arm at one seed."""

    arm: str
    role: Role
    against: str
    seed: int
    upload_sha256: str

    @property
    def name(self) -> str:
        """`arm/seed-N`, as for arms trained here."""
        return f"{self.arm}/seed-{self.seed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedPlan:
    """Everything that is sent, locked before the first byte leaves."""

    schema: int
    provider: str
    endpoint: str
    """Base address."""
    name: str
    """Of the study."""
    study_sha256: str
    recipe: HostedRecipe
    uploads: tuple[Upload, ...]
    jobs: tuple[HostedJob, ...]
    pairing: str
    control_quality: str
    n_excluded: int
    """Pairs left out because a row is too long."""
    warnings: tuple[str, ...]
    versions: dict[str, str]

    def upload(self, sha256: str) -> Upload:
        """Return the file with this digest.

        Raises:
            VerifyError: If a job names a file that the plan does not have.
        """
        for one in self.uploads:
            if one.sha256 == sha256:
                return one
        raise VerifyError(
            f"plan.json: no upload has the sha256 {sha256[:12]} of a job; restore it from a copy"
        )

    def key(self, job: HostedJob, attempt: int) -> str:
        """Return what identifies a job at the provider: its data, recipe, seed and study.

        The same study asks for the same keys from any directory, so a job that was submitted
        already is found again and never paid for twice.
        """
        parts = [self.name, self.recipe, job.arm, job.seed, job.upload_sha256, attempt]
        return digest(parts)[:40]


@dataclass(frozen=True, slots=True)
class HostedCost:
    """Tokens and money for a plan; money only with a price that the user gave."""

    n_uploads: int
    n_jobs: int
    upload_bytes: int
    n_tokens: int
    """Estimated tokens trained on: rows x epochs x jobs."""
    n_tokens_at_most: int
    method: str
    currency: str = ""
    cost: float | None = None
    cost_at_most: float | None = None
    price_source: str = ""
    """Where the user's price comes from."""
    per_million_tokens: float | None = None
    """The price."""


@dataclass(frozen=True, slots=True)
class JobEvent:
    """One line of a job's log at the provider."""

    id: str
    created_at: int
    level: str
    message: str
    data: dict[str, float | int | str | bool | None] = field(default_factory=dict)
    """Scalars of a metrics event, such as step and train_loss."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint that the provider kept, with its metrics."""

    model: str
    step: int
    metrics: dict[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """What became of one job."""

    job: HostedJob
    status: JobStatus
    job_id: str = ""
    file_id: str = ""
    key: str = ""
    attempt: int = 0
    model: str = ""
    """Of the fine-tuned model, empty unless it succeeded."""
    trained_tokens: int | None = None
    """Billable tokens as the provider counted them."""
    hyperparameters: dict[str, float | int | str | None] = field(default_factory=dict)
    """As returned by the provider."""
    error: str = ""
    events: tuple[JobEvent, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    result_files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that a reader of the result must know."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmModel:
    """One fine-tuned model of an arm, in arms.json."""

    arm: str
    role: Role
    against: str
    seed: int
    status: JobStatus
    model: str
    subject: str
    """What `offtarget evaluate` takes: openai:NAME; empty unless trained."""
    job_id: str
    file_id: str
    upload_sha256: str
    n_rows: int
    trained_tokens: int | None
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedResult:
    """The content of arms.json."""

    schema: int
    state: Literal["complete", "incomplete", "running"]
    """complete: every job gave a model; running: some have not ended."""
    plan_sha256: str
    provider: str
    endpoint: str
    base_model: str
    arms: tuple[ArmModel, ...]
    estimate: HostedCost
    trained_tokens: int
    """Over the jobs that reported it."""
    n_without_tokens: int
    """Jobs that ended without reporting their tokens."""
    spent: float | None
    """trained_tokens at the user's price; None without one."""
    warnings: tuple[Warned, ...]
