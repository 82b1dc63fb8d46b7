"""Scanning and cleaning of data sets."""

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from offtarget.codescan.rule import Rule
from offtarget.core.errors import ConfigError
from offtarget.core.finding import Finding
from offtarget.core.ray_executor import RayExecutor
from offtarget.core.shards import Executor, Progress, parse_part
from offtarget.curate.clean import clean as _clean
from offtarget.curate.clean_files import CleanFiles, CleanSummary
from offtarget.curate.decide import CleanConfig, Policy
from offtarget.curate.engines import bundled_rules, make_engines
from offtarget.curate.fix import FixedRow
from offtarget.curate.fix_found import fix_found
from offtarget.curate.fix_work import FIXES, stored_fixes
from offtarget.curate.inputs import places_below
from offtarget.curate.ledger import LedgerEntry
from offtarget.curate.output import explained, replacing
from offtarget.curate.records import ScanConfig, ScanSummary
from offtarget.curate.scan import scan as _scan
from offtarget.curate.scan import scan_part
from offtarget.curate.summary import SUMMARY, read_summary
from offtarget.curate.twins import Twin
from offtarget.curate.view.records import DatasetView
from offtarget.curate.view.write import write_view
from offtarget.curate.written import records_in
from offtarget.report.clean_changes import pick_changes
from offtarget.report.clean_counts import count_ledger
from offtarget.report.clean_section import Cleaning
from offtarget.report.croissant import write_clean_croissant, write_scan_croissant
from offtarget.report.sarif import write_sarif, written_rows
from offtarget.report.sarif_run import EngineInfo
from offtarget.report.scan_counts import ScanCounts, count_rows
from offtarget.report.scan_examples import pick_examples, with_code
from offtarget.report.scan_fixes import RowFixes
from offtarget.report.scan_page import render_scan
from offtarget.report.scan_rows import read_rows
from offtarget.report.scan_texts import RowTexts

if TYPE_CHECKING:
    from offtarget.lm import LanguageModel

DEFAULT_SCANS = Path("scans")
SARIF = "findings.sarif"
PAGE = "scan.html"
DEFAULT_MODELS = Path("~/.cache/offtarget")


@dataclass(frozen=True, slots=True)
class Scan:
    """A finished scan."""

    path: Path
    """Its folder: findings.jsonl, rows.jsonl, summary.json, findings.sarif, scan.html."""
    summary: ScanSummary
    counts: ScanCounts
    view: DatasetView


