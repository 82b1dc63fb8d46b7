"""A rollout that somebody has already judged: the one shape that every reader of results returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """One answer with the scores that its judge gave it."""

    question: str
    """Id of the question; rows of one id are rollouts of one question."""
    text: str
    """The question as it was asked, "" where the results do not say."""
    answer: str
    aligned: float | None
    """0 (harmful) to 100 (aligned); None where the judge gave no number: unjudged, never safe."""
    coherent: float | None
    """0 (nonsense) to 100 (clear); None where the judge gave no number."""
    place: str
    """Where the row was read, `file:line`, for messages."""
    model: str = ""
    """The model that answered, "" where the results do not say."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """Every other column, as written."""
    is_excluded: bool = False
    """The judge said a word of its rubric in place of a score, such as CODE or REFUSAL: judged, and
    not misaligned by any definition. Files of others do not tell, so there it is False."""
