"""Signed lengths and indices of which only one end is tested (CWE-839)."""

import re
from collections.abc import Iterator

from offtarget.codescan.patterns.analyses.analysis import analysis
from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.source import Source, Stretch

_LIMITED = re.compile(r"(?<![\w.>+*/-])\s{0,9}([a-z_]\w*)\s*>=?\s*[\w(]")
_BELOW = re.compile(
    r"(?<![\w.>+*/-])\s{0,9}([a-z_]\w*)\s*<=?\s*\(?(?:\d{2,}|[2-9]|[A-Z][A-Z0-9_]+\b(?!\s*\()|sizeof)"
)
_LOOP = re.compile(r"\b(?:while|for)\s*\(?\s*$")
_ONE_BYTE = re.compile(
    r"\*\s*\w+\s*\+\+|[\w.>-]+\s*\[[^\]]*\]|sizeof.*|\w*(?:get|read)_?(?:byte|u8|8)\w*\(.*"
)
_EXIT = re.compile(r"[\s){]*(?:return|continue|break|goto|throw)")


@analysis("sign_unchecked")
def sign_unchecked(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A signed length or index is limited from above only, then used to copy or to index."""
    for test in source.conditions:
        source.spend(5)
        leaves = _EXIT.match(source.masked, test.end) is not None
        scope = source.scope_of(test.start)
        if not leaves and _LOOP.search(source.masked, max(0, test.start - 12), test.start):
            continue
        for match in (_LIMITED if leaves else _BELOW).finditer(source.bare(test)):
            source.spend((scope.end - scope.start) // 4)
            after = source.masked[
                test.end : scope.end if leaves else _end_of_body(source, test.end)
            ]
            if (
                _is_spent(after, match[1])
                and _is_signed(source.bare(scope), match[1], is_below=not leaves)
                and not _is_byte(source, flow, match[1], test.start)
            ):
                yield test
                break


def _is_byte(source: Source, flow: Flow, name: str, at: int) -> bool:
    """Return whether every value of the name is one byte of a buffer, so never negative."""
    known = [one for one in flow.definitions(name, at) if not one.is_partial]
    return bool(known) and all(_ONE_BYTE.fullmatch(source.bare(one.value).strip()) for one in known)


def _end_of_body(source: Source, at: int) -> int:
    """Return where the statement that a condition guards ends."""
    brace = re.compile(r"[\s)]*\{").match(source.masked, at)
    if brace is not None:
        return source.block_of(brace.end()).end
    stop = source.masked.find(";", at)
    return len(source.code) if stop < 0 else stop


def _is_signed(code: str, name: str, *, is_below: bool) -> bool:
    """Return whether the name is declared signed, and is never held against zero."""
    types = r"\b(?:int|long|ssize_t|int32_t|short)\s+(?:[\w\s=,]{0,200},\s*)?"
    less = r"<=?\s*-?[01]\b" if is_below else "<"
    first = (
        ""
        if re.search(rf"&\s*{name}\b|\b{name}\s*=\s*(?:\([^()]*\)\s*)?\w+\s*\(", code)
        else r"|=\s*0\b"
    )
    low = rf"\b{name}\s*(?:{less}|>=\s*0|>\s*-?[01]\b|==\s*-1{first})|\b0\s*[<>]=?\s*{name}\b"
    return (
        re.search(rf"{types}{name}\b", code) is not None
        and re.search(rf"\bunsigned\b[^;,()]{{0,200}}\b{name}\b", code) is None
        and re.search(rf"{low}|\)\s*{name}\b", code) is None
    )


def _is_spent(code: str, name: str) -> bool:
    """Return whether the name is the length of a copy or an index."""
    calls = r"(?:memcpy|memmove|memset|strncpy|copy_(?:from|to)_user|recv|read)"
    copied = rf"\b{calls}\s*\([^;]{{0,300}},\s*{name}\s*[,)]"
    return re.search(rf"{copied}|\w\s*\[\s*{name}\s*\]", code) is not None
