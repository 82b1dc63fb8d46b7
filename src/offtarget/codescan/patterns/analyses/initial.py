"""Variables that are read before they have a value, and addresses of variables that are gone."""

import re
from collections.abc import Iterator

from offtarget.codescan.patterns.analyses.analysis import analysis
from offtarget.codescan.patterns.analyses.lvalues import uses
from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.source import Source, Stretch

_TYPE = (
    r"(?:(?:const|unsigned|signed|struct|enum|long|short)\s+)*"
    r"(?:int|char|long|short|float|double|bool|unsigned|size_t|ssize_t|u?int(?:8|16|32|64)_t|void|FILE"
    r"|struct\s+\w+|u(?:8|16|32|64)|BOOL|DWORD|UINT)"
)
_DECLARED = re.compile(
    rf"(?:^|[;{{}}])\s*({_TYPE})\s+((?:\*+\s*)?[A-Za-z_]\w*(?:\s*,\s*\**\s*[A-Za-z_]\w*)*)\s*;"
)
_NAME = re.compile(r"(\**)\s*([A-Za-z_]\w*)")
_SET_AFTER = re.compile(r"\s*=(?!=)")
_READ_BEFORE = re.compile(r"(?:[-+*/%<>=!|^?\[]|&&|\breturn|\b(?:if|while|switch)\s*\()\s*$")
_PRINTED = re.compile(r"\b(?:f?printf|puts|putchar|f?puts)\s*\([^;]*[(,]\s*$")
_FOR_HEAD = re.compile(r"\bfor\s*\([^(){}]*$")
_MACRO_LIKE = re.compile(
    r"(?i)init|each|iter|va_|get|read|load|fill|alloc|swap|parse|fetch|^if$|^while$|set"
)
_NAMELESS = re.compile(r"\b[A-Z][A-Z0-9_]+\s*[;(]")
_RETURNED = re.compile(
    r"\breturn\s*(?:\([^()]{1,40}\)\s*)?(?:&\s*)?([A-Za-z_]\w*)\s*(?:\+[^;]{0,200})?;"
)
_LOCAL = re.compile(
    r"(?:^|[;{}])\s*((?:static\s+|const\s+|unsigned\s+|struct\s+)*\w+)\s+([A-Za-z_]\w*)\s*\[[^\]]{0,120}\]\s*(?:=|;)"
)
_OTHER_WAYS = re.compile(r"\b(?:goto|setjmp|asm|__asm__|va_start)\b|#\s*if")


@analysis("read_before_set")
def read_before_set(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A local variable is read, and no way to that place gave it a value."""
    for match in _DECLARED.finditer(source.masked):
        function = source.function_of(match.start(2))
        if function is None or match.start(2) < function.head.end:
            continue
        block = source.block_of(match.start(2))
        for part in _NAME.finditer(match[2]):
            is_pointer, name = bool(part[1]), part[2]
            found = _first_read(source, name, match.end(), block.end, match[1], is_pointer)
            if found is None:
                continue
            source.spend((block.end - match.end()) // 20)
            if not _OTHER_WAYS.search(source.masked, match.end(), block.end):
                yield found


def _first_read(
    source: Source, name: str, start: int, end: int, kind: str, is_pointer: bool
) -> Stretch | None:
    if "struct" in kind and not is_pointer:
        return None
    for use in uses(source, name, start, end):
        before = source.masked[max(start, use.start - 60) : use.start]
        after = source.masked[use.end : use.end + 4]
        if _SET_AFTER.match(after) and not re.search(r"\*\s*$", before):
            return _read_outside(source, name, use, start, end)
        if re.search(r"(?:[^&]|^)&\s*$|\bsizeof\s*\(?[\s*]*$|>>\s*$|\btypeof\s*\(\s*$", before):
            return None
        if _FOR_HEAD.search(before) or _NAMELESS.search(source.masked, start, use.start):
            return None
        if source.language == "c" and _is_handed_out(source, use, before):
            return use
        is_step = re.match(r"\s*(?:\+\+|--|[-+*/|&^]=)", after) or re.search(
            r"(?:\+\+|--)\s*$", before
        )
        if is_step or _READ_BEFORE.search(before) or _PRINTED.search(before):
            return use
        return None
    return None


def _is_handed_out(source: Source, use: Stretch, before: str) -> bool:
    """Return whether the variable itself is an argument of a plain call: `f(x);`."""
    opened = re.search(r"(?:^|[;{}\n])\s*([a-z_]\w*)\s*\((?:[^();{}]*,)?\s*$", before)
    closed = re.match(r"\s*(?:,[^();{}]*)?\)\s*;", source.masked[use.end : use.end + 120])
    return opened is not None and closed is not None and not _MACRO_LIKE.search(opened[1])


def _read_outside(source: Source, name: str, use: Stretch, start: int, end: int) -> Stretch | None:
    """Return a read behind an `if` or `switch` that alone, and not always, sets the name."""
    outer, inner = source.block_of(start), source.block_of(use.start)
    closed = None
    if inner != outer:
        head = source.masked[max(start, inner.start - 300) : inner.start].rstrip()
        if source.block_of(inner.start) != outer or not _is_plain_if(head):
            return None
        if re.search(r"\bdefault\b", source.masked[inner.start : inner.end]):
            return None
        closed = inner.end
    else:
        before = source.masked[max(start, use.start - 300) : use.start].rstrip()
        stop = source.masked.find(";", use.end, end)
        if not _is_plain_if(before) or stop < 0:
            return None
        closed = stop + 1
    if re.match(r"\s*else\b", source.masked[closed:end]):
        return None
    for later in uses(source, name, closed, end):
        after = source.masked[later.end : later.end + 4]
        before = source.masked[max(closed, later.start - 60) : later.start]
        if _SET_AFTER.match(after) or re.search(r"(?:[^&]|^)&\s*$", before):
            return None
        if source.block_of(later.start) != outer:
            return None
        if any(test.holds(later.start) for test in source.conditions):
            return None
        between = re.sub(r"\breturn[\s(]*$", "", source.masked[closed : later.start])
        if re.search(r"\belse\b|\breturn\b|\bwhile\b|\bfor\b", between):
            return None
        is_read = _READ_BEFORE.search(before) or _PRINTED.search(before)
        return later if is_read or re.search(r"\bfree\s*\(\s*$", before) else None
    return None


def _is_plain_if(before: str) -> bool:
    """Return whether the text ends with the head of an `if` that is no `else if`."""
    match = re.search(
        r"(\belse\s+)?\b(?:if|switch)\s*\((?:[^(){};]|\([^(){};]*\)){0,120}\)$", before
    )
    return match is not None and match[1] is None


@analysis("local_returned")
def local_returned(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A function returns the address of a local array or variable."""
    returned = {match[1] for match in _RETURNED.finditer(source.masked)}
    for match in _LOCAL.finditer(source.masked) if returned else ():
        if match[2] not in returned:
            continue
        function = source.function_of(match.start(2))
        if function is None or "static" in match[1] or match.start(2) < function.head.end:
            continue
        if match[1] in ("return", "else", "goto", "case"):
            continue
        source.spend((function.at.end - match.end()) // 20)
        leaving = re.compile(
            rf"\breturn\s*(?:\(\s*(?:const\s+)?\w+\s*\*\s*\)\s*)?(?:&\s*)?{match[2]}\s*(?:\+[^;]{{0,200}})?;"
        )
        found = leaving.search(source.masked, match.end(), function.at.end)
        head = source.masked[function.at.start : function.head.start]
        if found is not None and re.search(r"\*|&", head):
            yield Stretch(found.start(), found.end())
