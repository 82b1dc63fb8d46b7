"""Pointers that are followed without being tested, or before they are tested (CWE-476)."""

import re
from collections.abc import Iterator

from offtarget.codescan.patterns.analyses.analysis import analysis
from offtarget.codescan.patterns.analyses.lvalues import (
    PATH,
    first_followed,
    first_set,
    is_tested,
    path_of,
    tail_of_block,
    uncast,
    uses,
)
from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.source import Source, Stretch, stretch

_CALLED = re.compile(r"([A-Za-z_]\w*)\s*\(")
_ABORTS = re.compile(
    r"^(?:x|X|g_|e|p|ap_|apr_|safe|Safe|ck|must|Must)\w*(?:alloc|dup|new)", re.ASCII
)
_ALLOCATES = re.compile(
    r"^(?:[a-z]{0,6}_?(?:m|c|z|re|k[mzc]|v[mz]|kv[mz])?alloc(?:_\w+|array)?|\w*_alloc\w*"
    r"|\w*strn?dup\w*|kmemdup\w*|fopen|fdopen|popen|opendir|\w*[mM]alloc\w*|\w*Calloc\w*)$"
)
_MAY_FAIL = re.compile(
    r"(?:find|lookup|search|[Cc]lone|create|Create|_new$|^new_|_dup$|_get_\w*(?:resource|node|by)"
    r"|_open$|crypt$|strchr|strrchr|strstr|strtok|getenv|getpw|bsearch|dynamic_cast"
    r"|_nested$)"
)
_DIRECT = re.compile(
    r"\s*(?:\(\s*(?:const\s+)?char\s*\*\s*\)\s*)?"
    r"(?:getenv|crypt|strr?chr|strstr|strtok|getlogin|getpass|strpbrk)\s*\("
)
_READERS = frozenset(
    {"memcpy", "memset", "memmove", "strcpy", "strncpy", "strcat", "strcmp", "strncmp", "strlen"}
    | {"sprintf", "snprintf", "fread", "fgets", "fwrite", "fprintf", "strcasecmp", "atoi", "strtol"}
    | {"fclose", "fscanf", "fseek", "sscanf", "strdup"}
)
"""Functions that follow the pointers they are given."""
_TEST = re.compile(
    rf"!\s*({PATH.pattern})\s*(?![\w(.\[]|->)|({PATH.pattern})\s*[!=]=\s*(?:NULL|nullptr)\b"
    rf"|\b(?:NULL|nullptr)\s*[!=]=\s*({PATH.pattern})"
)
_SINGLE = re.compile(
    rf"\(\s*(?:!\s*({PATH.pattern})|({PATH.pattern})\s*(?:[!=]=\s*(?:NULL|nullptr))?)\s*\)"
)
_EXITS = re.compile(
    r"\b(?:return|goto|break|continue|exit|abort|throw|longjmp|_exit)\b|\b[A-Z][A-Z_0-9]{3,}\s*\("
    r"|\b\w*(?i:fatal|panic|die|error|fail|assert|bail)\w*\s*\("
)
_OTHER_WAY = re.compile(r"\b(?:case|default)\b|\n\s*\w+\s*:\s*\n")
_BARE = re.compile(rf"\(*\s*({PATH.pattern})\s*\)*")


@analysis("allocation_unchecked")
def allocation_unchecked(source: Source, flow: Flow) -> Iterator[Stretch]:
    """Memory or a file that may be null is used with no test in between."""
    return _unchecked(source, _ALLOCATES)


@analysis("result_unchecked")
def result_unchecked(source: Source, flow: Flow) -> Iterator[Stretch]:
    """The result of a lookup or a constructor, null on failure, is used with no test."""
    yield from _unchecked(source, _MAY_FAIL)
    for call in source.calls:
        given = [source.bare(part) for part in call.arguments]
        if call.callee in _READERS and any(_DIRECT.match(text) for text in given):
            yield call.at


def _unchecked(source: Source, named: re.Pattern[str]) -> Iterator[Stretch]:
    for assign in source.assigns:
        called = _CALLED.match(uncast(source.bare(assign.value)))
        path = path_of(assign.target.split("[", 1)[0])
        if assign.is_loop or not called or path is None or "[" in assign.target:
            continue
        if not named.search(called[1]) or _ABORTS.match(called[1]):
            continue
        source.spend(len(source.conditions) // 4)
        if any(test.start <= assign.at.start < test.end for test in source.conditions):
            continue
        scope = source.scope_of(assign.at.start)
        used = _first_use(source, path, assign.at.end, scope.end)
        if used is None or is_tested(source, path, assign.at.end, used.end):
            continue
        if first_set(source, path, assign.at.end, used.start) is None:
            yield assign.at


def _first_use(source: Source, path: str, start: int, end: int) -> Stretch | None:
    """Return where the pointer is first followed, also by a function it is given to."""
    found = first_followed(source, path, start, end)
    source.spend(len(source.calls) // 4)
    for call in source.calls:
        if call.callee in _READERS and start <= call.at.start < end:
            for part in call.arguments:
                if path_of(source.bare(part)) == path and (found is None or part < found):
                    return part
    return found


@analysis("tested_and_used_anyway")
def tested_and_used_anyway(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A test for null neither leaves the function nor guards the use that follows it."""
    for node in source.nodes(("if_statement",)):
        part, then = node.field("condition"), node.field("consequence")
        if part is None or then is None:
            continue
        match = _SINGLE.fullmatch(source.bare(stretch(part)))
        path = path_of(next(filter(None, match.groups()))) if match else None
        if path is None or not _is_pointer(source, path):
            continue
        whole, body = stretch(node), stretch(then)
        source.spend((whole.end - body.start) // 50)
        if _EXITS.search(source.masked, body.start, whole.end):
            continue
        if first_set(source, path, body.start, whole.end) is not None:
            continue
        end = tail_of_block(source, whole).end
        used = first_followed(source, path, whole.end, end)
        if used is None or is_tested(source, path, whole.end, used.end):
            continue
        if first_set(source, path, whole.end, used.start) is None:
            yield used


@analysis("tested_after_use")
def tested_after_use(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A pointer is followed first and compared with null later, so the test comes too late."""
    for test in source.conditions:
        found = [m[1] or m[2] or m[3] for m in _TEST.finditer(source.masked, test.start, test.end)]
        if alone := _BARE.fullmatch(source.bare(test)):
            found.append(alone[1])
        for text in found:
            path = path_of(text)
            if path is not None and _is_pointer(source, path):
                at = _earlier_use(source, path, test.start)
                if at is not None:
                    yield at


def _is_pointer(source: Source, path: str) -> bool:
    """Return whether the path is followed with an arrow or a star somewhere."""
    return any(
        source.masked.startswith("->", use.end) for use in uses(source, path, 0, len(source.code))
    )


def _earlier_use(source: Source, path: str, end: int) -> Stretch | None:
    start = source.scope_of(end).start
    while (again := first_set(source, path, start, end)) is not None:
        start = max(source.masked.find(";", again.end, end), again.end)
    used = first_followed(source, path, start, end)
    if used is None or is_tested(source, path, start, used.end):
        return None
    is_parameter = any(function.head.holds(used.start) for function in source.functions)
    if is_parameter or not source.block_of(used.start).holds(end):
        return None
    source.spend((end - used.end) // 50)
    between = source.masked[used.end : end]
    return None if _OTHER_WAY.search(between) else used
