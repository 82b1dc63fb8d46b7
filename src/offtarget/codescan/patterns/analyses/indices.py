"""Elements behind the end of an array, or of a string that is empty (CWE-787, CWE-125, CWE-193)."""

import re
from collections.abc import Iterator

from offtarget.codescan.patterns.analyses.analysis import analysis
from offtarget.codescan.patterns.analyses.lvalues import is_compared, uses
from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.source import Source, Stretch

_SIZED = re.compile(r"\[\s*(\d{1,7}|[A-Z]\w*)\s*\](\s*[;,=])?")
_DECLARED = re.compile(r"(?<![\w.>\])])[A-Za-z_]\w*(?:\s+|\s*\*\s*)([A-Za-z_]\w*)\s*$")
_NAME = re.compile(r"(?<![\w.>])([A-Za-z_]\w*)\s*$")
_BY_SIZE = re.compile(r"(?<![\w.>])([A-Za-z_]\w*)\s*\[\s*sizeof\s*\(?\s*(\w+)\s*\)?\s*\]")
_ZEROED = re.compile(
    r"(?<![\w.>])([A-Za-z_][\w.\->]*)\s*\[\s*([A-Za-z_]\w*)\s*\]\s*=\s*(?:'[^']{0,4}'|0|NUL)\s*;"
)
_FILLED = re.compile(
    r"\b([A-Za-z_]\w*)\s*=\s*(?:\([\w\s]+\)\s*)?(?:read|recv|recvfrom|fread|readlink|pread)\s*\(([^;]{1,200});"
)
_LAST = re.compile(r"(?<![\w.>])([A-Za-z_]\w*)\s*\[\s*([A-Za-z_]\w*)\s*-\s*1\s*\]")
_LAST_DIRECT = re.compile(r"(?<![\w.>])([A-Za-z_]\w*)\s*\[\s*strlen\s*\(\s*(\w+)\s*\)\s*-\s*1\s*\]")
_NUMBER = re.compile(
    r"\b(?:size_t|int|short|long|signed|int(?:8|16|32|64)_t|ssize_t|u?int|unsigned|u?int\d+)\b"
)
_BOUNDED = re.compile(r"[%&]|>>|\bmin\b|\bsizeof\b|clamp", re.IGNORECASE)
_CONTAINER = re.compile(
    r"\b(?:vector|array|deque|span)\s*<[\w\s:,*]{1,60}>\s*[&*]?\s*([A-Za-z_]\w*)"
)
_LISTED = re.compile(r"(?<=[\s*])([A-Za-z_]\w*)\s*\[\s*\]\s*=\s*\{")
_OWNED = re.compile(r"(?:->|\.)\s*$")
"""A member; C++ code often marks those by an underscore at the end instead."""
_NO_ACCESS = re.compile(r"&\s*$|sizeof\s*\(?\s*$|\w[\s*]+$")


@analysis("element_past_end")
def element_past_end(source: Source, flow: Flow) -> Iterator[Stretch]:
    """`a[4]` of an array with four elements, or `a[sizeof(a)]`."""
    by_scope: dict[int, dict[str, str]] = {}
    for match in _SIZED.finditer(source.masked):
        scope = source.scope_of(match.start())
        if scope.start not in by_scope:
            by_scope[scope.start] = sizes_of(source, scope)
        sizes = by_scope[scope.start]
        before = source.masked[max(0, match.start() - 60) : match.start()]
        named = _NAME.search(before)
        size = sizes.get(named[1]) if named else None
        if named is None or size is None or not size.isdecimal() or not match[1].isdecimal():
            continue
        before = before[: named.start()]
        if before.rstrip().endswith(",") and (match[2] or "=").strip() in (";", ","):
            continue  # one more declaration
        if int(match[1]) >= int(size) and not _NO_ACCESS.search(before):
            yield Stretch(match.start() - len(named[0]), match.end())
    for match in _BY_SIZE.finditer(source.masked):
        if match[1] == match[2] and match[1] in sizes_of(source):
            yield Stretch(match.start(), match.end())


