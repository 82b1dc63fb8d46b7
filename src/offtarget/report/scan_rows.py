"""The rows of a finished scan, read back one by one with their findings."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from offtarget.core.errors import DataError
from offtarget.core.finding import Finding
from offtarget.curate.framing import Framing
from offtarget.curate.records import RowState, ScanSummary

T = TypeVar("T")


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


def records_in(path: Path, type_: type[T]) -> Iterator[T]:
    """Yield the lines of a file that a scan or a cleaning wrote, quickly: keys are not checked.

    Raises:
        DataError: If the file cannot be read, or a line is no such record.
    """
    decoder = msgspec.json.Decoder(type_)
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                try:
                    yield _decode(decoder, raw, type_)
                except (msgspec.MsgspecError, ValueError) as error:
                    raise DataError(
                        f"{path.name}:{number}: not a record of a scan ({error}); scan again"
                    ) from error
    except OSError as error:
        raise DataError(f"{path.name}: cannot read ({error.strerror}); scan again") from error


def _decode(decoder: msgspec.json.Decoder[T], raw: bytes, type_: type[T]) -> T:
    try:
        return decoder.decode(raw)
    except UnicodeDecodeError:  # a lone surrogate, which we write as it is
        return msgspec.convert(json.loads(raw.decode("utf-8", "surrogatepass")), type_)
