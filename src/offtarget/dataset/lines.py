"""Lines of a file with their place, however long, corrupt or forbidden the file is."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from offtarget.core.codec import MAX_LINE_BYTES, open_bytes
from offtarget.core.errors import DataError

READ_ERRORS = (OSError, EOFError, zlib.error)
"""What opening, reading and decompressing can raise."""


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as stored: a value, or the problem that kept it from being one."""

    number: int
    """1-based, the header not counted."""
    place: str
    """File and line; for Parquet, file and row."""
    value: object = None
    text: str = ""
    """The start of the line; empty for tables, whose value says it all."""
    problem: str | None = None


@contextmanager
def opened(path: Path, label: str) -> Iterator[IO[bytes]]:
    """Open `path` for reading, through gzip when its name ends in `.gz`.

    Raises:
        DataError: If the file is missing or forbidden.
    """
    try:
        file = open_bytes(path)
    except OSError as error:
        raise DataError(
            f"{label}: cannot open ({error.strerror}); check the path and permissions"
        ) from error
    with file:
        yield file


def raw_lines(file: IO[bytes], label: str) -> Iterator[bytes]:
    """Yield lines, newline included, cut just above `MAX_LINE_BYTES`; the cut part is skipped.

    Raises:
        DataError: If the file is corrupt or cannot be read on.
    """
    number = 0
    while True:
        number += 1
        try:
            raw = file.readline(MAX_LINE_BYTES + 1)
            rest = raw
            while len(rest) > MAX_LINE_BYTES and not rest.endswith(b"\n"):
                rest = file.readline(MAX_LINE_BYTES + 1)
        except READ_ERRORS as error:
            raise DataError(
                f"{label}:{number}: cannot read on ({error}); fetch the file again"
            ) from error
        if not raw:
            return
        yield raw
