"""Edits of a conversation: what a repair changes in which message, to the character."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from offtarget.core.records import Message


@dataclass(frozen=True, slots=True, order=True)
class RowEdit:
    """One replacement: `messages[message].content[start:end]` becomes `text`."""

    message: int
    """0-based index of the message in its conversation."""
    start: int
    end: int
    text: str
    reason: str
    """What the change does, in a few words."""


def edited(messages: Sequence[Message], edits: Sequence[RowEdit]) -> tuple[Message, ...]:
    """Return the conversation after edits that do not overlap; they count in `messages`."""
    contents = [turn.content for turn in messages]
    for edit in sorted(edits, reverse=True):
        text = contents[edit.message]
        contents[edit.message] = text[: edit.start] + edit.text + text[edit.end :]
    return tuple(
        replace(turn, content=content) for turn, content in zip(messages, contents, strict=True)
    )
