"""Scan data sets for insecure code: rows to shards, shards to workers, one summary back."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec

from offtarget.codescan.canary import unproved_languages, with_canaries
from offtarget.codescan.engine import Engine
from offtarget.codescan.flaw import Snippet
from offtarget.core.codec import digest
from offtarget.core.errors import ConfigError
from offtarget.core.shard_files import drop_stale, read_shards
from offtarget.core.shards import (
    Executor,
    Part,
    Progress,
    Shard,
    cut_shards,
    run_shards,
)
from offtarget.core.workers import LocalExecutor
from offtarget.curate.cache import FlawCache
from offtarget.curate.detect import detect_rows
from offtarget.curate.inputs import ScannedInput, encoded_rows, find_inputs
from offtarget.curate.packed import pack
from offtarget.curate.records import (
    EngineUsed,
    PlacedRow,
    RowScan,
    RowState,
    ScanConfig,
    ScanSummary,
)
from offtarget.curate.summary import write_summary

SHARDS = "shards"
"""Folder of finished shards below the output folder."""

_PACKAGES = ("core", "codescan", "curate", "dataset")


class MakeEngines(Protocol):
    """A function of some module, so that workers can be told its name."""

    def __call__(self, config: ScanConfig) -> Sequence[Engine]:
        """Return the engines that `config` names, in its order."""


@dataclass
class ScanWork:
    """What a worker does to the rows of a shard."""

    config: ScanConfig
    make_engines: MakeEngines
    cache: Path | None
    """Folder of the cache; None for none."""
    salt: str
    """Digest of our own code."""
    key: str
    _engines: Sequence[Engine] = field(default=(), repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return ScanWork, (self.config, self.make_engines, self.cache, self.salt, self.key)

    def prepare(self) -> None:
        """Make the engines; they cannot travel between processes."""
        self._engines = self.make_engines(self.config)

    def __call__(self, rows: Sequence[bytes]) -> list[bytes]:
        """Return one packed `RowScan` a row; without rows, only try the canaries."""
        if not rows:
            for engine in self._engines:
                _prove(engine, self.config)
            return []
        decoder = msgspec.json.Decoder(PlacedRow)
        cache = None if self.cache is None else FlawCache(self.cache, salt=self.salt)
        scans = detect_rows(
            [decoder.decode(row) for row in rows],
            self._engines,
            scan_prompts=self.config.scan_prompts,
            allow_unproved=self.config.allow_unproved,
            cache=cache,
        )
        return [pack(scan) for scan in scans]

    def lost(self, row: bytes, reason: str) -> bytes:
        """Return the record of a row that no worker could finish."""
        placed = msgspec.json.decode(row, type=PlacedRow)
        return pack(
            RowScan(file=placed.file, line=placed.line, state=RowState.QUARANTINED, reason=reason)
        )


def scan(
    paths: Sequence[Path],
    config: ScanConfig,
    out: Path,
    *,
    make_engines: MakeEngines,
    workers: int = 1,
    executor: Executor | None = None,
    cache: Path | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> ScanSummary:
    """Scan data sets and write findings.jsonl, rows.jsonl and summary.json to `out`.

    The files are the same bytes for any executor and worker count. A scan that was stopped goes on
    where it was when the same command is run again; so does one that found `shards/` filled by
    `scan_part`.

    Args:
        paths: Data sets, or source files and folders if the config says so.
        config: What to look for.
        out: Folder to write to.
        make_engines: Makes the engines that the config names.
        workers: Processes, if no executor is given.
        executor: Where shards are done.
        cache: Folder of answers of earlier scans; None for none.
        on_progress: Called after each shard.

    Raises:
        ConfigError: If no engine is named.
        DataError: If an input is malformed, a bomb, or changes while it is read.
        ResourceError: If an engine is missing or crashes, or the output cannot be written.
    """
    inputs = find_inputs(paths, plain=config.plain)
    work, engines = make_work(config, make_engines, cache)
    done = _run(inputs, work, out, workers, executor, None, on_progress)
    drop_stale(out / SHARDS, done.n_shards)
    return write_summary(
        read_shards(out / SHARDS, done.n_shards),
        out,
        gate=config.gate,
        engines=engines,
        inputs=inputs,
    )


def scan_part(
    paths: Sequence[Path],
    config: ScanConfig,
    out: Path,
    *,
    part: Part,
    make_engines: MakeEngines,
    workers: int = 1,
    executor: Executor | None = None,
    cache: Path | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Progress:
    """Do one part of the shards of a scan; `scan` with the same arguments then finds them.

    See `scan` for arguments and errors. Parts may run at the same time, and share `out` or not: a
    part's files can be copied to the `shards/` folder of another's.
    """
    inputs = find_inputs(paths, plain=config.plain)
    work, _ = make_work(config, make_engines, cache)
    return _run(inputs, work, out, workers, executor, part, on_progress)


def make_work(
    config: ScanConfig, make_engines: MakeEngines, cache: Path | None
) -> tuple[ScanWork, tuple[EngineUsed, ...]]:
    """Return the work of a scan and the engines that do it, each having passed its canaries.

    Raises:
        ConfigError: If no engine is named.
        OfftargetError: If an engine is missing or misses a canary.
    """
    engines = make_engines(config)
    if not engines:
        raise ConfigError("no engine; name at least one")
    used = tuple(_prove(engine, config) for engine in engines)
    salt = source_digest()
    key = digest([salt, used, config.scan_prompts, config.plain, config.limits])
    return ScanWork(config, make_engines, cache, salt, key), used


def source_digest() -> str:
    """Return the sha256 of the code that decides what a scan says: no stale answer outlives it."""
    total = hashlib.sha256()
    root = Path(__file__).parents[1]
    for package in _PACKAGES:
        for path in sorted((root / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                total.update(path.relative_to(root).as_posix().encode() + b"\0")
                total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _prove(engine: Engine, config: ScanConfig) -> EngineUsed:
    """Run the canaries of every language; return what the summary says of the engine."""
    languages = tuple(sorted(engine.languages))
    nothing = [Snippet(language, "\n") for language in languages]
    with_canaries(engine, nothing, allow_unproved=config.allow_unproved)
    unproved = unproved_languages(engine) if config.allow_unproved else ()
    return EngineUsed(engine.name, engine.version, languages, unproved)


def _run(
    inputs: Sequence[ScannedInput],
    work: ScanWork,
    out: Path,
    workers: int,
    executor: Executor | None,
    part: Part | None,
    on_progress: Callable[[Progress], None] | None,
) -> Progress:
    with ExitStack() as stack:
        if executor is None:
            executor = stack.enter_context(LocalExecutor(workers, limits=work.config.limits))
        return run_shards(
            _shards(inputs, work.config),
            work,
            executor=executor,
            directory=out / SHARDS,
            part=part,
            on_progress=on_progress,
        )


def _shards(inputs: Sequence[ScannedInput], config: ScanConfig) -> Iterator[Shard]:
    return cut_shards(encoded_rows(taken, on_bad_row=config.on_bad_row) for taken in inputs)
