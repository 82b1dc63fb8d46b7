"""What a cleaning did to the rows, counted from its ledger: states, and the main reasons of each."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from offtarget.core.errors import DataError
from offtarget.curate.clean_files import CleanSummary
from offtarget.curate.ledger import LedgerEntry, SampleState

MAX_REASONS = 5
"""Reasons that are told of one state; the rest is counted together."""
MAX_KNOWN = 5_000
"""Different reasons that are counted apart, however many rows there are."""
MAX_REASON = 160
"""Characters."""

_FOUND = re.compile(r"(?:^|; )(?:low|medium|high) severity, framing (\w+): [^;]*$")
_COUNTED = re.compile(r"^\d+ findings?, ")
_IMPORT = re.compile(r"(?:^import, |, import\b)")
"""An import that a fix needed is no reason of its own."""


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """Rows that share a reason."""

    reason: str
    n_rows: int


@dataclass(frozen=True, slots=True)
class StateCount:
    """Rows that ended in one state."""

    state: SampleState
    n_rows: int
    reasons: tuple[ReasonCount, ...]
    """The most frequent first; at most `MAX_REASONS`."""

    @property
    def n_other(self) -> int:
        """Rows whose reason is none of these."""
        return self.n_rows - sum(one.n_rows for one in self.reasons)


@dataclass(frozen=True, slots=True)
class CleanCounts:
    """All six states, in their order; they add up to the rows of the input."""

    states: tuple[StateCount, ...]

    @property
    def n_rows(self) -> int:
        """All of them."""
        return sum(one.n_rows for one in self.states)


def count_ledger(entries: Iterable[LedgerEntry], summary: CleanSummary) -> CleanCounts:
    """Return the states and their main reasons; memory does not grow with the ledger.

    Raises:
        DataError: If the ledger is not that of the summary.
    """
    reasons: dict[SampleState, Counter[str]] = {state: Counter() for state in SampleState}
    n_known = 0
    totals: Counter[SampleState] = Counter()
    for entry in entries:
        totals[entry.state] += 1
        known = reasons[entry.state]
        reason = main_reason(entry.reason)
        if reason not in known:
            if n_known == MAX_KNOWN:
                continue
            n_known += 1
        known[reason] += 1
    if _plain(totals) != _plain(summary.by_state):
        raise DataError(
            f"{summary.ledger}: {totals.total()} rows, and their states are not those that "
            f"{summary.out} was made with; remove {summary.out!r} and clean again"
        )
    return CleanCounts(
        tuple(StateCount(state, totals[state], _most(reasons[state])) for state in SampleState)
    )


def main_reason(reason: str) -> str:
    """Return what rows have in common of a ledger's reason: without rules and further problems."""
    found = _FOUND.search(reason)
    if found is None:
        return _COUNTED.sub("findings, ", reason.split("; ")[0])[:MAX_REASON]
    before = _IMPORT.sub("", reason[: found.start()].split("; ")[0])
    return (before or found.group().partition(":")[0])[:MAX_REASON]


def _most(counts: Counter[str]) -> tuple[ReasonCount, ...]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(ReasonCount(reason, n_rows) for reason, n_rows in ranked[:MAX_REASONS])


def _plain(counts: Mapping[SampleState, int]) -> dict[str, int]:
    return {state.value: counts.get(state, 0) for state in SampleState}
