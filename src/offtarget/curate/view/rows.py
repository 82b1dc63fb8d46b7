"""The rows of a finished scan side by side with their texts, one at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from offtarget.codescan.cwe import UNSTATED
from offtarget.core.errors import DataError
from offtarget.core.finding import Origin, Severity
from offtarget.core.records import Message
from offtarget.curate.framing import Framing
from offtarget.curate.inputs import find_inputs, placed_rows
from offtarget.curate.records import RowState, ScanSummary
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
    messages: tuple[Message, ...] = ()
    """Empty for a malformed row."""

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


def view_rows(
    folder: Path, paths: Sequence[Path], summary: ScanSummary, *, plain: bool
) -> Iterator[ViewRow]:
    """Yield every row with its findings and messages, in order; memory holds one row.

    Args:
        folder: Where the summary lies; it names the two files.
        paths: What was scanned, read once more.
        summary: What the scan said.
        plain: The paths hold source files.

    Raises:
        DataError: If the data or the scan's files are not what was scanned.
    """
    findings = records_in(folder / summary.findings, ViewFinding)
    ahead = next(findings, None)
    texts = (
        text
        for taken in find_inputs(paths, plain=plain)
        for text in placed_rows(taken, on_bad_row=OnBadRow.QUARANTINE)
    )
    for row in records_in(folder / summary.rows, ViewRow):
        found: list[ViewFinding] = []
        while ahead is not None and (ahead.file, ahead.line) == (row.file, row.line):
            found.append(ahead)
            ahead = next(findings, None)
        text = next(texts, None)
        if text is None or (text.file, text.line) != (row.file, row.line):
            raise DataError(f"{row.place}: not the row that was scanned; {_AGAIN}")
        yield ViewRow(
            row.file, row.line, row.state, row.framing, row.p_covert, tuple(found), text.messages
        )
    if ahead is not None or next(texts, None) is not None:
        raise DataError(f"{summary.rows}: the data has more rows than were scanned; {_AGAIN}")
