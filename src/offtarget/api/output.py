"""A file that a user asked for by an option, written."""

from pathlib import Path

from offtarget.core.errors import ResourceError
from offtarget.core.whole_file import write_whole


def write_output(path: Path, content: bytes, *, option: str = "--out") -> None:
    """Write a file, whole or not at all.

    Args:
        path: The file; its folder is made.
        content: What it holds.
        option: Named in the error.

    Raises:
        ResourceError: If it cannot be written.
    """
    try:
        write_whole(path, content)
    except OSError as error:
        raise ResourceError(
            f"{path}: cannot write ({error.strerror}); choose another {option}"
        ) from error
