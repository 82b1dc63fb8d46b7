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
_FURTHER = re.compile(r"\s*->\s*\w+\s*->")
_STARRED = re.compile(r"(?:^|[=,;{}!&|<>?:+\-]|\(|\breturn)\s*\*+\s*$")
_SIZED = re.compile(r"\bsizeof\s*\(?\s*\*?\s*$")
_ASSIGNED = re.compile(r"\s*=(?!=)")
_ASIDE = re.compile(r"(?:[^&]&|\w\s*\[|\bsizeof\s*\(?)\s*$")
_OPENED = re.compile(r"[\s)]*\{")
_LEAVES = re.compile(
    r"\b(?:return|continue|break|goto|throw|exit|abort|\w*(?i:err|fail|fatal|die)\w*)\b"
)
_ORDERS = re.compile(r"(?i)[<>]|min|max|valid|check|assert|size|fits|clamp")
_ADDRESS = re.compile(r"(?:^|[^&\w)\s]|\*\s*\))\s*&\s*$")
READS = re.compile(
    r"(?i)\bntoh[sl]+\b|\b[bl]e(?:16|32|64)_?to|\b\w*(?:get|read|fetch|next|peek)_?\w*"
    r"(?:8|16|32|64|byte|bits?|short|word|le|be)\w*\s*\(|\bato[il]+\b|\bstrto\w+\b|\bfgetc\b"
    r"|\bgetc\b|\b\w*(?:buf|buffer|data|packet|pkt|payload|bytes|msg|input|src|ptr|p|s)\s*\["
    r"|\*\s*\w+\s*\+\+|\bscanf\b"
)
"""Where a number comes out of foreign bytes or text."""
_IF_HEAD = re.compile(r"(?:\bif\s*\((?:[^(){};]|\((?:[^(){};]|\([^(){};]*\))*\)){0,200}\)|\belse)$")
_EXIT_MACRO = re.compile(r"\b[A-Z][A-Z0-9_]{3,}\s*\(|\b\w*(?:error|fatal|die|panic|fail)\w*\s*\(")
_ELSE = re.compile(r"\s*else\s*(?:if\s*\([^{};]{0,200}\)\s*)?\{|\s*else\b[^;{}]*;")
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


def first_followed(
    source: Source, path: str, start: int, end: int, *, with_address: bool = False
) -> Stretch | None:
    """Return the first `path->`, `path[` or unary `*path` in [start, end).

    `&path->a` counts only `with_address`, or where more is followed: `&path->a->b`.
    """
    code = source.masked
    for use in uses(source, path, start, end):
        before = code[max(0, use.start - 20) : use.start]
        if _SIZED.search(before):
            continue
        is_starred = _STARRED.search(before) is not None and "." not in code[use.end : use.end + 1]
        is_taken = _ADDRESS.search(before) is not None and not with_address
        if is_taken and _FURTHER.match(code, use.end):
            is_taken = False
        if (_FOLLOWED.match(code, use.end) and not is_taken) or is_starred:
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
    """Return whether a condition that begins in [start, end) compares the name.

    Handing out its address or using it as an index does not compare it.
    """
    found = [
        use
        for use in uses(source, name, start, end)
        if not _ASIDE.search(source.masked, max(0, use.start - 12), use.start)
    ]
    source.spend(len(source.conditions) // 4)
    return any(
        start <= test.start < end and any(test.holds(use.start) for use in found)
        for test in source.conditions
    )


def is_limited(source: Source, name: str, start: int, end: int) -> bool:
    """As `is_compared`, with an order or a checking call in the condition, not only null."""
    found = [
        use
        for use in uses(source, name, start, end)
        if not _ASIDE.search(source.masked, max(0, use.start - 12), use.start)
    ]
    source.spend(len(source.conditions) // 4)
    return any(
        start <= test.start < end
        and any(test.holds(use.start) for use in found)
        and _ORDERS.search(source.bare(test).replace("->", ".")) is not None
        for test in source.conditions
    )


def is_bounded_above(source: Source, name: str, start: int, end: int) -> bool:
    """Return whether a condition that begins in [start, end) keeps the name below something."""
    own = rf"(?<![\w.>]){re.escape(name)}(?!\w)"
    below = re.compile(
        rf"{own}\s*(?:<|==)|(?:>=?|==)\s*(?:\([\w\s]+\)\s*)?{own}|min|clamp|valid|check|assert"
    )
    above = re.compile(rf"{own}\s*(?:>=|>(?!=))|(?:<=?)\s*(?:\([\w\s]+\)\s*)?{own}")
    source.spend(len(source.conditions) // 2)
    found = [use.start for use in uses(source, name, start, len(source.code))]
    for test in source.conditions:
        if start <= test.start < end and any(test.holds(at) for at in found):
            bare = source.bare(test)
            if below.search(bare) or (above.search(bare) and _leaves(source, test.end, name)):
                return True
    return False


def _leaves(source: Source, at: int, name: str) -> bool:
    """Return whether what follows a condition leaves, or sets the name anew."""
    opened = _OPENED.match(source.masked, at)
    if opened is None:
        stop = source.masked.find(";", at)
        body = source.masked[at : stop + 1]
    else:
        body = source.masked[opened.end() : source.block_of(opened.end()).end]
    is_set = re.search(rf"(?<![\w.>]){re.escape(name)}\s*=(?!=)", body) is not None
    return is_set or _LEAVES.search(body) is not None


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


def after_branch(source: Source, tail: Stretch) -> Iterator[Stretch]:
    """Yield what runs after the `if` or `else` whose body ends with the tail, if it just goes on."""
    for _ in range(3):
        if source.masked[tail.end : tail.end + 1] != "}":
            return
        if _EXIT_MACRO.search(source.masked, tail.start, tail.end):
            return
        block = source.block_of(tail.end)
        head = source.masked[max(0, block.start - 300) : block.start].rstrip()
        if not _IF_HEAD.search(head):
            return
        end = block.end
        while other := _ELSE.match(source.masked, end):
            end = source.block_of(other.end()).end if other[0].endswith("{") else other.end()
        tail = tail_of_block(source, Stretch(block.start, end))
        yield tail


def after_goto(source: Source, tail: Stretch) -> Iterator[Stretch]:
    """Yield what runs after the label that the tail's last `goto` names."""
    match = re.match(r"\s*(\w+)\s*;", source.masked[tail.end : tail.end + 80])
    if not source.masked[: tail.end].endswith("goto") or match is None:
        return
    scope = source.scope_of(tail.start)
    label = re.compile(rf"(?<![\w?]){match[1]}\s*:(?!:)").search(source.masked, tail.end, scope.end)
    if label is not None:
        yield tail_of_block(source, Stretch(label.start(), label.end()))


def _is_braceless(source: Source, at: int) -> bool:
    """Return whether the jump at the offset is the body of an `if` without braces."""
    return source.masked[max(0, at - 200) : at].rstrip().endswith((")", "else"))
