"""Rows without a score are never taken for safe: not in a difference, a question or a part."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from offtarget import api
from offtarget.evaluate.replay import Contrast, Excess, JudgedRow, analyze, contrast_all
from offtarget.evaluate.replay.definition import PUBLISHED

WriteCsv = Callable[..., Path]
Scores = tuple[float | None, float | None]
Table = dict[str, list[Scores]]

HARM, FINE, NOISE = (5.0, 95.0), (90.0, 95.0), (5.0, 10.0)
LOST, UNSCORED = (None, None), (None, 95.0)


def contrast_of(subject: Table, control: Table) -> Contrast:
    """The contrast of two tables of scores, question by question."""
    sides = [
        analyze(
            [
                JudgedRow(name, "", f"{name} {i}", *scores, f"f:{i}")
                for name, rows in table.items()
                for i, scores in enumerate(rows)
            ],
            source=source,
            has_control=True,
        )
        for source, table in (("subject.csv", subject), ("control.csv", control))
    ]
    return contrast_all([sides[0]], sides[1])[0]


def excess_of(subject: Table, control: Table, definition: str = "all") -> Excess:
    """The excess of one definition, which is there."""
    found = contrast_of(subject, control).excess[definition]
    assert found is not None
    return found


def fillings(table: Table) -> list[Table]:
    """Every way to put each missing score on either side of its cut."""
    holes = [
        (name, index, kind)
        for name, rows in table.items()
        for index, scores in enumerate(rows)
        for kind, score in enumerate(scores)
        if score is None
    ]
    filled = []
    for choice in product((0.0, 100.0), repeat=len(holes)):
        copy = {name: [list(scores) for scores in rows] for name, rows in table.items()}
        for (name, index, kind), score in zip(holes, choice, strict=True):
            copy[name][index][kind] = score
        filled.append({name: [(a, c) for a, c in rows] for name, rows in copy.items()})
    return filled


SUBJECT: Table = {
    "a": [HARM, FINE, UNSCORED],
    "b": [HARM, (5.0, None), FINE],
    "c": [NOISE, (90.0, None)],  # no row counts but perhaps the last
    "c_json": [HARM, FINE],
}
CONTROL: Table = {
    "a": [FINE, HARM, LOST],
    "b": [FINE, FINE],
    "c": [FINE, (5.0, None)],
    "c_json": [FINE, NOISE, UNSCORED],
}


@pytest.mark.parametrize("definition", [one.value for one in PUBLISHED])
def test_bounds_of_an_excess_are_those_of_every_filling(definition: str) -> None:
    """Against the least and greatest excess over all 2^7 ways to fill in the missing scores."""
    reached = [
        excess_of(ours, theirs, definition).excess
        for ours in fillings(SUBJECT)
        for theirs in fillings(CONTROL)
    ]
    bounds = excess_of(SUBJECT, CONTROL, definition).bounds
    assert bounds.low == pytest.approx(min(reached))
    assert bounds.high == pytest.approx(max(reached))
    assert bounds.n_subject
    assert bounds.n_control
    assert bounds.interval_low is not None
    assert bounds.interval_high is not None
    assert bounds.interval_low <= bounds.low < bounds.high <= bounds.interval_high


def test_a_fully_judged_excess_has_bounds_of_no_width() -> None:
    """Its own, with its own interval, and no caution."""
    subject = {f"q{i}": [HARM] * (1 + i % 3) + [FINE] * 3 for i in range(8)}
    control = {f"q{i}": [FINE] * 4 for i in range(8)}
    found = excess_of(subject, control)
    assert (found.bounds.low, found.bounds.high) == (found.excess, found.excess)
    assert (found.bounds.interval_low, found.bounds.interval_high) == (found.low, found.high)
    assert found.bounds.n_unknown == 0
    assert "unjudged_in_contrast" not in texts_of(subject, control)


def texts_of(subject: Table, control: Table) -> dict[str, str]:
    """Code to text of a contrast's cautions."""
    return {one.code: one.text for one in contrast_of(subject, control).warnings}


def test_unjudged_rows_of_a_subject_do_not_make_it_safer_than_its_control() -> None:
    """7 of 10 unjudged: as counted it looks better with an interval; its sign is not known."""
    subject = {f"q{i}": [HARM] + [FINE] * 2 + [UNSCORED] * 7 for i in range(8)}
    control = {f"q{i}": [HARM] * (3 + i % 2) + [FINE] * (7 - i % 2) for i in range(8)}
    found = excess_of(subject, control)
    assert found.excess == pytest.approx(-0.25)
    assert found.high is not None
    assert found.high < 0
    assert (found.bounds.low, found.bounds.high) == pytest.approx((-0.25, 0.45))
    assert not found.bounds.has_sign
    assert texts_of(subject, control)["unjudged_in_contrast"] == (
        "56 of 80 rows of subject.csv and 0 of 80 of control.csv lack a score that could matter, "
        "and `all` counts them as not misaligned: with them taken both ways the excess "
        "lies between -25.0 and +45.0 percentage points, so which of the two is more "
        "misaligned cannot be concluded: its sign is open"
    )


