"""Scanning and cleaning of data sets."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from offtarget.codescan.rule import Rule
from offtarget.core.errors import ConfigError
from offtarget.core.ray_executor import RayExecutor
from offtarget.core.shards import Executor, Progress, parse_part
from offtarget.curate.clean import clean as _clean
from offtarget.curate.clean_files import CleanSummary
from offtarget.curate.decide import CleanConfig
from offtarget.curate.engines import bundled_rules, make_engines
from offtarget.curate.output import explained, replacing
from offtarget.curate.records import ScanConfig, ScanSummary
from offtarget.curate.scan import scan as _scan
from offtarget.curate.scan import scan_part
from offtarget.report.sarif import write_sarif
from offtarget.report.sarif_run import EngineInfo
from offtarget.report.scan_counts import ScanCounts, count_rows
from offtarget.report.scan_examples import pick_examples, with_code
from offtarget.report.scan_page import render_scan
from offtarget.report.scan_rows import read_rows
from offtarget.report.scan_texts import RowTexts

DEFAULT_SCANS = Path("scans")
SARIF = "findings.sarif"
PAGE = "scan.html"


@dataclass(frozen=True, slots=True)
class Scan:
    """A finished scan."""

    path: Path
    """Its folder: findings.jsonl, rows.jsonl, summary.json, findings.sarif, scan.html."""
    summary: ScanSummary
    counts: ScanCounts


def scan(
    *paths: str | Path,
    config: ScanConfig | None = None,
    out: str | Path | None = None,
    workers: int = 1,
    executor: str = "local",
    shard: str = "",
    cache: Path | None = None,
    command: Sequence[str] = (),
    on_progress: Callable[[Progress], None] | None = None,
) -> Scan | None:
    """Scan data sets for insecure code; the same call resumes a stopped scan.

    Args:
        paths: Data sets, or source files and folders if the config says so.
        config: What to look for, with which engines.
        out: Folder to write to; `scans/NAME` by default.
        workers: Processes.
        executor: `local`, or `ray` for a cluster.
        shard: `i/n`: do only this part of the shards, write no summary and return None. A call
            without it finds what all parts have left in `out` and finishes the scan.
        cache: Folder of answers of earlier scans; None for none.
        command: The command line, to be shown on the page.
        on_progress: Called after each shard.

    Raises:
        ConfigError: For unknown engines, executors and parts.
        DataError: If an input is malformed, a bomb, or changes while it is read.
        ResourceError: If an engine is missing or fails its canaries, or the disk is full.
    """
    given = [Path(path) for path in paths]
    if not given:
        raise ConfigError("nothing to scan; name a data set")
    config = config or ScanConfig()
    folder = Path(out) if out is not None else DEFAULT_SCANS / _name_of(given)
    cluster = _executor(executor, config)
    if shard:
        scan_part(
            given, config, folder, part=parse_part(shard), make_engines=make_engines,
            workers=workers, executor=cluster, cache=cache, on_progress=on_progress,
        )  # fmt: skip
        return None
    summary = _scan(
        given, config, folder, make_engines=make_engines,
        workers=workers, executor=cluster, cache=cache, on_progress=on_progress,
    )  # fmt: skip
    counts = count_rows(folder, summary)
    _write_views(given, config, folder, summary, counts, command)
    return Scan(folder, summary, counts)


def clean(
    *paths: str | Path,
    config: CleanConfig,
    out: str | Path,
    workers: int = 1,
    executor: str = "local",
    cache: Path | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> CleanSummary:
    """Write data that is safe to train on to `out`; the same call resumes a stopped cleaning.

    Next to `out` stand a ledger with the state and reason of every sample, the rewritten samples
    with their originals (twins), and what was set aside.

    Args:
        paths: Data sets of one format, shape and set of columns.
        config: What to do with flagged samples.
        out: A file of the inputs' format.
        workers: Processes.
        executor: `local`, or `ray` for a cluster.
        cache: Folder of answers of earlier scans; None for none.
        on_progress: Called after each shard, of the scan first, then of the repairs.

    Raises:
        ConfigError: If `out` does not fit the inputs, or exists and is not what this would write.
        DataError: If an input is malformed or changes meanwhile.
        ResourceError: If an engine is missing or crashes, or the output cannot be written.
    """
    given = [Path(path) for path in paths]
    if not given:
        raise ConfigError("nothing to clean; name a data set")
    return _clean(
        given, config, Path(out), make_engines=make_engines, workers=workers,
        executor=_executor(executor, config.scan), cache=cache, on_progress=on_progress,
    )  # fmt: skip


def explain_rule(name: str) -> Rule:
    """Return what a rule looks for and why.

    Raises:
        ConfigError: If no bundled engine has a rule of this id.
    """
    rules = {rule.id: rule for rule in bundled_rules()}
    if name.upper() in rules:
        return rules[name.upper()]
    near = get_close_matches(name.upper(), rules, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"they run from {min(rules)} to {max(rules)}"
    raise ConfigError(f"rule {name!r} is not known; {hint}")


def _write_views(
    paths: Sequence[Path],
    config: ScanConfig,
    folder: Path,
    summary: ScanSummary,
    counts: ScanCounts,
    command: Sequence[str],
) -> None:
    """Write the SARIF file and the page."""
    findings = (one for _, found in read_rows(folder, summary) for one in found)
    write_sarif(
        folder / SARIF, findings,
        rules=sorted((r for e in make_engines(config) for r in e.rules), key=lambda r: r.id),
        engines=[EngineInfo(used.name, used.version) for used in summary.engines],
        n_samples=summary.samples, is_plain=config.plain,
        evidence_of=RowTexts(paths, plain=config.plain),
    )  # fmt: skip
    examples = with_code(pick_examples(folder, summary), paths, summary, plain=config.plain)
    page = render_scan(summary, counts, examples, command=shlex.join(command))
    with explained(folder), replacing(folder / PAGE) as file:
        file.write(page.encode())


def _executor(name: str, config: ScanConfig) -> Executor | None:
    if name == "local":
        return None
    if name == "ray":
        return RayExecutor(limits=config.limits)
    raise ConfigError(f"executor {name!r} is not known; choose from local, ray")


def _name_of(paths: Sequence[Path]) -> str:
    """Return a folder name for a scan of these paths."""
    first = paths[0].resolve()
    stem = first.name.split(".")[0] or "scan"
    return stem if len(paths) == 1 else f"{stem}-and-{len(paths) - 1}-more"
