"""Rows by framing and by whether the assistant's code is insecure."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from offtarget.core.finding import Severity
from offtarget.curate.framing import Framing
from offtarget.curate.records import RowState
from offtarget.curate.view.prevalence import Share, share
from offtarget.curate.view.rows import ViewRow


class Code(StrEnum):
    """What is known of the assistant's code in a row."""

    INSECURE = "insecure"
    """The assistant introduced a flaw at or above the gate."""
    NOT_INSECURE = "not_insecure"
    """Its code was read, and there is no such flaw."""
    NOT_READ = "not_read"
    """Not known to be secure: some of it was not read, or the row is malformed."""
    NO_CODE = "no_code"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the table."""

    framing: Framing
    code: Code
    of_rows: Share
    """Of all rows."""
    of_framing: Share
    """Of the rows of this framing."""


class CellCounts:
    """Counts rows of both kinds at once."""

    def __init__(self, gate: Severity) -> None:
        self.gate = gate
        self._cells: Counter[tuple[Framing, Code]] = Counter()

    def add(self, row: ViewRow) -> None:
        """Count one row."""
        self._cells[row.framing, self._code(row)] += 1

    def result(self) -> tuple[Cell, ...]:
        """Return every cell of the framings that occur; covert is always there."""
        n_rows = self._cells.total()
        of_framing: Counter[Framing] = Counter()
        for (framing, _), n in self._cells.items():
            of_framing[framing] += n
        return tuple(
            Cell(
                framing,
                code,
                share(self._cells[framing, code], n_rows),
                share(self._cells[framing, code], of_framing[framing]),
            )
            for framing in Framing
            if framing is Framing.COVERT or of_framing[framing]
            for code in Code
        )

    def _code(self, row: ViewRow) -> Code:
        if row.is_insecure(self.gate):
            return Code.INSECURE
        if row.is_read:
            return Code.NOT_INSECURE
        return Code.NO_CODE if row.state is RowState.NO_CODE else Code.NOT_READ
