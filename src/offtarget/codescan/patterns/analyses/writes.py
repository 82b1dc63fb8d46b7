"""Writes that can go past the end of their target (CWE-787, CWE-120)."""

import re
from collections.abc import Iterator
from itertools import pairwise

from offtarget.codescan.patterns.analyses.analysis import analysis
from offtarget.codescan.patterns.analyses.arrays import declared_size
from offtarget.codescan.patterns.analyses.lvalues import READS, is_compared, is_limited
from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.source import Call, Source, Stretch

_MINIMUM = re.compile(
    r"(?i)\bmin\w*\b|min\s*\(|\bsizeof\b|clamp|%|&\s*0x|>>|\bstrlen\b|\bcountof\b"
)
_LIMITS = re.compile(
    r"(?i)\bmin\w*\b|\bsizeof\b|clamp|%|&\s*0x|>>|\bcountof\b|max\w*|[A-Z]_?(?:LEN|SIZE)"
)
_PLAIN = frozenset({"memcpy", "memmove", "strncpy", "copy_from_user"})
_OFFSET = re.compile(r"&?\s*(\w+)\s*(?:\+\s*(\w+)|\[\s*(\w+)\s*\])")
_TEXT = re.compile(r'"([^"]*)"')
_COPIES = {
    "memcpy": (0, 2), "memmove": (0, 2), "strncpy": (0, 2), "strncat": (0, 2), "bcopy": (1, 2),
    "copy_from_user": (0, 2), "__copy_from_user": (0, 2), "recv": (1, 2), "read": (1, 2),
    "CopyMemory": (0, 2), "RtlCopyMemory": (0, 2), "wmemcpy": (0, 2), "fread": (0, 2),
}  # fmt: skip
"""Copying calls: the index of the destination and of the length."""


@analysis("copy_unbounded")
def copy_unbounded(source: Source, flow: Flow) -> Iterator[Stretch]:
    """The length of a copy comes from input or a parameter, and no condition looks at it."""
    for call in source.calls:
        where = _COPIES.get(call.callee)
        if where is None or len(call.arguments) <= max(where):
            continue
        target, length = call.arguments[where[0]], call.arguments[where[1]]
        names = [name for name in flow.names(length) if not name.isupper()]
        is_fixed = declared_size(source, source.bare(target).strip()) is not None
        small = _LIMITS if is_fixed and call.callee in _PLAIN else _MINIMUM
        if not names or small.search(source.bare(length)) or flow.is_constant(length):
            continue
        if not _from_input(source, flow, target, length):
            continue
        if _is_bounded(source, flow, length, call.at.start, small):
            continue
        if not _sized_for(source, flow, target, length):
            yield call.at


def _from_input(source: Source, flow: Flow, target: Stretch, length: Stretch) -> bool:
    if declared_size(source, source.bare(target).strip()) is not None:
        return True
    return "->" in source.bare(length) or flow.reaches(length, READS, cleaned=False)


def _is_bounded(source: Source, flow: Flow, part: Stretch, at: int, small: re.Pattern[str]) -> bool:
    """Return whether a condition, or a minimum, before `at` mentions what the part is made of."""
    scope = source.scope_of(at)
    wanted = set(flow.names(part))
    for name in list(wanted):
        for assign in flow.definitions(name, part.start):
            if small.search(source.bare(assign.value)):
                return True
            wanted.update(flow.names(assign.value))
    own = set(flow.names(part))
    return any(is_compared(source, name, scope.start, at) for name in own) or any(
        is_limited(source, name, scope.start, at) for name in wanted - own
    )


def _sized_for(source: Source, flow: Flow, target: Stretch, length: Stretch) -> bool:
    """Return whether the target was allocated with the names of the length."""
    wanted = set(flow.names(length))
    for name in flow.names(target):
        for assign in flow.definitions(name, target.start):
            if "(" in source.bare(assign.value) and wanted & set(flow.names(assign.value)):
                return True
    return False


