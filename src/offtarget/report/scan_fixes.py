"""Repairs of rows as fixes of their findings: applied, they give the repaired row."""

from collections.abc import Iterable

from offtarget.core.finding import Finding, Severity
from offtarget.curate.fix import FixedRow
from offtarget.curate.records import PlacedRow
from offtarget.report.sarif_evidence import Edit, Fix


class RowFixes:
    """Gives the fix of each finding, asked for in the order of the data.

    What was checked is the repair of a row as a whole, so each finding at or above the gate gets
    all edits of its row; rows that could not be repaired whole get none.
    """

    def __init__(self, rows: Iterable[FixedRow] = (), *, gate: Severity = Severity.LOW) -> None:
        """Take the repairs.

        Args:
            rows: In the order of the data; rows may be missing.
            gate: Of the scan: the repair is for findings of this severity or above.
        """
        self._rows = iter(rows)
        self._gate = gate
        self._next = next(self._rows, None)
        self._here: FixedRow | None = None

    def move_to(self, file: str, line: int) -> None:
        """Go on to a row; each is to be named, in order."""
        self._here = None
        if self._next is not None and (self._next.file, self._next.line) == (file, line):
            self._here, self._next = self._next, next(self._rows, None)

    def fix_of(self, row: PlacedRow, finding: Finding) -> Fix | None:
        """Return the fix of a finding of the row moved to; None if there is none."""
        if self._here is None or finding.severity.rank < self._gate.rank:
            return None
        edits = tuple(
            Edit(
                edit.start,
                edit.end,
                edit.text,
                None if edit.message == finding.message else row.messages[edit.message].content,
            )
            for edit in self._here.edits
        )
        reasons = "; ".join(dict.fromkeys(edit.reason for edit in self._here.edits))
        return Fix(f"Repairs all flaws of this row: {reasons}", edits) if edits else None
