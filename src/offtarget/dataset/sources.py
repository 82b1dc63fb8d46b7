"""Which files a data set is read from, and what they are called in ids and errors."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from offtarget.core.errors import DataError
from offtarget.dataset.containers import CONTAINERS, container_of


@dataclass(frozen=True, slots=True)
class Source:
    """A file and the name it goes by."""

    path: Path
    label: str


def find_sources(paths: Sequence[Path]) -> list[Source]:
    """Return the data files that `paths` name, directories searched, in a fixed order.

    A file goes by its name; files of one name go by their path below the common parent.

    Raises:
        DataError: If there is no path, a path is unfit, a directory holds no data file, or a file
            is named twice.
    """
    if not paths:
        raise DataError("no paths; name at least one file or directory")
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files.extend(_files_below(path))
        else:
            check_file(path, path.name)
            files.append(path)
    resolved = [path.resolve() for path in files]
    twice, n_times = Counter(resolved).most_common(1)[0]
    if n_times > 1:
        raise DataError(f"{twice.name}: given twice; name each file once")
    counts = Counter(path.name for path in files)
    parent = Path(os.path.commonpath([path.parent for path in resolved]))
    return [
        Source(
            path,
            clean_name(
                path.name if counts[path.name] == 1 else full.relative_to(parent).as_posix()
            ),
        )
        for path, full in zip(files, resolved, strict=True)
    ]


def _files_below(folder: Path) -> list[Path]:
    found = sorted(
        path
        for path in folder.rglob("*")
        if container_of(path) is not None
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    if not found:
        raise DataError(
            f"{folder.name}: no data files in it; put files of {', '.join(CONTAINERS)} there"
        )
    return found


def check_file(path: Path, label: str) -> None:
    """Raise DataError unless `path` is a regular file of a known ending."""
    try:
        path.stat()
    except OSError as error:
        raise DataError(
            f"{label}: cannot open ({error.strerror}); check the path and permissions"
        ) from error
    if not path.is_file():
        raise DataError(f"{label}: not a regular file; give a file, or load the directory")
    if container_of(path) is None:
        raise DataError(
            f"{label}: unknown file ending; use one of {', '.join(CONTAINERS)} or convert the file"
        )


def set_name(paths: Sequence[Path]) -> str:
    """Return the name of the data set read from `paths`: the first one's, and how many follow."""
    first = paths[0].resolve().name
    ending = max((end for end in CONTAINERS if first.lower().endswith(end)), key=len, default="")
    stem = clean_name(first[: len(first) - len(ending)])
    return stem if len(paths) == 1 else f"{stem}+{len(paths) - 1}"


def clean_name(name: str) -> str:
    """Return a file name without the stand-ins for bytes that are not UTF-8."""
    return os.fsencode(name).decode("utf-8", "replace")