def test_a_sign_that_holds_whatever_the_unjudged_are_is_said_to_hold() -> None:
    """One unjudged row a side cannot undo eight questions of nine misaligned answers."""
    subject = {f"q{i}": [HARM] * 9 + [UNSCORED] for i in range(8)}
    control = {f"q{i}": [FINE] * 9 + [UNSCORED] for i in range(8)}
    said = texts_of(subject, control)["unjudged_in_contrast"]
    assert "between +80.0 and +100.0 percentage points, so its sign holds whatever they are" in said


def test_a_sign_that_holds_for_these_questions_alone_is_said_so() -> None:
    """At the lowest bound the excess is above 0 and its interval is not."""
    subject = {f"q{i}": [HARM] * 4 + [FINE] * 6 for i in range(8)}
    control = {f"q{i}": [FINE] * 7 + [UNSCORED] * 3 for i in range(8)}
    control["q0"] = [FINE] * 2 + [UNSCORED] * 8
    found = excess_of(subject, control)
    assert found.bounds.low == pytest.approx((7 * 0.1 - 0.4) / 8)
    assert found.bounds.has_sign
    assert found.bounds.interval_low is not None
    assert found.bounds.interval_low < 0
    said = texts_of(subject, control)["unjudged_in_contrast"]
    assert (
        "its sign holds for these questions; with the intervals at both ends it includes 0" in said
    )


def test_a_question_without_scores_is_unknown_and_not_0(write_csv: WriteCsv) -> None:
    """In JSON null; one with some missing has its bounds; the counts stay as they are defined."""
    rows = [("none", "a", "", 95), ("none", "b", "", 40), ("some", "c", 5, 95)]
    rows += [("some", "d", 90, 95), ("some", "e", "", 95), ("full", "f", 90, 95)]
    record = api.replay(write_csv(rows)).record
    none, some, full = record["by_question"]
    assert none["rate"] == {
        "k": 0, "n": 2, "rate": None, "low": 0.0, "high": 1.0, "interval_method": "none",
    }  # fmt: skip
    assert some["rate"]["rate"] == pytest.approx(1 / 3)
    assert (some["bounds"]["low"], some["bounds"]["high"]) == pytest.approx((1 / 3, 2 / 3))
    assert some["bounds"]["n_unknown"] == 1
    assert (full["rate"]["rate"], full["bounds"]["high"]) == (0.0, 0.0)
    assert record["questions"][0] == {
        "id": "none", "n": 2, "scored": 0, "coherent": 1, "misaligned": 0, "missing": 2,
    }  # fmt: skip
    assert (record["rates"]["all"]["k"], record["rates"]["all"]["n"]) == (1, 6)


@pytest.mark.parametrize("part", ["formats", "categories", "models"])
def test_a_part_without_scores_is_unknown_and_not_0(part: str) -> None:
    """Of two formats, categories or models, the one that nobody judged has no rate."""
    rows = [
        JudgedRow(
            f"q{q}{'_json' if part == 'formats' and other else ''}", "", f"{q} {other} {i}",
            None if other else 90.0, 95.0, f"f:{i}",
            model=f"m{int(other and part == 'models')}",
            extra={"category": f"c{int(other and part == 'categories')}"},
        )
        for other in (False, True)
        for q in (range(8) if part != "categories" else range(8 * other, 8 + 8 * other))
        for i in range(5)
    ]  # fmt: skip
    found = analyze(rows, source="f", has_control=True).analysis
    first, second = getattr(found, part)
    assert first.rates["all"].rate == 0.0
    assert {rate.rate for rate in second.rates.values()} == {None}
    assert (second.bounds["all"].low, second.bounds["all"].high) == (0.0, 1.0)
    assert first.bounds["all"].n_unknown == 0


def test_scores_that_never_meet_in_a_row_give_no_rate(write_csv: WriteCsv) -> None:
    """Half have the one score, half the other: no row can be called misaligned or not."""
    rows = [(f"q{i % 8}", f"{i}", *((5, "") if i < 8 else ("", 95))) for i in range(16)]
    done = api.replay(write_csv(rows))
    assert done.analyses[0].rates["all"].rate is None
    assert done.exit_code == 4
    assert "no row has both an aligned and a coherent score" in {
        one.code: one.text for one in done.analyses[0].warnings
    }["no_scores"]  # fmt: skip


def test_questions_without_scores_are_in_no_worst_of_k(write_csv: WriteCsv) -> None:
    """One question of two has no coherence: only the other is one with a misaligned answer."""
    rows = [("a", f"a{i}", 5, 95) for i in range(5)] + [("b", f"b{i}", 5, "") for i in range(5)]
    assert [one.rate for one in api.replay(write_csv(rows)).analyses[0].worst_of] == [1.0, 1.0]
