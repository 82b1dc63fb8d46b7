"""Where a finding is: the file's URI, the region in it, and the row and message by name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from offtarget.core.finding import Finding, Span
from offtarget.report.sarif_evidence import Edit, Evidence, lines_around
from offtarget.report.sarif_limits import SarifLimits, message, shown
from offtarget.report.sarif_records import (
    SOURCE_ROOT,
    ArtifactLocation,
    Content,
    Location,
    LogicalLocation,
    PhysicalLocation,
    Region,
)
from offtarget.report.sarif_row import RowText, find_in_row

_DRIVE = re.compile(r"^[A-Za-z]:[\\/]")
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Files:
    """How the run's files are named and counted in."""

    is_plain: bool
    """Lines are lines of source; else a line is a row, and spans count inside its message."""
    paths: Mapping[str, str] = field(default_factory=dict)
    """Of each `Finding.file`, its path below the root of the repository, where it differs."""

    def artifact(self, file: str) -> ArtifactLocation:
        """Return the file's place below the root."""
        return ArtifactLocation(
            uri=relative_uri(self.paths.get(file, file)), uri_base_id=SOURCE_ROOT
        )


@dataclass(frozen=True, slots=True)
class Place:
    """What is the same for all places of one finding."""

    finding: Finding
    evidence: Evidence | None
    artifact: ArtifactLocation
    is_plain: bool
    row_text: RowText | None

    def location(self, span: Span, *, limits: SarifLimits) -> Location:
        """Return the place of the flaw itself."""
        finding = self.finding
        names = None
        if not self.is_plain:
            name = f"message {finding.message}"
            full = f"row {finding.line}/{name}"
            names = [LogicalLocation(name=name, fully_qualified_name=full, kind="object")]
        return Location(
            physical_location=self._physical(span, limits.snippet), logical_locations=names
        )

    def step(self, span: Span, text: str, *, limits: SarifLimits) -> Location:
        """Return the place of one step, with what happens there."""
        return Location(
            physical_location=self._physical(span, limits.step_snippet),
            message=message(text, limits.description),
        )

    def edited(self, edit: Edit) -> Region | None:
        """Return what `edit` takes away, or None where that is not known to the character."""
        text = edit.inside
        if text is None:
            text = self.evidence.text if self.evidence else ""
        if not 0 <= edit.start <= edit.end <= len(text):
            return None
        if self.is_plain:
            (line, column), (end_line, end_column) = (
                _line_and_column(text, offset) for offset in (edit.start, edit.end)
            )
        else:
            row_text = self.row_text if edit.inside is None else _row_text(self.evidence, text)
            if row_text is None:
                return None
            line = end_line = self.finding.line
            column, end_column = map(row_text.column, (edit.start, edit.end))
        return Region(
            start_line=line, start_column=column, end_line=end_line, end_column=end_column
        )

    def _physical(self, span: Span, limit: int) -> PhysicalLocation:
        snippet = None
        if self.evidence is not None:
            lines = lines_around(self.evidence.text, span.start, span.end, limit=limit)
            snippet = Content(text=shown(lines.flawed, limit))
        region = self._plain(span, snippet) if self.is_plain else self._row(span, snippet)
        return PhysicalLocation(artifact_location=self.artifact, region=region)

    def _plain(self, span: Span, snippet: Content | None) -> Region:
        return Region(
            start_line=max(1, span.start_line),
            start_column=max(1, span.start_column),
            end_line=max(1, span.end_line),
            end_column=max(1, span.end_column),
            snippet=snippet,
        )

    def _row(self, span: Span, snippet: Content | None) -> Region:
        column = end_column = None
        if self.row_text is not None:
            column, end_column = self.row_text.column(span.start), self.row_text.column(span.end)
        return Region(
            start_line=max(1, self.finding.line),
            start_column=column,
            end_line=max(1, self.finding.line),
            end_column=end_column,
            snippet=snippet,
            properties={
                "message": self.finding.message,
                "start": span.start,
                "end": span.end,
                "startLine": span.start_line,
                "startColumn": span.start_column,
                "endLine": span.end_line,
                "endColumn": span.end_column,
            },
        )


def make_place(finding: Finding, evidence: Evidence | None, files: Files) -> Place:
    """Return the place of a finding, exact to the character where its row is at hand."""
    row_text = None
    if evidence is not None and not files.is_plain:
        row_text = _row_text(evidence, evidence.text)
    artifact = files.artifact(finding.file)
    return Place(finding, evidence, artifact, files.is_plain, row_text)


def _row_text(evidence: Evidence | None, text: str) -> RowText | None:
    if evidence is None or evidence.row is None:
        return None
    return find_in_row(evidence.row, text)


def relative_uri(path: str) -> str:
    """Return a path as a percent-encoded URI that never leaves the root it is relative to."""
    if _DRIVE.match(path):
        path = path[2:].replace("\\", "/")
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return quote(_bytes("/".join(parts) or "-"))


def _bytes(path: str) -> bytes:
    try:
        return path.encode("utf-8", "surrogateescape")  # as the file system has it
    except UnicodeEncodeError:
        return path.encode("utf-8", "replace")


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    line, start = 1, 0
    for end in _LINE_END.finditer(text, 0, offset):
        line, start = line + 1, end.end()
    return line, offset - start + 1