@analysis("offset_not_subtracted")
def offset_not_subtracted(source: Source, flow: Flow) -> Iterator[Stretch]:
    """Data goes to `buffer + offset`, with the size of the whole buffer as limit."""
    for call in source.calls:
        for first, second in pairwise(call.arguments):
            target = _OFFSET.fullmatch(source.bare(first).strip())
            if target is None:
                continue
            offset = target[2] or target[3]
            limit = source.bare(second)
            behind = re.search(r"-\s*(\d{1,9})", limit)
            if offset.isdecimal() and (offset == "0" or (behind and int(behind[1]) >= int(offset))):
                continue
            is_whole = re.search(rf"\bsizeof\s*\(?\s*{target[1]}\b", limit)
            if is_whole and not re.search(rf"\b{offset}\b", limit):
                yield call.at


@analysis("format_too_long")
def format_too_long(source: Source, flow: Flow) -> Iterator[Stretch]:
    """The longest text of a format of numbers does not fit its array."""
    for call in source.calls:
        if call.callee == "sprintf" and len(call.arguments) >= 3:
            room = declared_size(source, source.bare(call.arguments[0]).strip())
            text = _TEXT.fullmatch(source.text(call.arguments[1]).strip())
            longest = _longest(text[1]) if text else None
            if room and room.isdecimal() and longest and longest > int(room[:9]):
                yield call.at


def _longest(text: str) -> int | None:
    """Return the size of the longest output, or None if the format holds more than numbers."""
    size = 1
    rest = text
    for match in re.finditer(r"%[-+ 0#]*(\d*)(?:\.\d+)?(hh|h|ll|l|z)?([a-zA-Z%])", text):
        widths = {"hh": 4, "h": 6, None: 11, "l": 20, "ll": 20, "z": 20}
        if match[3] not in "diuxXc%":
            return None
        natural = 1 if match[3] in "c%" else widths[match[2]]
        natural = 8 if match[3] in "xX" and match[2] is None else natural
        size += max(natural, int(match[1] or 0))
        rest = rest.replace(match[0], "", 1)
    return size + len(rest.replace("\\", ""))


@analysis("limit_from_source")
def limit_from_source(source: Source, flow: Flow) -> Iterator[Stretch]:
    """The limit of a bounded copy is the length of what is copied, not the room for it."""
    for call in source.calls:
        if call.callee not in ("strncpy", "strncat", "wcsncpy") or len(call.arguments) != 3:
            continue
        target, copied, limit = call.arguments
        name = re.escape(source.bare(copied).strip()[:200])
        is_own = re.search(rf"\b(?:str|wcs)len\s*\(\s*{name}\s*\)", source.bare(limit))
        if is_own and not _sized_for(source, flow, target, copied):
            yield call.at


@analysis("size_of_pointer")
def size_of_pointer(source: Source, flow: Flow) -> Iterator[Stretch]:
    """`sizeof` of a pointer parameter stands where the size of what it shows is meant."""
    for call in source.calls:
        if re.search(r"(?:m|c|re|z)alloc$", call.callee):
            if _is_own_pointer(source, call):
                yield call.at
            continue
        if call.callee not in ("memset", "memcpy", "strncpy", "snprintf", "fgets", "read", "recv"):
            continue
        for part in call.arguments[1:]:
            match = re.fullmatch(r"\s*sizeof\s*\(\s*(\w+)\s*\)\s*(?:-\s*1)?", source.bare(part))
            if match and any(
                function.at.holds(call.at.start)
                and re.search(rf"\*\s*{match[1]}\b", source.bare(function.head))
                for function in source.functions
            ):
                yield call.at


def _is_own_pointer(source: Source, call: Call) -> bool:
    """Return whether memory for `p` is allocated with the size of `p` itself."""
    sized = [re.search(r"\bsizeof\s*\(\s*(\w+)\s*\)", source.bare(part)) for part in call.arguments]
    names = {match[1] for match in sized if match}
    before = source.masked[max(0, call.at.start - 120) : call.at.start]
    target = re.search(r"([*\s]|^)(\w+)\s*=\s*(?:\([^()]*\)\s*)?$", before)
    if target is None or target[2] not in names:
        return False
    scope = source.scope_of(call.at.start)
    return (
        re.compile(rf"\*\s*{target[2]}\s*[=;,)]").search(source.masked, scope.start, scope.end)
        is not None
    )
