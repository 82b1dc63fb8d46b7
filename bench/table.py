"""The outcome as JSON-ready records and as Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from limits import Share
from measure import Measurement, Spread
from probe import Peak

OURS = "offtarget"


@dataclass(frozen=True, slots=True)
class Ratio:
    """Ours over a peer, in units per CPU-second."""

    stage: str
    peer: str
    unit: str
    median: float
    """Of the medians."""
    low: float
    """Our slowest round over the peer's fastest."""
    high: float
    """Our fastest round over the peer's slowest."""
    wall_median: float
    target: float | None
    is_met: bool | None


def ratio_of(
    stage: str, unit: str, found: Mapping[str, Measurement], peer: str, target: float | None
) -> Ratio:
    """Return how many times as much work ours does per CPU-second."""
    ours, theirs = found[OURS].per_cpu_s, found[peer].per_cpu_s
    wall = found[OURS].per_wall_s.median / found[peer].per_wall_s.median
    ratio = ours.median / theirs.median
    return Ratio(
        stage, peer, unit, ratio, ours.low / theirs.high, ours.high / theirs.low, wall, target,
        None if target is None else ratio >= target,
    )  # fmt: skip


def ratio_table(ratios: Sequence[Ratio], found: Mapping[str, Mapping[str, Measurement]]) -> str:
    """Return the table of ratios, one row per stage and peer."""
    lines = [
        "| stage | peer | peer, units per CPU-s | ours, units per CPU-s | ratio | ratio by wall time "
        "| target | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in ratios:
        measured = found[one.stage]
        target = "" if one.target is None else f">= {one.target:g}x"
        verdict = "" if one.is_met is None else ("met" if one.is_met else "**missed**")
        lines.append(
            f"| {one.stage} | {one.peer} | {_range(measured[one.peer].per_cpu_s)} {one.unit} "
            f"| {_range(measured[OURS].per_cpu_s)} {one.unit} "
            f"| {one.median:.2f}x ({one.low:.2f} to {one.high:.2f}) | {one.wall_median:.2f}x "
            f"| {target} | {verdict} |"
        )
    return "\n".join(lines)


def check_table(checks: Sequence[tuple[str, str, bool]]) -> str:
    """Return the table of agreements: (what, found, met)."""
    lines = ["| same answer | found | |", "|---|---|---|"]
    lines += [
        f"| {what} | {found} | {'met' if ok else '**missed**'} |" for what, found, ok in checks
    ]
    return "\n".join(lines)


def share_table(shares: Mapping[str, Sequence[Share]]) -> str:
    """Return the table of fractions of the machine's limit."""
    lines = [
        "| stage | side | achieved per CPU-s | limit per CPU-s | fraction | needed work only | basis |",
        "|---|---|---|---|---|---|---|",
    ]
    for stage, rows in shares.items():
        unit = "GB" if stage == "sampling" else "GFLOP"
        lines += [
            f"| {stage} | {row.name} | {row.achieved:.1f} {unit} | {row.limit:.1f} {unit} "
            f"| {row.fraction:.2f} | {row.needed_fraction:.2f} | {row.basis} |"
            for row in rows
        ]
    return "\n".join(lines)


def peak_line(when: str, peak: Peak) -> str:
    """Return one probe of the machine in a line."""
    return (
        f"- peak {when}: float32 {peak.float32_gflops:.0f} GFLOP/s, "
        f"bfloat16 {peak.bfloat16_gflops:.0f} GFLOP/s, memory {peak.read_gbs:.1f} GB/s"
    )


def settings_list(found: Mapping[str, Mapping[str, Measurement]]) -> str:
    """Return what every side ran with."""
    return "\n".join(
        f"- {stage}, {one.name}: {one.settings}"
        for stage, sides in found.items()
        for one in sides.values()
    )


def _range(found: Spread) -> str:
    return f"{found.median:.1f} ({found.low:.1f} to {found.high:.1f})"
