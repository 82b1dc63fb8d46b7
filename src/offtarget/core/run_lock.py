"""One command at a time in a run directory."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from offtarget.core.errors import ConfigError, ResourceError

LOCK_FILE = "lock"
"""In the run directory and empty; held while a command works there."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other commands from writing to the same run; a kill gives the lock back.

    The folder is made. If nothing but the lock is in it at the end, both are removed again.

    Args:
        folder: The run directory.

    Raises:
        ConfigError: If another command holds it.
        ResourceError: If the folder cannot be written.
    """
    with _opened(folder) as file:
        try:
            _hold(file.fileno())
        except BlockingIOError as error:
            raise ConfigError(
                f"{folder}: another command is at work in this run; wait for it or choose another "
                "--out"
            ) from error
        try:
            yield
        finally:
            if [one.name for one in folder.iterdir()] == [LOCK_FILE]:
                with suppress(OSError):
                    (folder / LOCK_FILE).unlink()
                    folder.rmdir()


def _opened(folder: Path) -> IO[bytes]:
    path = folder / LOCK_FILE
    try:
        if not folder.exists():
            folder.mkdir(parents=True, exist_ok=True)
        return path.open("ab")
    except OSError as error:
        raise ResourceError(
            f"cannot write run directory {str(folder)!r} ({error.strerror}); choose another --out"
        ) from error


def _hold(descriptor: int) -> None:
    try:
        import fcntl
    except ImportError:  # no such lock on Windows: two commands there are the user's care
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # nor on some network file systems
        return
