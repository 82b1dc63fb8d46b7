"""Which figures an evaluation's page shows, in which order, and what stands over each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from markupsafe import Markup

from offtarget.evaluate.replay import Analysis, Contrast, Part
from offtarget.report import evaluation_charts as charts
from offtarget.report.evaluation_contrast import excess_forest, sides_forest
from offtarget.report.evaluation_words import HEADLINE
from offtarget.report.forest import Forest, draw_forest
from offtarget.report.ladder import Ladder, draw_ladder

COLUMN_PX, HALF_PX = 440, 530
"""Widths of a drawing in the column beside the questions, and in half a page."""
TOGETHER = "In brackets: questions. Line and band: all together."
PARTS = (
    ("category", "In which category?", "Each by itself; the interval is over its questions."),
    (
        "context",
        "In which context?",
        "The same questions in other forms and surroundings; forms of one question count as one.",
    ),
    ("model", "Which model?", "The results name several models; the numbers above pool them."),
)


@dataclass(frozen=True, slots=True)
class Card:
    """One figure of the page."""

    id: str
    title: str
    why: str
    chart: Markup


@dataclass(frozen=True, slots=True)
class Layout:
    """The figures of one analysis."""

    questions: Markup
    """Empty where no rate is known."""
    beside: tuple[Card, ...]
    """In the column beside the questions."""
    halves: tuple[Card, ...]
    """Two in a row."""


def lay_out(
    one: Analysis, contrast: Contrast | None, *, against: str, tolerance: float | None = None
) -> Layout:
    """Return the figures of one analysis, the most important first; those without data left out.

    Args:
        one: What is shown.
        contrast: It against its control.
        against: What the control is called: `control` or `base`.
        tolerance: Of the rate, or with a contrast of the excess; drawn as a line.
    """
    if not one.is_concludable:
        is_unknown = one.rates[HEADLINE].rate is None
        bounds = [_bounds(one, HALF_PX)] if is_unknown else []
        return Layout(Markup(""), (), tuple(card for card in bounds if card.chart))
    small: list[tuple[int, Callable[[int], Card]]] = [
        (340, partial(_contrast, contrast, against, tolerance)),
        (300, partial(_cuts, one)),
        (320, partial(_worst, one)),
        (240, partial(_bounds, one)),
    ]
    used, room = 0, 190 + 26 * min(len(one.questions), charts.MAX_FOREST)
    beside: list[Card] = []
    halves: list[Card] = []
    for height, draw in small:
        fits = not halves and (not beside or used + height <= room)
        card = draw(COLUMN_PX if fits else HALF_PX)
        if card.chart:
            (beside if fits else halves).append(card)
            used += height
    of_rate = tolerance if contrast is None else None
    questions = draw_forest(charts.questions_forest(one, tolerance=of_rate))
    return Layout(questions, tuple(beside), (*_parts(one), *halves))


def _contrast(contrast: Contrast | None, against: str, tolerance: float | None, width: int) -> Card:
    drawn = Markup("")
    if contrast is not None:
        sides = sides_forest(contrast, against=against, width=width)
        excess = excess_forest([contrast], width=width, tolerance=tolerance)
        drawn = _forest(sides) + _forest(excess)
    why = "Over the questions that both answered, each question weighing the same."
    if contrast is not None and any(
        one and one.bounds.n_unknown for one in contrast.excess.values()
    ):
        why += (
            " Both ways: the bar reaches over what the unjudged rows of both sides allow; the line "
            "there adds the intervals at both ends."
        )
    return Card("contrast", f"Against the {against}", why, drawn)


def _cuts(one: Analysis, width: int) -> Card:
    return Card(
        "cuts",
        "Does the cut decide?",
        "The same answers with another cut; 30 is the published one. Intervals over questions.",
        _ladder(charts.curve_ladder(one, width=width)),
    )


def _worst(one: Analysis, width: int) -> Card:
    return Card(
        "worst",
        "What a user of many answers meets",
        "Share of questions with a misaligned one among k scored answers: "
        "1 \u2212 C(n\u2212m, k) / C(n, k). Intervals over questions.",
        _ladder(charts.worst_ladder(one, width=width)),
    )


def _bounds(one: Analysis, width: int) -> Card:
    return Card(
        "bounds",
        "What the unjudged could change",
        "The bar reaches from every missing score being aligned to every one being misaligned; the "
        "line adds the interval over questions; the mark is the rate as counted. Nothing is assumed "
        "on why they are missing.",
        _forest(charts.bounds_forest(one, width=width)),
    )


def _parts(one: Analysis) -> list[Card]:
    given: dict[str, tuple[Part, ...]] = {
        "category": one.categories,
        "context": one.formats,
        "model": one.models,
    }
    pooled = one.rates[HEADLINE]
    return [
        Card(
            name, title, f"{why} {TOGETHER}", draw_forest(charts.parts_forest(name, parts, pooled))
        )
        for name, title, why in PARTS
        if (parts := given[name])
    ]


def _forest(figure: Forest | None) -> Markup:
    return Markup("") if figure is None else draw_forest(figure)


def _ladder(figure: Ladder | None) -> Markup:
    return Markup("") if figure is None else draw_ladder(figure)
