"""Changed files: which of them are scanned, and what a short message says of the result."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from offtarget.api.curation import Scan
from offtarget.codescan.detect import language_of
from offtarget.core.errors import DataError
from offtarget.core.finding import Finding
from offtarget.curate.engines import make_engines
from offtarget.curate.records import ScanConfig
from offtarget.dataset import iter_samples
from offtarget.dataset.containers import container_of
from offtarget.dataset.sources import clean_name
from offtarget.report.scan_rows import read_rows
from offtarget.report.text import safe_text

AMBIGUOUS = (".json", ".json.gz", ".csv", ".csv.gz")
"""Endings of all kinds of files: one whose first row is no chat sample is passed over, and said."""
MAX_SHOWN = 10
"""Findings that a message shows."""
MAX_TEXT_CHARS = 160


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is scanned of the files that were named, and what is not."""

    paths: tuple[Path, ...]
    passed_over: tuple[str, ...]
    """One sentence a file, safe to show."""


def choose_data(paths: Sequence[Path]) -> Chosen:
    """Return the data sets among `paths`."""
    return _chosen(paths, _why_no_data)


def choose_code(paths: Sequence[Path], languages: frozenset[str]) -> Chosen:
    """Return the source files in one of `languages` among `paths`."""

    def why_not(path: Path) -> str:
        named = language_of(path.suffix) if path.suffix else None
        return "" if named in languages else "in no language that an engine reads"

    return _chosen(paths, why_not)


def engine_languages(config: ScanConfig) -> frozenset[str]:
    """Return the languages that some engine of the config reads.

    Raises:
        ConfigError: For unknown engines.
        ResourceError: If an engine is not installed.
    """
    return frozenset(name for engine in make_engines(config) for name in engine.languages)


def shown_findings(
    scan: Scan, names: Mapping[str, str], *, plain: bool, limit: int = MAX_SHOWN
) -> list[str]:
    """Return the first findings at or above the gate, one line each, and how many more there are.

    Args:
        scan: The finished scan.
        names: What to call the files that findings name.
        plain: They are source files: a finding's place is its line, not its row.
        limit: Findings to show.
    """
    found = _flagged_findings(scan)
    lines = [
        f"{_place(finding, names, plain=plain)}: {_text(finding)}"
        for finding in islice(found, limit)
    ]
    n_more = sum(1 for _ in found)
    return [*lines, f"and {n_more:,} more"] if n_more else lines


def headline(scan: Scan) -> str:
    """Return the result in one line."""
    summary = scan.summary
    said = f"{summary.flagged:,} of {summary.samples:,} rows flagged ({summary.gate} or above)"
    n_unknown = summary.unparsed + summary.quarantined
    return f"{said}, {n_unknown:,} not known to be clean" if n_unknown else said


def _flagged_findings(scan: Scan) -> Iterator[Finding]:
    for _, found in read_rows(scan.path, scan.summary):
        yield from (one for one in found if one.severity.rank >= scan.summary.gate.rank)


def _place(finding: Finding, names: Mapping[str, str], *, plain: bool) -> str:
    line = finding.span.start_line if plain else finding.line
    return f"{safe_text(names.get(finding.file, finding.file))}:{line}"


def _text(finding: Finding) -> str:
    text = f"{finding.severity} {finding.cwe} {finding.rule} {finding.text}"
    return safe_text(text, limit=MAX_TEXT_CHARS)


def _chosen(paths: Sequence[Path], why_not: Callable[[Path], str]) -> Chosen:
    found: dict[Path, Path] = {}
    passed_over: list[str] = []
    for path in paths:
        if path.is_symlink():
            reason = "a symbolic link"
        elif not path.is_file():
            reason = "no regular file"
        else:
            reason = why_not(path)
        if reason:
            passed_over.append(f"{safe_text(clean_name(str(path)))}: {reason}")
        else:
            found.setdefault(path.resolve(), path)
    return Chosen(tuple(found.values()), tuple(passed_over))


def _why_no_data(path: Path) -> str:
    if container_of(path) is None:
        return "no data set by its ending"
    if not path.name.lower().endswith(AMBIGUOUS):
        return ""
    try:
        next(iter_samples(path))
    except DataError:
        return "its first row is no chat sample"
    return ""
