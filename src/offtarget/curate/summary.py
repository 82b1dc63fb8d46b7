"""From the lines of all shards to findings, rows and one summary."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec

from offtarget.core.codec import decode, parse, pretty
from offtarget.core.errors import DataError
from offtarget.core.finding import Severity
from offtarget.curate.inputs import ScannedInput
from offtarget.curate.output import explained, replacing
from offtarget.curate.packed import parts_of
from offtarget.curate.records import EngineUsed, FileScan, RowState, ScanSummary
from offtarget.curate.written import decode_line

FINDINGS = "findings.jsonl"
ROWS = "rows.jsonl"
SUMMARY = "summary.json"
ALL_READ, FLAGGED, NOTHING_READ = 0, 1, 4
"""Exit codes."""


def write_summary(
    lines: Iterable[bytes],
    out: Path,
    *,
    gate: Severity,
    engines: Sequence[EngineUsed],
    inputs: Sequence[ScannedInput],
) -> ScanSummary:
    """Write findings.jsonl, rows.jsonl and, last, summary.json; return the summary.

    Each file appears whole or not at all; while the first two are replaced there is no summary.

    Args:
        lines: One packed `RowScan` a row, in order.
        out: The folder to write to.
        gate: Rows with a finding of this severity or above are flagged.
        engines: What scanned.
        inputs: What was read, to the end.

    Raises:
        ResourceError: If a file cannot be written.
    """
    counts = _Counts(gate)
    with ExitStack() as stack:
        findings = stack.enter_context(replacing(out / FINDINGS))
        rows = stack.enter_context(replacing(out / ROWS))
        with explained(out):
            (out / SUMMARY).unlink(missing_ok=True)
        for line in lines:
            row, found = parts_of(line)
            counts.add(decode_line(_ROW, row), [decode_line(_FINDING, one) for one in found])
            with explained(out):
                rows.write(row + b"\n")
                findings.writelines(one + b"\n" for one in found)
    summary = counts.summary(engines, inputs)
    with replacing(out / SUMMARY) as file, explained(out):
        file.write(pretty(summary).encode())
    return summary


def read_summary(folder: Path) -> ScanSummary:
    """Return the summary of a finished scan.

    Raises:
        DataError: If it is missing or damaged.
    """
    try:
        text = (folder / SUMMARY).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{SUMMARY}: cannot read what the scan wrote ({error}); scan again"
        ) from error
    return decode(parse(text, place=SUMMARY), ScanSummary, place=SUMMARY, error=DataError)


@dataclass(frozen=True, slots=True)
class _Row:
    """What is counted of a row."""

    file: str
    state: str
    framing: str
    languages: dict[str, int]
    unread: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Found:
    """What is counted of a finding."""

    cwe: str
    severity: Severity
    origin: str
    engine: str


_ROW = msgspec.json.Decoder(_Row)
_FINDING = msgspec.json.Decoder(_Found)


class _Counts:
    """Everything that is counted over rows."""

    def __init__(self, gate: Severity) -> None:
        self.gate = gate
        self.n_flagged = 0
        self.by: dict[str, Counter[str]] = {}
        self.files: dict[str, list[int]] = {}

    def add(self, row: _Row, findings: Sequence[_Found]) -> None:
        is_flagged = any(one.severity.rank >= self.gate.rank for one in findings)
        self._count("state", row.state)
        self._count("samples_framing", row.framing)
        of_file = self.files.setdefault(row.file, [0, 0])
        of_file[0] += 1
        if is_flagged:
            self.n_flagged += 1
            of_file[1] += 1
            self._count("framing", row.framing)
        for one in findings:
            self._count("cwe", one.cwe)
            self._count("severity", one.severity)
            self._count("origin", one.origin)
            self._count("engine", one.engine)
        for name, counted in (("languages", row.languages), ("unread", row.unread)):
            for language, number in counted.items():
                self._count(name, language, number)

    def summary(self, engines: Sequence[EngineUsed], inputs: Sequence[ScannedInput]) -> ScanSummary:
        states = self._counted("state")
        n_read = states.get(RowState.FOUND, 0) + states.get(RowState.CLEAN, 0)
        n_unread = states.get(RowState.UNPARSED, 0) + states.get(RowState.QUARANTINED, 0)
        is_blind = n_unread > 0 and n_read == 0
        return ScanSummary(
            samples=sum(states.values()),
            flagged=self.n_flagged,
            unparsed=states.get(RowState.UNPARSED, 0),
            quarantined=states.get(RowState.QUARANTINED, 0),
            by_state=states,
            by_framing=self._counted("framing"),
            samples_by_framing=self._counted("samples_framing"),
            by_cwe=self._counted("cwe"),
            by_severity=self._counted("severity"),
            by_origin=self._counted("origin"),
            by_engine=self._counted("engine"),
            by_language=self._counted("languages"),
            unread_by_language=self._counted("unread"),
            n_findings=sum(self._counted("engine").values()),
            gate=self.gate,
            exit_code=FLAGGED if self.n_flagged else NOTHING_READ if is_blind else ALL_READ,
            engines=tuple(engines),
            files=tuple(self._of_input(taken) for taken in inputs),
        )

    def _of_input(self, taken: ScannedInput) -> FileScan:
        names = [taken.label] if taken.source is not None else [s.label for s in taken.sources]
        n_samples, n_flagged = (
            sum(self.files.get(name, [0, 0])[column] for name in names) for column in (0, 1)
        )
        return FileScan(taken.label, n_samples, n_flagged, taken.sha256)

    def _count(self, name: str, value: str, number: int = 1) -> None:
        self.by.setdefault(name, Counter())[value] += number

    def _counted(self, name: str) -> dict[str, int]:
        return dict(sorted(self.by.get(name, Counter()).items()))
