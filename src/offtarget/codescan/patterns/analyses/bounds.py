"""Reads whose index or length nobody compared with a size (CWE-125, CWE-129, CWE-193)."""

import re
from collections.abc import Iterator

from offtarget.codescan.patterns.analyses.analysis import analysis
from offtarget.codescan.patterns.analyses.lvalues import READS, is_bounded_above, is_compared, uses
from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.source import Function, Source, Stretch

_BYTES = re.compile(
    r"\b(?:void|(?i:\w{0,20}(?:char|byte|int8|u8|t8|octet)\w{0,8}))\s+(?:const\s+)?\*+"
    r"\s*(?:const\s+)?(\w+)|\b(?i:\w{0,20}(?:char|byte|u8))\s?\*+\s*(\w+)"
)
"""A parameter that points to bytes."""
_LENGTH = re.compile(
    r"\b(?:int|size_t|ssize_t|unsigned|long|short|\w{0,10}(?:int|t|u|word)(?:8|16|32|64)(?:_t)?|uint"
    r"|u_int|DWORD|UINT|ULONG|gsize|guint)\s+(?:\w*(?:[lL]en(?:gth)?|[sS]ize|sz|count|avail|nbytes)|n|l)"
    r"\b(?!\s*\()"
)
"""A parameter that says how many there are."""
_COUNT = re.compile(
    r"(?i)(?:size|count|len|length|num|total|nb)\w*(?:\(\))?$|\bN[A-Z_]+$|\w*_(?:num|cnt)\)?$"
    r"|ARRAY_SIZE|sizeof|\bn_\w+$|\bn[a-z]+s$"
)
_MINIMUM = re.compile(
    r"(?i)\bmin\w*\b|min\s*\(|\bsizeof\b|clamp|%|&\s*0x|>>|\bstrlen\b|\bcountof\b"
)
_READ = re.compile(r"\b(?:f?scanf|sscanf|atoi|atol|strtou?l)\s*\(")
_SIZE = re.compile(r"(?i)sizeof|size\(\)|length\b|ARRAY_SIZE|\.size$")
_EXIT = re.compile(r"[\s){]*(?:return|continue|break|goto|throw|\w*[eE]rr)")
_GREATER = re.compile(
    r"(?<![\w.>])([A-Za-z_][\w.\->]{0,80}?)\s*>\s*([A-Za-z_][\w.\->:<>() ]{0,80}?|\d{1,7})"
    r"\s*(?=\)|\|\||&&|$)"
)
_ADDED = re.compile(r"(?<![\w.>])([A-Za-z_]\w*)\s*\[\s*([a-z_]\w*)\s*\+\+\s*\]\s*=(?!=)")
_ADVANCED = re.compile(r"\w\s*\[\s*([a-z_]\w*)\s*\+\+\s*\](?!\s*=[^=])")


