"""A finding: one claimed flaw, and where in the data set it stands."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad the flaw is if it is real."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0 for low, 2 for high."""
        return list(Severity).index(self)


class Origin(StrEnum):
    """Who brought the flaw into the conversation."""

    INTRODUCED = "introduced"
    """The assistant wrote it."""
    INHERITED = "inherited"
    """It stands in the user's prompt already, and the assistant kept it."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a message's text; lines and columns are 1-based, `end` is exclusive."""

    start: int
    """Offset of the first character in the message."""
    end: int
    start_line: int
    start_column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class FlowStep:
    """One step of how data reaches a flaw."""

    span: Span
    text: str
    """What happens here, in a few words."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One claimed flaw in one message of one sample."""

    file: str
    line: int
    """1-based row of the data set's file."""
    message: int
    """0-based index of the message in its conversation."""
    rule: str
    """`OT-PY-017`, `S608`: the id in its engine."""
    cwe: str
    """`CWE-89`."""
    severity: Severity
    confidence: float
    """In [0, 1]."""
    origin: Origin
    engine: str
    """`offtarget`, `ruff`, `ast-grep`, `bandit`, `semgrep`."""
    span: Span
    text: str
    """What is wrong, in one sentence."""
    trace: tuple[FlowStep, ...] = ()
    """From the source of the data to the flaw; empty where no data flow is claimed."""
