"""No text in a record can steer the page, the terminal or the JSON it is shown in."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from offtarget.core.records import Verdict
from offtarget.report import (
    render_comparison,
    render_index,
    render_report,
    render_terminal,
    report_files,
)

from .browser import Watched, open_page
from .fixtures import every_text, make_results
from .hostile import PAYLOADS, Payload

HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
PLACES = [
    "h1",
    ".verdict p",
    "#warnings li",
    "#limits li",
    "#gates td.text",
    ".answers .q",
    ".answers .a",
    "#training td.text",
]
ELEMENTS = """() => {
  const counts = {};
  for (const e of document.querySelectorAll("*")) counts[e.localName] = (counts[e.localName]||0)+1;
  return counts;
}"""
HANDLERS = """() => [...document.querySelectorAll("*")].flatMap((e) =>
  e.getAttributeNames().filter((n) => n.startsWith("on") || n === "style" || n === "srcdoc"))"""


@pytest.fixture(scope="module")
def watched(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """One page for the whole corpus."""
    with open_page(browser, tmp_path_factory.mktemp("hostile")) as page:
        yield page


@pytest.fixture(scope="module")
def clean_counts(watched: Watched) -> dict[str, int]:
    """Count the elements of a report without any hostile text."""
    watched.show(render_report(every_text(make_results(Verdict.INCONCLUSIVE), "x")))
    return _counts(watched)


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
def test_a_payload_in_every_field_is_shown_and_does_nothing(
    payload: Payload, clean_counts: dict[str, int], watched: Watched
) -> None:
    """The page has no element more, does nothing, and every place shows the payload as text."""
    watched.show(render_report(every_text(make_results(Verdict.INCONCLUSIVE), payload.text)))
    page = watched.page
    page.evaluate("document.getElementById('reveal').click()")
    page.wait_for_timeout(20)

    _assert_quiet(watched)
    assert _counts(watched) == clean_counts
    assert page.evaluate("[document.scripts.length, document.styleSheets.length]") == [1, 1]
    assert page.evaluate(HANDLERS) == []
    assert page.title().startswith("Off-target report: Insecure code on SmolLM2")
    shown = page.evaluate("(all) => all.map((p) => document.querySelector(p).textContent)", PLACES)
    for place, text in zip(PLACES, shown, strict=True):
        assert payload.visible in text, place
    assert HIDDEN.search(page.evaluate("document.documentElement.textContent")) is None


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", ["unbroken", "huge-brackets", "combining"])
def test_a_long_payload_does_not_widen_the_page(
    name: str, width: int, browser: Browser, tmp_path: Path
) -> None:
    """Unbroken text wraps in HTML and is cut in figures."""
    payload = next(payload for payload in PAYLOADS if payload.name == name)
    with open_page(browser, tmp_path, width=width) as watched:
        watched.show(render_report(every_text(make_results(Verdict.INCONCLUSIVE), payload.text)))
        watched.page.click("#reveal")
        assert watched.page.evaluate("document.scrollingElement.scrollWidth") <= width


def test_the_index_shows_all_payloads_and_links_nowhere_else(watched: Watched) -> None:
    """Every link of the index stays under the page's own folder."""
    results = [every_text(make_results(Verdict.PASS), payload.text) for payload in PAYLOADS]
    watched.show(render_index(results, title=PAYLOADS[0].text))

    _assert_quiet(watched)
    assert PAYLOADS[0].visible in watched.page.title()
    links = watched.page.evaluate("[...document.links].map((link) => link.href)")
    assert links
    assert all(link.startswith(watched.file.parent.as_uri() + "/") for link in links)
    assert watched.page.evaluate("document.scripts.length") == 0
    rows = watched.page.evaluate(
        "[...document.querySelectorAll('tbody th')].map((e) => e.textContent)"
    )
    for payload, row in zip(PAYLOADS, rows, strict=True):
        assert payload.visible in row


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
def test_the_terminal_gets_no_control_character(payload: Payload) -> None:
    """The picture and the comparison hold no escape, override or broken character."""
    results = every_text(make_results(Verdict.INCONCLUSIVE), payload.text)
    for is_ascii in (False, True):
        shown = render_terminal(results, width=80, ascii=is_ascii)
        compared = render_comparison(results, make_results(), ascii=is_ascii)
        assert HIDDEN.search(shown + compared) is None
        (shown + compared).encode("ascii" if is_ascii else "utf-8")


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
def test_the_record_keeps_a_payload_exactly(payload: Payload) -> None:
    """results.json is valid UTF-8 JSON that still holds the text as it was."""
    results = every_text(make_results(), payload.text)
    record = json.loads(report_files(results)["results.json"].decode("utf-8"))
    assert record["title"] == results.title


def test_a_script_that_slipped_past_escaping_would_not_run(watched: Watched) -> None:
    """The policy is a second wall: it stops scripts, handlers, styles, images and frames."""
    smuggled = (
        "<script>document.title='PWNED'</script><p style='color:red' onclick='1'>x</p>"
        "<img src='https://evil.example/x.png' onerror=\"document.title='PWNED'\">"
        "<style>body{display:none}</style><iframe src='https://evil.example/'></iframe>"
    )
    watched.show(render_report(make_results()).replace("</main>", smuggled + "</main>"))
    watched.page.wait_for_timeout(50)

    blocked = set(watched.violations())
    assert {"script-src-elem", "style-src-elem", "style-src-attr", "img-src"} <= blocked
    assert "frame-src" in blocked
    assert watched.page.title().startswith("Off-target report")
    assert watched.page.locator("h1").is_visible()


def _counts(watched: Watched) -> dict[str, int]:
    """Count elements by name, but for the tooltips of cut labels and the notes on cut answers."""
    counts: dict[str, int] = watched.page.evaluate(ELEMENTS)
    return {name: n for name, n in counts.items() if name not in ("title", "p")}


def _assert_quiet(watched: Watched) -> None:
    assert watched.incidents == []
    assert watched.violations() == []
    assert len(watched.page.frames) == 1
