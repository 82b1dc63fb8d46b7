"""Corrected prevalence: hand-worked cases, simulated coverage, and where it must refuse."""

import numpy as np
import pytest

from offtarget.core.errors import DataError
from offtarget.core.finding import Severity
from offtarget.curate.view.engine_errors import ANY, engine_errors
from offtarget.curate.view.prevalence import ErrorCounts, corrected, share

GOOD = ErrorCounts(n_vulnerable=100, n_found=90, n_safe=200, n_quiet=190)


def test_the_estimate_is_rogan_and_gladens() -> None:
    """(0.3 + 0.95 - 1) / (0.9 + 0.95 - 1) = 0.25 / 0.85."""
    found = corrected(30, 100, GOOD)

    assert found.rate == pytest.approx(0.25 / 0.85)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.25 / 0.85 < found.high
    assert found.note == ""


def test_the_interval_is_the_published_one() -> None:
    """The ends are those of Lang & Reiczigel's formula worked step by step for 30 of 100."""
    z2 = 1.959963984540054**2
    p, se, sp = (30 + z2 / 2) / (100 + z2), 91 / 102, 191 / 202
    j = se + sp - 1
    center = (p + sp - 1) / j
    variance = (
        p * (1 - p) / (100 + z2)
        + se * (1 - se) / 102 * center**2
        + sp * (1 - sp) / 202 * (1 - center) ** 2
    )
    shift = 2 * z2 * (center * se * (1 - se) / 102 - (1 - center) * sp * (1 - sp) / 202)
    half = (z2 * variance) ** 0.5 / j

    found = corrected(30, 100, GOOD)

    assert found.low == pytest.approx(center + shift - half)
    assert found.high == pytest.approx(center + shift + half)


@pytest.mark.parametrize(
    ("truth", "sensitivity", "specificity", "n", "n_vulnerable", "n_safe"),
    [
        (0.1, 0.9, 0.97, 300, 100, 100),
        (0.5, 0.6, 0.95, 500, 200, 200),
        (0.02, 0.95, 0.98, 1000, 200, 400),
        (0.3, 0.2, 0.99, 1000, 60, 300),
        (0.0, 0.9, 0.97, 300, 100, 100),
    ],
)
def test_the_interval_covers_the_truth(
    truth: float, sensitivity: float, specificity: float, n: int, n_vulnerable: int, n_safe: int
) -> None:
    """Over 600 simulated studies the 95 % interval holds the true share in at least 92 %."""
    draw = np.random.default_rng(7)
    p = truth * sensitivity + (1 - truth) * (1 - specificity)
    hits = 0
    for _ in range(600):
        errors = ErrorCounts(
            n_vulnerable,
            int(draw.binomial(n_vulnerable, sensitivity)),
            n_safe,
            int(draw.binomial(n_safe, specificity)),
        )
        found = corrected(int(draw.binomial(n, p)), n, errors)
        hits += found.low is not None and found.low <= truth <= (found.high or 0.0)

    assert hits / 600 >= 0.92


def test_a_plain_count_would_not_cover_the_truth() -> None:
    """The control: with sensitivity 0.6 the uncorrected interval never holds the true half."""
    draw = np.random.default_rng(7)
    counted = [share(int(draw.binomial(500, 0.5 * 0.6 + 0.5 * 0.05)), 500) for _ in range(200)]

    assert sum(one.low <= 0.5 <= one.high for one in counted) < 10


def test_the_estimate_stays_a_share() -> None:
    """Fewer findings than false ones alone would give: 0, with an interval from 0 on."""
    found = corrected(4, 100, GOOD)

    assert found.rate == 0.0
    assert found.low == 0.0
    assert found.high is not None
    assert 0.0 < found.high <= 1.0


@pytest.mark.parametrize(
    ("count", "n", "errors", "why"),
    [
        (3, 10, ErrorCounts(10, 1, 10, 9), "add up to 1 or less"),
        (3, 10, ErrorCounts(10, 0, 10, 10), "add up to 1 or less"),
        (3, 10, ErrorCounts(0, 0, 10, 9), "not measured"),
        (0, 0, GOOD, "no rows"),
        (3, 10, ErrorCounts(1, 1, 50, 1), "too few"),
        (990, 1000, ErrorCounts(500, 300, 500, 480), "more rows are found"),
        (0, 5000, ErrorCounts(500, 450, 500, 400), "fewer rows are found"),
    ],
)
def test_where_errors_say_nothing_there_is_no_estimate(
    count: int, n: int, errors: ErrorCounts, why: str
) -> None:
    """No number is made up; the note says why."""
    found = corrected(count, n, errors)

    assert (found.rate, found.low, found.high) == (None, None, None)
    assert why in found.note


@pytest.mark.parametrize(
    ("count", "n", "errors"),
    [(11, 10, GOOD), (1, 10, ErrorCounts(5, 6, 9, 9)), (1, 10, ErrorCounts(5, 5, 9, 10))],
)
def test_impossible_counts_are_refused(count: int, n: int, errors: ErrorCounts) -> None:
    """More found than there were is a mistake in counting."""
    with pytest.raises(DataError, match="count them again"):
        corrected(count, n, errors)


def test_the_shipped_error_rates_are_counts_with_their_source() -> None:
    """Every rate has counts that fit, at every gate, and names public sets that are described."""
    errors = engine_errors()

    assert errors.rates[0].kind == ANY
    assert errors.language == "python"
    for rate in errors.rates:
        assert {rate.vulnerable, rate.safe} <= set(errors.sources)
        assert set(rate.counts) == set(Severity)
        for counts in rate.counts.values():
            corrected(1, 2, counts)
        found = [rate.counts[gate].n_found for gate in Severity]
        assert found == sorted(found, reverse=True), "a higher gate finds no more"
    for source in errors.sources.values():
        assert "@" in source.source
        assert source.caution
