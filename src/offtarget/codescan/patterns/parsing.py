"""Snippets to syntax trees, without running anything and without unbounded work."""

import re
from dataclasses import dataclass

from ast_grep_py import SgNode, SgRoot

from offtarget.codescan.patterns.grammar import GRAMMARS
from offtarget.codescan.patterns.source import Source, stretch

MAX_CHARS = 400_000
"""A longer snippet is not code that a person wrote; only text patterns are tried."""
MAX_NESTING = 250
"""Brackets inside brackets; work on a tree grows with depth times nodes."""
_BRACKET = re.compile(r"[(\[{]|[)\]}]")
_UNTYPED = re.compile(
    r"\s*(?!(?:if|for|while|switch|do)\b)[A-Za-z_]\w*\s*\([^;{}]*\)[^;{}()]{0,80}\{"
)
"""A C function whose return type stood on the line before, and was cut off."""
_TYPE = "int "
_TAG = re.compile(r"<\?(?:php\b|=)?|\?>")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A source, and how much of it the parser could not place."""

    source: Source
    error_rate: float
    """Share of the characters inside error nodes, in [0, 1]."""
    shift: int = 0
    """Characters put before the code to make it parse; offsets are too large by this."""


def parse(code: str, language: str) -> Parsed | None:
    """Return the parsed snippet, or None where it is too long or too deep to parse."""
    if len(code) > MAX_CHARS or _nesting(code) > MAX_NESTING:
        return None
    text = code.encode("utf-8", "replace").decode("utf-8") if not code.isascii() else code
    if language == "php":
        text = _only_php(text)
    parser = GRAMMARS[language].parser
    if parser in ("c", "cpp") and _UNTYPED.match(text):
        parsed = _parse(_TYPE + text, language, parser)
        return Parsed(parsed.source, parsed.error_rate, shift=len(_TYPE))
    parsed = _parse(text, language, parser)
    if language == "typescript" and parsed.error_rate > 0 and "</" in code:
        with_tags = _parse(text, language, "tsx")
        return min(parsed, with_tags, key=lambda one: one.error_rate)
    return parsed


def _parse(text: str, language: str, parser: str) -> Parsed:
    root = SgRoot(text, parser).root()
    source = Source(text, language, root)
    return Parsed(source, _error_rate(source.errors, len(text)))


def _error_rate(errors: list[SgNode], size: int) -> float:
    covered = last = 0
    for node in errors:
        at = stretch(node)
        if at.start >= last and at.end - at.start < size:  # a root of errors says nothing
            covered += at.end - at.start
            last = at.end
    return max(covered, 1 if errors else 0) / max(size, 1)


def _nesting(code: str) -> int:
    depth = deepest = 0
    for match in _BRACKET.finditer(code):
        depth = depth + 1 if match[0] in "([{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


def _only_php(code: str) -> str:
    """Return the code with everything outside PHP tags blanked, same length."""
    tags = list(_TAG.finditer(code))
    if not tags:
        return code
    pieces: list[str] = []
    is_code, last = tags[0][0] == "?>", 0
    for tag in tags:
        before = code[last : tag.start()]
        pieces.append(before if is_code else re.sub(r"[^\n]", " ", before))
        if tag[0] == "?>":
            pieces.append("; ")
        else:  # `<?= x ?>` prints x; an assignment of the same length can be matched
            pieces.append("$_=" if tag[0] == "<?=" else " " * len(tag[0]))
        is_code, last = tag[0] != "?>", tag.end()
    rest = code[last:]
    return "".join([*pieces, rest if is_code else re.sub(r"[^\n]", " ", rest)])
