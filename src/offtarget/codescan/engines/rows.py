"""From the rows and columns that tools report to offsets in the text."""

import re
from bisect import bisect_right

_LINE_END = re.compile(r"\r\n|\r|\n")


class Rows:
    r"""Where the rows of a text start; a row ends with `\n`, `\r` or both, as Python reads it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0, *(end.end() for end in _LINE_END.finditer(text))]

    def offset(self, row: int, column: int) -> int:
        """Return the offset of a 1-based row and a 1-based column in characters.

        Places outside the text give its nearest end.
        """
        start, end = self._bounds(row)
        return min(max(start + column - 1, start), end)

    def offset_of_byte(self, row: int, column: int) -> int:
        """Return the offset of a 1-based row and a 0-based column in UTF-8 bytes."""
        start, end = self._bounds(row)
        line = self._text[start:end]
        if line.isascii():
            return start + min(max(column, 0), len(line))
        before = line.encode("utf-8", "replace")[: max(column, 0)]
        return start + len(before.decode("utf-8", "ignore"))

    def row_of(self, offset: int) -> int:
        """Return the 1-based row that holds an offset."""
        return bisect_right(self._starts, offset)

    def _bounds(self, row: int) -> tuple[int, int]:
        """Return where a row starts and the next one does."""
        if row < 1:
            return 0, 0
        if row > len(self._starts):
            return len(self._text), len(self._text)
        end = self._starts[row] if row < len(self._starts) else len(self._text)
        return self._starts[row - 1], end
