"""The text behind each finding, read along with the findings: memory holds one row."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from offtarget.core.errors import DataError
from offtarget.core.finding import Finding
from offtarget.curate.inputs import ScannedInput, find_inputs, placed_rows
from offtarget.curate.records import PlacedRow
from offtarget.dataset import OnBadRow
from offtarget.report.sarif_evidence import Evidence
from offtarget.report.scan_fixes import RowFixes


class RowTexts:
    """Gives the evidence of findings that are asked for in the order of the data."""

    def __init__(
        self, paths: Sequence[Path], *, plain: bool, fixes: RowFixes | None = None
    ) -> None:
        """Read what was scanned once more.

        Args:
            paths: What was scanned.
            plain: The paths hold source files.
            fixes: Of the rows' findings; None for none.
        """
        self._fixes = fixes or RowFixes()
        self._rows = _rows(find_inputs(paths, plain=plain))
        self._here: tuple[PlacedRow, str | None] | None = None

    def __call__(self, finding: Finding) -> Evidence | None:
        """Return the text of the finding's message; None if the data no longer hold it."""
        try:
            while self._here is None or not _is_at(self._here[0], finding):
                self._here = next(self._rows)
                self._fixes.move_to(self._here[0])
        except (StopIteration, DataError):
            return None
        row, raw = self._here
        if finding.message >= len(row.messages):
            return None
        text = row.messages[finding.message].content
        return Evidence(text, row=raw, fix=self._fixes.fix_of(row, finding))


def _is_at(row: PlacedRow, finding: Finding) -> bool:
    return (row.file, row.line) == (finding.file, finding.line)


def _rows(inputs: Sequence[ScannedInput]) -> Iterator[tuple[PlacedRow, str | None]]:
    for taken in inputs:
        lines = _lines(taken)
        for row in placed_rows(taken, on_bad_row=OnBadRow.QUARANTINE):
            yield row, next(lines, None)


def _lines(taken: ScannedInput) -> Iterator[str]:
    """Yield the lines of a JSONL file as they stand; nothing for other formats."""
    if taken.source is None or taken.source.path.suffix != ".jsonl":
        return
    with taken.source.path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        for line in file:
            yield line.rstrip("\r\n")
