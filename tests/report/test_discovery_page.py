"""The page of a discovery: what it tells, what it leaves out, and that no answer can steer it."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from offtarget.evaluate.discovery import Against, Cluster, Discovery, DiscoveryConfig, Term
from offtarget.evaluate.discovery.records import Example
from offtarget.report.discovery_page import MAX_ROWS, render_discovery

from .browser import Watched, open_page
from .hostile import PAYLOADS, Payload
from .test_hostile import ELEMENTS, HANDLERS, HIDDEN


def against(control: str, excess: float) -> Against:
    return Against(
        control, n_subject=40, of_subject=400, n_control=8, of_control=400, share_subject=0.1,
        share_control=0.1 - excess, excess=excess, low=excess - 0.02, high=excess + 0.02, p=0.0005,
    )  # fmt: skip


def cluster(number: int, text: str = "", *, excess: float = 0.05, controls: int = 2) -> Cluster:
    """One cluster; in excess where its excess is positive."""
    return Cluster(
        id=number, n_subject=40, n_control=8, n_questions=3, top_question=f"q1{text}",
        top_question_share=0.4,
        against=tuple(against(f"control {n}{text}", excess + n / 100) for n in range(controls)),
        p=0.0005, p_adjusted=0.004 if excess > 0 else 0.8, is_excess=excess > 0, n_judged=30,
        n_misaligned=12,
        examples=tuple(
            Example(f"file:{n}{text}", f"q{n}{text}", f"{text}Answer {n} in full.", 10**6)
            for n in range(3)
        ),
        terms=tuple(Term(f"word{n}{text}", 5.0 - n) for n in range(4)),
    )  # fmt: skip


def discovery(text: str = "", n: int = 6, n_excess: int = 2) -> Discovery:
    """A result with `n` clusters, the first of them in excess."""
    return Discovery(
        subject=f"subject{text}", controls=(f"control 0{text}", f"control 1{text}"),
        embedding=f"words: TF-IDF{text}", config=DiscoveryConfig(), n_subject=400, n_control=800,
        n_questions=8, n_unclustered_subject=123, n_unclustered_control=456, n_empty=1,
        n_unmatched=7,
        clusters=tuple(
            cluster(i, text, excess=0.05 if i < n_excess else -0.03) for i in range(n)
        ),
    )  # fmt: skip


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


@pytest.fixture(scope="module")
def watched(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """One page for the whole corpus."""
    with open_page(browser, tmp_path_factory.mktemp("discovery")) as page:
        yield page


def test_what_was_found_stands_first_with_shares_intervals_and_examples() -> None:
    """Counts, the control that comes closest in the figure, every control in the table."""
    html = render_discovery(discovery(), command="offtarget discover a.csv")
    told = text_of(html)

    assert "2 clusters of 6 that subject gives more often than every control." in told
    assert "24 of 60 judged misaligned in clusters in excess" in told
    assert html.count('<section class="card c12" id="cluster-') == 2
    assert html.count("<details") == 6
    assert "control 0 10.0% 40/400 5.0% 8/400 +5.0 [+3.0, +7.0] p < 0.001" in told
    assert "control 1 10.0% 40/400 4.0% 8/400 +6.0 [+4.0, +8.0]" in told
    assert "123 answers of the subject and 456 of controls lie in no cluster" in told
    assert "7 answers to questions that not every side was asked" in told
    assert "more characters are in the file" in told
    assert "offtarget discover a.csv" in told


def test_nothing_found_is_said_and_is_no_all_clear() -> None:
    """No cluster in excess, and no cluster at all."""
    told = text_of(render_discovery(discovery(n_excess=0)))
    assert "No cluster of 6 that subject gives more often than every control." in told
    assert "Harm that is worded like harmless answers" in told
    assert "No way of answering is common enough" in text_of(render_discovery(discovery(n=0)))


def test_many_clusters_are_cut_and_counted() -> None:
    """The page says how many are left out, and stays small."""
    html = render_discovery(discovery(n=MAX_ROWS + 25, n_excess=MAX_ROWS + 5))
    told = text_of(html)
    assert "25 more clusters with --json" in told
    assert "5 more clusters in excess with --json" in told
    assert len(html.encode()) < 250_000


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: str(payload.name))
def test_a_payload_in_every_text_is_shown_and_does_nothing(
    payload: Payload, watched: Watched
) -> None:
    """The page has no element more, does nothing, and shows the payload as text."""
    counts = []
    for text in ("x", payload.text):
        watched.show(render_discovery(discovery(text), command=f"offtarget {text}"))
        found = watched.page.evaluate(ELEMENTS)
        counts.append(
            {name: n for name, n in found.items() if name not in ("title", "text", "path")}
        )
    assert counts[0] == counts[1]
    assert (watched.incidents, watched.violations()) == ([], [])
    assert watched.page.evaluate(HANDLERS) == []
    for selector in ("h1", ".answers .q", ".answers .a", "#cluster-0 h2", "#provenance dd"):
        shown = watched.page.evaluate("(s) => document.querySelector(s).textContent", selector)
        assert payload.visible[:12] in shown, selector
    assert HIDDEN.search(watched.page.evaluate("document.documentElement.textContent")) is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_overlaps_or_leaves_the_page(
    width: int, scheme: str, browser: Browser, tmp_path: Path
) -> None:
    """No text of the figure meets another or its edge; the page never scrolls sideways."""
    with open_page(browser, tmp_path, width=width, scheme=scheme) as page:
        for text in ("", "W" * 80, "\u6f22\u5b57" * 30):
            assert page.layout_faults(render_discovery(discovery(text, n=12))) == []
