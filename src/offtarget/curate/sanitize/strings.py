"""String literals as they are spelled: their parts, and the holes of f-strings, by offset."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_OPENING = re.compile(r"([A-Za-z]{0,3})(\"\"\"|'''|\"|')")
_GAP = re.compile(r"(?:\s|\\\r?\n|#[^\n]*)*")


@dataclass(frozen=True, slots=True)
class Hole:
    """A replacement field of an f-string; all offsets are absolute."""

    start: int
    """Of the brace."""
    end: int
    """After the closing brace."""
    expression: tuple[int, int]
    suffix: str
    """Conversion and format: `!r:>10`; empty for none."""


@dataclass(frozen=True, slots=True)
class Part:
    """One literal of an implicit concatenation; all offsets are absolute."""

    start: int
    end: int
    prefix: str
    quote: str
    holes: tuple[Hole, ...] = field(default=())

    @property
    def body(self) -> tuple[int, int]:
        """Where the text between the quotes stands."""
        return self.start + len(self.prefix) + len(self.quote), self.end - len(self.quote)

    @property
    def is_formatted(self) -> bool:
        """True for f-strings."""
        return "f" in self.prefix.lower()


def parts_of(code: str, start: int, end: int) -> tuple[Part, ...] | None:
    """Return the literals that a string expression is spelled with; None if it is anything else."""
    parts: list[Part] = []
    position = start
    while position < end:
        opening = _OPENING.match(code, position, end)
        if opening is None:
            return None
        close = _close(code, opening.end(), end, opening[2])
        if close is None:
            return None
        part = Part(position, close, opening[1], opening[2])
        if part.is_formatted:
            holes = _holes(code, *part.body)
            if holes is None:
                return None
            part = Part(position, close, opening[1], opening[2], holes)
        parts.append(part)
        gap = _GAP.match(code, close, end)
        position = gap.end() if gap else close
    return tuple(parts)


def _close(code: str, position: int, end: int, quote: str) -> int | None:
    while position < end:
        if code[position] == "\\":
            position += 2
        elif code.startswith(quote, position):
            return position + len(quote)
        else:
            position += 1
    return None


def _holes(code: str, start: int, end: int) -> tuple[Hole, ...] | None:
    holes = []
    position = start
    while position < end:
        character = code[position]
        if character in "{}" and code[position : position + 2] == character * 2:
            position += 2
        elif character == "{":
            hole = _hole(code, position, end)
            if hole is None:
                return None
            holes.append(hole)
            position = hole.end
        else:
            position += 1
    return tuple(holes)


def _hole(code: str, start: int, end: int) -> Hole | None:
    """Return the field that starts at a brace; `{x=}` and nested formats are not read."""
    depth = 0
    position = start + 1
    while position < end:
        character = code[position]
        if character in "\"'":
            quote = code[position : position + 3]
            quote = quote if quote in ('"""', "'''") else character
            close = _close(code, position + len(quote), end, quote)
            if close is None:
                return None
            position = close
            continue
        if character in "([{":
            depth += 1
        elif character in ")]" or (character == "}" and depth):
            depth -= 1
        elif not depth and (
            character in ":}" or (character == "!" and code[position + 1 : position + 2] != "=")
        ):
            break
        position += 1
    close = code.find("}", position, end)
    if close < 0 or "{" in code[position:close] or code[start + 1 : position].rstrip()[-1:] == "=":
        return None
    text = code[start + 1 : position]
    first = start + 1 + len(text) - len(text.lstrip())
    return Hole(start, close + 1, (first, first + len(text.strip())), code[position:close])


def unbraced(code: str, part: Part) -> Iterator[tuple[int, int, str]]:
    """Yield the changes that make an f-string without its holes a plain string.

    Doubled braces become single ones, and the `f` goes; what becomes of the holes is for the
    caller to say.
    """
    if not part.is_formatted:
        return
    prefix = part.prefix.replace("f", "").replace("F", "")
    yield part.start, part.start + len(part.prefix), prefix
    ends = {hole.start: hole.end for hole in part.holes}
    position, end = part.body
    while position < end:
        if position in ends:
            position = ends[position]
        elif code[position : position + 2] in ("{{", "}}"):
            yield position, position + 2, code[position]
            position += 2
        else:
            position += 1
