"""Work in shards: blocks of rows cut the same way for any number of workers, done once each."""

import hashlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from offtarget.core.errors import ConfigError, ResourceError
from offtarget.core.shard_files import Done, read_shard, write_shard

MAX_ROWS = 512
"""Rows in a shard: few enough to be done again in seconds, enough to pay for a tool's start."""
MAX_BYTES = 4 * 1024 * 1024
"""Bytes in a shard; a larger row stands alone."""
MAX_LOST = 1000
"""More lost rows than this are no exceptions: the pass fails."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A contiguous block of one file's rows: the unit of work, of retries and of resuming."""

    index: int
    rows: tuple[bytes, ...]
    sha256: str
    """Of the rows and their lengths."""


class Work(Protocol):
    """What is done to rows. It is sent to worker processes, so it must pickle; rows never do.

    The line of a row must depend on that row alone, not on its neighbors in the shard.
    """

    @property
    def key(self) -> str:
        """Digest of everything but the row that decides its line; another key, another result."""

    def prepare(self) -> None:
        """Load what is heavy, once a worker, before any row's time limit runs."""

    def __call__(self, rows: Sequence[bytes]) -> list[bytes]:
        """Return one line a row. No rows is a probe that the work itself is sound."""

    def lost(self, row: bytes, reason: str) -> bytes:
        """Return the line of a row that no worker could finish; called in the parent process."""


class Executor(Protocol):
    """Where shards are done: in processes of this machine, or of a cluster."""

    def map(self, shards: Iterable[Shard], work: Work) -> Generator[Done, None, None]:
        """Yield each shard's outcome as it is done, in any order; read `shards` as needed.

        Raises:
            OfftargetError: If the work fails without any row.
        """


@dataclass(frozen=True, slots=True)
class Part:
    """One share of the shards, for a batch system: `2/8` is the second of eight."""

    number: int
    of: int

    def __contains__(self, index: int) -> bool:
        return index % self.of == self.number - 1


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pass over the shards is."""

    n_shards: int = 0
    n_rows: int = 0
    n_lost: int = 0
    n_resumed: int = 0
    """Shards that an earlier pass had finished."""
    n_elsewhere: int = 0
    """Shards of other parts, neither done nor looked for."""


def parse_part(text: str) -> Part:
    """Return the part that `i/n` names.

    Raises:
        ConfigError: If it is not two whole numbers with 1 <= i <= n.
    """
    number, _, of = text.partition("/")
    if number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of):
        return Part(int(number), int(of))
    raise ConfigError(f"shard {text!r} is not i/n; write the part and the number of parts, 2/8")


def cut_shards(files: Iterable[Iterable[bytes]]) -> Iterator[Shard]:
    """Yield the rows of each file in shards of at most `MAX_ROWS` and `MAX_BYTES`, in order.

    Rows are read as shards are asked for; no shard holds rows of two files.
    """
    index = 0
    for rows in files:
        block: list[bytes] = []
        size = 0
        for row in rows:
            if block and (len(block) == MAX_ROWS or size + len(row) > MAX_BYTES):
                yield make_shard(index, block)
                index, block, size = index + 1, [], 0
            block.append(row)
            size += len(row)
        if block:
            yield make_shard(index, block)
            index += 1


def make_shard(index: int, rows: Sequence[bytes]) -> Shard:
    """Return a shard with its digest."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(len(row).to_bytes(8, "little"))
        digest.update(row)
    return Shard(index, tuple(rows), digest.hexdigest())


def run_shards(
    shards: Iterable[Shard],
    work: Work,
    *,
    executor: Executor,
    directory: Path,
    part: Part | None = None,
    max_lost: int = MAX_LOST,
    on_progress: Callable[[Progress], None] | None = None,
) -> Progress:
    """Do every shard that `directory` does not hold yet; return how many there are.

    A shard's file appears whole or not at all, whatever is killed meanwhile; the next pass with the
    same rows and the same work key goes on from there. At most a few shards are held in memory.

    Args:
        shards: As `cut_shards` gives them.
        work: What to do to them.
        executor: Where.
        directory: Holds one file a shard; made if missing.
        part: Do only these; a later pass without `part` finds the files of all of them.
        max_lost: Fail when more rows than this are lost.
        on_progress: Called after each shard.

    Raises:
        ResourceError: If a file cannot be written, or too many rows are lost.
        OfftargetError: What `executor` and the reading of `shards` raise.
    """
    progress = Progress()

    def count(n_rows: int, n_lost: int, *, n_resumed: int) -> None:
        nonlocal progress
        progress = replace(
            progress,
            n_shards=progress.n_shards + 1,
            n_rows=progress.n_rows + n_rows,
            n_lost=progress.n_lost + n_lost,
            n_resumed=progress.n_resumed + n_resumed,
        )
        if on_progress is not None:
            on_progress(progress)

    def missing() -> Iterator[Shard]:
        nonlocal progress
        for shard in shards:
            if part is not None and shard.index not in part:
                progress = replace(progress, n_elsewhere=progress.n_elsewhere + 1)
                continue
            stored = read_shard(directory, shard.index)
            if stored is None or (stored.sha256, stored.key) != (shard.sha256, work.key):
                yield shard
                continue
            count(len(stored.lines), stored.n_lost, n_resumed=1)

    with closing(executor.map(missing(), work)) as outcomes:
        for done in outcomes:
            if progress.n_lost + done.n_lost > max_lost:
                raise ResourceError(
                    f"more than {max_lost} rows could not be read (last: shard {done.index}); "
                    "allow more time or memory a row, or use fewer engines"
                )
            write_shard(directory, done, work.key)
            count(len(done.lines), done.n_lost, n_resumed=0)
    return progress
