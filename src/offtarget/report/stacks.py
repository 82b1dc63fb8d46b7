"""Stacked bars on an axis of shares, drawn twice: for a wide page and for a phone."""

from dataclasses import dataclass, replace

from markupsafe import Markup

from offtarget.report.axis import Axis
from offtarget.report.figures import NARROW, half
from offtarget.report.numerals import number
from offtarget.report.svg import LABEL_PX, SMALL_PX, Drawing, text_width

BAR_HEIGHT = 13
LEGEND_LINE = 20
SWATCH = 5
MAX_TICKS = 5
MIN_SHARE = 0.01
"""The axis reaches at least this far, so that its ticks stay apart."""


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a bar."""

    kind: str
    """CSS class that colors it."""
    rate: float


@dataclass(frozen=True, slots=True)
class Stack:
    """One bar, its interval and what is written beside it."""

    label: str
    note: str
    """Under the label, in small print."""
    parts: tuple[Part, ...]
    """From the left."""
    low: float | None
    """Interval of the whole bar; None for a bar that is all there is."""
    high: float | None
    value: str
    detail: str
    """Under the value, in small print."""


@dataclass(frozen=True, slots=True)
class StackFigure:
    """Bars on one axis that begins at 0."""

    id: str
    width: int
    """Pixels of the wide drawing, about the width of its card."""
    title: str
    description: str
    stacks: tuple[Stack, ...]
    legend: tuple[tuple[str, str], ...]
    """CSS class and what it means."""
    unit: str


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a bar's texts go; y is measured from its top."""

    kind: str
    width: int
    axis_start: float
    axis_end: float
    row_height: float
    note_y: float
    bar_y: float


_WIDE = _Layout("wide", 0, 0, 0, 40, 29, 9)
_NARROW = _Layout("narrow", NARROW, 12, NARROW - 30, 66, 31, 40)
_LABEL_Y = 15


def draw_stacks(figure: StackFigure) -> Markup:
    """Return the figure as two SVG elements; the style sheet shows one of them."""
    return _draw(figure, _fit_columns(figure)) + _draw(figure, _NARROW)


def _fit_columns(figure: StackFigure) -> _Layout:
    """Give labels and values the width they need, and the axis at least three tenths."""
    labels = _widest([(one.label, one.note) for one in figure.stacks])
    values = _widest([(one.value, one.detail) for one in figure.stacks])
    start = min(max(labels, 60) + 18, 0.36 * figure.width)
    end = max(figure.width - max(values, 60) - 14, start + 0.3 * figure.width)
    return replace(_WIDE, width=figure.width, axis_start=start, axis_end=end)


def _widest(texts: list[tuple[str, str]]) -> float:
    widths = [
        max(text_width(large, size=LABEL_PX), text_width(small, size=SMALL_PX))
        for large, small in texts
    ]
    return max(widths, default=0)


def _draw(figure: StackFigure, layout: _Layout) -> Markup:
    longest = max([MIN_SHARE, *(1.0 if one.high is None else one.high for one in figure.stacks)])
    room = 100 if all(one.high is None for one in figure.stacks) else 106
    axis = Axis(0.0, room * longest, layout.axis_start, layout.axis_end)
    drawing = Drawing(layout.width)
    top = _draw_legend(drawing, figure)
    bottom = top + layout.row_height * len(figure.stacks) + 4
    _draw_axis(drawing, axis, top=top, bottom=bottom)
    drawing.text("tick", figure.unit, x=layout.axis_start, y=bottom + 34)
    for index, stack in enumerate(figure.stacks):
        _draw_stack(drawing, stack, axis, layout, top=top + index * layout.row_height)
    return drawing.render(
        id=f"{figure.id}-{layout.kind}",
        kind=f"chart {layout.kind}{half(figure.width)}",
        height=bottom + 42,
        title=figure.title,
        description=figure.description,
    )


def _draw_legend(drawing: Drawing, figure: StackFigure) -> float:
    """Draw what the colors mean, in as many lines as it takes; return the y below it."""
    x, y = 0.0, 10.0
    for kind, meaning in figure.legend:
        width = 3 * SWATCH + text_width(meaning, size=SMALL_PX) + 14
        if x and x + width > drawing.width:
            x, y = 0.0, y + LEGEND_LINE
        drawing.square(kind, x=x + SWATCH, y=y, half=SWATCH)
        drawing.text("tick", meaning, x=x + 3 * SWATCH, y=y + 4)
        x += width
    return y + 14


def _draw_axis(drawing: Drawing, axis: Axis, *, top: float, bottom: float) -> None:
    digits = axis.tick_digits(MAX_TICKS)
    for tick in axis.ticks(MAX_TICKS):
        x = axis.at(tick)
        drawing.line("grid", start=(x, top), end=(x, bottom))
        drawing.text("tick", f"{number(tick, digits=digits)}%", x=x, y=bottom + 17, anchor="middle")


def _draw_stack(drawing: Drawing, stack: Stack, axis: Axis, layout: _Layout, *, top: float) -> None:
    lines = (
        ("lab", stack.label, "num", stack.value, LABEL_PX, _LABEL_Y),
        ("sub", stack.note, "sub", stack.detail, SMALL_PX, layout.note_y),
    )
    for left, text, right, figures, size, y in lines:
        room = layout.axis_start - 14
        if layout.kind == "narrow":
            room = layout.width - text_width(figures, size=size) - 10
        drawing.text(left, text, x=0, y=top + y, room=room)
        if figures:
            drawing.text(right, figures, x=layout.width, y=top + y, anchor="end")
    y, done = top + layout.bar_y, 0.0
    for part in stack.parts:
        start, end = axis.at(100 * done), axis.at(100 * (done + part.rate))
        done += part.rate
        if end > start:
            d = f"M{start:.1f} {y:.1f}H{end:.1f}v{BAR_HEIGHT}H{start:.1f}z"
            drawing.path(part.kind, d=d)
    if stack.low is None or stack.high is None:
        return
    middle = y + BAR_HEIGHT / 2
    low, high = axis.at(100 * stack.low), axis.at(100 * stack.high)
    drawing.line("zero", start=(low, middle), end=(high, middle))
    for x in (low, high):
        drawing.line("zero", start=(x, middle - 3), end=(x, middle + 3))
