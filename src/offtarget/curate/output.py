"""Large files that are written line by line and still appear whole or not at all."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from offtarget.core.errors import ResourceError
from offtarget.core.whole_file import whole_file


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file that takes the name `path` when all went well.

    Raises:
        ResourceError: If it cannot be opened, finished or renamed; write inside `explained` so that
            a disk that fills meanwhile is said in the same words.
    """
    with ExitStack() as stack:
        with explained(path.parent):
            file = stack.enter_context(whole_file(path))
        yield file
        with explained(path.parent):
            stack.close()


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn what the system says of a failed write to `folder` into a ResourceError."""
    try:
        yield
    except OSError as error:
        raise ResourceError(
            f"cannot write to {str(folder)!r} ({error.strerror}); free disk space or fix "
            "permissions and run the same command again, finished shards are kept"
        ) from error
