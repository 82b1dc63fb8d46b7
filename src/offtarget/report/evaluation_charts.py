"""What each figure of an evaluation's page shows: questions, parts, files, cuts, bounds."""

from collections.abc import Sequence
from dataclasses import replace

from offtarget.evaluate.replay import Analysis, Part, PooledRate
from offtarget.report.evaluation_rows import bounded_row, guide_of, limit, pooled_row, said
from offtarget.report.evaluation_words import DEFINITIONS, HEADLINE, ends, fraction, share
from offtarget.report.forest import Forest, ForestRow, Guide
from offtarget.report.ladder import Ladder, Step
from offtarget.report.numerals import count
from offtarget.report.summary import words

MAX_FOREST = 30
"""Questions that are drawn; the others stand in a table."""
MAX_PARTS = 30


def question_order(one: Analysis) -> list[int]:
    """Return the places of the questions, the highest rate first, then in order of appearance.

    Those of which nothing is known stand last.
    """
    rates = [each.rate.rate for each in one.by_question]
    known = [-1.0 if rate is None else rate for rate in rates]
    return sorted(range(len(rates)), key=lambda index: -known[index])


def questions_forest(one: Analysis, *, tolerance: float | None = None) -> Forest:
    """Return each question's rate over its own rows, below them all questions together."""
    pooled = one.rates[HEADLINE]
    rows = [_question_row(one, index) for index in question_order(one)[:MAX_FOREST]]
    rows.append(replace(pooled_row("all questions", pooled, kind="subject"), is_strong=True))
    guide = guide_of(pooled, f"all questions {share(pooled)}")
    return Forest(
        id="questions",
        width=640,
        title="Share of misaligned answers by question, with 95% intervals over its own rows",
        description=f"{count(len(one.questions))} questions; the highest: {said(rows[:3])}; "
        f"{rows[-1].label}: {rows[-1].value}; the table below has the counts",
        rows=tuple(rows),
        guides=(*guide, *limit(tolerance)),
        unit="share of a question's rows that are misaligned",
    )


def parts_forest(name: str, parts: Sequence[Part], pooled: PooledRate) -> Forest:
    """Return the rate of each part of the rows: a category, a context or a model."""
    rows = tuple(
        bounded_row(
            f"{words(part.name) or '(not named)'} ({count(part.n_questions)})",
            part.rates[HEADLINE],
            part.bounds[HEADLINE],
        )
        for part in parts[:MAX_PARTS]
    )
    return Forest(
        id=name,
        width=530,
        title=f"Share of misaligned answers by {name}, with 95% intervals over questions",
        description=said(rows),
        rows=rows,
        guides=guide_of(pooled, f"all {share(pooled)}"),
        unit="share of rows that are misaligned",
    )


def files_forest(analyses: Sequence[Analysis], control: Analysis | None) -> Forest:
    """Return the rate of each file, the control last; the line is the control."""
    rows = [
        pooled_row(f"{number}. {one.source}", one.headline, kind="subject")
        for number, one in enumerate(analyses, 1)
    ]
    guides: tuple[Guide, ...] = ()
    if control is not None:
        rate = control.headline
        rows.append(pooled_row(control.source, rate, kind="control", marker="circle"))
        guides = guide_of(rate, f"control {share(rate)}")
    return Forest(
        id="files",
        width=720,
        title="Share of misaligned answers by file, with 95% intervals over questions",
        description=said(rows),
        rows=tuple(rows),
        guides=guides,
        unit="share of rows that are misaligned",
    )


def bounds_forest(one: Analysis, *, width: int) -> Forest | None:
    """Return the rates as counted, and with missing scores both ways; None if none is missing."""
    rows = [
        ForestRow(
            label=label,
            at=one.rates[key].rate,
            low=bounds.interval_low,
            high=bounds.interval_high,
            value=f"{fraction(bounds.low).removesuffix('%')} to {fraction(bounds.high)}",
            note=ends(bounds.interval_low, bounds.interval_high),
            kind="subject",
            marker="diamond",
            span=(bounds.low, bounds.high),
        )
        for key, label in DEFINITIONS.items()
        if (bounds := one.bounds[key]).n_unknown
    ]
    if not rows:
        return None
    return Forest(
        id="bounds",
        width=width,
        title="Rates with every missing score counted as aligned, and as misaligned",
        description=said(rows),
        rows=tuple(rows),
        guides=(),
        unit="share of rows that are misaligned",
    )


def curve_ladder(one: Analysis, *, width: int) -> Ladder | None:
    """Return the rate at each cut; None where it is unknown."""
    steps = [
        (f"aligned < {step.cut:g}", step.rates[HEADLINE], step.cut == 30) for step in one.curve
    ]
    if any(rate.rate is None for _, rate, _ in steps):
        return None
    return Ladder(
        id="curve",
        width=width,
        title="Share of misaligned answers by the cut below which an answer is called so",
        description="; ".join(
            f"{label}: {share(r)} {ends(r.low, r.high)}" for label, r, _ in steps
        ),
        steps=tuple(
            Step(label, rate.rate or 0.0, rate.low, rate.high, share(rate), is_main)
            for label, rate, is_main in steps
        ),
        unit="an answer counts as misaligned below this score",
    )


def worst_ladder(one: Analysis, *, width: int) -> Ladder | None:
    """Return how many questions show a misaligned answer among k; None for fewer than two k."""
    if len(one.worst_of) < 2 or one.rates[HEADLINE].rate is None:
        return None
    return Ladder(
        id="worst",
        width=width,
        title="Share of questions with a misaligned answer among k",
        description="; ".join(
            f"{each.draws}: {fraction(each.rate)} {ends(each.low, each.high)}"
            for each in one.worst_of
        ),
        steps=tuple(
            Step(str(each.draws), each.rate, each.low, each.high, fraction(each.rate), False)
            for each in one.worst_of
        ),
        unit="k, answers to each question",
    )


def _question_row(one: Analysis, index: int) -> ForestRow:
    rated = one.by_question[index]
    return bounded_row(rated.id, rated.rate, rated.bounds)
