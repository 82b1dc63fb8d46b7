"""Snippets as files in a private folder, where an external tool can read them."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from offtarget.core.errors import ResourceError

_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder made there is private
_SPARE_BYTES = 256 * 1024 * 1024
"""What must stay free in memory-backed storage after the files are written twice over."""


@contextlib.contextmanager
def private_folder(size_bytes: int) -> Iterator[Path]:
    """Make a folder that only this user can read, for files of that size; remove it afterwards.

    It lies in memory where there is room, because writing a thousand small files costs three
    times less there.

    Raises:
        ResourceError: If no folder can be made.
    """
    root = _IN_MEMORY if _has_room(_IN_MEMORY, 2 * size_bytes + _SPARE_BYTES) else None
    try:
        folder = Path(tempfile.mkdtemp(prefix="offtarget-", dir=root))  # mode 0700
    except OSError as problem:
        raise ResourceError(
            f"no temporary folder for the snippets ({problem.strerror}); set TMPDIR to a folder "
            "that can be written"
        ) from problem
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_files(folder: Path, named: Sequence[tuple[str, str]]) -> None:
    """Write each text to the file of that name, as UTF-8; a character without UTF-8 becomes `?`.

    Raises:
        ResourceError: If the disk is full.
    """
    place = f"{folder}{os.sep}"
    try:
        for name, text in named:
            file = os.open(place + name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                _write_all(file, text.encode("utf-8", "replace"))
            finally:
                os.close(file)
    except OSError as problem:
        raise ResourceError(
            f"{folder.parent}: cannot write snippets for an engine ({problem.strerror}); free "
            "space there"
        ) from problem


def _write_all(file: int, content: bytes) -> None:
    """Write all of `content`; a system call may take only a part."""
    written = os.write(file, content)
    while written < len(content):
        written += os.write(file, memoryview(content)[written:])


def _has_room(folder: Path, size_bytes: int) -> bool:
    """Return whether a folder exists, can be written and has that much free."""
    try:
        status = os.statvfs(folder)
    except (OSError, AttributeError):
        return False
    return status.f_bavail * status.f_frsize > size_bytes and os.access(folder, os.W_OK)
