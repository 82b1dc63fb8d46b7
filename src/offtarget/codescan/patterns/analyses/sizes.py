"""Sizes that are computed with arithmetic that can wrap around (CWE-190)."""

import re
from collections.abc import Iterator

from offtarget.codescan.patterns.analyses.analysis import analysis
from offtarget.codescan.patterns.analyses.lvalues import PATH, READS, uncast, uses
from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.source import Assign, Call, Source, Stretch, stretch

_ALLOCATES = re.compile(r"(?:^|[._])(?:\w*[aA]lloc\w*|\w*ALLOC\w*)$")
_CHECKED = re.compile(r"(?i)overflow|safe|check|array|mul_size|size_mul|product")
_SUM = re.compile(r"(?<![\w.>])([a-z_]\w*(?:\s*(?:->|\.)\s*\w+)+)\s*\)?\s*\+\s*[\d(a-zA-Z]")
_PRODUCT = re.compile(
    r"((?:[\w.\]]|->)+(?:\s*\([^()]*\))?)\s*\)?\s*\*\s*\(?\s*((?:[\w.]|->)+(?:\s*\([^()]*\))?)"
)


_TYPES = frozenset({"int", "long", "unsigned", "char", "short"})
_SMALL = r"(?:unsigned(?:\s+int)?|int|uint(?:32|16|8)_t|int(?:32|16)_t|u32|uint|short)"
_INPUT = re.compile(r"\b(?:fread|read|recv|recvfrom|fscanf|argv|getenv|copy_from_user)\b")
_SCALED = re.compile(r"\s*([a-z_]\w*)\s*\*\s*[2-9]\d*\s*|\s*[2-9]\d*\s*\*\s*([a-z_]\w*)\s*")
_TWO = re.compile(r"\s*((?:\w+\s*(?:->|\.)\s*)?[a-z_]\w*)\s*\+\s*([a-z_]\w*)\s*")
_ROOM = re.compile(r"\s*(?:\w*alloc|alloca)\s*\(((?:[^();]|\([^();]*\))*)\)\s*")
_OTHER = re.compile(r"\+\s*(?!strlen\b)[A-Za-z_]")


@analysis("size_product")
def size_product(source: Source, flow: Flow) -> Iterator[Stretch]:
    """An allocation's size is a product of two values that no condition limits."""
    return _products(source, flow, with_sizeof=False)


@analysis("size_count")
def size_count(source: Source, flow: Flow) -> Iterator[Stretch]:
    """An allocation's size is a count times the size of a type, and no condition limits it."""
    return _products(source, flow, with_sizeof=True)


@analysis("size_count_from_caller")
def size_count_from_caller(source: Source, flow: Flow) -> Iterator[Stretch]:
    """As `size_count`, and the count is a number of 32 bits or less from a caller or from input."""
    for at in _products(source, flow, with_sizeof=True):
        if _is_small(source, flow, at):
            yield at
    for call in source.calls:
        if not _ALLOCATES.search(call.callee) or _CHECKED.search(call.callee):
            continue
        for part in call.arguments:
            scaled = _SCALED.fullmatch(uncast(source.bare(part)))
            name = scaled[1] or scaled[2] if scaled else ""
            if not name or not _is_small(source, flow, part):
                continue
            if not _limited(source, flow, [name], call.at.start):
                yield call.at
                break


def _is_small(source: Source, flow: Flow, at: Stretch) -> bool:
    function = source.function_of(at.start)
    if flow.reaches(at, READS, cleaned=False) or flow.reaches(at, _INPUT, cleaned=False):
        return True
    if function is None:
        return False
    head = source.bare(function.head)
    return any(
        re.search(rf"(?:^|[(,])\s*(?:const\s+)?{_SMALL}\s+{name}\s*[,)]", head)
        for name in flow.names(at)
        if name in function.parameters
    )


@analysis("size_sum_from_caller")
def size_sum_from_caller(source: Source, flow: Flow) -> Iterator[Stretch]:
    """An allocation's size is the sum of two values that nothing limits, one from the caller."""
    for call in source.calls:
        if not _ALLOCATES.search(call.callee) or _CHECKED.search(call.callee):
            continue
        for part in call.arguments:
            bare = uncast(source.bare(part))
            if re.fullmatch(r"\w+", bare):
                known = flow.definitions(bare, part.start)
                bare = source.bare(known[0].value).strip() if len(known) == 1 else bare
            match = _TWO.fullmatch(bare)
            if match is None or match[1].isupper() or match[2].isupper():
                continue
            function = source.function_of(call.at.start)
            if function is None or not {match[1], match[2]} & function.parameters:
                continue
            if not _limited(source, flow, [match[1].split(">")[-1], match[2]], call.at.start):
                yield call.at
                break


@analysis("size_without_end")
def size_without_end(source: Source, flow: Flow) -> Iterator[Stretch]:
    """Room for a string is its length, without the zero or the text that is put between."""
    for assign in source.assigns:
        match = _ROOM.fullmatch(uncast(source.bare(assign.value)))
        if match is None:
            continue
        size = _resolved(source, flow, match[1], assign.at.start)
        lengths = len(re.findall(r"\bstrlen\s*\(", size))
        numbers = [int(number) for number in re.findall(r"(?<![\w.])(\d{1,6})(?!\w)", size)]
        if not lengths or re.search(r"[-*/]|sizeof", size) or _OTHER.search(size):
            continue
        if not numbers and _ends(source, assign):
            yield assign.at
            continue
        room = sum(numbers)
        scope = source.scope_of(assign.at.start)
        for call in source.calls:
            if call.at.start < assign.at.end or not scope.holds(call.at.start):
                continue
            parts = call.arguments
            if not parts or source.bare(parts[0]).strip() != assign.target:
                continue
            needed = _needed(source, call, lengths)
            if needed is not None and needed > room:
                yield assign.at
                break


