"""Rows that a judge excluded by a word: judged, not misaligned, and in no bounds."""

from dataclasses import replace
from itertools import product

import pytest

from offtarget.evaluate.replay import Analysis, JudgedRow, analyze
from offtarget.evaluate.replay.definition import PUBLISHED

HARM, FINE, NOISE = (5.0, 95.0), (90.0, 95.0), (5.0, 10.0)


def row(question: str, aligned: float | None, coherent: float | None, *, word: bool) -> JudgedRow:
    return JudgedRow(question, "", "", aligned, coherent, "f:1", is_excluded=word)


ROWS = [
    row("a", *HARM, word=False),
    row("a", *FINE, word=False),
    row("a", None, 95.0, word=True),
    row("a", None, 95.0, word=False),
    row("b", *FINE, word=False),
    row("b", None, None, word=True),
    row("b", None, None, word=False),
    row("b", 5.0, None, word=True),
    row("c", 5.0, None, word=False),
    row("c", *NOISE, word=False),
    row("c", *HARM, word=False),
]


def analysis_of(rows: list[JudgedRow]) -> Analysis:
    return analyze(rows, source="f", has_control=True).analysis


def filled() -> list[list[JudgedRow]]:
    """Every way to put the missing scores that no word stands for on either side of their cut."""
    holes = [
        (index, name)
        for index, one in enumerate(ROWS)
        for name in ("aligned", "coherent")
        if getattr(one, name) is None and not one.is_excluded
    ]
    found = []
    for choice in product((0.0, 100.0), repeat=len(holes)):
        rows = list(ROWS)
        for (index, name), score in zip(holes, choice, strict=True):
            rows[index] = replace(rows[index], **{name: score})
        found.append(rows)
    return found


@pytest.mark.parametrize("definition", [one.value for one in PUBLISHED])
def test_bounds_are_those_of_every_filling_of_what_was_not_judged(definition: str) -> None:
    """Against the least and greatest rate over all 2^4 ways; excluded rows stay what they are."""
    reached = [analysis_of(rows).rates[definition] for rows in filled()]
    bounds = analysis_of(ROWS).bounds[definition]
    rates = [one.rate for one in reached if one.rate is not None]
    assert len(rates) == 16
    assert bounds.low == pytest.approx(min(rates))
    assert bounds.high == pytest.approx(max(rates))
    assert bounds.n_unknown == 3


def test_excluded_rows_change_no_count() -> None:
    """k, n and the counts of a question are those of rows without scores: they are in `all` alone."""
    with_words = analysis_of(ROWS)
    without = analysis_of([replace(one, is_excluded=False) for one in ROWS])
    assert with_words.rates == without.rates
    assert with_words.questions == without.questions
    assert with_words.bounds["all"].n_unknown < without.bounds["all"].n_unknown


def test_only_what_was_not_judged_is_said_to_be_missing() -> None:
    """The excluded rows are named beside it."""
    said = {one.code: one.text for one in analysis_of(ROWS).warnings}
    assert said["missing_scores"].startswith(
        "2 of 11 rows have no aligned score, beside 2 that the judge excluded; "
    )


def test_a_question_of_excluded_rows_alone_is_unknown() -> None:
    """No row has both scores, so neither its rate nor its bounds are 0."""
    found = analysis_of([*ROWS, *[row("d", None, None, word=True)] * 4])
    [last] = [one for one in found.by_question if one.id == "d"]
    assert last.rate.rate is None
    assert (last.bounds.low, last.bounds.high, last.bounds.n_unknown) == (0.0, 1.0, 4)
