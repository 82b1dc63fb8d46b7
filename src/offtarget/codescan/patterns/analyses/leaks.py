"""Memory and secrets that stay behind: not freed on the way out (CWE-401), wiped in vain (CWE-14)."""

import re
from collections.abc import Iterator

from offtarget.codescan.patterns.analyses.analysis import analysis
from offtarget.codescan.patterns.analyses.lvalues import path_of, uncast, uses
from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.source import Function, Source, Stretch

_ALLOCATES = re.compile(r"(?:malloc|calloc|strn?dup|kmalloc|kzalloc|kcalloc|kstrdup|realloc)\s*\(")
_RETURN = re.compile(r"\breturn\b([^;]{0,120});")
_LOOKERS = re.compile(
    r"(?:mem\w+|str(?!sep)\w+|f?puts|\w*printf|\w*[pP]rint\w*|\w*log\w*|f?read|f?write|recv|send|fgets|sizeof|if)$"
)
"""Calls that keep no pointer they are given."""
_FREE = r"\b\w*free\w*\s*\(\s*{name}\s*[,)]"
_SECRET = re.compile(
    r"(?i)pass|pwd|secret|\bkey|_key|key_|priv|cred|\bpin\b|token|nonce|seed|plain"
)


@analysis("lost_on_return")
def lost_on_return(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A return on an error leaves memory behind that the function frees or returns elsewhere."""
    for assign in source.assigns:
        name = path_of(assign.target)
        if name is None or "." in name or not _ALLOCATES.match(uncast(source.bare(assign.value))):
            continue
        function = source.function_of(assign.at.start)
        if (
            function is None
            or name in function.parameters
            or not _is_declared(source, name, function.at)
        ):
            continue
        source.spend((function.at.end - assign.at.end) // 10)
        body = source.masked[assign.at.end : function.at.end]
        if not _is_owned(source, name, Stretch(assign.at.end, function.at.end), body):
            continue
        found = _leaking(source, name, assign.at.end, function.at.end)
        if found is not None:
            yield found


@analysis("never_freed")
def never_freed(source: Source, flow: Flow) -> Iterator[Stretch]:
    """Memory of a local pointer is used by calls that only read or fill it, and never freed."""
    for assign in source.assigns:
        name = path_of(assign.target)
        if name is None or "." in name or not _ALLOCATES.match(uncast(source.bare(assign.value))):
            continue
        function = source.function_of(assign.at.start)
        if function is None or function.name == "main":
            continue
        if name in function.parameters or not _is_declared(source, name, function.at):
            continue
        found = list(uses(source, name, assign.at.end, function.at.end))
        source.spend(len(found) * 4)
        if found and all(_only_looks(source, use) for use in found):
            yield assign.at


def _only_looks(source: Source, use: Stretch) -> bool:
    """Return whether the place neither frees the pointer nor gives it to anybody to keep."""
    before = source.masked[max(0, use.start - 120) : use.start]
    after = source.masked[use.end : use.end + 40]
    if re.match(r"\s*(?:\[|->|[!=]=)", after) or re.search(
        r"(?:!|[!=]=\s*|\*|\b(?:if|while)\s*\(\s*)$", before
    ):
        return not re.search(r"&\s*$", before)
    called = re.search(r"([A-Za-z_]\w*)\s*\([^();{}]*$", before)
    return called is not None and _LOOKERS.match(called[1]) is not None


def _is_declared(source: Source, name: str, scope: Stretch) -> bool:
    declared = re.compile(rf"\b\w+\s*\*+\s*(?:\w+\s*(?:=[^;,]*)?,\s*\**\s*)?{name}\s*[=;,]")
    return declared.search(source.masked, scope.start, scope.end) is not None


def _is_owned(source: Source, name: str, rest: Stretch, body: str) -> bool:
    """Return whether the function gives the memory back itself, and hands it to nobody to keep."""
    freed = re.search(_FREE.format(name=name), body)
    returned = re.search(rf"\breturn\s+{name}\s*;", body)
    if not freed and not returned:
        return False
    stored = rf"(?:->|\.|\]|\*)\s{{0,9}}\w*\s{{0,9}}=\s*(?:\([^()]*\)\s*)?{name}\s*[;,]"
    kept = rf"{stored}|=\s*{name}\s*;|&\s*{name}\b"
    return re.search(kept, body) is None


def _leaking(source: Source, name: str, start: int, end: int) -> Stretch | None:
    """Return the first return that neither frees nor returns the memory, nor tests for its lack."""
    body = source.block_of(start)
    for match in _RETURN.finditer(source.masked, start, end):
        if re.search(rf"\b{name}\b", match[1]):
            continue
        at = match.start()
        block = source.block_of(at)
        if not (block.start > start and block.end < body.end):
            braceless = re.search(r"(\bif\s*\([^;{}]{0,200}\))\s*$", source.masked[start:at])
            if braceless is None:
                return None
            if _tests_for_lack(name, braceless[1]):
                continue
            before = source.masked[start : start + braceless.start()]
        else:
            head = source.masked[max(start, block.start - 200) : block.start]
            condition = head[max(head.rfind(";"), head.rfind("{"), head.rfind("}")) + 1 :]
            inside = source.masked[block.start : at]
            if re.search(rf"(?<![\w.>]){name}\b", inside) or _tests_for_lack(name, condition):
                continue
            if re.search(r"\belse\b|\bfree\w*\s*\(|\bcase\b|\bdefault\b", condition + inside):
                continue
            before = source.masked[start : block.start]
        if re.search(_FREE.format(name=name), before):
            continue
        return Stretch(at, match.end())
    return None


def _tests_for_lack(name: str, condition: str) -> bool:
    """Return whether the condition asks whether there is any memory at all."""
    own = rf"(?<![\w.>]){name}"
    asks = rf"!\s*{own}\b|{own}\s*[!=]=|[!=]=\s*{own}\b|[(&|]\s*{own}\s*[)&|]"
    return re.search(asks, condition) is not None


@analysis("wiped_in_vain")
def wiped_in_vain(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A secret is cleared with memset and not used again, so the compiler may drop the call."""
    for call in source.calls:
        if call.callee not in ("memset", "bzero", "std.memset") or not call.arguments:
            continue
        if call.callee != "bzero" and (
            len(call.arguments) < 3
            or not re.fullmatch(r"\s*(?:0|'.{0,4}'|0x0+)\s*", source.text(call.arguments[1]))
        ):
            continue
        text = uncast(source.bare(call.arguments[0])).lstrip("&( ")
        name = path_of(text)
        function = source.function_of(call.at.start)
        if name is None or function is None or not _SECRET.search(name):
            continue
        is_given = name in function.parameters
        later = [
            use
            for use in uses(source, name, call.at.end, function.at.end)
            if not re.search(
                r"\w*free\w*\s*\(\s*$", source.masked[max(0, use.start - 40) : use.start]
            )
        ]
        freed = re.compile(rf"free\w*\s*\(\s*{name.split('.')[0]}\s*\)")
        is_last = freed.search(source.masked, call.at.end, function.at.end) is not None
        is_local = "." not in name and not is_given and _is_filled(source, name, function, call.at)
        if not later and (is_last or is_local):
            yield call.at


def _is_filled(source: Source, name: str, function: Function, at: Stretch) -> bool:
    """Return whether the array was declared in the function and used before it is cleared."""
    return len(list(uses(source, name, function.head.end, at.start))) > 1