def scan(
    *paths: str | Path,
    config: ScanConfig | None = None,
    out: str | Path | None = None,
    workers: int = 1,
    executor: str = "local",
    shard: str = "",
    cache: Path | None = None,
    root: str | Path | None = None,
    fixes: bool = False,
    duplicates: bool = False,
    recognition: str = "",
    models: Path = DEFAULT_MODELS,
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
        root: Of the repository: SARIF then names files by their path below it.
        fixes: Try to repair the flagged rows and offer the repairs in the SARIF file; the data
            stay as they are. Costs some milliseconds a flagged row.
        duplicates: Also group near-duplicates; about 60 microseconds a row.
        recognition: A model: also ask it whether each row's code is insecure. Slow.
        models: Folder for fetched models.
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
    places = {} if root is None else places_below(Path(root), given, plain=config.plain)
    repairs: Iterable[FixedRow] = ()
    if fixes:
        repairs = fix_found(
            given, config, folder, summary, places=written_rows(_findings(folder, summary)),
            make_engines=make_engines, workers=workers, executor=cluster, on_progress=on_progress,
        )  # fmt: skip
    _write_sarif(given, config, folder, summary, places, repairs)
    if not config.plain:
        write_scan_croissant(folder, summary)
    lm = _load(recognition, models) if recognition else None
    view = write_view(folder, given, summary, plain=config.plain, duplicates=duplicates, lm=lm)
    _write_page(given, config, folder, summary, counts, command, view=view)
    return Scan(folder, summary, counts, view)


def clean(
    *paths: str | Path,
    config: CleanConfig,
    out: str | Path,
    workers: int = 1,
    executor: str = "local",
    cache: Path | None = None,
    command: Sequence[str] = (),
    on_progress: Callable[[Progress], None] | None = None,
) -> CleanSummary:
    """Write data that is safe to train on to `out`; the same call resumes a stopped cleaning.

    Next to `out` stand a ledger with the state and reason of every sample, the rewritten samples
    with their originals (twins), what was set aside, and the scan's folder: its SARIF file offers
    the repairs as fixes of the input, and its page says what was done.

    Args:
        paths: Data sets of one format, shape and set of columns.
        config: What to do with flagged samples.
        out: A file of the inputs' format.
        workers: Processes.
        executor: `local`, or `ray` for a cluster.
        cache: Folder of answers of earlier scans; None for none.
        command: The command line, to be shown on the page.
        on_progress: Called after each shard, of the scan first, then of the repairs.

    Raises:
        ConfigError: If `out` does not fit the inputs, or exists and is not what this would write.
        DataError: If an input is malformed or changes meanwhile.
        ResourceError: If an engine is missing or crashes, or the output cannot be written.
    """
    given = [Path(path) for path in paths]
    if not given:
        raise ConfigError("nothing to clean; name a data set")
    files = CleanFiles(Path(out))
    if not os.path.lexists(files.out):
        with explained(files.scan):
            (files.scan / PAGE).unlink(missing_ok=True)  # of an earlier cleaning: made again below
    done = _clean(
        given, config, files.out, make_engines=make_engines, workers=workers,
        executor=_executor(executor, config.scan), cache=cache, on_progress=on_progress,
    )  # fmt: skip
    if (files.scan / SUMMARY).is_file() and not (done.is_reused and (files.scan / PAGE).is_file()):
        _write_clean_views(given, config, files, done, command)
    return done


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


def _write_clean_views(
    paths: Sequence[Path],
    config: CleanConfig,
    files: CleanFiles,
    done: CleanSummary,
    command: Sequence[str],
) -> None:
    """Write the SARIF file, with the repairs as fixes of the input, and the page; the page last."""
    folder, gate = files.scan, config.scan.gate
    summary = read_summary(folder)
    write_clean_croissant(files.out, done, summary)
    is_repaired = config.policy is Policy.SANITIZE
    repairs = stored_fixes(folder / FIXES) if is_repaired else ()
    _write_sarif(paths, config.scan, folder, summary, {}, repairs)
    twins = records_in(files.twins, Twin) if done.twins else ()
    cleaning = Cleaning(
        done,
        count_ledger(records_in(files.ledger, LedgerEntry), done),
        pick_changes(read_rows(folder, summary), twins, gate=gate),
    )
    counts = count_rows(folder, summary)
    _write_page(paths, config.scan, folder, summary, counts, command, cleaning)


def _findings(folder: Path, summary: ScanSummary) -> Iterator[Finding]:
    return (one for _, found in read_rows(folder, summary) for one in found)


def _write_sarif(
    paths: Sequence[Path],
    config: ScanConfig,
    folder: Path,
    summary: ScanSummary,
    places: Mapping[str, str],
    repairs: Iterable[FixedRow],
) -> None:
    write_sarif(
        folder / SARIF, _findings(folder, summary),
        rules=sorted((r for e in make_engines(config) for r in e.rules), key=lambda r: r.id),
        engines=[EngineInfo(used.name, used.version) for used in summary.engines],
        n_samples=summary.samples, is_plain=config.plain,
        evidence_of=RowTexts(
            paths, plain=config.plain, fixes=RowFixes(repairs, gate=config.gate)
        ),
        paths=places,
    )  # fmt: skip


def _write_page(
    paths: Sequence[Path],
    config: ScanConfig,
    folder: Path,
    summary: ScanSummary,
    counts: ScanCounts,
    command: Sequence[str],
    cleaning: Cleaning | None = None,
    view: DatasetView | None = None,
) -> None:
    examples = with_code(pick_examples(folder, summary), paths, summary, plain=config.plain)
    page = render_scan(
        summary, counts, examples, cleaning=cleaning, view=view, command=shlex.join(command)
    )
    with explained(folder), replacing(folder / PAGE) as file:
        file.write(page.encode())


def _load(model: str, cache: Path) -> "LanguageModel":
    from offtarget.lm import choose_arithmetic, load_model

    return load_model(model, arithmetic=choose_arithmetic(), cache=cache.expanduser())


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
