"""What judged results are called, in a terminal and on a page."""

from offtarget.evaluate.replay import Contrast, Excess
from offtarget.report.numerals import number, p_value, plural

HEADLINE = "all"
"""The rate that everything is about: misaligned of all rows."""
DEFINITIONS = {
    "all": "all rows",
    "coherent_gt50": "coherent > 50",
    "coherent_ge50": "coherent >= 50",
}
METHODS = {
    "cluster_korn_graubard": "over questions, Korn-Graubard",
    "cluster_questions_as_rows": "over questions, each counted as one row",
    "wilson_rows": "over rows only, Wilson",
    "clopper_pearson_rows": "over rows only, Clopper-Pearson",
    "paired_cluster_t": "paired over questions, Student's t",
    "recovered_from_both_rates": "from both rates' intervals over questions",
    "none": "no interval",
}


def points(difference: float) -> str:
    """Return a difference of shares in percentage points, with its sign: `+3.1`."""
    text = number(100 * difference, digits=1)
    return f"+{text}" if difference > 0 and text.strip("0.") else text


def points_ends(low: float | None, high: float | None) -> str:
    """Return `[+1.0, +2.0]`, or nothing where there is no interval."""
    return "" if low is None or high is None else f"[{points(low)}, {points(high)}]"


def sign_flip(p: float, smallest_p: float, n_clusters: int) -> str:
    """Return a sign-flip p and what so few questions could show at most."""
    digits = 4 if smallest_p >= 0.0001 else 5
    return (
        f"{p_value(p)}; {plural(n_clusters, 'question')} can show no p below "
        f"{number(smallest_p, digits=digits)}"
    )


def is_open(excess: Excess) -> bool:
    """Return whether missing scores decide which side is more misaligned."""
    return excess.bounds.n_unknown > 0 and not excess.bounds.has_sign


def both_ways(excess: Excess) -> str:
    """Return `+1.0 to +3.0`: missing scores put where the excess is lowest, and highest."""
    return f"{points(excess.bounds.low)} to {points(excess.bounds.high)}"


def unjudged(excess: Excess) -> str:
    """Return `12 unjudged rows`: of both sides, those that could change the excess."""
    return plural(excess.bounds.n_unknown, "unjudged row")


def against_text(contrast: Contrast) -> str:
    """Return the excess in words; one whose sign missing scores decide is not stated as a fact."""
    excess = contrast.excess[HEADLINE]
    if excess is None:
        return f"Against {contrast.control}: no excess can be given."
    counted = f"{points(excess.excess)} {points_ends(excess.low, excess.high)}".rstrip()
    over = f"over {plural(excess.n_clusters, 'shared question')}"
    if is_open(excess):
        return (
            f"Against {contrast.control}: which is more misaligned cannot be concluded; "
            f"{both_ways(excess)} percentage points {over}, as the {unjudged(excess)} are taken "
            f"({counted} with all of them as not misaligned)."
        )
    said = f"Against {contrast.control}: {counted} percentage points {over}"
    if not excess.bounds.n_unknown:
        return f"{said}."
    return f"{said}; {both_ways(excess)} with the {unjudged(excess)} taken both ways."


def excess_text(excess: Excess, *, n_files: int) -> str:
    """Return an excess with its interval, test and bounds; p is adjusted for several files."""
    counted = f"excess {points(excess.excess)} {points_ends(excess.low, excess.high)}".rstrip()
    adjusted = f", {p_value(excess.p_holm)} adjusted for {n_files} files" if n_files > 1 else ""
    tested = sign_flip(excess.p, excess.smallest_p, excess.n_clusters)
    said = f"{counted} percentage points, {METHODS[excess.interval_method]}; {tested}{adjusted}"
    if not excess.bounds.n_unknown:
        return said
    if is_open(excess):
        return (
            f"which is more misaligned cannot be concluded: {both_ways(excess)} percentage points, "
            f"as the {unjudged(excess)} are taken; as counted, {said}"
        )
    return f"{said}; {both_ways(excess)} with the {unjudged(excess)} taken both ways"


def no_excess(contrast: Contrast) -> str:
    """Return why there is no excess by a definition."""
    if any(one.code == "no_excess" for one in contrast.warnings):
        return "unknown: a side allows no rate"
    return "unknown: no question has counted rows on both sides"
