"""Where a message's text stands inside its row of a JSONL file."""

import json
import re
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL
)
_LONGEST_ESCAPE = 12
"""Characters in the row for one in the text: two `\\uXXXX` for one outside the basic plane."""


@dataclass(frozen=True, slots=True)
class RowText:
    """The JSON string of a row that holds a message's text."""

    begin: int
    """Offset in the row of the first character after the quote."""
    escapes: Sequence[int]
    """Offsets in the text of the characters that are written as an escape, ascending."""
    ends: Sequence[int]
    """Of each of them, where its escape ends, counted from `begin`."""

    def column(self, offset: int) -> int:
        """Return the 1-based column in the row of the character at `offset` of the text."""
        n_before = bisect_left(self.escapes, offset)
        inside = offset
        if n_before:
            inside = self.ends[n_before - 1] + offset - self.escapes[n_before - 1] - 1
        return self.begin + inside + 1


@lru_cache(maxsize=4)  # a row may hold thousands of findings, with edits of several messages
def find_in_row(row: str, text: str) -> RowText | None:
    """Return where `text` stands in `row`, or None where that is not certain.

    It is not if no string of the row reads as `text` (the reader put the message together from
    several fields), or if more than one does.
    """
    found: re.Match[str] | None = None
    at = row.find('"')
    while at >= 0:
        token = _STRING.match(row, at)
        if token is None:
            return None  # the row is not JSON
        if _reads_as(token.group(), text):
            if found is not None:
                return None
            found = token
        at = row.find('"', token.end())
    return None if found is None else _row_text(row, found.start() + 1, found.end() - 1)


def escaped(text: str) -> str:
    """Return `text` as it is written inside a JSON string."""
    return json.dumps(text)[1:-1]


def _reads_as(token: str, text: str) -> bool:
    size = len(token) - 2
    if not len(text) <= size <= _LONGEST_ESCAPE * len(text):
        return False
    if "\\" not in token:
        return token[1:-1] == text
    try:
        return bool(json.loads(token, strict=False) == text)
    except ValueError:
        return False


def _row_text(row: str, begin: int, end: int) -> RowText:
    escapes, ends = array("Q"), array("Q")
    surplus = 0
    for escape in _ESCAPE.finditer(row, begin, end):
        escapes.append(escape.start() - begin - surplus)
        ends.append(escape.end() - begin)
        surplus += escape.end() - escape.start() - 1
    return RowText(begin, escapes, ends)
