"""A rule's card: what it looks for, and measured precision with its interval and its limits."""

from types import MappingProxyType

import pytest

from offtarget.codescan.measured import LabelledSet, Measured, Measurement, Sides, measurement
from offtarget.core.stats import wilson
from offtarget.curate.engines import bundled_rules
from offtarget.report import rule_card as cards
from offtarget.report.rule_card import card_text, rule_card

from .sarif_cases import HASH, SQL

PAIRS = LabelledSet("pairs", "Pairs", "x/y@z:p", "before", "after", Sides(50, 50), Sides(100, 100))
ALONE = LabelledSet("alone", "Alone", "x/y@z:q", "flawed", "", Sides(0, 0), Sides(30, 0))


@pytest.fixture(autouse=True)
def _measured(monkeypatch: pytest.MonkeyPatch) -> None:
    found = (
        Measured(PAIRS, Sides(9, 1), Sides(20, 5)),
        Measured(ALONE, Sides(0, 0), Sides(3, 0)),
    )
    table = Measurement("again", "2026-11-23", {}, MappingProxyType({SQL.id: found}))
    monkeypatch.setattr(cards, "measurement", lambda: table)


def test_precision_is_the_share_on_the_vulnerable_side_with_its_interval() -> None:
    """9 of 10 in the held part, 20 of 25 in all of it; Wilson intervals."""
    pairs, alone = rule_card(SQL).measured

    assert pairs.held is not None
    assert (pairs.held.precision, (pairs.held.low, pairs.held.high)) == (0.9, wilson(9, 10))
    assert (pairs.all.precision, (pairs.all.low, pairs.all.high)) == (0.8, wilson(20, 25))
    assert (pairs.all.fired_other, pairs.all.n_other) == (5, 100)
    assert alone.held is None
    assert alone.all.precision is None


def test_the_text_says_n_and_the_caution() -> None:
    """No precision without counts, interval, source and the warning that sets are balanced."""
    text = card_text(rule_card(SQL))

    assert "fired on 9 of 50 before, 1 of 50 after: precision 0.900 [0.596, 0.982]" in text
    assert "fired on 3 of 30 flawed; no other side, so no precision" in text
    assert "x/y@z:p" in text
    assert "in data with fewer flaws the precision is lower" in text


def test_a_rule_that_fired_nowhere_is_not_measured() -> None:
    """It says so, and shows no number."""
    text = card_text(rule_card(HASH))

    assert text.endswith("not measured: it fired on no labelled row")


def test_the_packaged_table_holds_known_rules_only() -> None:
    """A rule that is gone or renamed shows up here."""
    known = {rule.id for rule in bundled_rules()}

    assert set(measurement().by_rule) <= known
