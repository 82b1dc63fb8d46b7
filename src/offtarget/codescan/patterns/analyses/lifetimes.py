"""Memory that is used, or given back again, after it was given back (CWE-416, CWE-415)."""

import re
from collections.abc import Iterator
from itertools import pairwise

from offtarget.codescan.patterns.analyses.analysis import analysis
from offtarget.codescan.patterns.analyses.lvalues import (
    first_followed,
    first_set,
    path_of,
    tail_of_block,
    uncast,
)
from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.source import Call, Source, Stretch

_FREES = re.compile(r"^(?:k|kz|v|kv|g_|av_|cfg_|sk_|xml|mem_|os_|\w+_)?[Ff]ree(?:_\w+|z)?$")
_RELEASES = re.compile(r"(?:_release|_destroy|_unref|_put|_free\w*|^put_\w+|^Destroy\w+)$")
_STEP = re.compile(r"\bfor\s*\([^;{}]*;[^;{}]*;\s*(\w+)\s*=\s*(\w+)\s*->\s*\w+\s*\)")
_CLEANUP = re.compile(
    r"(?i)free|destroy|release|close|exit|fini|clean|clear|delete|remove|del|put|dtor|reset|init"
    r"|shutdown|drop|unload|disconnect|stop|teardown|purge|flush|dispose|detach|abort|main|unreg|done"
)
_DELETE = re.compile(r"[;{}]\s*delete\b\s*(?:\[\s*\]\s*)?((?:\w|->|\.)+)\s*;")


@analysis("freed_in_step")
def freed_in_step(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A loop frees the element that its next step reads."""
    for match in _STEP.finditer(source.masked):
        if match[1] != match[2]:
            continue
        end = source.masked.find(";", match.end())
        source.spend(len(source.calls))
        if source.masked[match.end() :].lstrip().startswith("{"):
            start = source.masked.index("{", match.end())
            end = source.block_of(start + 1).end
        for call, path in _freeing(source, with_braceless=True):
            if path == match[1] and match.end() <= call.at.start < end:
                tail = tail_of_block(source, call.at)
                jumps = re.search(
                    r"\b(?:break|return|goto)\b", source.masked[tail.start : tail.end]
                )
                if not jumps and first_set(source, path, match.end(), end) is None:
                    yield call.at


@analysis("used_after_free")
def used_after_free(source: Source, flow: Flow) -> Iterator[Stretch]:
    """Freed memory is read, written or passed on in the same block."""
    for call, path in _freeing(source):
        tail = _until_set(source, path, tail_of_block(source, call.at))
        used = first_followed(source, path, tail.start, tail.end)
        if used is not None:
            yield used
            continue
        source.spend(len(source.calls) // 4)
        for other in source.calls:
            if tail.holds(other.at.start) and not _RELEASES.search(other.callee):
                passed = [source.bare(part).strip() for part in other.arguments]
                if not _FREES.match(other.callee) and any(path_of(text) == path for text in passed):
                    yield other.at
                    break


@analysis("used_after_delete")
def used_after_delete(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A deleted C++ object is used in the same block."""
    for match in _DELETE.finditer(source.masked):
        path = path_of(match[1])
        if path is not None:
            at = Stretch(match.start(1), match.end(1))
            tail = _until_set(source, path, tail_of_block(source, at))
            used = first_followed(source, path, tail.start, tail.end)
            if used is not None:
                yield used


@analysis("freed_twice")
def freed_twice(source: Source, flow: Flow) -> Iterator[Stretch]:
    """The same pointer is freed again in the same block, without a new value."""
    by_path: dict[str, list[Call]] = {}
    for call, path in _freeing(source):
        by_path.setdefault(path, []).append(call)
    for path, calls in by_path.items():
        for call, other in pairwise(calls):
            if _until_set(source, path, tail_of_block(source, call.at)).holds(other.at.start):
                yield other.at


@analysis("freed_member_kept")
def freed_member_kept(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A member is freed and keeps pointing there, in a function that does not end the object."""
    for call, path in _freeing(source):
        if "." not in path or "->" not in source.bare(call.arguments[-1]):
            continue
        function = source.function_of(call.at.start)
        if function is None or _CLEANUP.search(function.name):
            continue
        if first_set(source, path, call.at.end, function.at.end) is not None:
            continue
        owner = path.rsplit(".", 1)[0]
        source.spend(len(source.calls))
        if not any(other in (owner, owner.split(".")[0]) for _, other in _freeing(source)):
            yield call.at


@analysis("realloc_lost")
def realloc_lost(source: Source, flow: Flow) -> Iterator[Stretch]:
    """`p = realloc(p, n)`: when it fails, p is null and the old memory is lost."""
    calls = [call for call in source.calls if call.callee == "realloc" and call.arguments]
    for assign in source.assigns:
        source.spend(1 + len(calls) // 4)
        for call in calls:
            name = path_of(source.bare(call.arguments[0]))
            if assign.value.holds(call.at.start) and name == path_of(assign.target):
                yield assign.at


def _freeing(source: Source, *, with_braceless: bool = False) -> Iterator[tuple[Call, str]]:
    """Yield calls that give one pointer back, with the pointer's path."""
    for call in source.calls:
        count = len(call.arguments)
        is_free = _FREES.match(call.callee) is not None
        is_alone = count == 1 and (is_free or _RELEASES.search(call.callee) is not None)
        with_owner = count == 2 and is_free and call.callee.lower().endswith("free")
        if not is_alone and not with_owner:
            continue
        path = path_of(uncast(source.bare(call.arguments[-1])))
        before = source.masked[max(0, call.at.start - 200) : call.at.start].rstrip()
        is_inner = before.endswith(("=", "return", "(", ",", "?", "&&", "||", "!"))
        is_body = before.endswith((")", "else")) and not with_braceless
        if path is not None and not is_inner and not is_body:
            yield call, path


def _until_set(source: Source, path: str, part: Stretch) -> Stretch:
    """Return the part up to the place where the path gets a new value."""
    again = first_set(source, path, part.start, part.end)
    return part if again is None else Stretch(part.start, again.start)
