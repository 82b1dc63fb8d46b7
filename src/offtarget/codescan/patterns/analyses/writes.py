"""Writes that can go past the end of their target (CWE-787, CWE-120)."""

import re
from collections.abc import Iterator
from itertools import pairwise

from offtarget.codescan.patterns.analyses.analysis import analysis
from offtarget.codescan.patterns.analyses.lvalues import READS, is_compared
from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.source import Source, Stretch

_MINIMUM = re.compile(
    r"(?i)\bmin\w*\b|min\s*\(|\bsizeof\b|clamp|%|&\s*0x|>>|\bstrlen\b|\bcountof\b"
)
_BYTE = r"(?:char|u?int8_t|u8|BYTE|u_char|byte|wchar_t|TCHAR)"
_OFFSET = re.compile(r"&?\s*(\w+)\s*(?:\+\s*(\w+)|\[\s*(\w+)\s*\])")
_EXIT = re.compile(r"[\s){]*(?:return|continue|break|goto|throw)")
_LIMITED = re.compile(r"(?<![\w.>+*/-])\s{0,9}([a-z_]\w*)\s*>=?\s*[\w(]")
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
        if not names or _MINIMUM.search(source.bare(length)) or flow.is_constant(length):
            continue
        if not _from_input(source, flow, target, length):
            continue
        if _is_bounded(source, flow, length, call.at.start):
            continue
        if not _sized_for(source, flow, target, length):
            yield call.at


def _from_input(source: Source, flow: Flow, target: Stretch, length: Stretch) -> bool:
    is_fixed = _room(source, source.bare(target).strip()) is not None
    if is_fixed and flow.is_parameter(length):
        return True
    return "->" in source.bare(length) or flow.reaches(length, READS, cleaned=False)


def _room(source: Source, name: str) -> str | None:
    """Return the size that an array of bytes with this name is declared with."""
    if not re.fullmatch(r"[A-Za-z_]\w{0,80}", name):
        return None
    whole = Stretch(0, len(source.code))
    if not source.searched(re.compile(rf"\b{name}\s*\[\s*\w"), whole):
        return None
    source.spend(len(source.code) // 20)
    declared = re.compile(rf"\b{_BYTE}\s+(?:[\w\s*,=\[\]]{{0,200}},\s*)?{name}\s*\[\s*(\w+)\s*\]")
    match = declared.search(source.masked)
    return match[1] if match else None


def _is_bounded(source: Source, flow: Flow, part: Stretch, at: int) -> bool:
    """Return whether a condition, or a minimum, before `at` mentions what the part is made of."""
    scope = source.scope_of(at)
    wanted = set(flow.names(part))
    for name in list(wanted):
        for assign in flow.definitions(name, part.start):
            if _MINIMUM.search(source.bare(assign.value)):
                return True
            wanted.update(flow.names(assign.value))
    return any(is_compared(source, name, scope.start, at) for name in wanted)


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


@analysis("sign_unchecked")
def sign_unchecked(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A signed length or index is limited from above only, then used to copy or to index."""
    for test in source.conditions:
        source.spend(5)
        if not _EXIT.match(source.masked, test.end):
            continue
        for match in _LIMITED.finditer(source.bare(test)):
            scope = source.scope_of(test.start)
            source.spend((scope.end - scope.start) // 4)
            if _is_signed(source.bare(scope), match[1]) and _is_spent(
                source.masked[test.end : scope.end], match[1]
            ):
                yield test
                break


def _is_signed(code: str, name: str) -> bool:
    """Return whether the name is declared signed, and is never held against zero."""
    types = r"\b(?:int|long|ssize_t|int32_t|short)\s+(?:[\w\s=,]{0,200},\s*)?"
    low = rf"\b{name}\s*(?:<|>=\s*0|>\s*-?[01]\b|==\s*-1|=\s*0\b)|\b0\s*[<>]=?\s*{name}\b"
    return (
        re.search(rf"{types}{name}\b", code) is not None
        and re.search(rf"\bunsigned\b[^;,()]{{0,200}}\b{name}\b", code) is None
        and re.search(rf"{low}|\)\s*{name}\b", code) is None
    )


def _is_spent(code: str, name: str) -> bool:
    """Return whether the name is the length of a copy or an index."""
    copied = rf"\b(?:memcpy|memmove|memset|copy_(?:from|to)_user)\s*\([^;]{{0,300}},\s*{name}\s*\)"
    return re.search(rf"{copied}|\w\s*\[\s*{name}\s*\]", code) is not None


@analysis("format_too_long")
def format_too_long(source: Source, flow: Flow) -> Iterator[Stretch]:
    """The longest text of a format of numbers does not fit its array."""
    for call in source.calls:
        if call.callee == "sprintf" and len(call.arguments) >= 3:
            room = _room(source, source.bare(call.arguments[0]).strip())
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


@analysis("terminator_missing")
def terminator_missing(source: Source, flow: Flow) -> Iterator[Stretch]:
    """`strncpy` fills the whole array, and nothing ends the string."""
    for call in source.calls:
        if call.callee not in ("strncpy", "wcsncpy", "readlink") or len(call.arguments) < 3:
            continue
        name = source.bare(call.arguments[1 if call.callee == "readlink" else 0]).strip()
        limit = re.sub(r"[\s()]+", "", source.bare(call.arguments[2]))
        if not re.fullmatch(r"[\w.\->]{1,80}", name) or limit != f"sizeof{name}":
            continue
        scope = source.scope_of(call.at.start)
        own = re.escape(name)
        ended = rf"{own}\s*\[[^\]]{{0,200}}\]\s*=|memset\s*\(\s*&?\s*{own}"
        if not source.searched(re.compile(ended), scope):
            yield call.at


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
