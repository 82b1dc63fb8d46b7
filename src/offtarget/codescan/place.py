"""Lines of repaired code that remember where in the original each of their characters stands."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

_END = re.compile(r"\r\n|\r|\n")


class Line(NamedTuple):
    """One line of the text that is parsed, without its line end."""

    text: str
    start: int
    """Offset in the original of the first character after the padding."""
    pad: int = 0
    """How many characters at the beginning of `text` do not stand in the original."""

    def cut(self, count: int) -> "Line":
        """Return the line without its first `count` characters."""
        left = max(0, count - self.pad)
        return Line(self.text[count:], self.start + left, max(0, self.pad - count))

    @property
    def indent(self) -> int:
        """How many blanks the line starts with; a tab counts as one."""
        return len(self.text) - len(self.text.lstrip(" \t\f"))


def lines_of(code: str) -> list[Line]:
    r"""Return the lines as Python counts them: ended by `\n`, `\r` or both, and nothing else."""
    lines = []
    start = 0
    for end in _END.finditer(code):
        lines.append(Line(code[start : end.start()], start))
        start = end.end()
    lines.append(Line(code[start:], start))
    return lines


def text_of(lines: Sequence[Line]) -> str:
    """Return the text that is parsed."""
    return "\n".join(line.text for line in lines) + "\n"


def added(text: str, start: int) -> Line:
    """Return a line that does not stand in the original; its positions all map to `start`."""
    return Line(text, start, len(text))


class Places:
    """The way back from the parsed text to the original; builds what it needs on first use."""

    def __init__(self, lines: Sequence[Line]) -> None:
        """Remember the lines that were parsed."""
        self._lines = lines
        self._bytes: dict[int, list[int]] = {}

    def offset(self, line: int, column: int) -> int:
        """Return the offset in the original of a 1-based line and a UTF-8 byte column."""
        if not 1 <= line <= len(self._lines):
            last = self._lines[-1]
            return 0 if line < 1 else last.start + len(last.text) - last.pad
        place = self._lines[line - 1]
        if place.text.isascii():
            character = min(column, len(place.text))
        else:
            character = bisect_right(self._sizes(line - 1), column) - 1
        return place.start + max(0, character - place.pad)

    def _sizes(self, number: int) -> list[int]:
        """Return for each character of a line the byte at which it begins."""
        if number not in self._bytes:
            sizes = utf8_sizes(self._lines[number].text)
            self._bytes[number] = list(accumulate(sizes, initial=0))
        return self._bytes[number]


def utf8_sizes(text: str) -> Iterator[int]:
    """Yield how many bytes each character takes in UTF-8."""
    for character in text:
        yield 1 + (character > "\x7f") + (character > "\u07ff") + (character > "\uffff")
