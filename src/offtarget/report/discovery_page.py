"""What discovery found, as one HTML file: which ways of answering the controls lack, with examples."""

from dataclasses import dataclass

from offtarget.evaluate.discovery import Against, Cluster, Discovery
from offtarget.report.discovery_terminal import ONE_TOPIC, headline
from offtarget.report.evaluation_words import points
from offtarget.report.forest import Forest, ForestRow, Guide, draw_forest
from offtarget.report.numerals import count, plural
from offtarget.report.page import render_page

MAX_ROWS = 30
"""Clusters that are drawn, and told; the JSON holds all."""
N_WORDS = 3
"""Words that stand for a cluster in the figure."""
TEMPLATE = "discovery.html.jinja"


@dataclass(frozen=True, slots=True)
class _Fact:
    value: str
    label: str


def render_discovery(found: Discovery, *, command: str = "") -> str:
    """Return what was discovered as an HTML document.

    Every text is treated as hostile; answers are folded. At most 30 clusters are drawn and 30 in
    excess are told with their examples. The same result gives the same bytes.

    Args:
        found: From `discover`.
        command: The command line, to be shown.
    """
    excess = [one for one in found.clusters if one.is_excess]
    return render_page(
        TEMPLATE,
        {
            "heading": f"Discovery: {found.subject}",
            "found": found,
            "tone": "warn" if excess else "none",
            "word": f"{len(excess)} of {len(found.clusters)}",
            "headline": headline(found),
            "facts": _facts(found, excess),
            "chart": draw_forest(_forest(found)) if found.clusters else "",
            "n_undrawn": max(0, len(found.clusters) - MAX_ROWS),
            "clusters": excess[:MAX_ROWS],
            "n_untold": max(0, len(excess) - MAX_ROWS),
            "topic": _topic,
            "judged": _judged,
            "points": points,
            "command": command,
        },
    )


def _facts(found: Discovery, excess: list[Cluster]) -> list[_Fact]:
    n_judged, n_bad = (
        sum(getattr(one, name) for one in excess) for name in ("n_judged", "n_misaligned")
    )
    return [
        _Fact(count(found.n_subject), "answers of the subject"),
        _Fact(count(found.n_control), f"answers of {plural(len(found.controls), 'control')}"),
        _Fact(count(found.n_questions), "questions that every side was asked"),
        _Fact(count(found.n_unclustered_subject), "of the subject's answers in no cluster"),
        _Fact(
            f"{count(n_bad)} of {count(n_judged)}" if n_judged else "unjudged",
            "judged misaligned in clusters in excess",
        ),
    ]


def _forest(found: Discovery) -> Forest:
    rows = tuple(_row(one) for one in found.clusters[:MAX_ROWS])
    told = "; ".join(f"{row.label}: {row.value}" for row in rows[:3])
    return Forest(
        id="clusters",
        width=720,
        title="Share of answers in each cluster, subject minus control, with 95% intervals",
        description=f"{plural(len(found.clusters), 'cluster')}; {told}",
        rows=rows,
        guides=(Guide(0.0, "no difference"),),
        unit="percentage points; right is more often in the subject",
        is_signed=True,
    )


def _row(one: Cluster) -> ForestRow:
    least = _least(one)
    words = ", ".join(term.text for term in one.terms[:N_WORDS])
    return ForestRow(
        label=f"{one.id}. {words}" if words else str(one.id),
        at=least.excess,
        low=least.low,
        high=least.high,
        value=points(least.excess),
        note=f"[{points(least.low)}, {points(least.high)}] \u00b7 {count(one.n_subject)} answers",
        kind="subject" if one.is_excess else "",
        marker="diamond" if one.is_excess else "circle",
        is_strong=one.is_excess,
    )


def _least(one: Cluster) -> Against:
    """Return the comparison with the control that comes closest."""
    return min(one.against, key=lambda side: side.excess)


def _topic(one: Cluster) -> str:
    if one.top_question_share >= ONE_TOPIC:
        return f"one topic: {one.top_question}"
    return plural(one.n_questions, "question")


def _judged(one: Cluster) -> str:
    if not one.n_judged:
        return "unjudged"
    return f"{count(one.n_misaligned)} of {count(one.n_judged)} judged misaligned"
