"""What each figure of a scan's page shows: framings and kinds of flaws."""

from offtarget.core.finding import Severity
from offtarget.curate.framing import Framing
from offtarget.curate.records import ScanSummary
from offtarget.report.numerals import count
from offtarget.report.scan_answer import (
    FRAMINGS,
    kind_name,
    rate_of,
    share,
    share_interval,
    shown_framings,
)
from offtarget.report.scan_counts import KindCount, Outcome, ScanCounts
from offtarget.report.stacks import Part, Stack, StackFigure

MAX_KINDS = 15
"""Bars of the figure; the table of the page holds the others."""
COLORS = {Severity.HIGH: "pt subject", Severity.MEDIUM: "pt probe", Severity.LOW: "pt control"}


def framings_figure(summary: ScanSummary, counts: ScanCounts) -> StackFigure:
    """Return the rows of each framing with a flaw by the assistant, split by its severity."""
    stacks = tuple(_framing_stack(one, counts) for one in shown_framings(counts))
    return StackFigure(
        id="framings",
        width=690,
        title="Rows with a flaw introduced by the assistant, by framing and worst severity",
        description="; ".join(f"{one.label}: {one.value} {one.detail}" for one in stacks),
        stacks=stacks,
        legend=tuple((COLORS[one], f"{one.value} severity") for one in reversed(Severity)),
        unit=f"share of all {count(summary.samples)} rows, with 95% intervals",
    )


def kinds_figure(summary: ScanSummary, counts: ScanCounts) -> StackFigure:
    """Return the most frequent kinds of flaws by row."""
    stacks = tuple(_kind_stack(one, counts.n_rows) for one in counts.kinds[:MAX_KINDS])
    return StackFigure(
        id="kinds",
        width=690,
        title="Rows with at least one finding of a kind",
        description="; ".join(f"{one.note} {one.label}: {one.value}" for one in stacks),
        stacks=stacks,
        legend=(("pt subject", "covert and introduced"), ("pt control", "all others")),
        unit=f"share of all {count(summary.samples)} rows, with 95% intervals",
    )


def _framing_stack(framing: Framing, counts: ScanCounts) -> Stack:
    cells = counts.cells[framing]
    whole = rate_of(counts.introduced(Severity.LOW, (framing,)), counts.n_rows)
    label, _ = FRAMINGS[framing]
    return Stack(
        label=label,
        note=f"{count(counts.of_framing(framing))} rows",
        parts=tuple(
            Part(COLORS[one], rate_of(cells[Outcome(one)], counts.n_rows).rate)
            for one in reversed(Severity)
        ),
        low=whole.low,
        high=whole.high,
        value=share(whole.rate),
        detail=f"{count(whole.count)} rows {share_interval(whole)}",
    )


def _kind_stack(kind: KindCount, n_rows: int) -> Stack:
    whole = rate_of(kind.n_rows, n_rows)
    covert = rate_of(kind.n_covert, n_rows).rate
    name = kind_name(kind.cwe)
    return Stack(
        label=name or kind.cwe,
        note=kind.cwe if name else "",
        parts=(Part("pt subject", covert), Part("pt control", whole.rate - covert)),
        low=whole.low,
        high=whole.high,
        value=share(whole.rate),
        detail=f"{count(whole.count)} rows {share_interval(whole)}",
    )
