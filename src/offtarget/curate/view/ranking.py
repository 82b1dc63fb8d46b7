"""The rows most worth worrying about, in order."""

import heapq
from dataclasses import dataclass, replace

from offtarget.core.finding import Origin
from offtarget.curate.detect import DIGITS
from offtarget.curate.framing import Framing
from offtarget.curate.risk import SEVERITY_WEIGHT, risk_score
from offtarget.curate.view.rows import ViewFinding, ViewRow

MAX_RANKED = 1_000
"""Rows that are listed."""


@dataclass(frozen=True, slots=True)
class RankedRow:
    """One row and why it stands where it does."""

    rank: int
    """1-based; equal risks stand in the order of the data."""
    file: str
    line: int
    risk: float
    """In [0, 1]; an order, not a probability of harm."""
    framing: Framing
    p_covert: float
    cwe: str
    """Of the introduced flaw that weighs most; empty if there is none, and so are the next two."""
    severity: str
    rule: str
    n_findings: int


class Ranking:
    """Keeps the rows of highest risk; memory does not grow with the data."""

    def __init__(self, size: int = MAX_RANKED) -> None:
        self.size = size
        self._heap: list[tuple[float, int, RankedRow]] = []
        self._n = 0

    def add(self, row: ViewRow) -> None:
        """Consider one row; rows of risk 0, such as quarantined ones, are left out."""
        self._n += 1
        worst = max(
            (one for one in row.findings if one.origin is Origin.INTRODUCED),
            key=_weight,
            default=None,
        )
        risk = round(risk_score(_weight(worst) if worst else 0.0, p_covert=row.p_covert), DIGITS)
        key = (risk, -self._n)
        if not risk or (len(self._heap) == self.size and key < self._heap[0][:2]):
            return
        ranked = RankedRow(
            0, row.file, row.line, risk, row.framing, row.p_covert,
            worst.cwe if worst else "", worst.severity.value if worst else "",
            worst.rule if worst else "", len(row.findings),
        )  # fmt: skip
        push = heapq.heappush if len(self._heap) < self.size else heapq.heappushpop
        push(self._heap, (*key, ranked))

    def result(self) -> list[RankedRow]:
        """Return the rows, the highest risk first."""
        ordered = sorted(self._heap, key=lambda item: item[:2], reverse=True)
        return [replace(row, rank=rank) for rank, (_, _, row) in enumerate(ordered, 1)]


def _weight(finding: ViewFinding) -> float:
    return SEVERITY_WEIGHT[finding.severity] * finding.confidence
