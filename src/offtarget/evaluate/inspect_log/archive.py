"""The ZIP archive that an Inspect log is, read with bounds: its sizes and names are not believed."""

import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from offtarget.core.errors import DataError

MAX_MEMBER_BYTES = 16 * 1024 * 1024
"""Unpacked size of one sample or header; a chat sample has some kilobytes."""
MAX_MEMBERS = 2_000_000
STEP = 4096
"""Packed bytes read at once, so that a bomb unfolds at most this much before it is measured."""


class Archive:
    """An open log. Members are read one at a time, whole, up to `MAX_MEMBER_BYTES`."""

    def __init__(self, file: zipfile.ZipFile, label: str) -> None:
        """Read the names; of a name that is there twice the last holds, as in Inspect."""
        self._file, self._label = file, label
        found = file.infolist()
        if len(found) > MAX_MEMBERS:
            raise DataError(f"{label}: {len(found)} members, at most {MAX_MEMBERS}; split the log")
        self._members = {member.filename: member for member in found}

    def names(self) -> Iterator[str]:
        """Yield the members' names, in the order of the archive."""
        yield from self._members

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def place(self, name: str) -> str:
        """Return what messages call a member."""
        return f"{self._label}:{name}"

    def read(self, name: str) -> dict[str, Any]:
        """Return the JSON object in a member; NaN, which Inspect writes for no score, is kept.

        Raises:
            DataError: With the member's name, if it is torn, too large or no JSON object.
        """
        place = self.place(name)
        try:
            value = json.loads(self._bytes(name))
        except RecursionError as error:
            raise DataError(f"{place}: JSON nested too deep; fetch the log again") from error
        except ValueError as error:  # also what is not UTF-8
            raise DataError(f"{place}: not JSON ({error}); fetch the log again") from error
        if not isinstance(value, dict):
            raise DataError(f"{place}: not a JSON object; this is no log that Inspect wrote")
        return value

    def _bytes(self, name: str) -> bytes:
        place, parts, size = self.place(name), [], 0
        with _explained(place), self._file.open(self._members[name]) as stream:
            while block := stream.read(STEP):
                size += len(block)
                if size > MAX_MEMBER_BYTES:
                    raise DataError(
                        f"{place}: unpacks to more than {MAX_MEMBER_BYTES} bytes; this is no "
                        "log of chat samples, or remove its attachments"
                    )
                parts.append(block)
        return b"".join(parts)


@contextmanager
def open_archive(path: Path, label: str) -> Iterator[Archive]:
    """Open a log. `inspect_ai.log` must have been imported: it teaches `zipfile` zstandard.

    Raises:
        DataError: If there is no such file, or it is no ZIP archive.
    """
    try:
        with _explained(label):
            file = zipfile.ZipFile(path)
    except OSError as error:
        raise DataError(
            f"{label}: cannot open ({error.strerror}); check the path and permissions"
        ) from error
    with file:
        yield Archive(file, label)


@contextmanager
def _explained(place: str) -> Iterator[None]:
    from zstandard import ZstdError

    broken = (
        zipfile.BadZipFile, zlib.error, ZstdError, EOFError, NotImplementedError, RuntimeError,
        ValueError,
    )  # fmt: skip
    try:
        yield
    except broken as error:
        what = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(
            f"{place}: not a readable .eval archive ({what}); fetch it again"
        ) from error
