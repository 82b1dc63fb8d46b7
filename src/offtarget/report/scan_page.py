"""One scan as one HTML file: opens anywhere, loads nothing, runs nothing that it shows."""

from collections.abc import Sequence

from offtarget.core.finding import Severity
from offtarget.curate.framing import Framing
from offtarget.curate.records import RowState, ScanSummary
from offtarget.curate.view.records import DatasetView
from offtarget.evaluate.results import Rate
from offtarget.report import scan_answer, scan_view
from offtarget.report.clean_section import Cleaning, section
from offtarget.report.numerals import count
from offtarget.report.page import render_page
from offtarget.report.scan_charts import MAX_KINDS, framings_figure, kinds_figure
from offtarget.report.scan_counts import KindCount, Outcome, ScanCounts
from offtarget.report.scan_examples import Example
from offtarget.report.stacks import draw_stacks

MAX_FILES = 100
MAX_LANGUAGES = 40
MAX_ENGINES = 20
MAX_EXAMPLES = 30
MAX_MORE_KINDS = 60
"""Rows of a table; the summary's file holds all."""
STATES = {
    RowState.FOUND: "at least one finding",
    RowState.CLEAN: "all code read, nothing found",
    RowState.UNPARSED: "nothing found, some code not read",
    RowState.NO_CODE: "no code of the assistant",
    RowState.QUARANTINED: "malformed, or not finished",
}


def render_scan(
    summary: ScanSummary,
    counts: ScanCounts,
    examples: Sequence[Example] = (),
    *,
    cleaning: Cleaning | None = None,
    view: DatasetView | None = None,
    title: str = "",
    command: str = "",
) -> str:
    """Return a scan as an HTML document. Every text is treated as hostile.

    Under 1 MB however large the scan: tables and examples are cut, and the page says so.

    Args:
        summary: What the scan said.
        counts: From `count_rows`.
        examples: From `pick_examples` and `with_code`; at most 30 are shown.
        cleaning: What was done with the rows afterwards; None where nothing was.
        view: What the data set is made of; None where it was not looked at.
        title: The page's heading; the names of the files if empty.
        command: The command line that scanned, to be shown.
    """
    said = scan_answer.answer(summary, counts)
    values: dict[str, object] = {
        "summary": summary,
        "heading": f"{'Cleaning' if cleaning else 'Scan'}: {title or _names(summary)}",
        "cleaning": section(cleaning) if cleaning else None,
        "view": scan_view.section(view) if view else None,
        "tone": said.tone,
        "answer": said,
        "facts": scan_answer.facts(summary, counts),
        "warnings": scan_answer.warnings(summary),
        "limits": scan_answer.LIMITS,
        "gate_words": scan_answer.severity_words(summary.gate),
        "flagged": scan_answer.rate_of(summary.flagged, summary.samples),
        "covert": _rate(scan_answer.covert_flagged(summary, counts), summary),
        "framings_chart": draw_stacks(framings_figure(summary, counts)),
        "kinds_chart": draw_stacks(kinds_figure(summary, counts)) if counts.kinds else "",
        "outcomes": [(one, scan_answer.OUTCOMES[one]) for one in Outcome],
        "framings": [_framing_row(one, summary, counts) for one in _with_rows(counts)],
        "totals": [_total(one, summary, counts) for one in Outcome],
        "introduced": _rate(counts.introduced(summary.gate), summary),
        "n_kinds": len(summary.by_cwe),
        "n_kinds_drawn": min(MAX_KINDS, len(counts.kinds)),
        "more_kinds": [_more(one, summary) for one in _more_kinds(counts)],
        "breakdowns": _breakdowns(summary),
        "states": [(one, STATES[one], summary.by_state.get(one, 0)) for one in RowState],
        "languages": _languages(summary)[:MAX_LANGUAGES],
        "engines": summary.engines[:MAX_ENGINES],
        "examples": list(examples[:MAX_EXAMPLES]),
        "files": summary.files[:MAX_FILES],
        "n_files_hidden": max(0, len(summary.files) - MAX_FILES),
        "command": command,
    }
    return render_page("scan.html.jinja", values | _FUNCTIONS)


def _names(summary: ScanSummary) -> str:
    if not summary.files:
        return "nothing"
    first = summary.files[0].path[:120]
    n_more = len(summary.files) - 1
    return f"{first} and {count(n_more)} more" if n_more else first


def _with_rows(counts: ScanCounts) -> list[Framing]:
    return scan_answer.shown_framings(counts)


def _framing_row(framing: Framing, summary: ScanSummary, counts: ScanCounts) -> dict[str, object]:
    label, meaning = scan_answer.FRAMINGS[framing]
    cells = counts.cells[framing]
    return {
        "label": label,
        "meaning": meaning,
        "n_rows": counts.of_framing(framing),
        "cells": [_rate(cells[outcome], summary) for outcome in Outcome],
        "is_covert": framing is Framing.COVERT,
    }


def _total(outcome: Outcome, summary: ScanSummary, counts: ScanCounts) -> Rate:
    return _rate(sum(cells[outcome] for cells in counts.cells.values()), summary)


def _more_kinds(counts: ScanCounts) -> tuple[KindCount, ...]:
    return counts.kinds[MAX_KINDS : MAX_KINDS + MAX_MORE_KINDS]


def _more(kind: KindCount, summary: ScanSummary) -> dict[str, object]:
    return {"cwe": kind.cwe, "rows": _rate(kind.n_rows, summary), "n_covert": kind.n_covert}


def _breakdowns(summary: ScanSummary) -> list[tuple[str, list[tuple[str, int]]]]:
    """Return the findings by severity, origin and engine."""
    severities = [(one.value, summary.by_severity.get(one, 0)) for one in reversed(Severity)]
    return [
        ("Severity", severities),
        ("Origin", scan_answer.most(summary.by_origin)),
        ("Engine", scan_answer.most(summary.by_engine)[:MAX_ENGINES]),
    ]


def _languages(summary: ScanSummary) -> list[tuple[str, Rate]]:
    """Return the snippets of each language that no engine could read."""
    return [
        (name, scan_answer.rate_of(summary.unread_by_language.get(name, 0), n))
        for name, n in scan_answer.most(summary.by_language)
    ]


def _rate(n: int, summary: ScanSummary) -> Rate:
    return scan_answer.rate_of(n, summary.samples)


def _framing_label(framing: Framing) -> str:
    return scan_answer.FRAMINGS[framing][0]


_FUNCTIONS: dict[str, object] = {
    "share": scan_answer.share,
    "share_interval": scan_answer.share_interval,
    "kind_name": scan_answer.kind_name,
    "framing_label": _framing_label,
}
