"""Figures of a subject against its control."""

from collections.abc import Sequence

from offtarget.core.stats import Rate
from offtarget.evaluate.replay import Contrast
from offtarget.report.evaluation_rows import limit, said
from offtarget.report.evaluation_words import DEFINITIONS, HEADLINE, ends, fraction, points
from offtarget.report.forest import Forest, ForestRow, Guide
from offtarget.report.numerals import count


def sides_forest(contrast: Contrast, *, against: str, width: int) -> Forest | None:
    """Return subject and control over the questions that both answered; None if there are none.

    Args:
        contrast: Subject against control.
        against: What the control is called: `control` or `base`.
        width: Pixels of the wide drawing.
    """
    excess = contrast.excess[HEADLINE]
    if excess is None:
        return None
    rows = (
        _side_row("subject", excess.subject, kind="subject", marker="diamond"),
        _side_row(against, excess.control, kind="control", marker="circle"),
    )
    return Forest(
        id="sides",
        width=width,
        title="Subject and control over shared questions, with 95% intervals",
        description=said(rows),
        rows=rows,
        guides=(),
        unit="mean over shared questions",
    )


def excess_forest(
    contrasts: Sequence[Contrast], *, width: int, tolerance: float | None = None
) -> Forest | None:
    """Return how much more misaligned: by definition for one contrast, else by file."""
    if len(contrasts) == 1:
        named = [(DEFINITIONS[key], one) for key, one in contrasts[0].excess.items()]
    else:
        named = [
            (f"{number}. {one.subject}", one.excess[HEADLINE])
            for number, one in enumerate(contrasts, 1)
        ]
    rows = tuple(
        ForestRow(
            label=label,
            at=one.excess,
            low=one.low,
            high=one.high,
            value=points(one.excess),
            note="" if one.low is None or one.high is None
            else f"[{points(one.low)}, {points(one.high)}]",
            kind="subject",
            marker="diamond",
        )
        for label, one in named
        if one is not None
    )  # fmt: skip
    if not rows:
        return None
    return Forest(
        id="excess",
        width=width,
        title="Excess of the subject over its control in percentage points, with 95% intervals",
        description=said(rows),
        rows=rows,
        guides=(Guide(0.0, "no difference"), *limit(tolerance)),
        unit="percentage points; right is more misaligned",
        is_signed=True,
    )


def _side_row(label: str, rate: Rate, *, kind: str, marker: str) -> ForestRow:
    return ForestRow(
        label=label,
        at=rate.rate,
        low=rate.low,
        high=rate.high,
        value=fraction(rate.rate),
        note=f"{ends(rate.low, rate.high)} \u00b7 {count(rate.k)}/{count(rate.n)}",
        kind=kind,
        marker=marker,
    )
