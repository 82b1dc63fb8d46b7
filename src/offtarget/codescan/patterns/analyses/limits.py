"""Sizes that a function is given and does not look at (CWE-120, CWE-787)."""

import re
from collections.abc import Iterator
from itertools import pairwise

from offtarget.codescan.patterns.analyses.analysis import analysis
from offtarget.codescan.patterns.analyses.lvalues import is_compared, uses
from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.source import Source, Stretch

_TARGET = re.compile(
    r"^(?!\s*const\b)[\w\s]*\b(?:char|void|u?int8_t|u8|BYTE|wchar_t)\s*\*\s*(?:restrict\s+)?(\w+)\s*$"
)
_ARRAY = re.compile(r"^(?!\s*const\b)[\w\s]*\bchar\s+(\w+)\s*\[\s*\]\s*$")
_SIZE = re.compile(
    r"^\s*(?:const\s+)?(?:size_t|int|unsigned(?:\s+int|\s+long)?|uint32_t|ssize_t|long)\s+(\w+)\s*$"
)
_SIZE_NAME = re.compile(r"(?i)size|len|max|cap|room|avail|limit|_sz$|^sz|^n$|bytes")
_WRITERS = {
    "strcpy": 0, "strcat": 0, "sprintf": 0, "vsprintf": 0, "memcpy": 0, "memmove": 0, "stpcpy": 0,
    "strncpy": 0, "strncat": 0, "gets": 0,
}  # fmt: skip
_FILLS = re.compile(r"\b(?:for|while)\b")


@analysis("room_ignored")
def room_ignored(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A function is given a buffer and its size, fills the buffer, and never looks at the size."""
    for function in source.functions:
        pieces = source.bare(Stretch(function.head.start + 1, function.head.end - 1)).split(",")
        for first, second in pairwise(pieces):
            target = _TARGET.match(first) or _ARRAY.match(first)
            size = _SIZE.match(second)
            if target is None or size is None or not _SIZE_NAME.search(size[1]):
                continue
            source.spend((function.at.end - function.head.end) // 20)
            if next(uses(source, size[1], function.head.end, function.at.end), None) is not None:
                continue
            at = _written(source, target[1], Stretch(function.head.end, function.at.end))
            if at is not None:
                yield at


def _written(source: Source, name: str, body: Stretch) -> Stretch | None:
    for call in source.calls:
        where = _WRITERS.get(call.callee)
        if where is None or not body.holds(call.at.start) or not call.arguments:
            continue
        if source.bare(call.arguments[0]).strip() == name:
            return call.at
    stored = re.compile(rf"(?<![\w.>]){name}\s*\[[^\]]{{1,120}}\]\s*=(?!=)|\*\s*{name}\s*\+\+\s*=")
    match = stored.search(source.masked, body.start, body.end)
    is_looped = match and _FILLS.search(source.masked, body.start, match.start())
    return Stretch(match.start(), match.end()) if match and is_looped else None


@analysis("room_not_compared")
def room_not_compared(source: Source, flow: Flow) -> Iterator[Stretch]:
    """Bytes are added behind a stored position, and nothing compares the number with the room."""
    for call in source.calls:
        if call.callee not in ("memcpy", "memmove", "strncpy") or len(call.arguments) != 3:
            continue
        target, length = (source.bare(call.arguments[at]).strip() for at in (0, 2))
        if not re.fullmatch(r"(\w+)\s*(?:->|\.)\s*\w+\s*\+\s*\1\s*(?:->|\.)\s*\w+", target):
            continue
        function = source.function_of(call.at.start)
        if function is None or length not in function.parameters:
            continue
        if not is_compared(source, length, function.at.start, call.at.start + 1):
            calls_before = [
                other for other in source.calls
                if function.at.holds(other.at.start) and other.at.end < call.at.start
            ]  # fmt: skip
            named = re.compile(rf"(?<![\w.>]){length}\b")
            if not any(named.search(source.bare(other.at)) for other in calls_before):
                yield call.at
