"""Where the values of an SQL statement stand, and whether they can be parameters."""

import ast
import re
from dataclasses import dataclass
from typing import Final

from offtarget.curate.sanitize.building import HOLE, Built, Gap
from offtarget.curate.sanitize.records import Refusal
from offtarget.curate.sanitize.source import Source

_VALUE_BEFORE: Final = re.compile(
    r"(?:[=<>+\-*/|]|\blike|\bilike|\blimit|\boffset|\bbetween|\band|\bor|\bwhen|\bthen|\belse|\bis|"
    r"\bnot|\bvalues\s*\((?:[^()]|\([^()]*\))*[,(]|\bvalues\s*\(|\bin\s*\((?:\s*\0\s*,|[^()\0]*,)+)\s*$",
    re.I,
)
_MAX_CHARACTERS: Final = 20_000
_COUNT_BEFORE: Final = re.compile(r"\b(?:limit|offset)\s*$", re.I)


@dataclass(frozen=True, slots=True)
class Place:
    """A value in the statement, with the quotes and the text around it that belong to it."""

    gap: Gap
    left: int
    """Characters before the gap that go: the opening quote and what follows it."""
    right: int
    before: str
    """Text inside the quotes, before the value."""
    after: str
    is_count: bool


def places_of(source: Source, whole: Built) -> list[Place] | Refusal:
    """Return what each value needs, or why one of them cannot be a parameter."""
    shape = whole.shape(source.code)
    if len(shape) > _MAX_CHARACTERS:
        return Refusal("the statement is too long to be taken apart")
    cooked = re.sub(r"\\.", "  ", shape, flags=re.S)
    found: list[Place] = []
    offsets = [match.start() for match in re.finditer(HOLE, shape)]
    for gap, offset in zip(whole.gaps, offsets, strict=True):
        quoted = _quotes_around(cooked, offset)
        if quoted is None:
            if not _VALUE_BEFORE.search(cooked[:offset]):
                return Refusal("a table, a column or a part of the statement is no value")
            if _is_list(source, gap.node):
                return Refusal("a list of values stands in the statement")
            found.append(Place(gap, 0, 0, "", "", bool(_COUNT_BEFORE.search(cooked[:offset]))))
            continue
        start, end = quoted
        if cooked[start] == '"' and not _VALUE_BEFORE.search(cooked[:start]):
            return Refusal("a quoted name is no value")
        before, after = shape[start + 1 : offset], shape[offset + 1 : end]
        if HOLE in before + after or "\\" in before + after or "\n" in before + after:
            return Refusal("several values stand inside one text of the statement")
        found.append(Place(gap, offset - start, end - offset, before, after, is_count=False))
    return found


def _quotes_around(text: str, offset: int) -> tuple[int, int] | None:
    """Return where the SQL string around an offset is opened and closed; None outside strings."""
    quote, start = "", 0
    for index, character in enumerate(text):
        if index == offset and not quote:
            return None
        if quote and character == quote:
            if start < offset < index:
                return start, index
            quote = ""
        elif not quote and character in "'\"`":
            quote, start = character, index
    return None


def _is_list(source: Source, node: ast.expr) -> bool:
    return any(
        isinstance(inner, ast.Call) and getattr(inner.func, "attr", "") == "join"
        for inner in ast.walk(node)
    )
