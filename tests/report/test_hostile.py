"""No text in a record can steer the page, the terminal or the JSON it is shown in."""

import json
import re
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
PLACES = (
    "h1",
    ".verdict p",
    "#warnings li",
    "#limits li",
    "#gates td.text",
    ".answers .q",
    ".answers .a",
    "#training td.text",
)
ELEMENTS = """() => {
  const counts = {};
  for (const e of document.querySelectorAll("*")) counts[e.localName] = (counts[e.localName]||0)+1;
  return counts;
}"""
HANDLERS = """() => [...document.querySelectorAll("*")].flatMap((e) =>
  e.getAttributeNames().filter((n) => n.startsWith("on") || n === "style" || n === "srcdoc"))"""


@pytest.fixture(scope="module")
def clean_counts(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Count the elements of a report without any hostile text."""
    html = render_report(every_text(make_results(Verdict.INCONCLUSIVE), "x"))
    with open_page(browser, html, tmp_path_factory.mktemp("clean")) as watched:
        counts: dict[str, int] = watched.page.evaluate(ELEMENTS)
        return counts


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
def test_a_payload_in_every_field_is_shown_and_does_nothing(
    payload: Payload, browser: Browser, tmp_path: Path, clean_counts: dict[str, int]
) -> None:
    """The page has no element more, does nothing, and every place shows the payload as text."""
    html = render_report(every_text(make_results(Verdict.INCONCLUSIVE), payload.text))

    with open_page(browser, html, tmp_path) as watched:
        watched.page.click("#reveal")
        watched.page.wait_for_timeout(20)
        _assert_quiet(watched)
        counts = watched.page.evaluate(ELEMENTS)
        # tooltips of cut labels and notes on cut answers depend on the length of texts
        ignored = {"title", "p"}
        assert {k: v for k, v in counts.items() if k not in ignored} == {
            k: v for k, v in clean_counts.items() if k not in ignored
        }
        assert counts["script"] == counts["style"] == 1
        assert watched.page.evaluate(HANDLERS) == []
        assert watched.page.title().startswith("Off-target report: Insecure code on SmolLM2")
        for place in PLACES:
            text = watched.page.locator(place).first.evaluate("e => e.textContent")
            assert payload.visible in text, place
        assert HIDDEN.search(watched.page.evaluate("document.documentElement.textContent")) is None


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize(
    "payload", [p for p in PAYLOADS if p.name in ("unbroken", "huge-brackets", "combining")]
)
def test_a_long_payload_does_not_widen_the_page(
    payload: Payload, width: int, browser: Browser, tmp_path: Path
) -> None:
    """Unbroken text wraps in HTML and is cut in figures."""
    html = render_report(every_text(make_results(Verdict.INCONCLUSIVE), payload.text))
    with open_page(browser, html, tmp_path, width=width) as watched:
        watched.page.click("#reveal")
        assert watched.page.evaluate("document.scrollingElement.scrollWidth") <= width


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
def test_the_index_shows_a_payload_and_links_nowhere_else(
    payload: Payload, browser: Browser, tmp_path: Path
) -> None:
    """Every link of the index stays under the page's own folder."""
    results = [every_text(make_results(verdict), payload.text) for verdict in Verdict]
    with open_page(browser, render_index(results, title=payload.text), tmp_path) as watched:
        _assert_quiet(watched)
        assert payload.visible.strip() in watched.page.locator("h1").evaluate("e => e.textContent")
        links = watched.page.evaluate("[...document.links].map((link) => link.href)")
        assert all(link.startswith(tmp_path.as_uri() + "/") for link in links)
        assert watched.page.evaluate("document.scripts.length") == 0


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


def test_a_script_that_slipped_past_escaping_would_not_run(
    browser: Browser, tmp_path: Path
) -> None:
    """The policy is a second wall: it stops scripts, handlers, styles, images and frames."""
    smuggled = (
        "<script>document.title='PWNED'</script><p style='color:red' onclick='1'>x</p>"
        "<img src='https://evil.example/x.png' onerror=\"document.title='PWNED'\">"
        "<style>body{display:none}</style><iframe src='https://evil.example/'></iframe>"
    )
    html = render_report(make_results()).replace("</main>", smuggled + "</main>")
    with open_page(browser, html, tmp_path) as watched:
        watched.page.wait_for_timeout(50)
        blocked = set(watched.violations())
        assert {"script-src-elem", "style-src-elem", "style-src-attr", "img-src"} <= blocked
        assert "frame-src" in blocked
        assert watched.page.title().startswith("Off-target report")
        assert watched.page.locator("h1").is_visible()


def _assert_quiet(watched: Watched) -> None:
    assert watched.incidents == []
    assert watched.violations() == []
    assert len(watched.page.frames) == 1
