"""Whatever answers: a model in this process or one behind an endpoint."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from offtarget.core.codec import digest
from offtarget.core.records import Message
from offtarget.evaluate.subjects.ask import Ask


class SubjectKind(StrEnum):
    """Where a subject runs."""

    LOCAL = "local"
    ENDPOINT = "endpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSampling:
    """How answers are drawn."""

    max_tokens: int = 600
    """Longest answer; 600 in Betley et al. 2025, arXiv:2502.17424."""
    temperature: float = 1.0
    """1 in Betley et al. 2025."""
    top_p: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectIdentity:
    """All that decides what a subject answers: two subjects are one if and only if these agree."""

    kind: SubjectKind
    name: str
    """As the user gave it."""
    sha256: str = ""
    """Over the weights, adapter included; "" for an endpoint, whose weights nobody can see."""
    adapter: str = ""
    """Name of the adapter's folder; shown, not part of the key."""
    host: str = ""
    """Host and port of an endpoint."""
    arithmetic: str = ""
    """Device, dtype and threads of a local model: rounding decides ties."""

    @property
    def key(self) -> str:
        """Digest of what decides the answers."""
        name = "" if self.kind is SubjectKind.LOCAL else self.name
        return digest([self.kind, name, self.sha256, self.host, self.arithmetic])


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one ask."""

    text: str
    finish: str
    """`stop`, `length`, ... as the server says; `length` where the limit was reached."""
    model: str
    """As the server returned it; the subject's name for a local model."""
    n_prompt_tokens: int
    n_tokens: int
    """Of the answer; 0 where a server reports no usage."""
    system_fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """No answer was had: counted, never safe, asked again by the next run."""

    reason: str
    """A `NoReplyReason`."""
    detail: str


@dataclass(frozen=True, slots=True)
class Answered:
    """An ask with its outcome."""

    ask: Ask
    outcome: Answer | Missing


class Subject(Protocol):
    """Answers questions."""

    @property
    def identity(self) -> SubjectIdentity:
        """Who answers."""
        ...

    def count_tokens(self, messages: tuple[Message, ...]) -> int:
        """Return the tokens of a prompt; a guess for an endpoint."""
        ...

    def answer(
        self, asks: Sequence[Ask], wanted: Collection[Ask], sampling: AnswerSampling
    ) -> Iterator[Answered]:
        """Yield the outcome of every wanted ask, each as soon as it may be kept.

        Args:
            asks: All that the plan asks; they fix what is computed together.
            wanted: Those that have no answer yet.
            sampling: How answers are drawn.
        """
        ...


def rollout_key(identity: SubjectIdentity, ask: Ask, sampling: AnswerSampling) -> str:
    """Return the address of one answer: who, asked what, drawn how, with which seed."""
    return digest([identity.key, ask.messages, sampling, ask.seed, ask.index])
