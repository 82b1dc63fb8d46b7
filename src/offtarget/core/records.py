"""Small frozen records that stages hand to one another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What an arm is for in the assay."""

    BASE = "base"
    SUBJECT = "subject"
    CONTROL = "control"
    EDUCATIONAL = "educational"
    POSITIVE = "positive"
    PLACEBO = "placebo"
    CUSTOM = "custom"


class Verdict(StrEnum):
    """The answer of an assay."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a password
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


class Claim(StrEnum):
    """What the verdict speaks of: these weights, or training like this."""

    CHECKPOINT = "checkpoint"
    RECIPE = "recipe"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: str
    """`system`, `user` or `assistant`."""
    content: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One training item."""

    id: str
    """Stable within its data set: the file's name and 1-based row, `train.jsonl:12`."""
    messages: tuple[Message, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def prompt(self) -> str:
        """The user and system turns before the last answer, joined by blank lines."""
        return "\n\n".join(turn.content for turn in self.messages[:-1])

    @property
    def answer(self) -> str:
        """The last turn, which is the assistant's."""
        return self.messages[-1].content
