"""The rows of a finished scan, read back one by one with their findings."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from offtarget.core.errors import DataError
from offtarget.core.finding import Finding
from offtarget.curate.framing import Framing
from offtarget.curate.records import RowState, ScanSummary
from offtarget.curate.written import records_in


@dataclass(frozen=True, slots=True)
class ScannedRow:
    """What a report needs of one line of rows.jsonl."""

    file: str
    line: int
    """1-based row of its file."""
    state: RowState
    framing: Framing


def read_rows(folder: Path, summary: ScanSummary) -> Iterator[tuple[ScannedRow, list[Finding]]]:
    """Yield every row of a scan with its findings, in order; memory does not grow with the scan.

    Args:
        folder: Where the summary lies; it names the two files.
        summary: What the scan said; the files must add up to it.

    Raises:
        DataError: If a file is missing or malformed, or not of this scan.
    """
    findings = records_in(folder / summary.findings, Finding)
    ahead = next(findings, None)
    n_rows = n_findings = 0
    for row in records_in(folder / summary.rows, ScannedRow):
        found: list[Finding] = []
        while ahead is not None and (ahead.file, ahead.line) == (row.file, row.line):
            found.append(ahead)
            ahead = next(findings, None)
        n_rows += 1
        n_findings += len(found)
        yield row, found
    if ahead is not None or (n_rows, n_findings) != (summary.samples, summary.n_findings):
        raise DataError(
            f"{summary.rows} and {summary.findings}: {n_rows} rows with {n_findings} findings, and "
            f"the summary counts {summary.samples} and {summary.n_findings}; scan again"
        )
