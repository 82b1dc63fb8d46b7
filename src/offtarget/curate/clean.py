"""Make data sets safe to train on: scan, decide, repair, and write every sample to its place."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from offtarget.core.codec import digest, file_digest
from offtarget.core.errors import ConfigError, DataError
from offtarget.core.shards import Executor, Progress
from offtarget.curate.clean_files import CleanFiles, CleanSummary, check_places, finished
from offtarget.curate.clean_output import write_clean
from offtarget.curate.decide import CleanConfig, Policy, decide
from offtarget.curate.fix import FixedRow, FixTask, Sanitizer
from offtarget.curate.fix_work import FIXES, FixWork, fix_key, run_fixes
from offtarget.curate.ledger import SampleState
from offtarget.curate.rewrite import sample_in
from offtarget.curate.sanitize import sanitize_many
from offtarget.curate.scan import MakeEngines, make_work, scan
from offtarget.curate.walk import ScannedFile, walk
from offtarget.dataset.sources import Source, find_sources


def clean(
    paths: Sequence[Path],
    config: CleanConfig,
    out: Path,
    *,
    make_engines: MakeEngines,
    workers: int = 1,
    executor: Executor | None = None,
    cache: Path | None = None,
    sanitizer: Sanitizer = sanitize_many,
    on_progress: Callable[[Progress], None] | None = None,
) -> CleanSummary:
    """Write cleaned data to `out`; what became of every sample stands in the files next to it.

    Order is kept; rows that are not rewritten are copied byte by byte (in Parquet, value by value);
    several inputs go to `out` one after the other. A cleaning that was stopped goes on where it was
    when it is run again. The files are the same bytes for any executor and worker count.

    Args:
        paths: Data sets of one format, shape and set of columns.
        config: What to do with flagged samples.
        out: A file of the inputs' format; see `CleanFiles` for what is written next to it.
        make_engines: Makes the engines that the config names.
        workers: Processes, if no executor is given.
        executor: Where shards are done.
        cache: Folder of answers of earlier scans; None for none.
        sanitizer: Repairs code.
        on_progress: Called after each shard, of the scan first, then of the repairs.

    Raises:
        ConfigError: If `out` does not fit the inputs, or exists and is not what this would write.
        DataError: As `scan`; if an input changes meanwhile; if the inputs do not fit into one file.
        ResourceError: If an engine is missing or crashes, or the output cannot be written.
    """
    if config.scan.plain:
        raise ConfigError("source files cannot be cleaned; give a data set")
    files, sources = CleanFiles(out), find_sources(paths)
    check_places(paths, sources, files)
    work, _ = make_work(config.scan, make_engines, cache)
    key = fix_key(work.key, sanitizer, config.scan.gate)
    if os.path.lexists(out):
        return finished(files, _full_key(key, config, _digests(sources)))
    scanned = scan(
        paths,
        config.scan,
        files.scan,
        make_engines=make_engines,
        workers=workers,
        executor=executor,
        cache=cache,
        on_progress=on_progress,
    )
    pairs = zip(sources, scanned.files, strict=True)
    inputs = [ScannedFile(source, file.sha256, file.n_samples) for source, file in pairs]
    fix = FixWork(config.scan, make_engines, sanitizer, key)
    fixed = _fixed(inputs, config, files, fix, workers, executor, on_progress)
    full_key = _full_key(key, config, [file.sha256 for file in inputs])
    walked = walk(inputs, files.scan)
    return write_clean(walked, fixed, config, files, scanned=scanned, key=full_key)


def _fixed(
    inputs: Sequence[ScannedFile],
    config: CleanConfig,
    files: CleanFiles,
    work: FixWork,
    workers: int,
    executor: Executor | None,
    on_progress: Callable[[Progress], None] | None,
) -> Iterator[FixedRow]:
    """Return the repairs of the rows to sanitize, in order."""
    if config.policy is not Policy.SANITIZE:
        return iter(())
    return run_fixes(
        _tasks(inputs, config, files.scan),
        work,
        files.scan / FIXES,
        workers=workers,
        executor=executor,
        on_progress=on_progress,
    )


def _tasks(inputs: Sequence[ScannedFile], config: CleanConfig, folder: Path) -> Iterator[FixTask]:
    """Yield the rows to sanitize."""
    for walked in walk(inputs, folder):
        decision = decide(walked.scan, config)
        if decision.state is SampleState.SANITIZED:
            sample = sample_in(walked.row, id_=walked.id)
            yield FixTask(walked.scan.file, walked.scan.line, sample.messages, decision.findings)


def _full_key(key: str, config: CleanConfig, sha256s: Sequence[str]) -> str:
    return digest([key, config, sha256s])


def _digests(sources: Sequence[Source]) -> list[str]:
    digests = []
    for source in sources:
        try:
            digests.append(file_digest(source.path))
        except OSError as error:
            raise DataError(
                f"{source.label}: cannot read ({error.strerror}); check permissions"
            ) from error
    return digests
