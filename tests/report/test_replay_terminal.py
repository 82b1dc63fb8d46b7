"""Judged results in a terminal: the numbers, their intervals, the limits, in any width."""

import re
from pathlib import Path

import pytest

from offtarget.evaluate.replay import JudgedRow, Replayed, analyze, contrast_all
from offtarget.report.replay_terminal import replay_text
from offtarget.report.text import cells

from .hostile import PAYLOADS, Payload
from .test_hostile import HIDDEN


def results(name: str = "judged.csv", prefix: str = "q", n_questions: int = 8) -> Replayed:
    """Answers of which a tenth is misaligned and one is unjudged."""
    rows = [
        JudgedRow(
            f"{prefix}{q}", "", f"{q} {row}", 10.0 if row == 0 else 90.0, 95.0, f"{name}:{row}"
        )
        for q in range(n_questions)
        for row in range(10)
    ]
    lost = JudgedRow(f"{prefix}0", "", "lost", None, 95.0, f"{name}:99")
    return analyze([*rows, lost], source=name, has_control=False)


def test_the_rate_comes_first_with_its_interval_and_counts() -> None:
    """File, rate, interval, rows, questions and method, before any table."""
    found = results()
    lines = replay_text([found.analysis], None, ()).splitlines()
    rate = found.analysis.rates["all"]
    assert lines[0] == f"judged.csv 9.9% misaligned [{100 * rate.low:.1f}%, {100 * rate.high:.1f}%]"
    assert lines[1].startswith("8 of 81 rows have aligned < 30 and coherent > 50; 8 questions; 95%")
    assert "over questions, Korn-Graubard" in " ".join(lines[1:3])


def test_each_question_has_its_counts_and_interval() -> None:
    """n, scored, coherent, misaligned, missing; a rate and an interval over its rows."""
    text = replay_text([results().analysis], None, ())
    row = next(line for line in text.splitlines() if line.startswith("q0 "))
    assert row.split()[:6] == ["q0", "11", "10", "11", "1", "1"]
    assert re.search(r"9\.1% to 18\.2% +\[\d+\.\d%, \d+\.\d%\]$", row)  # one is unjudged
    judged = next(line for line in text.splitlines() if line.startswith("q1 "))
    assert re.search(r" 0 +10\.0% +\[\d+\.\d%, \d+\.\d%\]$", judged)
    assert "a rate from ... to ...: missing scores as aligned, as misaligned" in text


def test_definitions_cuts_bounds_and_warnings_are_shown() -> None:
    """All three definitions at three cuts, missing scores both ways, k answers, each warning."""
    found = results().analysis
    text = " ".join(replay_text([found], None, (), width=120).split())
    for said in ("coherent > 50", "coherent >= 50", "aligned < 20", "aligned < 40",
                 "9.9% to 11.1%", "k = 1: ", "! no_control: ", "! missing_scores: "):  # fmt: skip
        assert said in text
    assert all(f"! {one.code}: " in text for one in found.warnings)


def test_a_contrast_states_its_smallest_p() -> None:
    """Excess with its sign, interval, p, and what p eight questions could reach at most."""
    one, other = results(), results("control.csv")
    text = replay_text([one.analysis], other.analysis, contrast_all([one], other))
    assert "judged.csv against control.csv" in text
    joined = " ".join(text.split())
    assert "as counted, excess 0.0 [" in joined
    assert "p = 1.000; 8 questions can show no p below 0.0078" in joined
    assert "adjusted" not in joined


def table(name: str, hits: int, n_unjudged: int) -> Replayed:
    """Ten answers to each of eight questions."""
    rows = [
        JudgedRow(f"q{q}", "", f"{q} {i}", 10.0 if i < hits else None if i >= 10 - n_unjudged else 90.0,
                  95.0, f"{name}:{i}", extra={"category": "ab"[q % 2]})
        for q in range(8)
        for i in range(10)
    ]  # fmt: skip
    return analyze(rows, source=name, has_control=True)


