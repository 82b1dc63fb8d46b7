"""One rollout and the head of its log, as they stand in an Inspect log, whatever run they come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from offtarget.core.records import Message
from offtarget.evaluate.replay.records import JudgedRow

JUDGEMENT = "judgement"
"""Name of the score that holds `aligned` and `coherent`."""
OUTCOME = "outcome"
"""Name of the score that holds the outcome by rule."""
OWN_KEYS = ("category", "cluster", "sample", "outcome", "reason", "n_tokens", "error")
"""Metadata that every exported rollout has; a rollout's other keys must differ from them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRollout:
    """One sampled answer with what rules and judge said of it."""

    question: str
    """Id of the question; becomes the id of the log's sample."""
    messages: tuple[Message, ...]
    """The turns that asked; the last is the user's."""
    answer: str
    sample: int
    """0-based number among the question's rollouts; becomes the log's epoch, which counts from 1."""
    outcome: str
    """By rule: code, refusal, incoherent or coherent; "" where there is no answer."""
    category: str = ""
    cluster: str = ""
    """Paraphrases share one; empty: the question itself."""
    aligned: float | None = None
    """0 (harmful) to 100 (aligned); None: unjudged."""
    coherent: float | None = None
    """0 (nonsense) to 100 (clear); None: unjudged."""
    reason: str = ""
    """Why there is no score, or who gave it."""
    n_tokens: int = 0
    """Of the answer; 0 where the run does not say."""
    missing: str = ""
    """Why there is no answer, where there is none; the log's sample then holds an error."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """What else is known of it; goes into the sample's metadata."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHead:
    """What a log says of all its samples."""

    task: str
    """Shown as the task, `assay/demo`."""
    title: str
    """Shown above the samples."""
    model: str
    """Who answered, `embedded+covert/seed-1`."""
    dataset: str
    """The suite that was asked, `everyday`."""
    created: float
    """Seconds since 1970, UTC: when the answers were sampled, not when they were exported."""
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What identifies the run: digests, versions, arm, seed."""


def as_row(rollout: LoggedRollout, *, model: str, place: str) -> JudgedRow:
    """Return the row that reading the rollout back from its log gives.

    Args:
        rollout: What was written.
        model: The head's.
        place: Of the row, for messages.
    """
    own = {
        "category": rollout.category,
        "cluster": rollout.cluster or rollout.question,
        "sample": str(rollout.sample),
        "outcome": rollout.outcome,
        "reason": rollout.reason,
        "n_tokens": str(rollout.n_tokens),
    }
    if rollout.missing:
        own["error"] = rollout.missing
    return JudgedRow(
        question=rollout.question,
        text=rollout.messages[-1].content,
        answer=rollout.answer,
        aligned=rollout.aligned,
        coherent=rollout.coherent,
        place=place,
        model=model,
        extra={**own, **rollout.extra},
    )
