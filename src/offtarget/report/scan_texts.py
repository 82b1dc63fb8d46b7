"""The text behind each finding, read along with the findings: memory holds one row."""

from collections.abc import Sequence
from pathlib import Path

from offtarget.core.errors import DataError
from offtarget.core.finding import Finding
from offtarget.curate.lazy_rows import LazyRow, lazy_rows
from offtarget.curate.records import PlacedRow
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
        self._rows = lazy_rows(paths, plain=plain)
        self._passed: LazyRow | None = None
        self._here: PlacedRow | None = None

    def __call__(self, finding: Finding) -> Evidence | None:
        """Return the text of the finding's message; None if the data no longer hold it."""
        try:
            row, raw = self._at(finding.file, finding.line)
        except (StopIteration, DataError):
            return None
        if finding.message >= len(row.messages):
            return None
        text = row.messages[finding.message].content
        return Evidence(text, row=raw, fix=self._fixes.fix_of(row, finding))

    def _at(self, file: str, line: int) -> tuple[PlacedRow, str | None]:
        """Go on to a row; return it and, of a JSONL file, its line as it stands."""
        while self._passed is None or (self._passed.file, self._passed.line) != (file, line):
            self._passed, self._here = next(self._rows), None
            self._fixes.move_to(self._passed.file, self._passed.line)
        self._here = self._here or self._passed.read()
        raw = None
        if file.endswith(".jsonl") and self._passed.raw:
            raw = self._passed.raw.decode("utf-8", "replace").rstrip("\r\n")
        return self._here, raw
