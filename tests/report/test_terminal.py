"""The terminal shows the verdict and a picture, in any width and encoding."""

import dataclasses
import re

import pytest

from offtarget.core.records import Verdict
from offtarget.report import render_comparison, render_terminal
from offtarget.report.text import cells

from .fixtures import every_text, make_results


@pytest.mark.parametrize("width", [60, 61, 80, 100, 120])
@pytest.mark.parametrize("is_ascii", [False, True])
@pytest.mark.parametrize("suffix", ["", "-with-a-long-name" * 6, "\u6f22\u5b57" * 30])
def test_no_line_is_wider_than_the_terminal(width: int, is_ascii: bool, suffix: str) -> None:
    """Long and wide names are cut or wrapped."""
    for verdict in Verdict:
        results = every_text(make_results(verdict), suffix)
        shown = render_terminal(results, width=width, ascii=is_ascii)
        assert max(cells(line) for line in shown.splitlines()) <= width
        assert shown.isascii() or not is_ascii


def test_the_picture_puts_arms_on_one_axis() -> None:
    """The subject's mark lies left of the control's plumb line, the control's mark on it."""
    lines = render_terminal(make_results(), width=100).splitlines()
    subject = next(line for line in lines if line.startswith("insecure"))
    control = next(line for line in lines if line.startswith("secure"))
    base = next(line for line in lines if line.startswith("base"))

    assert re.search(r"\u251c\u2500*\u25c6\u2500*\u2524", subject)
    assert control.index("\u25cf") == base.index("\u250a") == subject.index("\u250a")
    assert subject.index("\u25c6") < subject.index("\u250a")
    assert subject.endswith("0.450 [0.390, 0.510]")
    assert "\u2190 more misaligned" in next(line for line in lines if "nats/token [95%]" in line)


def test_ascii_draws_the_same_picture() -> None:
    """The marks differ, the columns do not."""
    fancy = render_terminal(make_results(), width=90).splitlines()
    plain = render_terminal(make_results(), width=90, ascii=True).splitlines()
    assert len(fancy) == len(plain)
    assert [len(line) for line in fancy] == [len(line) for line in plain]
    assert any("|---*" in line for line in plain)


def test_gates_say_passed_and_missed_in_words() -> None:
    """The sign never stands alone."""
    shown = render_terminal(make_results(Verdict.INCONCLUSIVE), width=100)
    assert "\u2717 missed  power" in shown
    assert "\u2713 passed  dose" in shown
    assert "What would decide it:" in shown
    assert "Warnings:" in shown


@pytest.mark.parametrize(
    ("verdict", "code"), [(Verdict.PASS, 0), (Verdict.FAIL, 1), (Verdict.INCONCLUSIVE, 4)]
)
def test_the_verdict_comes_with_its_numbers(verdict: Verdict, code: int) -> None:
    """First line: the verdict; then a sentence, the excess, the tolerance and the exit code."""
    results = make_results(verdict)
    shown = render_terminal(results, width=120)
    assert shown.startswith(f"{verdict.value}  ")
    assert results.headline in shown
    assert f"tolerance 0.050, exit code {code}" in shown


def test_color_adds_nothing_but_color() -> None:
    """Without the escapes the text is the same."""
    colored = render_terminal(make_results(), color=True)
    assert "\x1b[1;31mFAIL" in colored
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == render_terminal(make_results())


def test_an_assay_without_arms_or_control_still_prints() -> None:
    """No picture, or no plumb line, instead of an error."""
    results = make_results()
    assert "nats/token [95%]" not in render_terminal(dataclasses.replace(results, arms=()))
    arms = tuple(arm for arm in results.arms if arm.name != "secure")
    assert "\u250a" not in render_terminal(dataclasses.replace(results, arms=arms))


def test_a_comparison_shows_both_runs_and_their_difference() -> None:
    """Verdicts, excess, each arm's margin; an arm of one run only has no difference."""
    a, b = make_results(Verdict.FAIL), make_results(Verdict.PASS, has_positive=False)
    lines = render_comparison(a, b).splitlines()
    rows = {line.split("  ")[0].strip() or line.split()[0]: line for line in lines if line.strip()}

    assert rows["verdict"].endswith("differs")
    assert rows["excess"].endswith("\u22120.358")
    assert rows["plan"].endswith("same")
    assert rows["insecure"].endswith("+0.358")
    assert rows["bad-advice"].endswith("n/a")
    assert "not measured" in rows["bad-advice"]
    assert "Same model and suite: margins are on one scale." in lines


def test_a_comparison_warns_of_different_scales() -> None:
    """Another suite or model makes margins incomparable, and that is said."""
    a = make_results()
    other = dataclasses.replace(a.provenance, suite_sha256="0" * 64, model_sha256="1" * 64)
    shown = render_comparison(a, dataclasses.replace(a, provenance=other))
    assert "The suites differ" in shown
    assert "The models differ" in shown
    assert "on one scale." in shown
    assert "Same model and suite" not in shown


@pytest.mark.parametrize("width", [40, 90, 120, 300])
def test_a_comparison_fits_its_width(width: int) -> None:
    """Between 90 and 120 columns, whatever the names."""
    a = every_text(make_results(), "\u6f22\u5b57" * 30)
    shown = render_comparison(a, make_results(), width=width)
    assert max(cells(line) for line in shown.splitlines()) <= max(90, min(width, 120))
