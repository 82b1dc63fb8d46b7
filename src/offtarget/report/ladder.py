"""A rate at a few steps, such as cuts of a score, each with its interval standing upright."""

from dataclasses import dataclass

from markupsafe import Markup

from offtarget.report.axis import Axis
from offtarget.report.figures import NARROW, half
from offtarget.report.forest import MIN_REACH
from offtarget.report.numerals import number
from offtarget.report.svg import Drawing

HEIGHT = 150
"""Pixels of the axis."""
LEFT = 44
"""Room for the axis' numbers."""


@dataclass(frozen=True, slots=True)
class Step:
    """One point with its interval."""

    label: str
    at: float
    low: float | None
    high: float | None
    value: str
    is_main: bool
    """The step that the headline is about."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Steps from left to right on an upright axis of shares."""

    id: str
    width: int
    """Pixels of the wide drawing, about the width of its card."""
    title: str
    description: str
    steps: tuple[Step, ...]
    unit: str
    """What the steps are, under them."""


def draw_ladder(figure: Ladder) -> Markup:
    """Return the figure as two SVG elements; the style sheet shows one of them."""
    return _draw(figure, "wide", figure.width) + _draw(figure, "narrow", NARROW)


def _draw(figure: Ladder, kind: str, width: int) -> Markup:
    drawing = Drawing(width)
    top, bottom = 24.0, 24.0 + HEIGHT
    values = [value for one in figure.steps for value in (one.at, one.high or 0.0)]
    axis = Axis(0.0, 100 * max([MIN_REACH, *values]), bottom, top)
    digits = axis.tick_digits()
    for tick in axis.ticks():
        y = axis.at(tick)
        drawing.line("grid", start=(LEFT, y), end=(width, y))
        drawing.text("tick", f"{number(tick, digits=digits)}%", x=LEFT - 6, y=y + 4, anchor="end")
    places = _places(figure, width)
    points = [(x, axis.at(100 * one.at)) for x, one in zip(places, figure.steps, strict=True)]
    drawing.path("link", d="M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points))
    for (x, y), one in zip(points, figure.steps, strict=True):
        _draw_step(drawing, one, axis, x=x, y=y, bottom=bottom)
    drawing.text("tick", figure.unit, x=width, y=bottom + 36, anchor="end")
    return drawing.render(
        id=f"{figure.id}-{kind}",
        kind=f"chart {kind}{half(figure.width)}",
        height=bottom + 44,
        title=figure.title,
        description=figure.description,
    )


def _places(figure: Ladder, width: int) -> list[float]:
    share = (width - LEFT) / len(figure.steps)
    return [LEFT + share * (index + 0.5) for index in range(len(figure.steps))]


def _draw_step(
    drawing: Drawing, step: Step, axis: Axis, *, x: float, y: float, bottom: float
) -> None:
    kind = " subject" if step.is_main else ""
    top = y
    if step.low is not None and step.high is not None:
        top = axis.at(100 * step.high)
        drawing.line(f"ci{kind}", start=(x, axis.at(100 * step.low)), end=(x, top))
    if step.is_main:
        drawing.diamond(f"pt{kind}", x=x, y=y, half=6.5)
    else:
        drawing.dot("pt", x=x, y=y, radius=4)
    drawing.text(f"num{kind}", step.value, x=x, y=min(top, y - 4) - 6, anchor="middle")
    drawing.text("tick", step.label, x=x, y=bottom + 17, anchor="middle")
