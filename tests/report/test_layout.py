"""The page is readable at every width, in both schemes, for every verdict."""

import dataclasses
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from offtarget.core.records import Verdict
from offtarget.evaluate.results import Results
from offtarget.report import render_index, render_report
from offtarget.report.page import asset

from .browser import open_page
from .fixtures import every_text, make_results


def _variants() -> dict[str, Results]:
    bare = make_results(
        Verdict.INCONCLUSIVE, n_seeds=1, has_rollouts=False, has_judge=False, has_positive=False
    )
    return {
        "pass": make_results(Verdict.PASS),
        "fail": make_results(Verdict.FAIL),
        "inconclusive": make_results(Verdict.INCONCLUSIVE),
        "no-judge": make_results(Verdict.PASS, n_seeds=1, has_judge=False),
        "bare": dataclasses.replace(bare, gates=(), contexts=(), categories=(), limits=()),
        "long-names": every_text(make_results(), "-with-a-name-of-eighty-characters" * 3),
        "wide-characters": every_text(make_results(), "\u6f22\u5b57\u540d" * 12),
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_overlaps_or_leaves_the_page(
    width: int, scheme: str, browser: Browser, tmp_path: Path
) -> None:
    """No text of a figure meets another or its edge; the page never scrolls sideways."""
    with open_page(browser, tmp_path, width=width, scheme=scheme) as watched:
        for name, results in _variants().items():
            assert watched.layout_faults(render_report(results)) == [], name


def test_faults_of_a_layout_are_found(browser: Browser, tmp_path: Path) -> None:
    """A page that is too wide, with text over text, a cut word and a script that complains."""
    bad = (
        "<svg width=90 height=30><text y=20>one</text><text y=20>two</text></svg>"
        "<details><p style='width:40px;overflow:hidden'>unbreakable</p></details>"
        "<div style='width:2000px'>wide</div><script>console.error('loud')</script>"
    )
    with open_page(browser, tmp_path) as watched:
        scrolls, over, cut, said = watched.layout_faults(bad)
        assert scrolls.endswith("pixels sideways")
        assert (over, cut, said) == ("one over two", "cut off: unbreakable", "console loud")
        assert watched.layout_faults("<p>calm</p>") == []


@pytest.mark.parametrize("width", [360, 1280])
def test_the_index_fits_every_width(width: int, browser: Browser, tmp_path: Path) -> None:
    """Long names do not widen the index."""
    with open_page(browser, tmp_path, width=width) as watched:
        watched.show(render_index(list(_variants().values()), title="A study " + "W" * 200))
        assert watched.page.evaluate("document.scrollingElement.scrollWidth") <= width
        assert watched.incidents == []


def test_answers_are_folded_until_the_button_opens_them(browser: Browser, tmp_path: Path) -> None:
    """The button opens all answers, says so, and folds them again."""
    with open_page(browser, tmp_path) as watched:
        watched.show(render_report(make_results()))
        button, answer = watched.page.locator("#reveal"), watched.page.locator(".a").first
        assert not answer.is_visible()
        button.click()
        assert answer.is_visible()
        assert button.inner_text() == "Hide all answers"
        watched.page.locator("details.ans summary").first.click()
        watched.page.wait_for_function("reveal.textContent == 'Show all answers'")
        button.click()
        button.click()
        assert not answer.is_visible()


def test_each_figure_is_drawn_for_the_width_it_is_seen_at(browser: Browser, tmp_path: Path) -> None:
    """A phone shows the narrow drawings, whose text is not scaled down."""
    for width, kind in ((360, "narrow"), (1280, "wide")):
        with open_page(browser, tmp_path, width=width) as watched:
            watched.show(render_report(make_results()))
            shown = watched.page.evaluate(
                "[...document.querySelectorAll('svg.chart')].filter(s => s.clientWidth)"
                ".map(s => [s.classList[1], s.clientWidth / s.viewBox.baseVal.width])"
            )
            assert [kind for _ in range(3)] == [drawn for drawn, _ in shown]
            assert all(scale > 0.9 for _, scale in shown)


def test_every_part_is_reachable_by_keyboard(browser: Browser, tmp_path: Path) -> None:
    """Tables that scroll, folded answers and the button take the focus and show it."""
    with open_page(browser, tmp_path) as watched:
        watched.show(render_report(make_results()))
        seen = set()
        for _ in range(40):
            watched.page.keyboard.press("Tab")
            seen.add(watched.page.evaluate("document.activeElement.className || 'other'"))
            outline = watched.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none"
            if "scroll" in seen and watched.page.evaluate(
                "document.activeElement.closest('#numbers')"
            ):
                break
        assert "scroll" in seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_in_both_schemes(scheme: str) -> None:
    """Every color that text takes has a contrast of at least 4.5 on every ground it stands on."""
    light, dark = (
        dict(re.findall(r"--([\w-]+):(#[0-9a-f]{3,6})", rule))
        for rule in re.findall(r":root\{[^}]*\}", asset("report.css"))
    )
    colors = light if scheme == "light" else dark
    pairs = [(text, "card") for text in ("ink", "dim", "control", "bad", "warn", "ok", "probe")]
    pairs += [("ink", "bg"), ("dim", "bg")]
    pairs += [(text, f"{tone}-bg") for tone in ("bad", "warn", "ok") for text in (tone, "ink")]
    for text, ground in pairs:
        assert _contrast(colors[text], colors[ground]) >= 4.5, (text, ground)


def _contrast(a: str, b: str) -> float:
    """WCAG 2.2 contrast ratio."""
    high, low = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(color: str) -> float:
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
