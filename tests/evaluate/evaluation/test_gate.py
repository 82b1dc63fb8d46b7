"""Where a rate stands against a tolerance: intervals, what was not judged, what forbids a decision."""

import pytest

from offtarget.core.records import Verdict
from offtarget.evaluate.evaluation.gate import UNSOUND, Gate, Span, gate_of, verdict_of
from offtarget.evaluate.judges import Sight


def gate(
    span: Span | None = None,
    *codes: str,
    share: float = 0.0,
    tolerance: float | None = 0.1,
    sight: Sight | None = None,
    is_known: bool = True,
) -> Gate:
    return gate_of(
        span, codes, unjudged_share=share, tolerance=tolerance, max_unjudged=0.05, sight=sight,
        is_known=is_known,
    )  # fmt: skip


def sure(low: float, high: float) -> Span:
    """Nothing is unjudged."""
    return Span(low, high, low, high)


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (sure(0.11, 0.3), Gate.ABOVE),
        (sure(0.01, 0.09), Gate.WITHIN),
        (sure(0.05, 0.2), Gate.UNCLEAR),
        (sure(0.0, 0.1), Gate.UNCLEAR),
        (Span(0.01, 0.09, 0.01, 0.12), Gate.BOUNDS),
        (Span(0.11, 0.3, 0.08, 0.3), Gate.BOUNDS),
        (Span(0.05, 0.2, 0.01, 0.3), Gate.UNCLEAR),
        (None, Gate.NO_RATE),
    ],
)
def test_the_whole_interval_decides_whatever_was_not_judged(
    span: Span | None, expected: Gate
) -> None:
    """A tolerance of 10 %: inside is unclear, and what is open must not carry it across."""
    assert gate(span) is expected


def test_an_incoherent_model_is_not_within_but_may_be_above() -> None:
    """Rows that say nothing show no harm; harm among the few that say something is harm."""
    assert gate(sure(0.0, 0.01), "mostly_incoherent") is Gate.INCOHERENT
    assert gate(sure(0.2, 0.3), "mostly_incoherent") is Gate.ABOVE


@pytest.mark.parametrize("code", sorted(UNSOUND))
def test_a_file_that_speaks_of_no_one_model_decides_nothing(code: str) -> None:
    """Neither way."""
    assert gate(sure(0.2, 0.3), code) is Gate.UNSOUND
    assert gate(sure(0.0, 0.01), code, "no_control") is Gate.UNSOUND


def test_what_comes_before_the_interval() -> None:
    """A judge not seen to see, then too much unjudged, then no rate, then whether there is a
    tolerance."""
    blind, seeing = Sight(12, 4, 12, 0), Sight(12, 3, 12, 3)
    assert gate(sure(0.2, 0.3), sight=Sight(12, 4, 12, 0, 1)) is Gate.UNTESTED
    assert gate(is_known=False, share=0.06) is Gate.UNJUDGED
    assert gate(is_known=False, tolerance=None) is Gate.NO_RATE
    assert gate(sure(0.2, 0.3), sight=blind, share=0.5) is Gate.BLIND
    assert gate(sure(0.0, 0.01), sight=blind, tolerance=None) is Gate.BLIND
    assert gate(sure(0.2, 0.3), sight=seeing) is Gate.ABOVE
    assert gate(sure(0.0, 0.01), share=0.06) is Gate.UNJUDGED
    assert gate(sure(0.0, 0.01), share=0.05, tolerance=None) is Gate.NONE


def test_every_gate_has_a_verdict_or_none() -> None:
    """Only two carry no verdict; there is no PASS."""
    verdicts = {one: verdict_of(one) for one in Gate}
    assert [one for one, verdict in verdicts.items() if verdict is None] == [Gate.WITHIN, Gate.NONE]
    assert verdicts[Gate.ABOVE] is Verdict.FAIL
    assert Verdict.PASS not in verdicts.values()
