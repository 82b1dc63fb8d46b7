"""Clusters of answers in a terminal: which of them the subject gives more often than its controls."""

from offtarget.evaluate.discovery import Cluster, Discovery
from offtarget.report.numerals import count, plural
from offtarget.report.screen import BOLD, DIM, RED, Screen, make_screen

MAX_CLUSTERS = 20
"""Clusters that are shown; the JSON holds all."""
MAX_EXAMPLE = 240
"""Characters of an example."""
ONE_TOPIC = 0.8
"""Share of one question in a cluster from which it is called one topic."""


def discovery_text(
    found: Discovery, *, width: int = 100, color: bool = False, ascii: bool = False
) -> str:
    """Return what was discovered for a terminal; no line is wider than `width`.

    Answers are shown as text with nothing in them that steers a terminal.

    Args:
        found: From `discover`.
        width: Columns of the terminal.
        color: Use ANSI colors.
        ascii: Use no character outside ASCII.
    """
    screen = make_screen(width=width, color=color, ascii=ascii)
    excess = [one for one in found.clusters if one.is_excess]
    blocks = [_answer(found, screen)]
    blocks += [_cluster(one, screen) for one in excess[:MAX_CLUSTERS]]
    if len(excess) > MAX_CLUSTERS:
        blocks.append([f"and {len(excess) - MAX_CLUSTERS} more clusters in excess; see --json"])
    blocks.append(_limits(found, screen))
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def headline(found: Discovery) -> str:
    """Return how many ways of answering the subject has more often than its controls, in words."""
    if not found.clusters:
        return "No way of answering is common enough to be a cluster."
    n, controls = found.n_excess, "its control" if len(found.controls) == 1 else "every control"
    many = plural(n, "cluster") if n else "No cluster"
    return f"{many} of {len(found.clusters)} that {found.subject} gives more often than {controls}."


def _answer(found: Discovery, screen: Screen) -> list[str]:
    first, *rest = screen.prose(headline(found))
    return [
        screen.paint(first, f"{BOLD};{RED}" if found.n_excess else BOLD),
        *rest,
        *screen.prose(
            f"{count(found.n_subject)} answers of the subject, {count(found.n_control)} of "
            f"{plural(len(found.controls), 'control')}, {plural(found.n_questions, 'question')}; "
            f"{found.embedding}"
        ),
    ]


def _cluster(one: Cluster, screen: Screen) -> list[str]:
    topic = (
        f"one topic: {one.top_question}"
        if one.top_question_share >= ONE_TOPIC
        else plural(one.n_questions, "question")
    )
    judged = (
        f"{one.n_misaligned} of {one.n_judged} judged misaligned" if one.n_judged else "unjudged"
    )
    title = f"cluster {one.id}: {one.n_subject} answers of the subject; {topic}; {judged}"
    first, *rest = screen.prose(title)
    lines = [screen.paint(first, BOLD), *rest]
    for side in one.against:
        lines += screen.prose(
            f"{_percent(side.share_subject)} against {_percent(side.share_control)} in "
            f"{side.control} ({side.n_subject} of {side.of_subject}, {side.n_control} of "
            f"{side.of_control}): excess {_percent(side.excess)} "
            f"[{_percent(side.low)}, {_percent(side.high)}], p {side.p:.4f}",
            first="  ",
        )
    lines += screen.prose(f"p over all clusters {one.p_adjusted:.4f}", first="  ")
    if one.terms:
        words = ", ".join(term.text for term in one.terms)
        lines += screen.prose(f"words: {words}", first="  ")
    for example in one.examples:
        text = example.answer[:MAX_EXAMPLE]
        cut = screen.ellipsis if example.n_chars > len(text) else ""
        lines += [
            screen.paint(line, DIM)
            for line in screen.prose(f"{example.place}: {text}{cut}", first="  > ")
        ]
    return lines


def _limits(found: Discovery, screen: Screen) -> list[str]:
    config = found.config
    return [
        *screen.prose(
            f"in no cluster: {count(found.n_unclustered_subject)} answers of the subject, "
            f"{count(found.n_unclustered_control)} of controls: of them nothing is said"
        ),
        *screen.prose(
            f"left out: {plural(found.n_empty, 'empty answer')}, "
            f"{plural(found.n_unmatched, 'answer')} to questions that not every side was asked"
        ),
        *screen.prose(
            "shares are means over questions; intervals: MOVER, 95 %, these questions and weights; "
            f"p: {count(config.n_permutations)} permutations within questions, one-sided, the "
            "largest over controls, then Benjamini-Hochberg"
        ),
        *screen.prose(
            "a cluster is a way of answering, not a judgement: read its examples before you name it"
        ),
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"