def sizes_of(source: Source, scope: Stretch | None = None) -> dict[str, str]:
    """Return the sizes of arrays, by name; of a name declared with two sizes, none.

    With `scope`, only of those declared in it or outside every function.
    """
    found: dict[str, str] = {}
    twice: set[str] = set()
    source.spend(len(source.code) // 20)
    for match in _SIZED.finditer(source.masked):
        before = source.masked[max(0, match.start() - 80) : match.start()]
        declared = _DECLARED.search(before) if match[2] else None
        is_near = scope is None or scope.holds(match.start())
        if declared and not is_near and source.function_of(match.start()) is not None:
            continue
        if declared and found.setdefault(declared[1], match[1]) != match[1]:
            twice.add(declared[1])
    return {name: size for name, size in found.items() if name not in twice}


@analysis("end_written_past_end")
def end_written_past_end(source: Source, flow: Flow) -> Iterator[Stretch]:
    """The zero that ends a string is written at an index that may be the array's size."""
    zeroed = list(_ZEROED.finditer(source.code)) if "[" in source.masked else []
    for match in zeroed:
        target, index = match[1], match[2]
        if source.masked[match.start()] != source.code[match.start()]:
            continue
        scope = source.scope_of(match.start())
        before = source.masked[scope.start : match.start()]
        source.spend(len(before) // 10)
        if _filled_whole(before, target, index) or _looped_whole(before, target, index):
            yield Stretch(match.start(), match.end())


def _filled_whole(before: str, target: str, index: str) -> bool:
    """Return whether index is what a read of the whole array returned."""
    name = re.escape(target)
    for match in _FILLED.finditer(before):
        if match[1] != index or not re.search(rf"(?<![\w.>]){name}\s*,", match[2]):
            continue
        if not re.search(rf"sizeof\s*(?:\(\s*{name}\s*\)|{name}\b)\s*[,)]", match[2]):
            continue
        rest = before[match.end() :]
        return (
            re.search(rf"\b{index}\s*(?:>=|==|<)\s*(?:\(\w+\)\s*)?sizeof|--\s*{index}", rest)
            is None
        )
    return False


def _looped_whole(before: str, target: str, index: str) -> bool:
    """Return whether a loop fills the target up to its whole size, with the same index."""
    head = rf"[^{{}}]{{0,200}}?\b{index}\s*<\s*([\w.>()\s\-]{{1,60}}?)\s*(?:;|&&|\))"
    loops = list(re.finditer(rf"\b(?:for|while)\s*\(({head})", before))
    if not loops:
        return False
    loop = loops[-1]
    bound, rest = loop[2].strip(), before[loop.end() :]
    stored = re.search(rf"{re.escape(target)}\s*\[\s*{index}\s*(?:\+\+)?\s*\]\s*=(?!=)", rest)
    is_less = "-" in bound.replace("->", "") or re.search(r"-\s*1", loop[1].replace("->", ""))
    if rest.count("{") > rest.count("}"):  # still inside the loop
        return False
    if stored is None or is_less or re.search(rf"\b{index}\s*=[^=]|\b{index}\s*--", rest):
        return False
    if re.search(rf"\bif\s*\([^()]*\b{index}\b", rest[stored.end() :]):
        return False
    name = target.split("->")[-1].split(".")[-1]
    room = re.search(rf"\b{name}\s*\[[^\]]{{0,80}}\+\s*\d|\b{name}\s*=[^;]{{0,120}}\+\s*\d", before)
    is_size = re.search(r"(?i)size|max|len|cap|sizeof|[A-Z]{2}|^n$|^\d+$", bound) is not None
    return (
        room is None
        and is_size
        and not re.search(rf"\b{index}\s*<\s*(?:\w*src|\w*in)_?\w*\b", loop[1])
    )


@analysis("last_of_empty")
def last_of_empty(source: Source, flow: Flow) -> Iterator[Stretch]:
    """`s[n - 1]` with n the length of a string that may be empty."""
    for match in _LAST.finditer(source.masked):
        text, name = match[1], match[2]
        known = flow.definitions(name, match.start())
        lengths = [
            one for one in known if re.match(r"\s*(?:\(\w+\)\s*)?strlen\b", source.bare(one.value))
        ]
        if not lengths or len(lengths) != len(known):
            continue
        scope = source.scope_of(match.start())
        if is_compared(source, name, scope.start, match.start() + 1):
            continue
        if not _starts_known(source, text, scope, match.start()):
            yield Stretch(match.start(), match.end())
    for match in _LAST_DIRECT.finditer(source.masked):
        scope = source.scope_of(match.start())
        if match[1] == match[2] and not _starts_known(source, match[1], scope, match.start()):
            yield Stretch(match.start(), match.end())


def _starts_known(source: Source, text: str, scope: Stretch, at: int) -> bool:
    """Return whether a condition before the offset looks at the first character or the length."""
    looks = re.compile(
        rf"\bfgets\s*\(\s*{text}\b|\*\s*{text}\b|(?<![\w.>]){text}\s*\[\s*0\s*\]|strlen\s*\(\s*{text}\s*\)\s*(?:[><!=&)]|$)"
    )
    source.spend(len(source.conditions) // 4)
    return any(
        scope.start <= test.start < at
        and looks.search(source.masked, test.start, min(test.end, at))
        for test in source.conditions
    )


@analysis("index_from_caller")
def index_from_caller(source: Source, flow: Flow) -> Iterator[Stretch]:
    """An array or a member is indexed with a number from the caller that nothing compares."""
    known = {*sizes_of(source), *_LISTED.findall(source.masked)}
    known |= set(_CONTAINER.findall(source.masked)) if source.language == "cpp" else set()
    for function in source.functions:
        head = source.bare(function.head)
        numbers = {
            piece.split()[-1]
            for piece in re.split(r"[(),]", head)
            if _NUMBER.search(piece) and "*" not in piece and len(piece.split()) > 1
        }
        if not numbers:
            continue
        source.spend((function.at.end - function.head.end) // 10)
        indexed = re.compile(rf"(?<!\w)(\w+)\s*\[\s*({'|'.join(sorted(numbers))})\s*\]")
        for match in indexed.finditer(source.masked, function.head.end, function.at.end):
            is_member = _OWNED.search(source.masked, max(0, match.start() - 4), match.start())
            if (is_member or match[1] in known or match[1].endswith("_")) and not _is_limited(
                source, function.at, match
            ):
                yield Stretch(match.start(), match.end())
                break


def _is_limited(source: Source, scope: Stretch, match: re.Match[str]) -> bool:
    name = match[2]
    if is_compared(source, name, scope.start, scope.end):
        return True
    for use in uses(source, name, scope.start, match.start()):
        after = source.masked[use.end : use.end + 12]
        if re.match(r"\s*(?:[-+*/%&|>]{0,2}=(?!=)|\+\+|--)", after):
            return True
        if re.match(r"\s*%", after):
            return True
    return False