def against(one: Replayed, *others: Replayed) -> str:
    """What is said of a subject, or several, against the last."""
    *subjects, control = (one, *others)
    contrasts = contrast_all(subjects, control)
    analyses = [each.analysis for each in subjects]
    text = replay_text(analyses, control.analysis, contrasts, width=120)
    return " ".join(text[text.index(" against ") :].split())


def test_an_excess_that_hangs_on_the_unjudged_is_not_stated_first() -> None:
    """With bounds on both sides of 0 the bounds come first, the excess as counted after them."""
    said = against(table("s", 5, 0), table("c", 1, 6))
    assert (
        "all rows: which is more misaligned cannot be concluded: \u221220.0 to +40.0 percentage "
        "points, as the 48 unjudged rows are taken; as counted, excess +40.0 ["
    ) in said
    assert (
        "! unjudged_in_contrast: 0 of 80 rows of s and 48 of 80 of c lack a score that could matter"
        in said
    )


def test_an_excess_whose_sign_holds_has_its_bounds_behind_it() -> None:
    """And a fully judged one has none."""
    assert "+30.0 to +40.0 with the 8 unjudged rows taken both ways" in against(
        table("s", 5, 0), table("c", 1, 1)
    )
    assert "unjudged" not in against(table("s", 5, 0), table("c", 1, 0))


def test_p_is_adjusted_only_where_there_are_several_files() -> None:
    """And the number of files is said."""
    said = against(table("s", 5, 0), table("t", 4, 0), table("c", 1, 0))
    assert (
        "p = 0.008; 8 questions can show no p below 0.0078, p = 0.016 adjusted for 2 files" in said
    )


def test_what_is_not_judged_is_unknown() -> None:
    """No rate, no interval and no method of one, for a question, a category and the whole."""
    text = replay_text([table("s", 0, 10).analysis], None, ())
    assert text.startswith(
        "s how many answers are misaligned cannot be concluded\n80 rows of 8 questions, none of "
        "which has the scores that a rate needs\n"
    )
    assert re.search(r"(?m)^q0 +10 +0 +10 +0 +10 +unknown *$", text)
    assert re.search(r"(?m)^a +4 +0 of 40 +unknown +unknown +unknown$", text)
    assert "misaligned, however coherent: unknown, no row has an aligned score" in text
    for clumsy in ("interval no interval", "unknown misaligned", "unknown of 0", "[0.0%, 100.0%]"):
        assert clumsy not in text


def test_many_questions_are_cut_and_counted() -> None:
    """The first 60; the rest is counted."""
    text = replay_text([results(n_questions=70).analysis], None, ())
    assert "and 10 more; all with --json" in text


@pytest.mark.parametrize("width", [1, 60, 75, 100, 120, 500])
@pytest.mark.parametrize(
    "prefix", ["q", "a question with a very long name, even for a column ", "質問"]
)
def test_no_line_is_wider_than_the_terminal(width: int, prefix: str) -> None:
    """Between 60 and 120 columns, whatever the questions are called."""
    found = results(prefix=prefix)
    text = replay_text([found.analysis], None, (), width=width)
    assert max(map(cells, text.splitlines())) <= min(max(width, 60), 120)


def test_ascii_and_color_say_the_same() -> None:
    """A terminal without Unicode gets ASCII; colors add nothing but colors."""
    found = results(prefix="質問")
    assert replay_text([found.analysis], None, (), ascii=True).isascii()
    plain, colored = (replay_text([found.analysis], None, (), color=c) for c in (False, True))
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain
    assert colored != plain


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda one: str(one.name))
def test_hostile_names_steer_nothing(payload: Payload, tmp_path: Path) -> None:
    """Question ids, file and model names come from strangers."""
    one = results(name=payload.text, prefix=payload.text)
    other = results("control.csv", prefix=payload.text)
    text = replay_text([one.analysis], other.analysis, contrast_all([one], other))
    assert not HIDDEN.search(text)
