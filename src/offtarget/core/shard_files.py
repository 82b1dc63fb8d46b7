"""The files of finished shards: each appears whole or not at all, and knows what it was made of."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from offtarget.core.codec import canonical
from offtarget.core.errors import DataError, ResourceError

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a shard."""

    index: int
    sha256: str
    """Of the shard's rows."""
    lines: tuple[bytes, ...]
    """One a row, in order, without line breaks."""
    n_lost: int
    """Rows that no worker could finish; their lines say why."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a shard's file holds."""

    key: str
    sha256: str
    n_lost: int
    lines: list[bytes]


def write_shard(directory: Path, done: Done, key: str) -> None:
    """Write the file of a shard, at once.

    Raises:
        ResourceError: If it cannot be written.
    """
    body = b"".join(line + b"\n" for line in done.lines)
    header = _Header(SCHEMA, key, done.sha256, done.n_lost, hashlib.sha256(body).hexdigest())
    path = _file(directory, done.index)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")  # two parts may share a directory
    try:
        directory.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_bytes(canonical(header) + b"\n" + body)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise ResourceError(
            f"cannot write {path.name!r} in {str(directory)!r} ({error.strerror}); free disk space "
            "or fix permissions and run the same command again, finished shards are kept"
        ) from error


def read_shard(directory: Path, index: int) -> Stored | None:
    """Return what a shard's file holds, or None if it is missing, damaged or of another schema."""
    try:
        head, _, body = _file(directory, index).read_bytes().partition(b"\n")
        header = msgspec.json.decode(head, type=_Header)
    except (OSError, msgspec.DecodeError):
        return None
    if header.schema != SCHEMA or hashlib.sha256(body).hexdigest() != header.body_sha256:
        return None
    lines = body.split(b"\n")
    return Stored(header.key, header.sha256, header.n_lost, lines[:-1])


def read_shards(directory: Path, n_shards: int) -> Iterator[bytes]:
    """Yield the lines of shards 0 to `n_shards` - 1, in order.

    Raises:
        DataError: If a shard's file is missing or damaged.
    """
    for index in range(n_shards):
        stored = read_shard(directory, index)
        if stored is None:
            raise DataError(
                f"{_file(directory, index).name}: missing or damaged; run the same command again"
            )
        yield from stored.lines


def drop_stale(directory: Path, n_shards: int) -> None:
    """Remove what other inputs and killed passes left in `directory`; never while another runs."""
    kept = {_file(directory, index).name for index in range(n_shards)}
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        if path.suffix in {".shard", ".part"} and path.name not in kept:
            path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Header:
    """First line of a shard's file."""

    schema: int
    key: str
    sha256: str
    n_lost: int
    body_sha256: str


def _file(directory: Path, index: int) -> Path:
    return directory / f"{index:06d}.shard"