@analysis("length_ignored")
def length_ignored(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A buffer parameter is indexed before its length parameter was looked at."""
    for function in source.functions:
        head = source.bare(function.head)
        lengths = [match[0].split()[-1] for match in _LENGTH.finditer(head)]
        buffers = [next(filter(None, match.groups())) for match in _BYTES.finditer(head)]
        if not lengths or not buffers:
            continue
        tested = _first_mention(source, function, lengths)
        for name in buffers:
            source.spend((function.at.end - function.at.start) // 20)
            used = re.compile(
                rf"(?<![\w.>&]){name}\s*\[\s*\d+\s*\](?!\s*=[^=])"
                rf"|(?i:get|read|load|be|le)_?\w*(?:8|16|32|64)\w*\s*\(\s*{name}\s*(?:\+|\))"
                rf"|\*\s*{name}\s*\+\+"
                rf"|(?:[=(,|<>?:]|\breturn)\s*\*+\s*{name}(?!\w)"
            ).search(source.masked, function.head.end, function.at.end)
            if used is not None and used.start() < tested:
                yield Stretch(used.start(), used.end())
                break
            if (second := _second_element(source, function, name, lengths)) is not None:
                yield second
                break


def _second_element(
    source: Source, function: Function, name: str, lengths: list[str]
) -> Stretch | None:
    """Return a read of `name[1]` where only "more than none" was asked of the length before."""
    read = re.compile(rf"(?<![\w.>&]){name}\s*\[\s*[1-9]\d*\s*\](?!\s*=[^=])")
    found = read.search(source.masked, function.head.end, function.at.end)
    if found is None:
        return None
    some = "|".join(map(re.escape, lengths))
    for use in re.compile(rf"(?<![\w.>])(?:{some})(?!\w)").finditer(
        source.masked, function.head.end, found.start()
    ):
        after = source.masked[use.end() : use.end() + 12]
        before = source.masked[max(0, use.start() - 8) : use.start()]
        is_some = re.match(r"\s*(?:(?:>|!=|==|<=)\s*0\s*)?\)", after) and re.search(
            r"(?:while|if)\s*\(!?$", before
        )
        if not is_some:
            return None
    return Stretch(found.start(), found.end())


def _first_mention(source: Source, function: Function, names: list[str]) -> int:
    """Return the offset after the head where one of the names is first used at all."""
    found = (
        use.start
        for name in names
        for use in uses(source, name, function.head.end, function.at.end)
    )
    return min(found, default=function.at.end)


@analysis("index_unchecked")
def index_unchecked(source: Source, flow: Flow) -> Iterator[Stretch]:
    """An array is indexed with a value read from input that no condition looks at."""
    for match in re.finditer(r"(?<=[\w ])\[\s*([A-Za-z_]\w{0,60})\s*\]", source.masked):
        name = match[1]
        if name.isupper():
            continue
        at = Stretch(match.start(1), match.end(1))
        known = flow.definitions(name, at.start)
        if not known or any(one.is_loop for one in known):
            continue
        read = [one for one in known if _READ.search(source.bare(one.at))]
        if not read and not all(
            READS.search(source.bare(one.value)) for one in known if not one.is_partial
        ):
            continue
        if any(_MINIMUM.search(source.bare(one.value)) for one in known):
            continue
        if not _is_bounded_name(source, name, at.start) or (
            read and not is_bounded_above(source, name, source.scope_of(at.start).start, at.start)
        ):
            yield Stretch(match.start(), match.end())


def _is_bounded_name(source: Source, name: str, at: int) -> bool:
    return is_compared(source, name, source.scope_of(at).start, at + 1)


@analysis("index_advanced")
def index_advanced(source: Source, flow: Flow) -> Iterator[Stretch]:
    """An index moves on with each read inside a loop, and nothing compares it."""
    for match in _ADVANCED.finditer(source.masked):
        scope = source.scope_of(match.start())
        before = source.masked[scope.start : match.start()]
        source.spend(len(before) // 20)
        is_looped = re.search(r"\b(?:for|while|do)\b", before) is not None
        if is_looped and not is_compared(source, match[1], scope.start, scope.end):
            yield Stretch(match.start(), match.end())
    for match in _ADDED.finditer(source.masked):
        scope = source.scope_of(match.start())
        before = source.masked[scope.start : match.start()]
        source.spend(len(before) // 20)
        if not re.search(r"\b(?:for|while|do)\b", before) or not re.search(
            rf"\w\s+{match[1]}\s*\[\s*\w+\s*\]\s*[;=]", before
        ):
            continue
        if not is_compared(source, match[2], scope.start, scope.end):
            yield Stretch(match.start(), match.end())


@analysis("loop_past_end")
def loop_past_end(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A loop runs to `i <= size` and indexes with i."""
    pattern = re.compile(r"\bfor\s*\(([^;{}]*);\s*(\w+)\s*<=\s*([^;{}]+);")
    for match in pattern.finditer(source.masked):
        name, bound = match[2], re.sub(r"\s+", "", match[3])
        owner = re.fullmatch(
            r"(\w+(?:->|\.))(?:\w*_)?(?:count|num|len|length|size|n|nitems)", bound
        )
        if not _starts_at_zero(match[1], name) or not (owner or _is_size(source, bound)):
            continue
        scope = source.scope_of(match.start())
        body = source.masked[match.end() : min(match.end() + 1500, scope.end)]
        source.spend(len(source.code) // 20)
        own = re.escape(owner[1]) if owner else ""
        if used := re.search(rf"{own}(\w+)\s*\[\s*{name}\s*\]", body):
            declared = re.search(rf"\b{used[1]}\s*\[([^\]]*\+\s*1[^\]]*)\]", source.masked)
            if declared is None:
                yield Stretch(match.start(), match.end())


def _starts_at_zero(start: str, name: str) -> bool:
    return re.search(rf"\b{name}\s*=\s*0\b", start) is not None


def _is_size(source: Source, bound: str) -> bool:
    if re.search(r"-\s*\d", bound):
        return False
    declared = re.search(rf"\w\s*\[\s*{re.escape(bound)}\s*\]\s*[;,=]", source.masked)
    return (
        declared is not None
        or re.search(r"(?i)sizeof|size\(\)|length\b|ARRAY_SIZE|\.size$", bound) is not None
    )


@analysis("guard_off_by_one")
def guard_off_by_one(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A guard lets `index == count` pass, and the index is used after it."""
    for test in source.conditions:
        source.spend(5)
        bare = source.bare(test).replace("->", ". ")
        if ">" not in bare or not _EXIT.match(source.masked, test.end):
            continue
        for match in _GREATER.finditer(source.bare(test)):
            name, bound = match[1].strip(), match[2].strip().rstrip(")")
            bound += ")" if "(" in bound else ""
            if not (_COUNT.search(bound) or bound.isdecimal()) or name.isupper():
                continue
            if _COUNT.search(name):
                continue
            scope = source.scope_of(test.start)
            source.spend((scope.end - test.end) // 20)
            indexed = re.compile(
                rf"(?<![\w.>])(\w+)\s*\[\s*{re.escape(name)}\s*\]|\w\s*\[\s*{re.escape(name)}\s*\]"
            )
            found = indexed.search(source.masked, test.end, scope.end)
            if found and (not bound.isdecimal() or _has_size(source, found[1], bound)):
                yield test
                break


def _has_size(source: Source, name: str | None, size: str) -> bool:
    """Return whether the name is declared as an array of that many elements."""
    declared = re.compile(rf"\w[\s*]+{name}\s*\[\s*{size}\s*\]\s*[;,=]")
    return name is not None and declared.search(source.masked) is not None


@analysis("argument_unchecked")
def argument_unchecked(source: Source, flow: Flow) -> Iterator[Stretch]:
    """An element of `argv` is used, and the function never looks at how many there are."""
    for function in source.functions:
        if not {"argc", "argv"} <= function.parameters:
            continue
        body = Stretch(function.head.end, function.at.end)
        if next(uses(source, "argc", body.start, body.end), None) is not None:
            continue
        for use in uses(source, "argv", body.start, body.end):
            if re.match(r"\s*\[\s*[1-9]", source.masked[use.end : use.end + 8]):
                tested = any(test.holds(use.start) for test in source.conditions)
                if not tested:
                    yield use
                break


@analysis("slice_unchecked")
def slice_unchecked(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A Go byte slice from the caller is indexed, and its length is never looked at before."""
    for function in source.functions:
        head = source.bare(function.head)
        for match in re.finditer(r"\b(\w+)(?:\s*,\s*\w+)*\s+\[\]byte\b", head):
            name = match[1]
            used = re.compile(
                rf"(?<![\w.]){name}\s*\[\s*(?:\d+\s*\]|\d*\s*:\s*[1-9]\d*\s*\]|[1-9]\d*\s*:)"
            )
            found = used.search(source.masked, function.head.end, function.at.end)
            if found is None:
                continue
            before = source.masked[function.head.end : found.start()]
            if not re.search(
                rf"\blen\(\s*{name}|range\s+{name}\b|(?<![\w.]){name}\s*(?::=|=)", before
            ):
                yield Stretch(found.start(), found.end())
