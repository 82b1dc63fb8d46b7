"""Rows and lines that the figures of an evaluation share."""

from collections.abc import Sequence
from dataclasses import replace

from offtarget.evaluate.replay import PooledRate
from offtarget.evaluate.replay.rate import Bounds
from offtarget.report.evaluation_words import ends, share
from offtarget.report.forest import ForestRow, Guide
from offtarget.report.numerals import count, percent, plural


def pooled_row(label: str, rate: PooledRate, *, kind: str, marker: str = "diamond") -> ForestRow:
    """Return a rate with its interval and counts; nothing is drawn where it is unknown."""
    is_known = rate.rate is not None
    return ForestRow(
        label=label,
        at=rate.rate,
        low=rate.low if is_known else None,
        high=rate.high if is_known else None,
        value=share(rate),
        note=note_of(rate),
        kind=kind,
        marker=marker,
    )


def note_of(rate: PooledRate) -> str:
    """Return interval and counts in small print; rows alone where nothing is known."""
    if rate.rate is None:
        return plural(rate.n, "row")
    return f"{ends(rate.low, rate.high)} \u00b7 {count(rate.k)}/{count(rate.n)}"


def bounded_row(label: str, rate: PooledRate, bounds: Bounds) -> ForestRow:
    """Return a rate with what its unjudged rows could make of it, as a bar."""
    row = pooled_row(label, rate, kind="", marker="circle")
    if not bounds.n_unknown:
        return row
    span = (bounds.low, bounds.high) if rate.rate is not None else None
    return replace(row, note=f"{row.note} \u00b7 {count(bounds.n_unknown)} unj.", span=span)


def guide_of(rate: PooledRate, label: str) -> tuple[Guide, ...]:
    """Return the line of a rate that rows are compared with, and its interval."""
    return () if rate.rate is None else (Guide(rate.rate, label, rate.low, rate.high),)


def limit(tolerance: float | None) -> tuple[Guide, ...]:
    """Return the line of a tolerance."""
    return () if tolerance is None else (Guide(tolerance, f"tolerance {percent(tolerance)}"),)


def said(rows: Sequence[ForestRow]) -> str:
    """Return a figure's rows as a sentence, for those who do not see it."""
    return "; ".join(f"{row.label}: {row.value} {row.note}" for row in rows)
