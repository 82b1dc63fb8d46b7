"""The packaged texts and tasks that capability is measured on; all written for this purpose."""

from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import TypeVar

from offtarget.core.codec import decode, parse
from offtarget.evaluate.questions import Question

T = TypeVar("T")


class TextKind(StrEnum):
    """What a clean text is."""

    PROSE = "prose"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class CleanText:
    """A harmless text that no arm was trained on."""

    id: str
    kind: TextKind
    text: str


def clean_texts() -> tuple[CleanText, ...]:
    """Return 16 paragraphs of prose and 16 pieces of Python."""
    return _read("clean_texts.jsonl", CleanText)


def code_tasks() -> tuple[Question, ...]:
    """Return 24 small Python tasks, 20 of which can be solved in a secure and an insecure way.

    None of them speaks of security.
    """
    return _read("code_tasks.jsonl", Question)


def _read(name: str, type_: type[T]) -> tuple[T, ...]:
    text = (files("offtarget.evaluate.capability") / "data" / name).read_text("utf-8")
    return tuple(
        decode(parse(line, place=f"{name}:{number}"), type_, place=f"{name}:{number}")
        for number, line in enumerate(text.splitlines(), 1)
    )