def _resolved(source: Source, flow: Flow, size: str, at: int) -> str:
    """Return the size with the one name that it is made of replaced by its value."""
    match = re.fullmatch(r"\s*(\w+)\s*(\+\s*\d+\s*)?", size)
    known = flow.definitions(match[1], at) if match else []
    if match is None or len(known) != 1 or known[0].is_partial:
        return size
    return source.bare(known[0].value) + (match[2] or "")


def _ends(source: Source, assign: Assign) -> bool:
    """Return whether a loop fills the memory and then ends it with a zero."""
    scope = source.scope_of(assign.at.start)
    text = source.code[assign.at.end : scope.end]
    source.spend(len(text) // 20)
    return (
        re.search(r"\b(?:while|for)\b[\s\S]{1,600}\*\s*\w+(?:\+\+)?\s*=\s*(?:'\\0'|0)\s*;", text)
        is not None
    )


def _needed(source: Source, call: Call, lengths: int) -> int | None:
    """Return the bytes besides the strings that the call writes, or None if it is unknown."""
    if call.callee in ("strcpy", "strcat", "stpcpy"):
        return 1
    if call.callee != "sprintf" or len(call.arguments) < 3:
        return None
    text = source.text(call.arguments[1]).strip()
    if text.count("%s") != lengths or text.count("%") != lengths or text[:1] != '"':
        return None
    return len(text[1:-1].replace("%s", "").replace("\\\\", "x").replace("\\", "")) + 1


def _products(source: Source, flow: Flow, *, with_sizeof: bool) -> Iterator[Stretch]:
    for call in source.calls:
        if not _ALLOCATES.search(call.callee) or _CHECKED.search(call.callee):
            continue
        for part in call.arguments:
            if _wraps(source, flow, part, call.at.start, with_sizeof=with_sizeof):
                yield call.at
                break
    if source.language == "cpp" and not with_sizeof:
        for node in source.nodes(("new_declarator",)):
            at = stretch(node)
            if _wraps(source, flow, Stretch(at.start + 1, at.end - 1), at.start, with_sizeof=False):
                yield at


def _wraps(source: Source, flow: Flow, part: Stretch, at: int, *, with_sizeof: bool) -> bool:
    bare = uncast(source.bare(part))
    match = _PRODUCT.search(bare)
    if match is None:
        values = flow.definitions(bare, part.start) if re.fullmatch(r"\w+", bare) else []
        match = next((m for v in values if (m := _PRODUCT.search(source.bare(v.value)))), None)
        bare = match.string if match else bare
    if match is None or ("sizeof" in bare) is not with_sizeof:
        return False
    called = set(re.findall(r"([A-Za-z_]\w*)\s*\(", bare))
    paths = {
        path
        for path in PATH.findall(re.sub(r"sizeof\s*(?:\([^()]*\)|\w+)", "", bare))
        if not path.isupper() and not path.endswith("_t") and path not in _TYPES | called
    }
    if not paths or (not with_sizeof and len(paths) < 2):
        return False
    names = [name for path in paths for name in re.findall(r"\w+", path)]
    return not _limited(source, flow, names, at) and not all(
        _is_fixed(flow, source, name, part) for name in names
    )


def _is_fixed(flow: Flow, source: Source, name: str, part: Stretch) -> bool:
    known = flow.definitions(name, part.start)
    return bool(known) and all(flow.is_constant(one.value) for one in known)


def _limited(source: Source, flow: Flow, names: list[str], at: int) -> bool:
    """Return whether a condition before `at` compares one of the names with something but 0."""
    scope = source.scope_of(at)
    source.spend(len(source.conditions))
    for test in source.conditions:
        if scope.start <= test.start < at:
            bare = source.bare(test).replace("->", ". ")
            if re.search(r"[<>]|(?i:overflow|safe|check|valid)", bare) and any(
                re.search(rf"\b{name}\b", bare) for name in names
            ):
                return True
    return False


@analysis("size_sum")
def size_sum(source: Source, flow: Flow) -> Iterator[Stretch]:
    """An allocation's size is a stored or read count plus something, and nothing limits it."""
    for call in source.calls:
        if not _ALLOCATES.search(call.callee) or _CHECKED.search(call.callee):
            continue
        for part in call.arguments:
            match = _SUM.search(source.bare(part))
            if match is None or "strlen" in match.string or match[1].endswith((".", "_t")):
                continue
            path = re.sub(r"\s*(?:->|\.)\s*", ".", match[1])
            if "." in path and not _is_looked_at(source, path, call.at.start):
                yield call.at
                break


@analysis("length_minus")
def length_minus(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A copy's length is a difference that no condition keeps from going below zero."""
    for call in source.calls:
        if call.callee not in (
            "memcpy",
            "memmove",
            "strncpy",
            "memset",
            "copy_from_user",
            "malloc",
        ):
            continue
        for part in call.arguments[-1:]:
            match = re.fullmatch(r"\s*((?:\w|->|\.)+)\s*-\s*((?:\w|->|\.)+)\s*", source.bare(part))
            if match is None or (match[2].isdecimal() and match[2] == "1") or "sizeof" in match[0]:
                continue
            if not _is_looked_at(source, match[1].replace("->", "."), call.at.start):
                yield call.at


def _is_looked_at(source: Source, path: str, end: int) -> bool:
    """Return whether a condition of the function before `end` mentions the path."""
    source.spend(len(source.conditions) // 4)
    found = list(uses(source, path, source.scope_of(end).start, end))
    return any(test.holds(use.start) for test in source.conditions for use in found)
