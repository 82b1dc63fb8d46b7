"""A Python snippet as a file that ruff or bandit reads, with a last line that proves the reading.

Such tools step over a file that they cannot read and go on, and a file without findings looks the
same as one that was never read. So each file ends with an `assert`, which the tool must report.
"""

import re
from dataclasses import dataclass

from offtarget.codescan.engines.rows import Rows

_PROOF = "\nassert 0\n"
_PLAIN = "\n\n"
_BLOCK = "\nif 1:\n"
"""Also two lines: indented code parses below it, whatever the indentation of later lines."""
N_HEAD = 2
"""Lines before the snippet. They also keep an encoding comment out of the two lines where it would
be obeyed; the file is UTF-8."""
_INDENTED = re.compile(r"(?:[ \t\f]*+(?:#[^\r\n]*+)?(?:\r\n|\r|\n))*+[ \t]++[^\s#]")
_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class PythonFile:
    """The text of a file, and how to find a place in it again in the snippet."""

    text: str
    code: str
    """The snippet."""
    is_block: bool
    """Whether the snippet is indented as a whole and was put into a block."""
    proof_row: int
    """1-based row of the line that the tool must report."""

    def rows(self) -> "SnippetRows":
        """Return the way from rows of the file to offsets in the snippet."""
        return SnippetRows(self.code)


class SnippetRows:
    """Offsets in a snippet for places in its `PythonFile`."""

    def __init__(self, code: str) -> None:
        self._skipped = len(code) - len(code.removeprefix(_MARK))
        self._rows = Rows(code[self._skipped :])

    def offset(self, row: int, column: int) -> int:
        """Return the offset of a 1-based row and 1-based column in characters."""
        return self._rows.offset(row - N_HEAD, column) + self._skipped

    def offset_of_byte(self, row: int, column: int) -> int:
        """Return the offset of a 1-based row and 0-based column in UTF-8 bytes."""
        return self._rows.offset_of_byte(row - N_HEAD, column) + self._skipped


def python_file(code: str) -> PythonFile:
    """Return the file for a snippet."""
    body = code.removeprefix(_MARK)
    is_block = body[:1] in " \t\f\r\n#" and _INDENTED.match(body) is not None
    text = (_BLOCK if is_block else _PLAIN) + body + _PROOF
    if "\r" in body:
        proof_row = N_HEAD + Rows(body + "\n").row_of(len(body) + 1)
    else:
        proof_row = N_HEAD + body.count("\n") + 2
    return PythonFile(text, code, is_block, proof_row)
