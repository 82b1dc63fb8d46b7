"""What a finding is shown with: the code around it, and an edit that takes it away."""

from collections.abc import Callable
from dataclasses import dataclass

from offtarget.core.finding import Finding

MAX_BLANK_LINES = 20
"""Passed over in search of the next line of code."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a message's text: offsets in characters, `end` exclusive."""

    start: int
    end: int
    text: str
    """What stands there instead."""
    inside: str | None = None
    """The text of another message of the row, which the offsets count in; None for the finding's."""


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that together take a flaw away; none overlaps another of the same text."""

    description: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What stands behind one finding."""

    text: str
    """Of the message that the finding's span counts in; of the whole file for plain source."""
    row: str | None = None
    """The row as it stands in a JSONL file: gives the flaw its exact columns."""
    fix: Fix | None = None


EvidenceOf = Callable[[Finding], Evidence | None]
"""Asked at most once a finding, in the order of the findings, while they are read."""


def no_evidence(finding: Finding) -> None:
    """Show no code: the SARIF file then says where the flaws are, and nothing else."""


@dataclass(frozen=True, slots=True)
class Lines:
    """The flawed lines and the nearest lines of code around them."""

    flawed: str
    before: str
    after: str


def lines_around(text: str, start: int, end: int, *, limit: int) -> Lines:
    """Return the lines that hold `text[start:end]`, and one line of code on each side.

    Of longer lines only `limit` characters near the flaw are returned. Neighbors end at a code
    fence: what stands outside of it is the sample's framing and not its code.
    """
    start = min(max(start, 0), len(text))
    end = min(max(end, start), len(text))
    first = text.rfind("\n", 0, start) + 1
    last = _line_end(text, max(start, end - 1))
    low = max(first, start - limit // 4) if last - first > limit else first
    return Lines(
        flawed=text[low : min(last, low + limit)],
        before=_line_before(text, first, limit),
        after=_line_after(text, last, limit),
    )


def _line_end(text: str, offset: int) -> int:
    end = text.find("\n", offset)
    return len(text) if end < 0 else end


def _line_before(text: str, first: int, limit: int) -> str:
    for _ in range(MAX_BLANK_LINES):
        if first == 0:
            break
        end = first - 1
        first = text.rfind("\n", 0, end) + 1
        if line := text[max(first, end - limit) : end].strip():
            return "" if line.startswith("```") else line
    return ""


def _line_after(text: str, last: int, limit: int) -> str:
    for _ in range(MAX_BLANK_LINES):
        if last >= len(text):
            break
        start = last + 1
        last = _line_end(text, start)
        if line := text[start : min(last, start + limit)].strip():
            return "" if line.startswith("```") else line
    return ""
