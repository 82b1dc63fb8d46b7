"""Tests of a value that come before its use: with one of them, the use is not a flaw."""

import re
from functools import lru_cache

from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.source import Source, Stretch

MAX_NAMES = 40
"""Names that one value is followed to, back and forth."""
MAX_BODY = 2_000
"""Characters of a branch that are looked at for a way out."""
_VALIDATES = (
    r"(?:(?-i:[iI]s|[hH]as|[aA]re|[cC]an)(?:_|(?=[A-Z]))(?!null|nil|empty|blank|set|defined|array|object"
    r"|undefined|logged|auth)\w+"
    r"|\w*(?:valid|allow|permit|white_?list|black_?list|safe|trusted|known|check|verif|sanit|match"
    r"|contains|includes|index_?of|starts_?with|ends_?with|prefix|suffix|equal|compare|within|inside"
    r"|under)\w*|test|some|every|has|in_array|array_key_exists|str(?:n|case|ncase|r)?(?:cmp|str|chr)"
    r"|str[c]?spn|is(?:al|di|xdi|sp|up|lo)\w+|fullmatch|include\?|key\?|member\?|rel|relative)"
)
"""Calls that tell whether a value is of the expected kind; not those that tell whether it is there."""
_NOTHING = r"(?:null|nil|undefined|None|NULL|nullptr|true|false|err\w*)\b|-?\d|''|\"\"|``"
_TOLD = re.compile(r"(?i)(?:ok|found|known|exists|allowed|valid|safe|is[A-Z_]\w*|is_?\w+|rel\w*)")
"""Names that hold an answer about a value."""
_LEAVES = re.compile(
    r"\b(?:return|throw|continue|break|goto|exit|_exit|abort|die|panic|raise|reject|redirect|abort_if"
    r"|log\.Fatal\w*|next|os\.Exit|err|fail\w*|bail|ctx\.throw)\b"
)
_THROWS = re.compile(
    r"(?i)(?:[\w$]+(?:\.|->|::))*\w*(?:assert|ensure|valid|verif|check|allow|permit|require_)\w*\s*\("
)
_STATEMENT = re.compile(r"(?:^|[;{}]|\)|\n)\s*(?:await\s+)?$")
_LOADS = re.compile(r"(?:require|import)\s*\(")
_MEASURED = re.compile(r"(?:typeof|len|strlen|count|sizeof)\s*\(?\s*$")
_COMMON = frozenset(
    {"req", "request", "res", "response", "ctx", "context", "event", "c", "r", "w", "self", "this"}
    | {"params", "fs", "os", "path", "filepath", "fmt", "db", "err", "error", "e", "strings", "std"}
)
"""Names that a test mentions for other reasons."""
_TABLE = re.compile(r"([A-Za-z_$][\w$.]*)\[\s*$")


def is_guarded(
    source: Source, flow: Flow, part: Stretch, at: int, *, is_strict: bool = False
) -> bool:
    """Return whether a test of what `part` is made of stands before the offset `at` and decides.

    A test decides where one of its branches leaves or sets the value anew, or where `at` stands
    inside the branch. Tests for null, for emptiness and for length do not count. With `is_strict`,
    neither do tests of what is computed from the value, nor whether an object has such a key.
    """
    scope = source.scope_of(at)
    tests = [test for test in source.conditions if scope.start <= test.start < at]
    source.spend(len(source.conditions))
    if not tests:
        return False
    names = _kin(source, flow, part, Stretch(scope.start, scope.start if is_strict else at))
    if not names:
        return False
    mentions = _mentions(tuple(sorted(names, key=len, reverse=True)))
    return any(
        _validates(source, Stretch(test.start, min(test.end, at)), mentions, is_strict)
        and (test.holds(at) or _decides(source, test, names, at))
        for test in tests
    )


