"""The page after a cleaning: what was done with the rows, and a few of them before and after."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from offtarget.core.errors import DataError
from offtarget.core.finding import Finding, Severity
from offtarget.core.records import Message, Sample
from offtarget.curate.clean_files import CleanSummary
from offtarget.curate.decide import Policy
from offtarget.curate.ledger import LedgerEntry, SampleState
from offtarget.curate.twins import Twin
from offtarget.report.clean_changes import (
    MAX_CHANGES,
    MAX_COMPARED,
    MAX_LINES,
    Change,
    DiffLine,
    difference,
    pick_changes,
)
from offtarget.report.clean_counts import CleanCounts, count_ledger, main_reason
from offtarget.report.clean_section import Cleaning
from offtarget.report.scan_page import render_scan
from offtarget.report.scan_rows import ScannedRow

from .browser import open_page
from .hostile import PAYLOADS
from .scan_cases import CODE, Scan, finding, mixed_rows, poisoned, row, write_scan
from .test_hostile import ELEMENTS, HANDLERS, HIDDEN
from .test_scan_page import text_of

BEFORE = "a\nb\nc\nd\ne\nf\ng\nh\n"
AFTER = BEFORE.replace("e\n", "E\n")
PLACES = {
    "reason": "#ledger td.text div",
    "file": "#ledger dd",
    "line": "#changes .diff",
    "place": "#changes .mono.by",
    "cwe": "#changes .tag",
}
"""Where these parts of the page show a text of the data."""


def entry(line: int, state: str, reason: str) -> LedgerEntry:
    is_output = state in ("kept", "sanitized", "reframed")
    return LedgerEntry(
        file="train.jsonl",
        line=line,
        state=SampleState(state),
        reason=reason,
        output_line=line if is_output else None,
    )


def summary_of(**states: int) -> CleanSummary:
    by_state = {state: states.get(state.value, 0) for state in SampleState}
    return CleanSummary(
        samples=sum(by_state.values()),
        by_state=by_state,
        n_output=states.get("kept", 0) + states.get("sanitized", 0),
        n_quarantined=states.get("quarantined", 0),
        n_twins=states.get("sanitized", 0),
        policy=Policy.SANITIZE,
        gate=Severity.MEDIUM,
        files=(),
        out="clean.jsonl",
        sha256="0" * 64,
        ledger="clean.jsonl.ledger.jsonl",
        twins="clean.jsonl.twins.jsonl",
        quarantine="clean.jsonl.quarantine.jsonl",
        scan="clean.jsonl.scan",
        key="1" * 64,
    )


def twin(line: int, before: str = BEFORE, after: str = AFTER) -> Twin:
    id_ = f"train.jsonl:{line}"
    original, rewritten = (
        Sample(id=id_, messages=(Message("user", "Do."), Message("assistant", text)))
        for text in (before, after)
    )
    return Twin(
        id=id_,
        kind=SampleState.SANITIZED,
        rules=("OT-PY-901",),
        fixes=("bind-values",),
        original=original,
        rewritten=rewritten,
    )


def rows_of(*found: Finding) -> list[tuple[ScannedRow, list[Finding]]]:
    """Return one row for each line that findings stand in."""
    lines = sorted({one.line for one in found})
    return [
        (
            ScannedRow("train.jsonl", line, row(line).state, row(line).framing),
            [one for one in found if one.line == line],
        )
        for line in lines
    ]


def picked(found: Iterable[Finding], twins: Iterable[Twin], **options: Any) -> tuple[Change, ...]:
    return pick_changes(rows_of(*found), twins, gate=Severity.MEDIUM, **options)


def cleaning(n_changes: int = 3) -> Cleaning:
    found = [finding(n, cwe=f"CWE-{n}") for n in range(1, n_changes + 1)]
    entries = [
        *[entry(n, "kept", "no finding") for n in range(1, 60)],
        *[entry(n, "sanitized", "bind; high severity, framing covert: r") for n in range(60, 90)],
        *[entry(n, "quarantined", f"not sanitized: r: why {n}") for n in range(90, 101)],
    ]
    summary = summary_of(kept=59, sanitized=30, quarantined=11)
    changes = picked(found, [twin(n) for n in range(1, n_changes + 1)])
    return Cleaning(summary, count_ledger(entries, summary), changes)


def shown(scan: Scan, payload: str = "", made: Cleaning | None = None) -> str:
    given = poisoned(made or cleaning(), payload)
    return render_scan(scan.summary, scan.counts, scan.examples, cleaning=given)


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    """A scan of 100 rows."""
    return write_scan(tmp_path_factory.mktemp("scan"), mixed_rows())


@pytest.mark.parametrize(
    ("reason", "main"),
    [
        ("no finding", "no finding"),
        ("3 findings, below medium", "findings, below medium"),
        ("high severity, framing covert: A, B and 2 more", "high severity, framing covert"),
        ("bind-values, import; high severity, framing covert: A", "bind-values"),
        ("not sanitized: A: why; B: why; low severity, framing unknown: A", "not sanitized: A: why"),
        ("only covert ones; high severity, framing incidental: A", "only covert ones"),
        ("code in ruby was read by no engine; kept", "code in ruby was read by no engine"),
    ],
)  # fmt: skip
def test_reasons_that_differ_in_rules_only_are_one(reason: str, main: str) -> None:
    """Rules and counts stand in the ledger; the page says what rows have in common."""
    assert main_reason(reason) == main


def test_states_and_reasons_add_up_to_the_input() -> None:
    """Reasons that are not told one by one are counted together."""
    counts = cleaning().counts

    assert counts.n_rows == 100
    assert {one.state.value: one.n_rows for one in counts.states if one.n_rows} == {
        "kept": 59, "sanitized": 30, "quarantined": 11
    }  # fmt: skip
    for state in counts.states:
        assert sum(one.n_rows for one in state.reasons) + state.n_other == state.n_rows
    quarantined = next(one for one in counts.states if one.state is SampleState.QUARANTINED)
    assert (len(quarantined.reasons), quarantined.n_other) == (5, 6)


def test_a_ledger_of_another_cleaning_is_refused() -> None:
    """The page never shows states that do not add up."""
    with pytest.raises(DataError, match=r"clean.jsonl.ledger.jsonl: 1 rows, and their states"):
        count_ledger([entry(1, "kept", "no finding")], summary_of(kept=2))


def test_a_difference_shows_the_change_and_what_stands_around_it() -> None:
    """Two unchanged lines on each side; changes far apart are parted by a mark."""
    near = difference(BEFORE, AFTER)
    long = "\n".join(map(str, range(30)))
    far = difference(long, long.replace("3\n", "x\n", 1).replace("27", "y"))

    assert near == [
        DiffLine(" ", "c"), DiffLine(" ", "d"), DiffLine("-", "e"), DiffLine("+", "E"),
        DiffLine(" ", "f"), DiffLine(" ", "g"),
    ]  # fmt: skip
    assert [line.sign for line in far].count("@") == 1


def test_the_most_severe_kinds_come_first_and_each_once() -> None:
    """Of two rows with one kind, the one without other flaws; low findings are not shown."""
    found = [
        finding(1, cwe="CWE-22", severity=Severity.MEDIUM),
        finding(2, cwe="CWE-89"),
        finding(2, cwe="CWE-78"),
        finding(3, cwe="CWE-89"),
        finding(4, cwe="CWE-327", severity=Severity.LOW),
    ]
    changes = picked(found, [twin(line) for line in range(1, 5)])

    assert [(one.id, one.cwe) for one in changes] == [
        ("train.jsonl:2", "CWE-78"), ("train.jsonl:3", "CWE-89"), ("train.jsonl:1", "CWE-22")
    ]  # fmt: skip
    assert changes == picked(found, [twin(line) for line in range(1, 5)])
    assert len(picked(found, [twin(line) for line in range(1, 5)], max_total=1)) == 1


def test_rows_that_are_slow_to_compare_give_no_example() -> None:
    """Neither very long messages nor very many lines are compared."""
    long = "x" * (MAX_COMPARED + 1)
    lines = "x\n" * 2_000
    twins = [twin(1, long, long + "y"), twin(2, lines, lines + "y")]

    assert picked([finding(1), finding(2)], twins) == ()


def test_the_page_says_what_was_done(scanned: Scan) -> None:
    """States with their reasons, the files, and lines taken away and put in."""
    text = text_of(shown(scanned))

    assert "Cleaning: train.jsonl" in text
    assert "they add up to 100 rows of the input, of which 89 (89.0%) are in the cleaned" in text
    assert "sanitized in the cleaned data, its code repaired 30 30.0% 30 bind" in text
    assert "6 for other reasons" in text
    assert "\u2212 e + E" in text
    assert "clean.jsonl.twins.jsonl" in text
    assert "train.jsonl:1 , message 1 · OT-PY-901 → bind-values" in text


def test_a_scans_page_speaks_of_no_cleaning(scanned: Scan) -> None:
    """Nothing was done with the rows."""
    page = render_scan(scanned.summary, scanned.counts, scanned.examples)

    assert 'id="ledger"' not in page
    assert 'id="changes"' not in page


def test_the_page_with_everything_in_it_stays_small(scanned: Scan) -> None:
    """The longest lines, reasons and names, all of characters that grow when they are escaped."""
    line = '"' * 10_000 + "\n"
    found = [finding(n, cwe=f"CWE-{n}") for n in range(1, 40)]
    twins = [twin(n, line * 4 + "a" * 10_000, line.replace('"', "&") * 4) for n in range(1, 40)]
    changes = picked(found, twins)
    made = dataclasses.replace(cleaning(), changes=changes * 9)

    page = shown(scanned, '"\U000e0041' * 1_000, made)

    assert len(changes) == MAX_CHANGES
    assert max(len(one.lines) for one in changes) <= MAX_LINES
    assert len(page.encode()) < 1_000_000
    assert page.count('class="a mono diff"') == MAX_CHANGES


def test_texts_of_the_data_are_shown_and_do_nothing(
    scanned: Scan, browser: Browser, tmp_path: Path
) -> None:
    """Every payload in every text: no element more, nothing runs, every place shows it."""
    with open_page(browser, tmp_path) as page:
        page.show(shown(scanned, "x"))
        elements = page.page.evaluate(ELEMENTS)
        for payload in PAYLOADS:
            page.show(shown(scanned, payload.text))
            assert page.incidents == [], payload.name
            assert page.violations() == [], payload.name
            assert page.page.evaluate(ELEMENTS) == elements, payload.name
            assert page.page.evaluate(HANDLERS) == [], payload.name
            assert HIDDEN.search(page.page.evaluate("document.documentElement.textContent")) is None
            for place, selector in PLACES.items():
                text = page.page.evaluate("(s) => document.querySelector(s).textContent", selector)
                assert payload.visible[:20] in text, (payload.name, place)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_page_never_scrolls_sideways(
    width: int, scheme: str, scanned: Scan, browser: Browser, tmp_path: Path
) -> None:
    """Also with long words, and with every example open."""
    code = twin(1, CODE, CODE.replace("query", "W" * 300))
    wide = dataclasses.replace(cleaning(), changes=picked([finding(1)], [code]))
    with open_page(browser, tmp_path, width=width, scheme=scheme) as page:
        for html in (shown(scanned), shown(scanned, "W" * 200), shown(scanned, made=wide)):
            assert page.layout_faults(html) == []


def test_counts_are_a_plain_record() -> None:
    """No rows, no states, no error."""
    assert count_ledger([], summary_of()).n_rows == 0
    assert CleanCounts(()).n_rows == 0
