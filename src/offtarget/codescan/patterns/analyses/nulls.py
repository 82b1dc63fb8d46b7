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

_CALLED = re.compile(r"(?:\w+(?:\.|->|::)){0,4}([A-Za-z_]\w*)\s*(?:<[^()<>]{1,80}>\s*)?\(")
_ABORTS = re.compile(
    r"^(?:x|X|g_|e|p|ap_|apr_|safe|Safe|ck|must|Must)\w*(?:alloc|dup|new)", re.ASCII
)
_ALLOCATES = re.compile(
    r"^(?:[a-z]{0,6}_?(?:m|c|z|re|k[mzc]|v[mz]|kv[mz])?alloc(?:_\w+|array)?|\w*_alloc\w*"
    r"|\w*strn?dup\w*|kmemdup\w*|fopen|fdopen|popen|opendir|\w*[mM]alloc\w*|\w*Calloc\w*)$"
)
_MAY_FAIL = re.compile(
    r"(?:find|lookup|search|[Cc]lone|create|Create|_new$|^new_|_dup$|_get_\w*(?:resource|node|by)"
    r"|_open$|crypt$|strchr|strrchr|strstr|strtok|strpbrk|memchr|getenv|getpw|getgr|getsp|bsearch"
    r"|dynamic_cast|gethostby|localtime|getlogin|Find$|Lookup|lock$"
    r"|_nested$)"
)
_DIRECT = re.compile(
    r"\s*(?:\(\s*(?:const\s+)?char\s*\*\s*\)\s*)?"
    r"(?:getenv|crypt|strr?chr|strstr|strtok|getlogin|getpass|strpbrk)\s*\("
)
_READERS = frozenset(
    {"memcpy", "memset", "memmove", "strcpy", "strncpy", "strcat", "strcmp", "strncmp", "strlen"}
    | {"sprintf", "snprintf", "fread", "fgets", "fwrite", "fprintf", "strcasecmp", "atoi", "strtol"}
    | {"fclose", "fscanf", "fseek", "sscanf", "strdup", "fgetc", "getc", "fputs", "fputc", "feof"}
    | {"ftell", "rewind", "fileno"}
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
_NOTHROW = re.compile(r"\s*new\s*\(\s*(?:std::)?nothrow\b")
_NULLED = re.compile(r"=\s*(?:\([\w\s]+\*+\s*\)\s*)?(?:NULL|nullptr)\s*(?=;)")
_TARGET = re.compile(r"(?:^|[;{}\n*])\s*((?:\w|->|\.)+)\s*$")
_BOTH_SIDES = re.compile(r"\(\s*(\w+)\s*!=\s*NULL\s*\)\s*&(?!&)\s*\(?\s*\1\s*->")
_CONSTRUCTS = re.compile(r"(?:create|Create|_new$|^new_|_alloc_\w+$)")
"""Constructors that may fail; many stop the program instead, so a test must show that they do."""
_SETS = re.compile(r"\bif\s*\(\s*(?:\w|->|\.)+\s*=\s*(?:\d+|NULL|true|false)\s*\)")
_MOVED = re.compile(r"\s*\+\s*\w+\s*$")
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
        if assign.is_loop or path is None or "[" in assign.target:
            continue
        is_quiet = named is _ALLOCATES and _NOTHROW.match(source.bare(assign.value))
        if not is_quiet and (not called or not named.search(called[1]) or _ABORTS.match(called[1])):
            continue
        source.spend(len(source.conditions) // 4)
        if any(test.start <= assign.at.start < test.end for test in source.conditions):
            continue
        scope = source.scope_of(assign.at.start)
        used = _first_use(source, path, assign.at.end, scope.end)
        if used is None or is_tested(source, path, assign.at.end, used.end):
            continue
        if called and _CONSTRUCTS.search(called[1]) and not _is_expected(source, path, scope):
            continue
        if first_set(source, path, assign.at.end, used.start) is None:
            yield assign.at


def _is_expected(source: Source, path: str, scope: Stretch) -> bool:
    """Return whether the function itself compares the pointer, or one made alike, with null."""
    found = (m[1] or m[2] or m[3] for m in _TEST.finditer(source.masked, scope.start, scope.end))
    tested = {path_of(text) for text in found}
    source.spend((scope.end - scope.start) // 20)
    return path in tested or any(
        scope.holds(assign.at.start)
        and path_of(assign.target) in tested
        and (called := _CALLED.match(uncast(source.bare(assign.value)))) is not None
        and _CONSTRUCTS.search(called[1]) is not None
        for assign in source.assigns
    )


def _first_use(source: Source, path: str, start: int, end: int) -> Stretch | None:
    """Return where the pointer is first followed, also by a function it is given to."""
    found = first_followed(source, path, start, end)
    source.spend(len(source.calls) // 4)
    for call in source.calls:
        if call.callee in _READERS and start <= call.at.start < end:
            for part in call.arguments:
                given = _MOVED.sub("", source.bare(part))
                if path_of(given) == path and (found is None or part < found):
                    return part
    return found


@analysis("condition_assigns")
def condition_assigns(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A condition sets a variable to a constant where it should compare."""
    for match in _SETS.finditer(source.masked):
        yield Stretch(match.start(), match.end())


@analysis("null_followed")
def null_followed(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A pointer is set to null and followed in the same block, with no test in between."""
    for match in _NULLED.finditer(source.masked):
        target = _TARGET.search(source.masked, max(0, match.start() - 80), match.start())
        path = path_of(target[1]) if target else None
        if path is None or source.function_of(match.start()) is None:
            continue
        tail = tail_of_block(source, Stretch(*match.span()))
        used = first_followed(source, path, tail.start, tail.end)
        if used is None or is_tested(source, path, tail.start, used.end):
            continue
        if first_set(source, path, tail.start, used.start) is None:
            between = source.masked[tail.start : used.start]
            if not re.search(r"[{}]|\b[A-Z][A-Z0-9_]{2,}\s*\(", between):
                yield used
    for match in _BOTH_SIDES.finditer(source.masked):
        yield Stretch(match.start(), match.end())


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
        bare = source.bare(test)
        asks = "!" in bare or "NULL" in bare or "nullptr" in bare
        found = [m[1] or m[2] or m[3] for m in _TEST.finditer(bare)] if asks else []
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
