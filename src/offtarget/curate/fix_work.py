"""Repairs in shards: done by workers that may be killed, once each, and found again later."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from offtarget.codescan.engine import Engine
from offtarget.core.codec import canonical, digest
from offtarget.core.finding import Severity
from offtarget.core.isolate import MIB, Limits
from offtarget.core.shard_files import drop_stale, read_shards
from offtarget.core.shards import MAX_BYTES, Executor, Progress, Shard, make_shard, run_shards
from offtarget.core.workers import LocalExecutor
from offtarget.curate.fix import FixedRow, FixTask, Sanitizer, fix_rows
from offtarget.curate.records import ScanConfig
from offtarget.curate.sanitize import FixStatus
from offtarget.curate.scan import MakeEngines

FIXES = "fixes"
"""Folder of finished shards below the scan's."""
SHARD_ROWS = 64
"""A repair costs some scans of a row: smaller shards than a scan's."""
NEXT_ROW_TIMEOUT_S = 1.0
"""Processor time that each further row of a shard adds."""


@dataclass
class FixWork:
    """What a worker does to flagged rows."""

    config: ScanConfig
    make_engines: MakeEngines
    sanitizer: Sanitizer
    key: str
    _engines: Sequence[Engine] = field(default=(), repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return FixWork, (self.config, self.make_engines, self.sanitizer, self.key)

    def prepare(self) -> None:
        """Make the engines; they cannot travel between processes."""
        self._engines = self.make_engines(self.config)

    def __call__(self, rows: Sequence[bytes]) -> list[bytes]:
        """Return one `FixedRow` a row as canonical JSON."""
        decoder = msgspec.json.Decoder(FixTask)
        tasks = [decoder.decode(row) for row in rows]
        fixed = fix_rows(tasks, self._engines, self.sanitizer, self.config)
        return [canonical(row) for row in fixed]

    def lost(self, row: bytes, reason: str) -> bytes:
        """Return the record of a row that no worker could finish."""
        task = msgspec.json.decode(row, type=FixTask)
        return canonical(FixedRow(task.file, task.line, FixStatus.NOT_FIXABLE, reason=reason))


def run_fixes(
    tasks: Iterable[FixTask],
    work: FixWork,
    folder: Path,
    *,
    workers: int,
    executor: Executor | None,
    on_progress: Callable[[Progress], None] | None,
) -> Iterator[FixedRow]:
    """Repair every row that `folder` does not hold yet; return all of them, in order.

    Raises:
        ResourceError: If a file cannot be written, or too many rows are lost.
        OfftargetError: What the engines and the reading of `tasks` raise.
    """
    limits = Limits(
        row_timeout_s=work.config.row_timeout_s,
        next_row_timeout_s=NEXT_ROW_TIMEOUT_S,
        memory_bytes=work.config.memory_mib * MIB,
    )
    with ExitStack() as stack:
        if executor is None:
            executor = stack.enter_context(LocalExecutor(workers, limits=limits))
        done = run_shards(
            _shards(tasks), work, executor=executor, directory=folder, on_progress=on_progress
        )
    drop_stale(folder, done.n_shards)
    decoder = msgspec.json.Decoder(FixedRow)
    return (decoder.decode(line) for line in read_shards(folder, done.n_shards))


def stored_fixes(folder: Path) -> Iterator[FixedRow]:
    """Yield the repairs that a finished pass left in `folder`, in order.

    Raises:
        DataError: If a shard's file is missing or damaged.
    """
    decoder = msgspec.json.Decoder(FixedRow)
    for line in read_shards(folder, len(list(folder.glob("*.shard")))):
        yield decoder.decode(line)


def fix_key(work_key: str, sanitizer: Sanitizer, gate: Severity) -> str:
    """Return the key of the repairs that follow a scan of key `work_key`."""
    name = [getattr(sanitizer, part, "") for part in ("__module__", "__qualname__")]
    return digest([work_key, name, gate])


def _shards(tasks: Iterable[FixTask]) -> Iterator[Shard]:
    encode = msgspec.json.Encoder().encode
    index = size = 0
    block: list[bytes] = []
    for task in tasks:
        row = encode(task)
        if block and (len(block) == SHARD_ROWS or size + len(row) > MAX_BYTES):
            yield make_shard(index, block)
            index, block, size = index + 1, [], 0
        block.append(row)
        size += len(row)
    if block:
        yield make_shard(index, block)
