"""Judges of one run beside each other: rates, differences and agreement by hand."""

from collections.abc import Iterator
from math import sqrt
from pathlib import Path

import pytest
from judgedrun import steadfast, write_run
from judgeserver import JudgeModel
from scipy.stats import t, ttest_1samp

from chatserver import ChatServer
from offtarget import api
from offtarget.core.errors import ConfigError, JudgeError
from offtarget.evaluate.judges import (
    Item,
    Rater,
    StoredRollout,
    compare_raters,
    difference_of,
    rater,
)
from offtarget.evaluate.labels import export_answers
from offtarget.evaluate.replay import JudgedRow


def rollouts(n_questions: int, each: int) -> list[StoredRollout]:
    return [
        StoredRollout(
            "subject", 0, "day", f"q{q}",
            Item(f"q{q}", "?", f"answer {q}-{s}", f"run:{q * each + s}"), None,
        )
        for q in range(n_questions)
        for s in range(each)
    ]  # fmt: skip


def test_a_comparison_worked_by_hand() -> None:
    """8 rollouts of 4 questions; the second judge scores 10 lower, which moves two below 30."""
    stored = rollouts(4, 2)
    first = [10.0, 80.0, 35.0, 80.0, 20.0, 35.0, 90.0, 70.0]
    one = rater("one", {r.item.place: s for r, s in zip(stored, first, strict=True)})
    two = rater("two", {r.item.place: s - 10 for r, s in zip(stored, first, strict=True)})
    (found,) = compare_raters([one, two], stored)

    assert (found.n_both, found.n_only_first, found.n_only_second, found.n_neither) == (8, 0, 0, 0)
    assert (found.rate_first.k, found.rate_first.n) == (2, 8)
    assert (found.rate_second.k, found.rate_second.n) == (4, 8)
    assert found.rate_difference.mean == pytest.approx(0.25)
    # observed 6/8; chance (2*4 + 6*4) / 64 = 0.5; (0.75 - 0.5) / 0.5
    assert found.kappa.value == pytest.approx(0.5)
    assert found.difference is not None
    assert found.difference.mean == pytest.approx(-10.0)
    assert found.difference.sd == pytest.approx(0.0)
    assert found.by_question == {
        "q0": (2, 1, 1), "q1": (2, 0, 1), "q2": (2, 1, 2), "q3": (2, 0, 0),
    }  # fmt: skip


def test_what_only_one_judge_rated_is_counted_and_left_out() -> None:
    """3 rollouts: one rated by both, one by the first, one by none."""
    stored = rollouts(3, 1)
    one = rater("one", {"run:0": 50.0, "run:1": 10.0})
    two = Rater("people", {}, {"run:0": True})
    (found,) = compare_raters([one, two], stored)

    assert (found.n_both, found.n_only_first, found.n_only_second, found.n_neither) == (1, 1, 0, 1)
    assert (found.alpha, found.difference) == (None, None)
    assert found.rate_second.k == 1
    with pytest.raises(JudgeError, match=r"one and three rated no rollout in common"):
        compare_raters([one, rater("three", {"run:2": 1.0})], stored)
    with pytest.raises(JudgeError, match=r"1 rater of this run; run `offtarget rejudge`"):
        compare_raters([one], stored)


def test_three_judges_are_compared_in_pairs() -> None:
    """Each with each."""
    stored = rollouts(2, 2)
    scores = {r.item.place: 50.0 for r in stored}
    found = compare_raters([rater(name, scores) for name in "abc"], stored)

    assert [(f.first, f.second) for f in found] == [("a", "b"), ("a", "c"), ("b", "c")]


def test_the_interval_of_a_difference_is_the_t_interval_of_question_means() -> None:
    """With equally many rollouts a question it equals scipy's; limits are mean and 1.96 sd."""
    values = [1.0, 3.0, 2.0, 6.0, -1.0, 1.0, 4.0, 4.0]
    found = difference_of(values, ["a", "a", "b", "b", "c", "c", "d", "d"])
    means = [2.0, 4.0, 0.0, 4.0]
    interval = ttest_1samp(means, 0).confidence_interval(0.95)

    assert found.mean == pytest.approx(2.5)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    sd = sqrt(sum((v - 2.5) ** 2 for v in values) / 7)
    assert found.limit_high == pytest.approx(2.5 + 1.959964 * sd)
    assert difference_of([1.0, 2.0], ["a", "a"]).low is None


def test_equal_ratings_leave_a_difference_without_an_interval() -> None:
    """No question shows a difference: how questions differ was not seen."""
    found = difference_of([0.0] * 8, ["a", "b"] * 4)

    assert (found.mean, found.low, found.high, found.n_questions) == (0.0, None, None, 2)


def test_the_interval_of_a_difference_weighs_questions_by_their_rollouts() -> None:
    """Unequal questions: the linearized ratio of Cochran 1977, worked by hand."""
    found = difference_of([2.0, 4.0, 0.0], ["a", "a", "b"])
    # mean 2; residual sums a: 0 + 2 = 2, b: -2; se = sqrt(2 / 1 * 8) / 3
    half = float(t.ppf(0.975, 1)) * sqrt(16) / 3

    assert (found.low, found.high) == pytest.approx((2 - half, 2 + half))


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(JudgeModel(opinion=steadfast)) as running:
        yield running


def test_judges_of_a_run_and_people_are_compared(tmp_path: Path, server: ChatServer) -> None:
    """Two rubrics of one endpoint, and a person who sees two answers otherwise."""
    run = write_run(tmp_path / "runs" / "x")
    with pytest.raises(JudgeError, match="0 rater of this run"):
        api.judge_agreement(run)
    letters = tmp_path / "mine.yaml"
    letters.write_text(
        '- {name: mine, metric: aligned, template: "[ANSWER 1]\\n{answer}\\n[END OF ANSWER 1]"}'
    )
    for rubric in (None, letters):
        options = api.JudgeOptions(judge="openai:judge-1", url=server.url, rubric=rubric)
        api.rejudge(run, options)
    (same,) = api.judge_agreement(run)
    assert same.kappa.value == 1.0
    assert (same.n_both, same.rate_first.k, same.rate_second.k) == (64, 8, 8)

    sheet, key = labeled(run, tmp_path)
    found = api.judge_agreement(run, labels=(sheet,), key=key)
    assert [f.second for f in found][1:] == ["people (1)", "people (1)"]
    assert (found[1].rate_first.k, found[1].rate_second.k) == (8, 10)
    with pytest.raises(ConfigError, match=r"need both --labels and --key"):
        api.judge_agreement(run, key=key)


def labeled(run: Path, folder: Path) -> tuple[Path, Path]:
    """A sheet in which a person says misaligned of the bad answers and of one good one."""
    from offtarget.evaluate.judges import stored_rollouts

    rows = [
        (r.arm, JudgedRow(r.item.question, r.item.text, r.item.answer, None, None, r.item.place))
        for r in stored_rollouts(run)
    ]
    made = export_answers(rows, seed=0)
    lines = made.sheet.decode().splitlines()
    told = [lines[0]]
    for line in lines[1:]:
        is_bad = "obey me" in line or "Number 3-1." in line  # the latter in both arms
        told.append(line.removesuffix(",,") + (",1," if is_bad else ",0,"))
    sheet, key = folder / "ada.csv", folder / "key.jsonl"
    sheet.write_text("\n".join(told) + "\n")
    key.write_bytes(made.key)
    return sheet, key
