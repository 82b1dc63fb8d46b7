"""What the provider's API returns, the fields used here, and what it means when it does not.

Shapes: `OpenAIFile`, `FineTuningJob`, `FineTuningJobEvent` and `FineTuningJobCheckpoint` of
openai/openai-openapi@578000861507cd19620e3f1092adf62303757c0a:openapi.yaml; `metadata` and the
pages of lists as in the `openai` package 3.54.0.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class FailureKind(StrEnum):
    """Why a call brought nothing, and so what may be done about it."""

    BUSY = "busy"
    """429: nothing was done; ask later."""
    UNCLEAR = "unclear"
    """Timeout, broken connection, 5xx or half an answer: it may have been done."""
    REFUSED = "refused"
    """4xx: not done, and would not be if asked again."""
    KEY = "key"
    """401 or 403."""
    MISSING = "missing"
    """404."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A call without a result; its detail holds no key."""

    kind: FailureKind
    detail: str
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """`OpenAIFile`, the fields used here."""

    id: str
    bytes: int
    filename: str
    purpose: str
    status: str


@dataclass(frozen=True, slots=True)
class RemoteError:
    """Why a job failed."""

    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteJob:
    """`FineTuningJob`, the fields used here."""

    id: str
    model: str
    status: str
    training_file: str
    seed: int
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    hyperparameters: dict[str, float | int | str | None] | None = None
    error: RemoteError | None = None
    result_files: tuple[str, ...] = ()
    metadata: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class RemoteEvent:
    """`FineTuningJobEvent`, the fields used here."""

    id: str
    created_at: int
    level: str
    message: str
    data: Any = None


@dataclass(frozen=True, slots=True)
class RemoteCheckpoint:
    """`FineTuningJobCheckpoint`, the fields used here."""

    id: str
    fine_tuned_model_checkpoint: str
    step_number: int
    metrics: dict[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RemotePage:
    """One page of a list."""

    data: list[Any]
    has_more: bool = False
