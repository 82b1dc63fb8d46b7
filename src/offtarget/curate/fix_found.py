"""Repairs that nobody asked to apply: offered for the flagged rows of a finished scan."""

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from offtarget.core.errors import DataError
from offtarget.core.shards import Executor, Progress
from offtarget.curate.decide import flagged
from offtarget.curate.fix import FixedRow, FixTask, Sanitizer
from offtarget.curate.fix_work import FIXES, FixWork, fix_key, run_fixes
from offtarget.curate.inputs import find_inputs, placed_rows
from offtarget.curate.records import ScanConfig, ScanSummary
from offtarget.curate.sanitize import sanitize_many
from offtarget.curate.scan import MakeEngines, make_work
from offtarget.curate.walk import scanned_rows

Place = tuple[str, int]
"""A row: its file and its 1-based number."""


def fix_found(
    paths: Sequence[Path],
    config: ScanConfig,
    folder: Path,
    summary: ScanSummary,
    *,
    places: Collection[Place],
    make_engines: MakeEngines,
    workers: int = 1,
    executor: Executor | None = None,
    sanitizer: Sanitizer = sanitize_many,
    on_progress: Callable[[Progress], None] | None = None,
) -> Iterator[FixedRow]:
    """Return how the flagged rows at `places` would be repaired, in the order of the data.

    The answers are the same for any executor and worker count, and are kept in `folder`: the same
    call goes on where it was stopped.

    Args:
        paths: What was scanned.
        config: How.
        folder: The scan's.
        summary: What it said.
        places: Rows to repair; those without a finding at or above the gate are passed over.
        make_engines: Makes the engines that the config names.
        workers: Processes, if no executor is given.
        executor: Where shards are done.
        sanitizer: Repairs code.
        on_progress: Called after each shard.

    Raises:
        DataError: If the data changed since the scan.
        ResourceError: If an engine is missing or crashes, or a file cannot be written.
    """
    work, _ = make_work(config, make_engines, None)
    return run_fixes(
        _tasks(paths, config, folder, summary, places),
        FixWork(config, make_engines, sanitizer, fix_key(work.key, sanitizer, config.gate)),
        folder / FIXES,
        workers=workers,
        executor=executor,
        on_progress=on_progress,
    )


def _tasks(
    paths: Sequence[Path],
    config: ScanConfig,
    folder: Path,
    summary: ScanSummary,
    places: Collection[Place],
) -> Iterator[FixTask]:
    scans = scanned_rows(folder)
    digests = {file.path: file.sha256 for file in summary.files}
    for taken in find_inputs(paths, plain=config.plain):
        for row in placed_rows(taken, on_bad_row=config.on_bad_row):
            scan = next(scans, None)
            if scan is None or (scan.file, scan.line) != (row.file, row.line):
                raise DataError(f"{row.file}:{row.line}: not the row that was scanned; scan again")
            if (row.file, row.line) in places and (findings := flagged(scan, config.gate)):
                yield FixTask(row.file, row.line, row.messages, findings, row.language)
        if digests.get(taken.label) != taken.sha256:
            raise DataError(f"{taken.label}: changed since it was scanned; scan again")
