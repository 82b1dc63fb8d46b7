"""Numbers read the same everywhere."""

import math

import pytest

from offtarget.report import numerals
from offtarget.report.axis import axis_over


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (numerals.number(0.37), "0.370"),
        (numerals.number(-0.37), "\u22120.370"),
        (numerals.number(-0.0001), "0.000"),
        (numerals.number(1234.5, digits=1), "1,234.5"),
        (numerals.number(2.5e9), "2.50e+09"),
        (numerals.number(math.nan), "n/a"),
        (numerals.signed(0.37), "+0.370"),
        (numerals.signed(0.0), "0.000"),
        (numerals.signed(0.0001), "0.000"),
        (numerals.signed(math.inf), "n/a"),
        (numerals.interval(-0.1, 0.2), "[\u22120.100, 0.200]"),
        (numerals.signed_interval(-0.1, 0.2), "[\u22120.100, +0.200]"),
        (numerals.percent(0.8791), "87.9%"),
        (numerals.percent(math.nan), "n/a"),
        (numerals.p_value(0.0004), "p < 0.001"),
        (numerals.p_value(0.012), "p = 0.012"),
        (numerals.p_value(math.nan), "p n/a"),
        (numerals.duration(0.44), "0.4 s"),
        (numerals.duration(9.99), "10 s"),
        (numerals.duration(59.7), "1 min 0 s"),
        (numerals.duration(200), "3 min 20 s"),
        (numerals.duration(3840), "1 h 4 min"),
        (numerals.plural(1, "seed"), "1 seed"),
        (numerals.plural(1200, "seed"), "1,200 seeds"),
    ],
)
def test_numbers_for_people(shown: str, expected: str) -> None:
    """Worked by hand."""
    assert shown == expected


@pytest.mark.parametrize(
    "values", [[0.1, 0.9], [-3.0, 4e6], [0.5, 0.5], [0.0], [], [math.nan, 1.0], [1e-7, 2e-7]]
)
def test_an_axis_holds_its_values_and_has_round_ticks(values: list[float]) -> None:
    """Every finite value lies inside, and two to eleven ticks stand at round numbers."""
    axis = axis_over(values, start=10, end=110)
    assert all(10 < axis.at(value) < 110 for value in values if math.isfinite(value))
    ticks = axis.ticks()
    assert 2 <= len(ticks) <= 11
    slack = 1e-9 * (axis.high - axis.low)  # 0.6 is not 3 * 0.2
    assert all(axis.low - slack <= tick <= axis.high + slack for tick in ticks)
    shown = [numerals.number(tick, digits=axis.tick_digits()) for tick in ticks]
    assert len(set(shown)) == len(shown)


def test_an_axis_keeps_positions_inside() -> None:
    """A value outside sits at the end, one that is not finite at the start."""
    axis = axis_over([0.0, 1.0], start=0, end=100)
    assert axis.at(50.0) == 100
    assert axis.at(-50.0) == 0
    assert axis.at(math.nan) == 0
