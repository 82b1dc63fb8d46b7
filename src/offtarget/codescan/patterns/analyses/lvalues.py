"""Names and paths such as `a->b` in C: where they are used, set, followed and tested."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache

from offtarget.codescan.patterns.source import Source, Stretch

_ARROW = re.compile(r"\s*(?:->|\.)\s*")
PATH = re.compile(r"[A-Za-z_]\w*(?:\s*(?:->|\.)\s*[A-Za-z_]\w*)*")
_CAST = re.compile(r"^\s*\(\s*(?:const\s+|struct\s+|unsigned\s+)*\w+(?:\s*::\s*\w+)*[\s*&]*\)\s*")
_MACRO = re.compile(r"[A-Z][A-Z0-9_]{3,}")
_OWNED = re.compile(r"(?:->|\.)\s*$")
_FOLLOWED = re.compile(r"\s*(?:->|\[)")
_STARRED = re.compile(r"(?:^|[=,;{}!&|<>?:+\-]|\(|\breturn)\s*\*+\s*$")
_SIZED = re.compile(r"\bsizeof\s*\(?\s*\*?\s*$")
_ASSIGNED = re.compile(r"\s*=(?!=)")
_ADDRESS = re.compile(r"(?:^|[^&\w)\s])\s*&\s*$")
READS = re.compile(
    r"(?i)\bntoh[sl]+\b|\b[bl]e(?:16|32|64)_?to|\b\w*(?:get|read|fetch|next|peek)_?\w*"
    r"(?:8|16|32|64|byte|bits?|short|word|le|be)\w*\s*\(|\bato[il]+\b|\bstrto\w+\b|\bfgetc\b"
    r"|\bgetc\b|\b\w*(?:buf|buffer|data|packet|pkt|payload|bytes|msg|input|src|ptr|p|s)\s*\["
    r"|\*\s*\w+\s*\+\+|\bscanf\b"
)
"""Where a number comes out of foreign bytes or text."""
_JUMP = re.compile(r"[{}]|\b(?:return\b[^;{}]*|goto|break|continue|exit|abort|case|default|else)\b")


def path_of(text: str) -> str | None:
    """Return `a.b` for `a -> b`, or None if the text is no plain path."""
    plain = text.strip()
    return _ARROW.sub(".", plain) if PATH.fullmatch(plain) else None


def uncast(text: str) -> str:
    """Return an expression without the casts before it."""
    while (match := _CAST.match(text)) and match.end() < len(text):
        text = text[match.end() :]
    return text.strip()


@lru_cache(maxsize=2048)
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(r"\s*(?:->|\.)\s*".join(map(re.escape, path.split("."))) + r"(?!\w)")


def uses(source: Source, path: str, start: int, end: int) -> Iterator[Stretch]:
    """Yield where the path stands as a whole in [start, end): `a.b` is not in `x->a->b`."""
    starts = source.name_starts.get(path.split(".", 1)[0], [])
    pattern = _pattern(path)
    for at in starts[bisect_left(starts, start) : bisect_left(starts, end)]:
        source.spend(3)
        match = pattern.match(source.masked, at)
        if match and not _OWNED.search(source.masked, max(0, at - 8), at):
            yield Stretch(at, match.end())


def first_followed(source: Source, path: str, start: int, end: int) -> Stretch | None:
    """Return the first `path->`, `path[` or unary `*path` in [start, end)."""
    code = source.masked
    for use in uses(source, path, start, end):
        before = code[max(0, use.start - 20) : use.start]
        if _SIZED.search(before):
            continue
        is_starred = _STARRED.search(before) is not None and "." not in code[use.end : use.end + 1]
        if (_FOLLOWED.match(code, use.end) and not _ADDRESS.search(before)) or is_starred:
            return use
    return None


def first_set(source: Source, path: str, start: int, end: int) -> Stretch | None:
    """Return where the path, or what it hangs on, first gets a new value in [start, end)."""
    pieces = path.split(".")
    found: list[Stretch] = []
    for count in range(1, len(pieces) + 1):
        for use in uses(source, ".".join(pieces[:count]), start, end):
            before = source.masked[max(0, use.start - 12) : use.start]
            is_whole = not _OWNED.match(source.masked, use.end)
            is_shared = is_whole and _ADDRESS.search(before) is not None
            is_shared = is_shared and not re.match(r"\s*(?:->|\.|\[)", source.masked[use.end :][:8])
            if _ASSIGNED.match(source.masked, use.end) or is_shared:
                found.append(use)
                break
    return min(found, default=None)


def is_tested(source: Source, path: str, start: int, end: int) -> bool:
    """Return whether a condition or a checking macro that touches [start, end) looks at it.

    Following the path, as in `if (p->ready)`, is no look at the path itself.
    """
    found = [
        use
        for use in uses(source, path, 0, len(source.code))
        if not _FOLLOWED.match(source.masked, use.end)
    ]
    source.spend((len(source.conditions) + len(source.calls)) // 4)
    return any(
        test.start < end and test.end > start and any(test.holds(use.start) for use in found)
        for test in source.conditions
    ) or any(
        start <= call.at.start < end
        and _MACRO.fullmatch(call.callee)
        and any(call.at.holds(use.start) for use in found)
        for call in source.calls
    )


def is_compared(source: Source, name: str, start: int, end: int) -> bool:
    """Return whether a condition that begins in [start, end) mentions the name."""
    found = list(uses(source, name, start, len(source.code)))
    source.spend(len(source.conditions) // 4)
    return any(
        start <= test.start < end and any(test.holds(use.start) for use in found)
        for test in source.conditions
    )


def tail_of_block(source: Source, at: Stretch) -> Stretch:
    """Return what runs after `at` in its own block, up to the first jump out of it."""
    block = source.block_of(at.start)
    depth = 0
    source.spend((block.end - at.end) // 25)
    for match in _JUMP.finditer(source.masked, at.end, block.end):
        if match[0] == "{":
            depth += 1
        elif match[0] == "}":
            depth -= 1
            if depth < 0:
                return Stretch(at.end, match.start())
        elif depth == 0 and not _is_braceless(source, match.start()):
            return Stretch(at.end, match.end())
    return Stretch(at.end, block.end)


def _is_braceless(source: Source, at: int) -> bool:
    """Return whether the jump at the offset is the body of an `if` without braces."""
    return source.masked[max(0, at - 200) : at].rstrip().endswith((")", "else"))
