"""Files that appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


def write_whole(path: Path, content: bytes) -> None:
    """Write a file at once: to a temporary name on disk, then renamed; its folder is made.

    Raises:
        OSError: As the system gives it, for the caller to say what was to be written; what stood
            at `path` stands there still.
    """
    with whole_file(path) as file:
        file.write(content)


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file that takes the name `path` when all went well; its folder is made.

    Raises:
        OSError: As `write_whole`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    file = partial.open("wb")
    try:
        yield file
        file.flush()
        os.fsync(file.fileno())
        file.close()
        partial.replace(path)
    finally:
        with suppress(OSError):  # the disk is full: said already
            file.close()
        with suppress(OSError):  # gone when all went well
            partial.unlink(missing_ok=True)
