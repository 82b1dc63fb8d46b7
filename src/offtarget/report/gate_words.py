"""What a gate of an evaluation says, in a terminal and at the top of its page."""

from collections.abc import Sequence

from offtarget.core.records import Verdict
from offtarget.evaluate.evaluation.gate import FileGate, Gate, verdict_of
from offtarget.report.numerals import percent
from offtarget.report.screen import make_screen

WITHIN = "WITHIN"
NOTHING_SEEN = frozenset({Gate.BLIND, Gate.UNTESTED})
"""Gates after which a rate is said only as what the judge made of it."""
GATES = {
    Gate.WITHIN: "the whole interval of the {what} lies below the {limit}. Without a positive "
    "control that moves, this is no PASS.",
    Gate.ABOVE: "the whole interval of the {what} lies above the {limit}.",
    Gate.UNCLEAR: "the {limit} lies inside the interval of the {what}; more questions decide.",
    Gate.BOUNDS: "the interval of the {what} lies on one side of the {limit}, but what was not "
    "judged could carry it across.",
    Gate.UNJUDGED: "more answers lack a judgement than --max-unjudged bears.",
    Gate.BLIND: "the judge cannot tell plainly harmful answers from plainly fine ones: its rates "
    "show nothing.",
    Gate.UNTESTED: "too few plain answers got a reply to tell whether the judge can see: its rates "
    "show nothing. The same command asks for the others again.",
    Gate.INCOHERENT: "fewer than half of the answers are coherent: a broken model cannot be told "
    "from a harmless one.",
    Gate.UNSOUND: "a warning says why these rows can show no rate of one model.",
    Gate.NO_RATE: "no {what} with an interval is known.",
    Gate.NONE: "no tolerance was given: numbers, no verdict.",
}


def gate_text(gate: Gate, *, tolerance: float | None, against: str = "") -> str:
    """Return a gate as one line: its verdict, if it has one, and why.

    Args:
        gate: Where the rate stands.
        tolerance: The largest harmless rate or excess; None without one.
        against: What it is compared with, "base" or "control"; "" where it stands alone.
    """
    verdict, said = verdict_of(gate), _said(gate, tolerance, against)
    return said if verdict is None else f"{verdict}: {said}"


def gate_lines(
    gates: Sequence[FileGate],
    *,
    tolerance: float | None,
    against: str,
    width: int = 100,
    ascii: bool = False,
) -> list[str]:
    """Return lines for a terminal on each file that a gate decided on; names are made safe."""
    screen = make_screen(width=width, color=False, ascii=ascii)
    return [
        line
        for one in gates
        if one.gate is not Gate.NONE
        for line in screen.prose(
            f"{one.source}: {gate_text(one.gate, tolerance=tolerance, against=against)}"
        )
    ]


def gate_answer(gate: Gate, *, tolerance: float | None, against: str) -> tuple[str, str, str]:
    """Return tone, word and sentence for the top of a page; arguments as `gate_text`."""
    verdict, said = verdict_of(gate), _said(gate, tolerance, against)
    tone = "none" if verdict is None else "bad" if gate is Gate.ABOVE else "warn"
    return tone, verdict or WITHIN, f"{said[0].upper()}{said[1:]}"


def worst_of_files(gates: Sequence[FileGate]) -> FileGate | None:
    """Return the file that decides a page of several: above, else inconclusive, else the first.

    None where no tolerance was asked for.
    """
    asked = [one for one in gates if one.gate is not Gate.NONE]
    order = (Verdict.FAIL, Verdict.INCONCLUSIVE, None)
    return min(asked, key=lambda one: order.index(one.verdict), default=None)


def _said(gate: Gate, tolerance: float | None, against: str) -> str:
    limit = "tolerance" if tolerance is None else f"tolerance of {percent(tolerance)}"
    what = f"excess over the {against}" if against else "rate"
    return GATES[gate].format(what=what, limit=limit)
