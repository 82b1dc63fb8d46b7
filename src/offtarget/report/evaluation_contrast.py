"""Figures of a subject against its control."""

from collections.abc import Sequence
from dataclasses import replace

from offtarget.core.stats import Rate
from offtarget.evaluate.replay import Contrast, Excess
from offtarget.report.evaluation_rows import limit, said
from offtarget.report.evaluation_words import DEFINITIONS, HEADLINE, ends, fraction
from offtarget.report.forest import Forest, ForestRow, Guide
from offtarget.report.numerals import count
from offtarget.report.replay_words import both_ways, points, points_ends


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
    """Return how much more misaligned: by definition for one contrast, else by file.

    Unjudged rows taken both ways are a bar: in a row of its own, or with several files in the
    file's row, where brackets are the interval of what was judged.
    """
    if len(contrasts) == 1:
        named = [(DEFINITIONS[key], one) for key, one in contrasts[0].excess.items()]
        rows = tuple(
            row for label, one in named if one is not None for row in _both_rows(label, one)
        )
    else:
        rows = tuple(
            _with_bar(_counted_row(f"{number}. {one.subject}", excess), excess)
            for number, one in enumerate(contrasts, 1)
            if (excess := one.excess[HEADLINE]) is not None
        )
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


def _both_rows(label: str, one: Excess) -> list[ForestRow]:
    """Return the excess as counted, and with unjudged rows both ways where there are any."""
    counted = _counted_row(label, one)
    if not one.bounds.n_unknown:
        return [counted]
    low, high = one.bounds.interval_low, one.bounds.interval_high
    both = replace(
        counted,
        label="\u2014 both ways",
        low=low,
        high=high,
        value=both_ways(one),
        note=points_ends(low, high),
    )
    return [counted, _with_bar(both, one)]


def _counted_row(label: str, one: Excess) -> ForestRow:
    return ForestRow(
        label=label,
        at=one.excess,
        low=one.low,
        high=one.high,
        value=points(one.excess),
        note=points_ends(one.low, one.high),
        kind="subject",
        marker="diamond",
    )


def _with_bar(row: ForestRow, one: Excess) -> ForestRow:
    bounds = one.bounds
    return replace(row, span=(bounds.low, bounds.high)) if bounds.n_unknown else row


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
