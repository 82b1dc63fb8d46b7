"""Sizes that are computed with arithmetic that can wrap around (CWE-190)."""

import re
from collections.abc import Iterator

from offtarget.codescan.patterns.analyses.analysis import analysis
from offtarget.codescan.patterns.analyses.lvalues import uncast, uses
from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.source import Source, Stretch

_ALLOCATES = re.compile(r"(?:^|[._])(?:\w*[aA]lloc\w*|\w*ALLOC\w*)$")
_CHECKED = re.compile(r"(?i)overflow|safe|check|array|mul_size|size_mul|product")
_SUM = re.compile(r"(?<![\w.>])([a-z_]\w*(?:\s*(?:->|\.)\s*\w+)+)\s*\)?\s*\+\s*[\d(a-zA-Z]")
_PRODUCT = re.compile(
    r"((?:[\w.\]]|->)+(?:\s*\([^()]*\))?)\s*\)?\s*\*\s*\(?\s*((?:[\w.]|->)+(?:\s*\([^()]*\))?)"
)


@analysis("size_product")
def size_product(source: Source, flow: Flow) -> Iterator[Stretch]:
    """An allocation's size is a product of two values that no condition limits."""
    return _products(source, flow, with_sizeof=False)


@analysis("size_count")
def size_count(source: Source, flow: Flow) -> Iterator[Stretch]:
    """An allocation's size is a count times the size of a type, and no condition limits it."""
    return _products(source, flow, with_sizeof=True)


def _products(source: Source, flow: Flow, *, with_sizeof: bool) -> Iterator[Stretch]:
    for call in source.calls:
        if not _ALLOCATES.search(call.callee) or _CHECKED.search(call.callee):
            continue
        for part in call.arguments:
            if _wraps(source, flow, part, call.at.start, with_sizeof=with_sizeof):
                yield call.at
                break


def _wraps(source: Source, flow: Flow, part: Stretch, at: int, *, with_sizeof: bool) -> bool:
    bare = uncast(source.bare(part))
    match = _PRODUCT.search(bare)
    if match is None:
        values = flow.definitions(bare, part.start) if re.fullmatch(r"\w+", bare) else []
        match = next((m for v in values if (m := _PRODUCT.search(source.bare(v.value)))), None)
        bare = match.string if match else bare
    if match is None or ("sizeof" in bare) is not with_sizeof:
        return False
    names = [
        name
        for name in re.findall(r"[A-Za-z_]\w*", re.sub(r"sizeof\s*(?:\([^()]*\)|\w+)", "", bare))
        if not name.isupper()
        and not name.endswith("_t")
        and name not in ("int", "long", "unsigned", "size")
    ]
    called = set(re.findall(r"([A-Za-z_]\w*)\s*\(", bare))
    values_in = [name for name in names if name not in called]
    if not values_in or (not with_sizeof and len(set(values_in)) < 2):
        return False
    return not _limited(source, flow, values_in, at) and not all(
        _is_fixed(flow, source, name, part) for name in values_in
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
            bare = source.bare(test)
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
