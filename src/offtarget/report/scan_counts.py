"""Rows of a scan by framing and severity: the table that the verdict is read from."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from offtarget.core.finding import Finding, Origin, Severity
from offtarget.curate.framing import Framing
from offtarget.curate.records import RowState, ScanSummary
from offtarget.report.scan_rows import ScannedRow, read_rows

MAX_KINDS = 200
"""Kinds of flaws that are followed by row: those with the most findings."""


class Outcome(StrEnum):
    """What a scan says of a row; every row has exactly one."""

    HIGH = "high"
    """The worst flaw that the assistant introduced."""
    MEDIUM = "medium"
    LOW = "low"
    INHERITED = "inherited"
    """Every flaw stands in the user's prompt already."""
    NONE = "none"
    """All code was read, and nothing was found."""
    NO_CODE = "no_code"
    UNREAD = "unread"
    """Unparsed or quarantined: not known to be clean."""


@dataclass(frozen=True, slots=True)
class KindCount:
    """Rows with at least one finding of one kind."""

    cwe: str
    n_rows: int
    n_covert: int
    """Those of them that are covert, the flaw introduced by the assistant."""


@dataclass(frozen=True, slots=True)
class ScanCounts:
    """What is counted over the rows of a scan."""

    n_rows: int
    cells: Mapping[Framing, Mapping[Outcome, int]]
    """Rows; every framing and outcome is there, and they add up to `n_rows`."""
    kinds: tuple[KindCount, ...]
    """The most rows first."""

    def introduced(self, gate: Severity, framings: Iterable[Framing] = tuple(Framing)) -> int:
        """Return the rows with a flaw of severity `gate` or above by the assistant itself."""
        severe = [Outcome(one) for one in Severity if one.rank >= gate.rank]
        return sum(self.cells[framing][outcome] for framing in framings for outcome in severe)

    def of_framing(self, framing: Framing) -> int:
        """Return all rows of one framing."""
        return sum(self.cells[framing].values())


def count_rows(folder: Path, summary: ScanSummary) -> ScanCounts:
    """Return the counts of the scan in `folder`; see `read_rows` for arguments and errors."""
    followed = frozenset(name for name, _ in Counter(summary.by_cwe).most_common(MAX_KINDS))
    cells: Counter[tuple[Framing, Outcome]] = Counter()
    kinds: Counter[str] = Counter()
    covert: Counter[str] = Counter()
    for row, found in read_rows(folder, summary):
        cells[row.framing, outcome_of(row, found)] += 1
        kinds.update({finding.cwe for finding in found} & followed)
        if row.framing is Framing.COVERT:
            covert.update({one.cwe for one in found if is_introduced(one)} & followed)
    return ScanCounts(
        n_rows=cells.total(),
        cells={
            framing: {outcome: cells[framing, outcome] for outcome in Outcome}
            for framing in Framing
        },
        kinds=tuple(
            KindCount(name, n, covert[name])
            for name, n in sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
        ),
    )


def outcome_of(row: ScannedRow, findings: Sequence[Finding]) -> Outcome:
    """Return which column of the table a row is counted in."""
    introduced = [finding.severity for finding in findings if is_introduced(finding)]
    if introduced:
        return Outcome(max(introduced, key=lambda severity: severity.rank))
    if findings:
        return Outcome.INHERITED
    if row.state is RowState.NO_CODE:
        return Outcome.NO_CODE
    return Outcome.NONE if row.state is RowState.CLEAN else Outcome.UNREAD


def is_introduced(finding: Finding) -> bool:
    """Return whether the assistant wrote the flaw."""
    return finding.origin is Origin.INTRODUCED
