"""How far an interval reaches with what was not judged: computed again, of a rate and an excess."""

from collections.abc import Mapping, Sequence

import pytest

from offtarget.evaluate.evaluation.gate import Gate, Span, gate_of, gate_of_file, span_of
from offtarget.evaluate.replay import JudgedRow, Replayed, analyze, contrast_all

HARM, FINE, UNJUDGED = 5.0, 90.0, None
Scores = Sequence[float | None]


def counted(table: Mapping[str, Scores], *, excluded: int = 0, source: str = "f") -> Replayed:
    """Rows by question, all coherent where they have a score; `excluded` more refusals to each."""
    rows = [
        JudgedRow(name, "", f"{name} {i}", one, None if one is None else 95.0, f"f:{i}")
        for name, scores in table.items()
        for i, one in enumerate(scores)
    ]
    rows += [
        JudgedRow(name, "", f"{name} r{i}", None, 95.0, f"f:r{i}", is_excluded=True)
        for name in table
        for i in range(excluded)
    ]
    return analyze(rows, source=source, has_control=True)


def span(subject: Replayed, control: Replayed | None = None) -> Span:
    """Of the rate, or of the excess over a control."""
    contrast = None if control is None else contrast_all([subject], control)[0]
    found = span_of(subject.analysis, contrast)
    assert found is not None
    return found


def test_unjudged_rows_of_few_questions_widen_the_interval_over_questions() -> None:
    """100 questions by 20 rows, no hit, 5 questions without a judgement: 5 % of the rows, and an
    interval that reaches beyond its upper end and 5 points more."""
    table = {f"q{i}": [UNJUDGED if i < 5 else FINE] * 20 for i in range(100)}
    one = counted(table)
    found = span(one)
    assert found.highest > found.high + 0.05 + 0.02
    assert found.highest == pytest.approx(0.114, abs=0.002)
    gate = gate_of_file(one.analysis, None, None, tolerance=0.1, max_unjudged=0.05).gate
    assert gate is Gate.BOUNDS


def test_unjudged_rows_weigh_as_their_question_does_in_an_excess() -> None:
    """20 questions, 15 in ten formats: five plain ones without a judgement are 3 % of the rows and a
    quarter of the excess."""
    names = [f"q{i}" for i in range(5)]
    names += [f"q{i}{form}" for i in range(5, 20) for form in ("", *(f"_{k}" for k in range(9)))]
    lost = {name: [UNJUDGED if name in names[:5] else FINE] for name in names}
    control = {name: [FINE] for name in names}
    clusters = {name: name.split("_")[0] for name in names}

    def side(table: Mapping[str, Scores]) -> Replayed:
        rows = [
            JudgedRow(name, "", name, one, None if one is None else 95.0, name,
                      extra={"cluster": clusters[name]})
            for name, [one] in table.items()
        ]  # fmt: skip
        return analyze(rows, source="f", has_control=True)

    found = span(side(lost), side(control))
    n_lost = 5 / len(names)
    assert n_lost < 0.04
    by_hand = 0.25 + 2.093 * (0.25 * 0.75 / 19) ** 0.5  # t over 20 clusters, five of them at 1
    assert found.highest == pytest.approx(by_hand, abs=0.001)
    assert found.highest > found.high + 2 * n_lost


def test_what_the_judge_excluded_by_a_word_is_judged() -> None:
    """Refusals change no end of the interval; the same rows of a file without the word may be all."""
    table = {f"q{i}": [HARM] + [FINE] * 7 for i in range(10)}
    found = span(counted(table, excluded=2))
    assert (found.lowest, found.highest) == (found.low, found.high)
    unknown = span(counted({name: [*scores, None, None] for name, scores in table.items()}))
    assert (unknown.low, unknown.high) == (found.low, found.high)
    assert unknown.highest >= 0.3


def test_the_wider_interval_is_taken_where_filling_makes_questions_alike() -> None:
    """30, 30 and 21 of 200 against 20, ten of the third unjudged: filled they are 30, 30 and 31,
    nearly alike, and the interval there ends below the one that was seen."""
    subject = {
        "a": [HARM] * 30 + [FINE] * 170,
        "b": [HARM] * 30 + [FINE] * 170,
        "c": [HARM] * 21 + [FINE] * 169 + [UNJUDGED] * 10,
    }
    control = {name: [HARM] * 20 + [FINE] * 180 for name in subject}
    ours, theirs = counted(subject), counted(control)
    contrast = contrast_all([ours], theirs)[0]
    excess = contrast.excess["all"]
    assert excess is not None
    assert excess.high is not None
    assert excess.bounds.interval_high is not None
    assert excess.bounds.interval_high < 0.06 < 0.09 < excess.high
    found = span(ours, theirs)
    assert found.highest == pytest.approx(excess.high + excess.bounds.high - excess.excess)
    gate = gate_of(found, (), unjudged_share=0.02, tolerance=0.08, max_unjudged=0.05)
    assert gate is not Gate.WITHIN
