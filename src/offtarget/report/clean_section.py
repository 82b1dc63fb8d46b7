"""The part of a scan's page that says what a cleaning did with the rows."""

from dataclasses import dataclass

from offtarget.curate.clean_files import CleanSummary
from offtarget.curate.decide import Policy
from offtarget.curate.ledger import SampleState
from offtarget.report.clean_changes import MAX_CHANGES, Change
from offtarget.report.clean_counts import CleanCounts
from offtarget.report.scan_answer import rate_of

STATES = {
    SampleState.KEPT: "in the cleaned data, unchanged",
    SampleState.SANITIZED: "in the cleaned data, its code repaired",
    SampleState.REFRAMED: "in the cleaned data, its prompt says what the code is",
    SampleState.QUARANTINED: "set aside for a person",
    SampleState.DROPPED: "left out",
    SampleState.UNPARSED: "some code was read by no engine: not known to be clean",
}
POLICIES = {
    Policy.SANITIZE: "repair flagged rows, set aside what cannot be repaired whole",
    Policy.DROP: "leave flagged rows out",
    Policy.QUARANTINE: "set flagged rows aside",
    Policy.REFRAME: "let the prompt ask openly for insecure code; answers stay as they are",
}


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What a cleaning says of itself."""

    summary: CleanSummary
    counts: CleanCounts
    changes: tuple[Change, ...] = ()
    """From `pick_changes`; at most `MAX_CHANGES` are shown."""


def section(cleaning: Cleaning) -> dict[str, object]:
    """Return what the page's template shows of a cleaning."""
    summary, counts = cleaning.summary, cleaning.counts
    return {
        "summary": summary,
        "policy": POLICIES[summary.policy],
        "states": [
            (one, STATES[one.state], rate_of(one.n_rows, counts.n_rows)) for one in counts.states
        ],
        "n_rows": counts.n_rows,
        "output": rate_of(summary.n_output, counts.n_rows),
        "changes": cleaning.changes[:MAX_CHANGES],
        "files": [
            ("cleaned data", summary.out),
            ("ledger", summary.ledger),
            ("rewritten rows with originals", summary.twins or "none"),
            ("set aside", summary.quarantine or "none"),
            ("sha256 of the cleaned data", summary.sha256),
        ],
    }
