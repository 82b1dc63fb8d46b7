"""Regular expressions: for addresses, from data, and ones that take for ever."""

import ast
import re
from functools import lru_cache
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final

from offtarget.codescan.python.rules.grading import MEDIUM, by_level
from offtarget.codescan.python.rules.literals import REGEX, REMOTE
from offtarget.codescan.python.values import HOLE, Level, Safe, Value
from offtarget.codescan.python.walk import Call, Checks, Walk
from offtarget.codescan.rule import Rule

RULES: Final = (
    Rule(
        id="OT-PY-090",
        title="Pattern for an address that others match too",
        language="python",
        cwe="CWE-20",
        severity=MEDIUM,
        confidence=0.75,
        why="A dot that is not escaped, or an open end, lets `exampleXorg.test` through a check "
        "that was meant for one host.",
        bad="import re\ndef allowed(url):\n    return re.match('https://www.example.org', url)\n",
        good="import re\ndef allowed(url):\n"
        "    return re.fullmatch(r'https://www\\.example\\.org/\\w*', url)\n",
        literals=(REGEX, (".",)),
    ),
    Rule(
        id="OT-PY-091",
        title="Pattern that takes for ever on some texts",
        language="python",
        cwe="CWE-1333",
        severity=MEDIUM,
        confidence=0.7,
        why="A repetition inside a repetition tries every split of the text, so that forty "
        "characters keep the program busy for years.",
        bad="import re\ndef valid(text):\n    return re.match(r'^(a+)+$', text)\n",
        good="import re\ndef valid(text):\n    return re.match(r'^a+$', text)\n",
        literals=(REGEX, ("+", "*", "{")),
    ),
    Rule(
        id="OT-PY-092",
        title="Pattern made from data",
        language="python",
        cwe="CWE-1333",
        severity=MEDIUM,
        confidence=0.7,
        why="Whoever controls the pattern can make it run for ever. `re.escape` turns it into "
        "plain text.",
        bad="import re\nfrom flask import request\n"
        "found = re.search(request.args['q'], 'some long text')\n",
        good="import re\nfrom flask import request\n"
        "found = re.search(re.escape(request.args['q']), 'some long text')\n",
        literals=(REGEX, REMOTE),
    ),
)

_MATCHING: Final = ("re.match", "re.search", "re.fullmatch", "re.compile")
_ALL: Final = (*_MATCHING, "re.findall", "re.finditer", "re.sub", "re.split", "re.subn")
_TOP: Final = (
    r"(?:com|org|net|edu|gov|io|co|dev|app|ai|me|info|biz|us|uk|de|fr|ru|cn|jp|eu|local|internal|"
    r"test|example|corp)"
)
_HOST: Final = re.compile(
    rf"(?P<label>[a-zA-Z0-9_-]{{2,}}|\)|\*|\+|\]|\?)(?P<dot>\\?\.)"
    rf"(?P<name>[a-zA-Z0-9-]{{2,}})(?P<tail>(?:\\?\.[a-zA-Z]{{2,8}})*?)(?P<last>\\?\.){_TOP}\b|"
    rf"(?<![\w.*+)\]\\])(?P<only>[a-zA-Z0-9-]{{3,}})(?P<one>\\?\.){_TOP}\b"
)
_ENDED: Final = re.compile(
    r"^(?:[)?:]|\(\?:|\\?\.[a-z]{2,3}\b)*(?:\$|\\Z|\\b\$|/|\\/|\(/|\(\?:/|\[/|\(\?:\$|\(\$|:|\[:|\(:|\(\?=|\(\?::|\?$)"
)
_MAX_PATTERN: Final = 400


def register(checks: Checks) -> None:
    """Have the checks of this file called."""
    checks.on_call(_MATCHING, _host)
    checks.on_call(_ALL, _slow)
    checks.on_call(_ALL, _chosen)


def _host(walk: Walk, call: Call) -> None:
    value = call.argument(0, "pattern")
    if value is None or value.shape is None or len(value.shape) > _MAX_PATTERN:
        return
    if loose_host(value.shape, full=call.name == "re.fullmatch"):
        walk.report(
            "OT-PY-090",
            call.node,
            "The pattern for an address has an open dot or an open end.",
            severity=MEDIUM,
            confidence=0.75,
        )


def loose_host(pattern: str, *, full: bool) -> bool:
    """Return whether a pattern names a host, and texts with another host match it too."""
    match = _HOST.search(pattern)
    if match is None or "@" in pattern[: match.start()]:
        return False
    dots = [match["one"]] if match["only"] else [match["dot"], match["last"]]
    if "." in dots and not _inside_class(pattern, match.start()):
        return True
    rest = pattern[match.end() :]
    if full or not rest:
        return not full
    return not _ENDED.match(rest) and not rest.startswith((")", "|")) and rest[:1] != "\\"


def _inside_class(pattern: str, position: int) -> bool:
    before = pattern[:position]
    return before.rfind("[") > before.rfind("]")


def _slow(walk: Walk, call: Call) -> None:
    value = call.argument(0, "pattern")
    if value is not None and isinstance(value.const, str) and is_catastrophic(value.const):
        walk.report(
            "OT-PY-091",
            call.node,
            "Some short texts keep this pattern busy for years.",
            severity=MEDIUM,
            confidence=0.7,
        )


def _chosen(walk: Walk, call: Call) -> None:
    value: Value | None = call.argument(0, "pattern")
    if value is None:
        return
    taint = walk.exposed(value, Safe.REGEX | Safe.INDIRECT)
    if taint is None or taint.level < Level.REMOTE:
        return
    walk.report(
        "OT-PY-092",
        call.node,
        "The pattern comes from outside.",
        severity=by_level(taint, remote=MEDIUM),
        confidence=0.7,
        taint=taint,
    )


@lru_cache(maxsize=2048)
def is_catastrophic(pattern: str) -> bool:
    """Return whether a repetition holds a repetition of the same characters, and nothing else."""
    if len(pattern) > _MAX_PATTERN or pattern.count("*") + pattern.count("+") < 2:
        return False
    if HOLE in pattern:
        return False
    try:
        return _nested(parser.parse(pattern), depth=0)
    except (re.error, RecursionError, OverflowError, ValueError):
        return False


def _nested(items: Any, depth: int) -> bool:
    if depth > 20:
        return False
    for kind, argument in items:
        if kind in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            _, most, body = argument
            if most == codes.MAXREPEAT and _ambiguous(list(body), depth):
                return True
            if _nested(body, depth + 1):
                return True
        elif kind is codes.SUBPATTERN:
            if _nested(argument[-1], depth + 1):
                return True
        elif kind is codes.BRANCH and any(_nested(b, depth + 1) for b in argument[1]):
            return True
    return False


def _ambiguous(body: list[Any], depth: int) -> bool:
    """Return whether a repeated body can match one text in several splits."""
    while len(body) == 1 and body[0][0] is codes.SUBPATTERN:
        body = list(body[0][1][-1])
    if len(body) == 1 and body[0][0] is codes.BRANCH:
        return any(_ambiguous(list(b), depth + 1) for b in body[0][1][1]) if depth < 20 else False
    loops = [argument for kind, argument in body if kind in (codes.MAX_REPEAT, codes.MIN_REPEAT)]
    needed = [
        kind
        for kind, argument in body
        if kind not in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.AT) or argument is None
    ]
    if needed:
        return False
    required = [a for a in loops if a[0] > 0]
    unbounded = [a for a in loops if a[1] == codes.MAXREPEAT]
    return bool(unbounded) and len(required) <= 1


__all__ = ["RULES", "ast", "is_catastrophic", "loose_host", "register"]
