"""Regular expressions that try every split of a text before they give up (CWE-1333)."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from offtarget.codescan.patterns.analyses.analysis import analysis
from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.source import Source, Stretch, stretch

MAX_PATTERN = 400
MAX_DEPTH = 20
_ALPHABET = "".join(map(chr, range(32, 127))) + "\t\n\u00e9"
_CLASSES = {
    codes.CATEGORY_DIGIT: r"\d", codes.CATEGORY_NOT_DIGIT: r"\D", codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_NOT_SPACE: r"\S", codes.CATEGORY_WORD: r"\w", codes.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT)
_MADE = re.compile(r"(?:^|\.)(?:new )?(?:RegExp|compile|matches|preg_match(?:_all)?|Regex)$")


@analysis("pattern_exponential")
def pattern_exponential(source: Source, flow: Flow) -> Iterator[Stretch]:
    """A repetition holds one that matches the same text in several splits."""
    for node in source.nodes(("regex_pattern",)) if source.grammar.parser != "java" else []:
        if is_exponential(node.text()):
            yield stretch(node)
    for call in source.calls:
        if _MADE.search(call.callee) and call.arguments:
            text = source.text(call.arguments[0]).strip()
            if text[:1] in "\"'`" and is_exponential(text[1:-1].replace("\\\\", "\\")):
                yield call.at


@lru_cache(maxsize=2048)
def is_exponential(pattern: str) -> bool:
    """Return whether some text takes time that doubles with each character.

    A loop counts if its body holds a loop, and nothing in the body marks where one round ends:
    every other part is optional, or matches characters that the inner loop matches too. A pattern
    that cannot be read does not count.
    """
    if len(pattern) > MAX_PATTERN or not re.search(r"\)[+*{]", pattern):
        return False
    text = re.sub(r"\(\?<(?=[A-Za-z])", "(?P<", pattern)
    try:
        return _has_loop(parser.parse(text), 0)
    except (re.error, RecursionError, OverflowError, ValueError, FutureWarning, TypeError):
        return False


def _has_loop(items: Any, depth: int) -> bool:
    if depth > MAX_DEPTH:
        return False
    for kind, argument in items:
        if kind in _REPEATS:
            if argument[1] == codes.MAXREPEAT and _is_ambiguous(argument[2], depth):
                return True
            if _has_loop(argument[2], depth + 1):
                return True
        inner = [argument[-1]] if kind is codes.SUBPATTERN else []
        inner = argument[1] if kind is codes.BRANCH else inner
        if any(_has_loop(part, depth + 1) for part in inner):
            return True
    return False


def _is_ambiguous(body: Any, depth: int) -> bool:
    """Return whether a repeated body matches one text in several splits."""
    parts = _opened(body, depth)
    if len(parts) == 1 and parts[0][0] is codes.BRANCH:
        ways = [_opened(way, depth) for way in parts[0][1][1]]
        return any(_is_ambiguous(way, depth + 1) for way in ways) or _overlap(ways)
    if not parts or depth > MAX_DEPTH:
        return False
    for index, (kind, argument) in enumerate(parts):
        if kind not in _REPEATS or argument[1] < 2 or argument[0] == argument[1]:
            continue
        inner = _charset(argument[2], depth)
        others = [part for at, part in enumerate(parts) if at != index and part[0] is not codes.AT]
        needed = [part for part in others if part[0] not in _REPEATS or part[1][0] > 0]
        if inner and all(_charset([part], depth) & inner for part in needed):
            return True
    return len(parts) > 1 and (_meets_itself(parts, depth) or _counts_twice(parts, depth))


def _counts_twice(parts: Sequence[Any], depth: int) -> bool:
    """Return whether the body is one character, once or more: `x|xx`, which is read as `x(|x)`."""
    ways = parts[-1][1][1] if parts[-1][0] is codes.BRANCH else None
    if ways is None or any(kind is not codes.LITERAL for kind, _ in parts[:-1]):
        return False
    is_short = any(not list(way) for way in ways)
    return is_short and len(_charset(parts, depth)) == 1


def _meets_itself(parts: Sequence[Any], depth: int) -> bool:
    """Return whether the body begins and ends with loops over the same characters."""
    ends = [parts[0], parts[-1]]
    if any(kind not in _REPEATS or argument[1] != codes.MAXREPEAT for kind, argument in ends):
        return False
    first, last = (_charset([part], depth) for part in ends)
    return ends[0][1][0] == 0 and ends[1][1][0] == 0 and bool(first & last)


def _overlap(ways: Sequence[Sequence[Any]]) -> bool:
    """Return whether two alternatives of one character each match the same character."""
    single = (codes.LITERAL, codes.IN, codes.ANY, codes.NOT_LITERAL)
    sets = [_charset(way, 0) for way in ways if len(way) == 1 and way[0][0] in single]
    return any(sets[one] & sets[other] for one in range(len(sets)) for other in range(one))


def _opened(body: Any, depth: int) -> list[Any]:
    """Return the parts of a body without the groups that hold all of it."""
    parts = list(body)
    while len(parts) == 1 and parts[0][0] is codes.SUBPATTERN:
        parts = list(parts[0][1][-1])
    return parts


def _charset(items: Any, depth: int) -> frozenset[str]:
    """Return the characters that may stand in what the items match."""
    found: set[str] = set()
    if depth > MAX_DEPTH:
        return frozenset()
    for kind, argument in items:
        if kind is codes.LITERAL:
            found.add(chr(argument))
        elif kind is codes.NOT_LITERAL:
            found.update(set(_ALPHABET) - {chr(argument)})
        elif kind is codes.ANY:
            found.update(set(_ALPHABET) - {"\n"})
        elif kind is codes.IN:
            found |= _class(argument)
        elif kind in _REPEATS:
            found |= _charset(argument[2], depth + 1)
        elif kind is codes.SUBPATTERN:
            found |= _charset(argument[-1], depth + 1)
        elif kind is codes.BRANCH:
            for way in argument[1]:
                found |= _charset(way, depth + 1)
    return frozenset(found)


def _class(items: Any) -> set[str]:
    found: set[str] = set()
    is_negated = False
    for kind, argument in items:
        if kind is codes.NEGATE:
            is_negated = True
        elif kind is codes.LITERAL:
            found.add(chr(argument))
        elif kind is codes.RANGE:
            found.update(char for char in _ALPHABET if argument[0] <= ord(char) <= argument[1])
        elif kind is codes.CATEGORY:
            found.update(re.findall(_CLASSES[argument], _ALPHABET))
    return set(_ALPHABET) - found if is_negated else found
