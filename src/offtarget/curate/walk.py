"""The rows of data sets side by side with what a scan said of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import msgspec

from offtarget.core.codec import file_digest
from offtarget.core.errors import DataError
from offtarget.core.finding import Finding
from offtarget.curate.records import RowScan
from offtarget.curate.stored import StoredFile, StoredRow, open_stored
from offtarget.curate.summary import FINDINGS, ROWS
from offtarget.dataset.sources import Source

_AGAIN = "wait until nothing writes to it and run the command again"


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """One data set's file and the digest that it had when it was scanned."""

    source: Source
    sha256: str
    n_samples: int


@dataclass(frozen=True, slots=True)
class WalkedRow:
    """One row as it is stored, and what the scan says of it."""

    file: StoredFile
    row: StoredRow
    scan: RowScan

    @property
    def id(self) -> str:
        """The sample's: the file's name and the 1-based row."""
        return f"{self.scan.file}:{self.scan.line}"


def walk(files: Sequence[ScannedFile], scan_folder: Path) -> Iterator[WalkedRow]:
    """Yield every row of the files with its scan, in order; use each before the next.

    Raises:
        DataError: If a file is not what was scanned, before or after it is read, or the scan's own
            files are damaged.
    """
    scans = scanned_rows(scan_folder)
    for file in files:
        _check_unchanged(file)
        try:
            yield from _walk_file(file, scans)
        except DataError:
            _check_unchanged(file)  # what is wrong with a row is then not the row's fault
            raise
        _check_unchanged(file)
    if next(scans, None) is not None:
        raise DataError(f"{ROWS}: more rows than the data has; remove {scan_folder.name!r}")


def scanned_rows(folder: Path) -> Iterator[RowScan]:
    """Yield what a scan wrote to `folder`, each row with its findings.

    Raises:
        DataError: If a file is missing or damaged.
    """
    try:
        with (folder / ROWS).open("rb") as rows, (folder / FINDINGS).open("rb") as found:
            findings = _findings(found)
            following = next(findings, None)
            decoder = msgspec.json.Decoder(RowScan)
            for line in rows:
                row = decoder.decode(line)
                own: list[Finding] = []
                while following is not None and (following.file, following.line) == (
                    row.file,
                    row.line,
                ):
                    own.append(following)
                    following = next(findings, None)
                yield replace(row, findings=tuple(own))
            if following is not None:
                raise DataError(
                    f"{FINDINGS}: a finding in {following.file}:{following.line}, which is out of "
                    f"order; remove {folder.name!r} and run the command again"
                )
    except (OSError, msgspec.MsgspecError) as error:
        raise DataError(
            f"{folder.name}: cannot read what the scan wrote ({error}); remove the folder and run "
            "the command again"
        ) from error


def _findings(file: IO[bytes]) -> Iterator[Finding]:
    decoder = msgspec.json.Decoder(Finding)
    for line in file:
        yield decoder.decode(line)


def _walk_file(file: ScannedFile, scans: Iterator[RowScan]) -> Iterator[WalkedRow]:
    label = file.source.label
    stored = open_stored(file.source.path, label)
    n_rows = 0
    for n_rows, row in enumerate(stored.rows(), 1):
        scan = next(scans, None) if n_rows <= file.n_samples else None
        if scan is None or (scan.file, scan.line) != (label, n_rows):
            raise DataError(f"{label}:{n_rows}: not the row that was scanned; {_AGAIN}")
        yield WalkedRow(stored, row, scan)
    if n_rows != file.n_samples:
        raise DataError(f"{label}: {n_rows} rows, but {file.n_samples} were scanned; {_AGAIN}")


def _check_unchanged(file: ScannedFile) -> None:
    try:
        sha256 = file_digest(file.source.path)
    except OSError as error:
        raise DataError(
            f"{file.source.label}: gone since it was scanned ({error.strerror}); "
            "run the command again"
        ) from error
    if sha256 != file.sha256:
        raise DataError(f"{file.source.label}: changed since it was scanned; {_AGAIN}")
