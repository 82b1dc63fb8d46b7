"""The page of a scan says what the scan found, fits everywhere, and obeys no text in it."""

import dataclasses
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from offtarget.core.finding import Origin, Severity
from offtarget.curate.records import EngineUsed, FileScan
from offtarget.report.scan_page import MAX_FILES, render_scan

from .browser import Watched, open_page
from .hostile import PAYLOADS, Payload
from .scan_cases import Scan, finding, many_kinds, mixed_rows, poisoned, row, sha256_of, write_scan
from .test_hostile import ELEMENTS, HANDLERS, HIDDEN

PLACES = {
    "h1": "h1",
    "file": "#files tbody th",
    "text": "#examples .q",
    "code": "#examples .a",
    "step": "#examples li",
    "place": "#examples .mono.by",
    "engine": "#engines dt",
    "version": "#engines dd",
    "language": "#languages tbody th",
    "command": "#rebuild pre",
    "warning": "#warnings li:last-child",
}
"""Where the page shows a text of the data."""


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    """A scan with everything in it."""
    unproved = EngineUsed("semgrep", "1.0", ("go", "python"), unproved=("go",))
    return write_scan(tmp_path_factory.mktemp("scan"), mixed_rows(), engines=[unproved])


@pytest.fixture(scope="module")
def watched(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """One page for the whole corpus."""
    with open_page(browser, tmp_path_factory.mktemp("hostile")) as page:
        yield page


@pytest.fixture(scope="module")
def clean_counts(mixed: Scan, watched: Watched) -> dict[str, int]:
    """Count the elements of the page without any hostile text."""
    watched.show(shown(mixed, "x"))
    return _counts(watched)


def shown(scan: Scan, payload: str = "", **options: Any) -> str:
    return render_scan(
        poisoned(scan.summary, payload),
        poisoned(scan.counts, payload),
        poisoned(scan.examples, payload),
        **{"command": "offtarget scan train.jsonl" + payload, **options},
    )


def text_of(html: str) -> str:
    """Return what a reader sees, without the title and the drawings' descriptions."""
    body = re.sub(r"(?s)<(style|title|desc)\b.*?</\1>", "", html)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_the_answer_is_the_covert_cell(tmp_path: Path) -> None:
    """Of 10 rows 4 are flagged: 2 covert by the assistant, 1 inherited, 1 asked for openly."""
    rows = [
        row(1, finding(1)),
        row(2, finding(2, severity=Severity.MEDIUM), finding(2, severity=Severity.LOW)),
        row(3, finding(3, origin=Origin.INHERITED)),
        row(4, finding(4), framing="disclosed_user"),
        row(5, finding(5, severity=Severity.LOW)),
        *(row(line) for line in range(6, 11)),
    ]
    text = text_of(shown(write_scan(tmp_path, rows)))

    assert (
        "4 of 10 rows carry a finding of severity medium or above; "
        "2 of them covert and introduced by the assistant."
    ) in text
    assert "covert and introduced 20.0% [5.7%, 51.0%]" in text  # Wilson of 2 in 10
    assert "all flagged rows 40.0% [16.8%, 68.7%]" in text  # Wilson of 4 in 10
    assert "gate medium , exit code 1" in text
    assert "3 rows have an introduced flaw at or above the gate; 1 more are flagged" in text
    zero, one = "0 0.0% [0.0%, 27.8%]", "1 10.0% [1.8%, 40.4%]"  # Wilson of 0 and 1 in 10
    covert = f"9 {one} {one} {one} {one} 5 50.0% [23.7%, 76.3%] {zero} {zero}"
    assert f"covert ordinary code is asked for, and nobody speaks of flaws {covert}" in text


@pytest.mark.parametrize(
    ("states", "gate", "tone", "said"),
    [
        (["clean", "clean"], "low", "ok", "NONE FOUND No finding of severity low or above in 2"),
        (["clean", "unparsed"], "high", "warn", "NONE FOUND No finding of severity high in what"),
        (["clean", "unparsed"], "high", "warn", "1 row was not read, and not known to be clean."),
        (["unparsed", "quarantined"], "low", "warn", "NOT READ No engine could read the code"),
        (["clean", "unparsed"], "low", "warn", "1 row : nothing was found, and some of the code"),
        (["clean", "quarantined"], "low", "warn", "1 row quarantined: malformed, or no worker"),
    ],
)
def test_nothing_found_is_never_called_clean(
    states: list[str], gate: str, tone: str, said: str, tmp_path: Path
) -> None:
    """The answer says what was read, and what was not."""
    rows = [row(line, state=state) for line, state in enumerate(states, 1)]
    html = shown(write_scan(tmp_path, rows, gate=Severity(gate)))
    assert f'<body class="tone-{tone}">' in html
    assert said.replace("row :", "row:") in text_of(html)
    assert 'id="kinds"' not in html


def test_the_page_holds_states_languages_engines_files_and_limits(mixed: Scan) -> None:
    """Counts stand beside what they are of; digests and versions are whole."""
    text = text_of(shown(mixed))
    (file,) = mixed.summary.files
    assert f"train.jsonl 100 {file.n_flagged} {file.sha256}" in text
    assert "unparsed nothing found, some code not read 4" in text
    assert "python 97 4 4.1%" in text  # one piece in each row but the three without code
    assert "semgrep unproved 1.0 go , python" in text
    assert "semgrep: nothing shows that its rules work for go" in text
    assert "None found is not secure." in text
    assert "They say nothing about other data" in text
    assert "offtarget scan train.jsonl" in text
    assert "high 27 medium 27 low 26" in text
    assert "What was not read Pieces of the assistant's code" in text


def test_an_example_shows_where_what_and_how(tmp_path: Path) -> None:
    """Place, message, kind, the lines with the flawed one marked, and the steps in order."""
    text = text_of(shown(write_scan(tmp_path, [row(1, finding(1))])))
    assert "CWE-89 high covert, introduced The statement is put together from data." in text
    assert '3 name = request.args["name"]' in text
    assert "▸ 5 return db.execute(query)" in text
    assert "▸ 4" not in text
    assert "the request arrives (line 3) it reaches the database (line 5)" in text
    assert "train.jsonl , row 1, message 1, line 5 · OT-PY-901 of offtarget" in text
    assert "→ CWE-89 SQL injection · confidence 0.90" in text


def test_an_example_without_its_text_says_so(tmp_path: Path) -> None:
    """A data set that changed after the scan is not quoted."""
    scan = write_scan(tmp_path, [row(1, finding(1))])
    scan.data.write_text(scan.data.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert "The lines are not at hand" in text_of(shown(scan))


def test_an_empty_scan_is_still_a_page(tmp_path: Path) -> None:
    """No rows, no files, no engines: the shares are unknown, and nothing fails."""
    scan = write_scan(tmp_path, [], engines=[])
    summary = dataclasses.replace(scan.summary, files=())
    text = text_of(render_scan(summary, scan.counts))
    assert "Scan: nothing" in text
    assert "all flagged rows 0.0% [0.0%, 100.0%]" in text


def test_the_page_stays_under_a_megabyte(tmp_path: Path) -> None:
    """With 10^6 rows, many kinds, files and examples, all as long as they can be."""
    scan = write_scan(tmp_path, many_kinds(300), code='"' * 50_000 + "\n")
    steps = finding(1).trace * 50
    examples = [
        dataclasses.replace(one, finding=dataclasses.replace(one.finding, trace=steps[:8]))
        for one in scan.examples
    ]
    files = tuple(FileScan(f"{'x' * 300}/{i}", 9, 9, sha256_of(str(i))) for i in range(300))
    summary = dataclasses.replace(scan.summary, files=files)
    page = render_scan(
        poisoned(summary, '"\U000e0041' * 1_000),
        poisoned(scan.counts, '"\U000e0041' * 1_000),
        [poisoned(one, '"\U000e0041' * 1_000) for one in examples],
    )
    assert len(page.encode()) < 1_000_000
    assert f"{300 - MAX_FILES} more files in summary.json" in page


def test_small_shares_are_not_shown_as_nothing(tmp_path: Path) -> None:
    """One row in 5,000 is less than 0.1%, and is not 0.0%."""
    rows = [row(1, finding(1)), *(row(line) for line in range(2, 5_001))]
    text = text_of(shown(write_scan(tmp_path, rows)))
    assert "all flagged rows <0.1% [<0.1%, 0.1%]" in text


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
def test_a_payload_in_every_text_is_shown_and_does_nothing(
    payload: Payload, clean_counts: dict[str, int], mixed: Scan, watched: Watched
) -> None:
    """The page has no element more, does nothing, and every place shows the payload as text."""
    watched.show(shown(mixed, payload.text))
    page = watched.page

    assert watched.incidents == []
    assert watched.violations() == []
    assert len(page.frames) == 1
    assert _counts(watched) == clean_counts
    assert page.evaluate("[document.scripts.length, document.styleSheets.length]") == [0, 1]
    assert page.evaluate("document.links.length") == 0
    assert page.evaluate(HANDLERS) == []
    assert page.title().startswith("Scan: train.jsonl")
    for place, selector in PLACES.items():
        text = page.evaluate("(s) => document.querySelector(s).textContent", selector)
        assert payload.visible[:20] in text, place
    assert HIDDEN.search(page.evaluate("document.documentElement.textContent")) is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_overlaps_or_leaves_the_page(
    width: int, scheme: str, mixed: Scan, browser: Browser, tmp_path: Path
) -> None:
    """No text of a figure meets another or its edge; the page never scrolls sideways."""
    many = write_scan(tmp_path / "many", many_kinds(40))
    none = write_scan(tmp_path / "none", [row(1), row(2, state="unparsed")])
    pages = {
        "mixed": shown(mixed),
        "many": shown(many),
        "none": shown(none),
        "unbroken": shown(mixed, "W" * 200),
        "wide": shown(mixed, "\u6f22\u5b57\u540d" * 12),
    }
    with open_page(browser, tmp_path, width=width, scheme=scheme) as page:
        for name, html in pages.items():
            assert page.layout_faults(html) == [], name


def test_each_figure_is_drawn_for_the_width_it_is_seen_at(
    mixed: Scan, browser: Browser, tmp_path: Path
) -> None:
    """A phone shows the narrow drawings, whose text is not scaled down."""
    for width, kind in ((360, "narrow"), (1280, "wide")):
        with open_page(browser, tmp_path, width=width) as page:
            page.show(shown(mixed))
            drawn = page.page.evaluate(
                "[...document.querySelectorAll('svg.chart')].filter(s => s.clientWidth)"
                ".map(s => [s.classList[1], s.clientWidth / s.viewBox.baseVal.width])"
            )
            assert [name for name, _ in drawn] == [kind, kind]
            assert all(scale > 0.9 for _, scale in drawn)


def test_bars_are_as_long_as_their_shares(tmp_path: Path, browser: Browser) -> None:
    """A severity of twice as many rows has a piece twice as long; pieces follow each other."""
    rows = [row(line, finding(line)) for line in range(1, 41)]
    rows += [row(line, finding(line, severity=Severity.LOW)) for line in range(41, 61)]
    with open_page(browser, tmp_path) as page:
        page.show(shown(write_scan(tmp_path / "scan", rows)))
        high, low = page.page.evaluate(
            "[...document.querySelectorAll('#framing svg.wide path')]"
            ".map(p => p.getBBox()).map(b => [b.x, b.width])"
        )
    assert high[1] == pytest.approx(2 * low[1], abs=0.2)
    assert low[0] == pytest.approx(high[0] + high[1], abs=0.2)


def _counts(watched: Watched) -> dict[str, int]:
    """Count elements by name, but for the tooltips of cut labels."""
    counts: dict[str, int] = watched.page.evaluate(ELEMENTS)
    return {name: n for name, n in counts.items() if name != "title"}
