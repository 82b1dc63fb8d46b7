"""Memory that is used, or given back again, after it was given back (CWE-416, CWE-415)."""

import re
from collections.abc import Iterator
from itertools import pairwise

from offtarget.codescan.patterns.analyses.analysis import analysis
from offtarget.codescan.patterns.analyses.lvalues import (
    after_branch,
    after_goto,
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
_PLAIN = re.compile(r"(?:k|kv|v|g_|av_|std\.)?free")
_STEP = re.compile(r"\bfor\s*\([^;{}]*;[^;{}]*;\s*(\w+)\s*=\s*(\w+)\s*->\s*\w+\s*\)")
_CLEANUP = re.compile(
    r"(?i)free|destroy|release|close|exit|fini|clean|clear|delete|remove|del|put|dtor|reset|init"
    r"|shutdown|drop|unload|disconnect|stop|teardown|purge|flush|dispose|detach|abort|main|unreg|done"
)
_DELETE = re.compile(r"[;{}]\s*delete\b\s*(?:\[\s*\]\s*)?((?:\w|->|\.)+)\s*(?=;)")


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
        whole = tail_of_block(source, call.at)
        tail = _until_set(source, path, whole)
        used = first_followed(source, path, tail.start, tail.end, with_address=True)
        used = used or _read_by_its_step(source, path, whole, tail) or _returned(source, path, tail)
        goes_on = used is None and tail == whole and _PLAIN.fullmatch(call.callee)
        for after in after_branch(source, whole) if goes_on else ():
            rest = _until_set(source, path, after)
            used = used or first_followed(source, path, rest.start, rest.end)
        if used is not None:
            yield used
            continue
        source.spend(len(source.calls) // 4)
        for other in source.calls:
            if tail.holds(other.at.start) and not _RELEASES.search(other.callee):
                passed = [source.bare(part).strip() for part in other.arguments]
                if "free" not in other.callee.lower() and any(
                    path_of(text) == path for text in passed
                ):
                    yield other.at
                    break


@analysis("used_after_delete")
def used_after_delete(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A deleted C++ object is used in the same block."""
    for match in _DELETE.finditer(source.masked):
        path = path_of(match[1])
        if path is not None:
            at = Stretch(match.start(1), match.end(1))
            whole = tail_of_block(source, at)
            tail = _until_set(source, path, whole)
            used = first_followed(source, path, tail.start, tail.end)
            used = used or _read_by_its_step(source, path, whole, tail)
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
            whole = tail_of_block(source, call.at)
            ways = [_until_set(source, path, whole)]
            if ways == [whole] and _PLAIN.fullmatch(call.callee):
                ways += after_branch(source, whole)
            if other.callee != call.callee and len(ways) == 1 and not _FREES.match(call.callee):
                continue
            if any(_until_set(source, path, way).holds(other.at.start) for way in ways):
                yield other.at
        for call in calls:
            for way in after_goto(source, tail_of_block(source, call.at)):
                if first_set(source, path, call.at.end, way.start) is None:
                    yield from (one.at for one in calls if way.holds(one.at.start))


@analysis("deleted_twice")
def deleted_twice(source: Source, flow: Flow) -> Iterator[Stretch]:
    """The same C++ pointer is deleted again, without a new value."""
    found = [(path_of(match[1]), match) for match in _DELETE.finditer(source.masked)]
    for (path, match), (other_path, other) in pairwise(found):
        if path is None or path != other_path:
            continue
        whole = tail_of_block(source, Stretch(match.start(1), match.end(1)))
        is_set = _until_set(source, path, whole) != whole
        ways = (
            [_until_set(source, path, whole)] if is_set else [whole, *after_branch(source, whole)]
        )
        if any(_until_set(source, path, way).holds(other.start(1)) for way in ways):
            yield Stretch(other.start(1), other.end(1))


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
            name = path_of(source.bare(call.arguments[0]).strip().lstrip("*"))
            if assign.value.holds(call.at.start) and name and name == path_of(assign.target):
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


def _read_by_its_step(source: Source, path: str, whole: Stretch, tail: Stretch) -> Stretch | None:
    """Return the freed pointer in `p = p->next`, which sets it and reads it."""
    if tail == whole or not source.masked.startswith(path.split(".")[0], tail.end):
        return None
    stop = source.masked.find(";", tail.end, whole.end)
    equals = source.masked.find("=", tail.end, max(stop, tail.end))
    return None if equals < 0 else first_followed(source, path, equals, stop)


def _returned(source: Source, path: str, tail: Stretch) -> Stretch | None:
    """Return the freed pointer where the tail ends with `return p`."""
    last = source.masked[max(tail.start, tail.end - 200) : tail.end]
    match = re.search(r"\breturn\s*\(?\s*((?:\w|->|\.)+)\s*\)?\s*$", last)
    if match is None or path_of(match[1]) != path:
        return None
    return Stretch(tail.end - len(last) + match.start(1), tail.end - len(last) + match.end(1))


def _until_set(source: Source, path: str, part: Stretch) -> Stretch:
    """Return the part up to the place where the path gets a new value."""
    again = first_set(source, path, part.start, part.end)
    return part if again is None else Stretch(part.start, again.start)
