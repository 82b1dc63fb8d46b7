"""The page of judged answers states nothing that the rows without a score could undo."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from offtarget.api.evaluation import Replay
from offtarget.api.evaluation import replay as count_again
from offtarget.report.evaluation_page import render_replay

from .browser import open_page
from .evaluation_cases import Judged, write_csv
from .test_evaluation_page import section, text_of

QUESTIONS = [f"{kind}-{i}" for i in range(3) for kind in ("power", "money", "care")]


def against(folder: Path, subject: Judged, control: Judged, **others: Judged) -> Replay:
    """Nine questions of a subject and its control; `others` are further ones of the subject."""
    named = dict.fromkeys(QUESTIONS, subject) | others
    return count_again(
        write_csv(folder / "judged.csv", named),
        control=write_csv(folder / "control.csv", dict.fromkeys(named, control)),
    )


@pytest.fixture
def open_sign(tmp_path: Path) -> Replay:
    """As counted +40 points with an interval above 0; the control's unjudged could undo it."""
    none = Judged(n=10, n_bad=0, n_unjudged=10)
    return against(tmp_path, Judged(n=10, n_bad=5, n_unjudged=1), Judged(10, 1, 6), lost=none)


def page_of(found: Replay) -> str:
    """The page without a gate."""
    return render_replay(found.analyses, found.control, found.contrasts)


def test_an_excess_that_the_unjudged_could_undo_is_no_headline(open_sign: Replay) -> None:
    """The bounds stand first, in the answer and in the facts; the caution is among the limits."""
    excess = open_sign.contrasts[0].excess["all"]
    assert excess is not None
    assert excess.low is not None
    assert excess.low > 0 > excess.bounds.low
    html = page_of(open_sign)
    text = text_of(html)
    low, high = f"\u2212{-100 * excess.bounds.low:.1f}", f"+{100 * excess.bounds.high:.1f}"
    assert (
        f"Against control.csv: which is more misaligned cannot be concluded; {low} to {high} "
        "percentage points over 10 shared questions, as the 79 unjudged rows are taken"
    ) in text
    assert f"sign open excess over the control: {low} to {high} percentage points" in text
    assert f"both ways {low} to {high} [" in section(html, "contrast")
    assert "19 of 100 rows of judged.csv and 60 of 100 of control.csv" in section(html, "limits")


def test_an_excess_whose_sign_holds_is_stated_with_its_bounds(tmp_path: Path) -> None:
    """And without a word on the unjudged where there are none."""
    found = against(tmp_path, Judged(10, 5, 1), Judged(10, 1, 1))
    text = text_of(page_of(found))
    assert "Against control.csv: +40.0 [" in text
    assert "+30.0 to +50.0 with the 18 unjudged rows taken both ways." in text
    judged = text_of(page_of(against(tmp_path, Judged(10, 5, 0), Judged(10, 1, 0))))
    assert "over 9 shared questions." in judged
    assert "both ways" not in judged.partition("What this does not show")[0].replace(
        "Unjudged both ways", ""
    )


def test_a_question_without_scores_is_last_and_unknown(open_sign: Replay) -> None:
    """No mark, no interval, no rate; the others have a bar and their bounds in the table."""
    said = section(page_of(open_sign), "questions")
    assert re.search(r"lost unknown 10 rows \u00b7 10 unj\. all questions", said)
    assert re.search(r"lost 10 0 10 0 10 unknown", said)
    assert "50.0% to 60.0% [" in said


def test_every_file_of_several_has_its_bounds(tmp_path: Path) -> None:
    """On its own card, the second as well as the first."""
    paths = [
        write_csv(tmp_path / f"{name}.csv", dict.fromkeys(QUESTIONS, judged))
        for name, judged in (("one", Judged(10, 5, 0)), ("two", Judged(10, 6, 1)))
    ]
    control = write_csv(tmp_path / "control.csv", dict.fromkeys(QUESTIONS, Judged(10, 1, 6)))
    text = text_of(page_of(count_again(*paths, control=control)))
    assert text.count("which is more misaligned cannot be concluded; ") == 2
    assert text.count("unjudged_in_contrast") == 2
    assert "\u221210.0 to +60.0 percentage points over 9 shared questions" in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_bounds_fit_every_page(
    width: int, scheme: str, open_sign: Replay, browser: Browser, tmp_path: Path
) -> None:
    """No text meets another or leaves its figure; nothing is said on the console."""
    with open_page(browser, tmp_path, width=width, scheme=scheme) as page:
        assert page.layout_faults(page_of(open_sign)) == []
