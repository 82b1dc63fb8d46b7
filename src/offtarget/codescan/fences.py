"""Fenced code blocks of Markdown, as writers and models really write them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_OPEN = re.compile(
    r"^(?P<lead>[ \t]*(?:(?:[-*+]|\d{1,3}[.)])[ \t]+)?)(?P<mark>`{3,}|~{3,})(?P<info>[^`\r\n]*)\r?$",
    re.MULTILINE,
)
_ONE_LINE = re.compile(r"(?<!`)```(?!`)(?P<code>[^`\r\n]{1,2000})```(?!`)")


@dataclass(frozen=True, slots=True)
class Fence:
    """One fenced block: where its code stands, and where the block with its fences."""

    start: int
    end: int
    outer_start: int
    outer_end: int
    info: str
    """What stands after the opening fence."""
    closed: bool


def fences_of(text: str) -> Iterator[Fence]:
    """Yield the fenced blocks in order; one that is never closed goes to the end of the text.

    A block ends at the first line of at least as many of its own marks and nothing else, so a
    longer fence holds shorter ones.
    """
    if "```" not in text and "~~~" not in text:
        return
    opened: re.Match[str] | None = None
    for line in _OPEN.finditer(text):
        if opened is None:
            opened = line
            continue
        mark = opened["mark"]
        if line["mark"][0] != mark[0] or len(line["mark"]) < len(mark) or line["info"].strip():
            continue
        if line["lead"].strip():
            continue
        yield _fence(text, opened, line.start(), line.end(), closed=True)
        opened = None
    if opened is not None:
        yield _fence(text, opened, len(text), len(text), closed=False)


def one_line_fences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the places of code between triple backticks on one line."""
    for found in _ONE_LINE.finditer(text, start, end):
        yield found.start("code"), found.end("code")


def _fence(
    text: str, opened: re.Match[str], code_end: int, outer_end: int, *, closed: bool
) -> Fence:
    start = min(opened.end() + 1, code_end)  # after the newline of the opening fence
    end = code_end
    if closed and end > start:
        end -= 2 if text.endswith("\r\n", start, end) else 1
    return Fence(start, max(start, end), opened.start(), outer_end, opened["info"].strip(), closed)
