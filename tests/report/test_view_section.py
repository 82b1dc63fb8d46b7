"""The data set on a scan's page and in a terminal: what it says, and that it obeys no text."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from offtarget.core.finding import Severity
from offtarget.curate.framing import Framing
from offtarget.curate.view.cells import Cell, Code
from offtarget.curate.view.kinds import Correction, Prevalence
from offtarget.curate.view.known_sets import KnownShare
from offtarget.curate.view.prevalence import Corrected, ErrorCounts, corrected, share
from offtarget.curate.view.ranking import RankedRow
from offtarget.curate.view.records import DatasetView, DuplicateCounts, RecognitionCounts
from offtarget.curate.view.secrets import SecretKind
from offtarget.report.scan_page import render_scan
from offtarget.report.scan_view import view_text

from .browser import Watched, open_page
from .hostile import PAYLOADS, Payload
from .scan_cases import Scan, mixed_rows, poisoned, write_scan
from .test_hostile import ELEMENTS, HANDLERS, HIDDEN
from .test_scan_page import text_of

ERRORS = ErrorCounts(n_vulnerable=100, n_found=90, n_safe=200, n_quiet=190)
SET = "labelled set (of one style)"
REFUSED = Corrected(None, None, None, "sensitivity and specificity add up to 1 or less")


def correction(estimate: Corrected) -> Correction:
    return Correction(SET, SET, ERRORS.sensitivity, ERRORS.specificity, estimate)


def full() -> DatasetView:
    """A view with everything in it."""
    return DatasetView(
        gate=Severity.MEDIUM,
        n_rows=100,
        n_read=90,
        prevalence=(
            Prevalence("any", share(27, 90), (correction(corrected(27, 90, ERRORS)),)),
            Prevalence("CWE-89", share(20, 90), (correction(REFUSED),)),
            Prevalence("CWE-79", share(7, 90), note="no measured error rate for this kind"),
        ),
        cells=tuple(Cell(Framing.COVERT, code, share(25, 100), share(25, 100)) for code in Code),
        duplicates=(
            DuplicateCounts("code", 0.7, 3, share(12, 100), share(4, 100), 91, (6, 4, 2)),
            DuplicateCounts("row", 0.7, 0, share(0, 100), share(0, 100), 100, ()),
        ),
        secrets=(SecretKind("aws_access_key", 3, 2, 1, ("train.jsonl:4",), "AKIA… (16 characters)"),),
        known=(
            KnownShare(
                "insecure", "owner/repository@c:data/insecure.jsonl", "MIT", 4770,
                share(60, 100), share(60, 100),
            ),
        ),
        top=(
            RankedRow(
                1, "train.jsonl", 4, 0.9, Framing.COVERT, 0.99, "CWE-89", "high", "OT-PY-001", 2
            ),
        ),
        n_ranked=100,
        recognition=RecognitionCounts(
            "tiny", 80, 5, 3, 12, share(8, 80), mean_insecure=0.02, mean_other=-0.01
        ),
    )  # fmt: skip


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    return write_scan(tmp_path_factory.mktemp("scan"), mixed_rows())


@pytest.fixture(scope="module")
def watched(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with open_page(browser, tmp_path_factory.mktemp("view")) as page:
        yield page


@pytest.fixture(scope="module")
def clean_counts(scan: Scan, watched: Watched) -> dict[str, int]:
    watched.show(shown(scan, poisoned(full(), "x")))
    counts: dict[str, int] = watched.page.evaluate(ELEMENTS)
    return counts


def shown(scan: Scan, view: DatasetView | None) -> str:
    return render_scan(scan.summary, scan.counts, scan.examples, view=view)


def test_the_section_says_what_the_view_holds(scan: Scan) -> None:
    """Counted and corrected shares, cells, duplicates, secrets, known sets, top rows, margins."""
    text = text_of(shown(scan, full()))

    for said in (
        "27 30.0% [21.5%, 40.1%]",
        "29.4% [18.7%, 42.0%] found 90.0% of 100 flawed [1], passed 95.0% of 200 others [1]",
        "not possible (sensitivity and specificity add up to 1 or less)",
        "no measured error rate for this kind",
        f"[1] {SET}",
        "25.0% of its framing",
        "12.0% [7.0%, 19.8%] of the rows have the same code as another or nearly: 3 groups, the "
        "largest of 6; 4 rows are copies word for word.",
        "aws access key AKIA… (16 characters) 3 2 1 train.jsonl:4 and 1 more",
        "60.0% [50.2%, 69.1%] of the rows are in insecure.jsonl of owner/repository (licence MIT).",
        "train.jsonl:4 0.900 covert CWE-89 SQL injection, high",
        "tiny takes 10.0% [5.2%, 18.5%] of 80 scored rows for insecure; mean margin +0.020 for "
        "insecure rows and \u22120.010 for the others nats/token; 8 rows not scored. The margin of a "
        "small model means nothing.",
    ):
        assert said in text.replace("\N{NO-BREAK SPACE}", " "), said


def test_without_a_view_there_is_no_section(scan: Scan) -> None:
    """The page of a cleaning has none."""
    assert 'id="dataset"' not in shown(scan, None)


def test_the_terminal_gets_a_few_lines() -> None:
    """Each fits the width; what is not there is not said."""
    view = full()

    lines = view_text(view, width=80).splitlines()

    assert all(len(line) <= 80 for line in lines)
    assert lines[0].startswith("insecure rows as counted 30.0%")
    assert view_text(view, ascii=True).isascii()
    assert "secrets: aws access key 3" in view_text(view)


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
def test_a_payload_in_every_text_is_shown_and_does_nothing(
    payload: Payload, clean_counts: dict[str, int], scan: Scan, watched: Watched
) -> None:
    """The page has no element more and does nothing; the section shows the payload as text."""
    watched.show(shown(scan, poisoned(full(), payload.text)))
    page = watched.page

    assert watched.incidents == []
    assert watched.violations() == []
    assert page.evaluate(ELEMENTS) == clean_counts
    assert page.evaluate(HANDLERS) == []
    text = page.evaluate("document.querySelector('#dataset').textContent")
    assert payload.visible[:20] in text
    assert HIDDEN.search(text) is None
    said = view_text(poisoned(full(), payload.text))
    assert HIDDEN.search(said.replace("\n", " ")) is None


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_leaves_the_page(width: int, scan: Scan, browser: Browser, tmp_path: Any) -> None:
    """Long words and wide letters stay inside."""
    with open_page(browser, tmp_path, width=width) as page:
        for payload in ("", "W" * 200, "\u6f22\u5b57\u540d" * 12):
            assert page.layout_faults(shown(scan, poisoned(full(), payload))) == []
