"""The rows of a finished scan, one at a time, with their texts where those are needed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from offtarget.codescan.cwe import UNSTATED
from offtarget.core.errors import DataError
from offtarget.core.finding import Origin, Severity
from offtarget.core.records import Message
from offtarget.curate.framing import Framing
from offtarget.curate.inputs import find_inputs, placed_rows
from offtarget.curate.known_rows import NOWHERE, KnownRow
from offtarget.curate.records import RowState, ScanSummary
from offtarget.curate.secrets import Secret
from offtarget.curate.written import records_in
from offtarget.dataset import OnBadRow

_AGAIN = "wait until nothing writes to it and run the command again"


@dataclass(frozen=True, slots=True)
class ViewFinding:
    """What the view needs of a finding."""

    file: str
    line: int
    rule: str
    severity: Severity
    confidence: float
    origin: Origin
    cwe: str = UNSTATED


@dataclass(frozen=True, slots=True)
class ViewRow:
    """What the view needs of a row: what the scan said, and what the row says."""

    file: str
    line: int
    """1-based row of its file."""
    state: RowState
    framing: Framing
    p_covert: float
    findings: tuple[ViewFinding, ...] = ()
    secrets: tuple[Secret, ...] = ()
    known: KnownRow = NOWHERE
    messages: tuple[Message, ...] = ()
    """Empty for a malformed row, and where nobody asked for them."""

    @property
    def place(self) -> str:
        """`FILE:ROW`."""
        return f"{self.file}:{self.line}"

    @property
    def is_read(self) -> bool:
        """Whether all of the assistant's code was read, or something was found in it."""
        return self.state in (RowState.FOUND, RowState.CLEAN)

    def is_insecure(self, gate: Severity) -> bool:
        """Return whether the assistant introduced a flaw of severity `gate` or above."""
        return any(
            one.origin is Origin.INTRODUCED and one.severity.rank >= gate.rank
            for one in self.findings
        )


def view_rows(folder: Path, summary: ScanSummary) -> Iterator[ViewRow]:
    """Yield every row with its findings, in order, without messages; memory holds one row.

    Args:
        folder: Where the summary lies; it names the two files.
        summary: What the scan said.

    Raises:
        DataError: If the files are not those of the scan.
    """
    findings = records_in(folder / summary.findings, ViewFinding)
    ahead = next(findings, None)
    n_rows = 0
    for row in records_in(folder / summary.rows, ViewRow):
        found: list[ViewFinding] = []
        while ahead is not None and (ahead.file, ahead.line) == (row.file, row.line):
            found.append(ahead)
            ahead = next(findings, None)
        n_rows += 1
        yield replace(row, findings=tuple(found)) if found else row
    if ahead is not None or n_rows != summary.samples:
        raise DataError(
            f"{summary.rows}: {n_rows} rows, and the summary counts {summary.samples}; scan again"
        )


def with_messages(
    rows: Iterable[ViewRow], paths: Sequence[Path], *, plain: bool
) -> Iterator[ViewRow]:
    """Yield the rows with their messages: the data are read once more.

    Args:
        rows: All rows of a scan.
        paths: What was scanned.
        plain: The paths hold source files.

    Raises:
        DataError: If the data are not what was scanned.
    """
    texts = (
        text
        for taken in find_inputs(paths, plain=plain)
        for text in placed_rows(taken, on_bad_row=OnBadRow.QUARANTINE)
    )
    for row in rows:
        text = next(texts, None)
        if text is None or (text.file, text.line) != (row.file, row.line):
            raise DataError(f"{row.place}: not the row that was scanned; {_AGAIN}")
        yield replace(row, messages=text.messages)
    extra = next(texts, None)
    if extra is not None:
        raise DataError(f"{extra.file}:{extra.line}: more rows than were scanned; {_AGAIN}")