def _kin(source: Source, flow: Flow, part: Stretch, forward: Stretch) -> set[str]:
    """Return the names that `part` is computed from, and those computed from them in `forward`."""
    found: set[str] = set()
    waiting = [part]
    while waiting and len(found) < MAX_NAMES:
        one = waiting.pop()
        for name in _longest(flow.names(one)):
            known = flow.definitions(name, one.start)
            is_plain = one == part and "(" not in source.bare(part)
            is_common = name in _COMMON and not known and not is_plain
            if is_common or name in found or name.isupper():
                continue
            found.add(name)
            waiting += [assign.value for assign in known]
    mentions = _mentions(tuple(sorted(found, key=len, reverse=True))) if found else None
    for assign in source.assigns:
        source.spend(1)
        if mentions is None or len(found) >= MAX_NAMES:
            break
        if forward.holds(assign.at.start) and not assign.at.holds(forward.end):
            source.spend((assign.value.end - assign.value.start) // 20)
            if mentions.search(source.masked, assign.value.start, assign.value.end):
                found |= {name for name in assign.names if name not in _COMMON}
                mentions = _mentions(tuple(sorted(found, key=len, reverse=True)))
    return found


def _longest(names: list[str]) -> list[str]:
    """Return the names that are no start of a longer path of the same list."""
    return [name for name in names if not any(other.startswith(f"{name}.") for other in names)]


@lru_cache(maxsize=512)
def _mentions(names: tuple[str, ...]) -> re.Pattern[str]:
    """Return a regex of the names as they stand in code: `a.b` is also `a->b`."""
    arrow = r"\s*(?:\.|->|::)\s*"
    return re.compile(
        r"(?<![\w$.>])(?:"
        + "|".join(arrow.join(map(re.escape, name.split("."))) for name in names)
        + r")(?![\w$])"
    )


_CALL_BEFORE = re.compile(rf"(?i)(?:^|[^\w])(?:{_VALIDATES})\s*\([^;{{}}]*$")
_METHOD_AFTER = re.compile(
    rf"(?i)(?:\[[^\]]*\]|\.[\w$]+(?:\(\))?)*(?:\.|->|\?\.)(?:{_VALIDATES})\s*\(?"
)
_COMPARED_AFTER = re.compile(
    rf"\s*(?:(?:\.|->)(?!length|size|len)[\w$]+(?:\(\))?)*\s*\)*\s*(?:[!=]==?(?!=)|=~|!~)\s*(?!{_NOTHING})\S"
)
_COMPARED_BEFORE = re.compile(r"(?:[\w$)]|[\"'`]\s*[\"'`])\s*[!=]==?\s*\(*$")
_EMPTY_BEFORE = re.compile(rf"(?:{_NOTHING})\s*[!=]==?\s*\(*$")
_KEY_AFTER = re.compile(r"\s*\b(?:in|instanceof)\b")


def _validates(source: Source, test: Stretch, mentions: re.Pattern[str], is_strict: bool) -> bool:
    """Return whether the test asks what the value is, not only whether there is one."""
    bare = source.bare(test)
    if len(bare) > MAX_BODY or _LOADS.match(bare):
        return False
    source.spend(2 + len(bare) // 20)
    for use in mentions.finditer(bare):
        before = bare[max(0, use.start() - 200) : use.start()]
        after = bare[use.end() : use.end() + 200]
        if _MEASURED.search(before):
            continue
        if _TOLD.fullmatch(use[0]) or _METHOD_AFTER.match(after) or _CALL_BEFORE.search(before):
            return True
        table = _TABLE.search(before)
        is_key = (table and not mentions.search(table[1])) or _KEY_AFTER.match(after)
        if (is_key and not is_strict) or _COMPARED_AFTER.match(after):
            return True
        if _COMPARED_BEFORE.search(before) and not _EMPTY_BEFORE.search(before):
            return True
    return False


def _decides(source: Source, test: Stretch, names: set[str], at: int) -> bool:
    """Return whether a branch of the test leaves, sets a name anew, or holds the offset `at`."""
    code = source.masked
    end = test.end
    while end < len(code) and code[end] in ") \t\r\n":
        end += 1
    if _THROWS.match(code, test.start, test.end):
        before = code[max(0, test.start - 80) : test.start]
        if _STATEMENT.search(before):
            return True
    if code[end : end + 2] == "&&" or code[end : end + 1] == "?":
        return True
    if code[end : end + 1] == "{":
        return _leaves(source, source.block_of(end + 1), names, at)
    stop = code.find(";", end)
    return _leaves(source, Stretch(end, len(code) if stop < 0 else stop + 1), names, at)


def _leaves(source: Source, body: Stretch, names: set[str], at: int) -> bool:
    if body.holds(at):
        return True
    text = source.masked[body.start : min(body.end, body.start + MAX_BODY)]
    source.spend(2 + len(text) // 20)
    return _LEAVES.search(text) is not None or any(
        body.holds(assign.at.start) and not names.isdisjoint(assign.names)
        for assign in source.assigns
    )
