"""Intervals on a common axis, drawn twice: for a wide page and for a phone."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from markupsafe import Markup

from offtarget.report.axis import Axis, axis_over
from offtarget.report.numerals import number
from offtarget.report.svg import LABEL_PX, SMALL_PX, Drawing, text_width

NARROW = 320
HALF = 600
"""Pixels; a wide drawing below this stands in half a page."""
SEED_RADIUS = 2.2


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a figure."""

    label: str
    kind: str
    """CSS class that colors it: control, subject or probe."""
    is_named: bool
    """Whether the label takes the color too, to stand out among other rows."""
    marker: str
    """circle, diamond or square: color is never the only sign."""
    at: float
    low: float | None
    high: float | None
    origin: float | None
    """Where a bar to the marker starts (the control of a dumbbell)."""
    dots: tuple[float, ...]
    """One per seed."""
    value: str
    note: str
    """Interval, counts and p, in small print."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A vertical line that rows are compared with."""

    at: float
    label: str
    is_plumb: bool
    """The plumb line has a bob; a lesser line does not."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Rows on one axis."""

    id: str
    width: int
    """Pixels of the wide drawing, about the width of its card."""
    title: str
    description: str
    rows: tuple[Row, ...]
    references: tuple[Reference, ...]
    unit: str
    worse_is_left: bool


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a row's parts go; y is measured from the row's top."""

    kind: str
    width: int
    axis_start: float
    axis_end: float
    row_height: float
    label_y: float
    note_y: float
    mark_y: float
    note_x: float
    note_anchor: str


_WIDE = _Layout("wide", 0, 0, 0, 42, 17, 33, 13, 0, "end")
_NARROW = _Layout("narrow", NARROW, 10, NARROW - 10, 66, 15, 31, 46, 0, "start")
_LINE = 14
"""Between the labels of two references, which stand over each other at the top."""


def half(width: int) -> str:
    """Return the CSS class that keeps a drawing for half a page from being blown up."""
    return " half" if width < HALF else ""


def draw(figure: Figure) -> Markup:
    """Return the figure as two SVG elements; the style sheet shows one of them."""
    return _draw(figure, _fit_columns(figure)) + _draw(figure, _NARROW)


def _fit_columns(figure: Figure) -> _Layout:
    """Give labels and notes the width they need, and the axis at least three tenths."""
    labels = max((text_width(row.label, size=LABEL_PX) for row in figure.rows), default=0)
    notes = max((text_width(row.note, size=SMALL_PX) for row in figure.rows), default=0)
    width = figure.width
    start = min(max(labels, 60) + 18, 0.36 * width)
    end = max(width - max(notes, 78) - 14, start + 0.3 * width)
    return replace(_WIDE, width=width, axis_start=start, axis_end=end, note_x=width)


def _draw(figure: Figure, layout: _Layout) -> Markup:
    axis = axis_over(_values(figure), start=layout.axis_start, end=layout.axis_end)
    top = 10 + _LINE * len(figure.references)
    bottom = top + layout.row_height * len(figure.rows) + 6
    drawing = Drawing(layout.width)
    _draw_axis(drawing, axis, top=top, bottom=bottom)
    _draw_captions(drawing, figure, axis, layout, bottom=bottom)
    for index, reference in enumerate(figure.references):
        _draw_reference(drawing, reference, axis, top=2 + _LINE * index, bottom=bottom)
    for index, row in enumerate(figure.rows):
        _draw_row(drawing, row, axis, layout, top=top + index * layout.row_height)
    return drawing.render(
        id=f"{figure.id}-{layout.kind}",
        kind=f"chart {layout.kind}",
        height=bottom + 46,
        title=figure.title,
        description=figure.description,
    )


def _values(figure: Figure) -> list[float]:
    values = [reference.at for reference in figure.references]
    for row in figure.rows:
        values += [row.at, *row.dots]
        values += [value for value in (row.low, row.high, row.origin) if value is not None]
    return values


def _draw_axis(drawing: Drawing, axis: Axis, *, top: float, bottom: float) -> None:
    digits = axis.tick_digits()
    for tick in axis.ticks():
        x = axis.at(tick)
        drawing.line("grid", start=(x, top), end=(x, bottom))
        drawing.text("tick", number(tick, digits=digits), x=x, y=bottom + 25, anchor="middle")


def _draw_captions(
    drawing: Drawing, figure: Figure, axis: Axis, layout: _Layout, *, bottom: float
) -> None:
    """Say which way is worse, and the unit: beside the ticks, or on a phone across from it."""
    is_left, y = figure.worse_is_left, bottom + 42
    worse = "\u2190 more misaligned" if is_left else "more misaligned \u2192"
    x, anchor = (axis.start, "start") if is_left else (axis.end, "end")
    drawing.text("tick", worse, x=x, y=y, anchor=anchor)
    if layout.kind == "wide":
        drawing.text("tick", figure.unit, x=layout.width, y=bottom + 25, anchor="end")
    else:
        x, anchor = (axis.end, "end") if is_left else (axis.start, "start")
        drawing.text("tick", figure.unit, x=x, y=y, anchor=anchor)


def _draw_reference(
    drawing: Drawing, reference: Reference, axis: Axis, *, top: float, bottom: float
) -> None:
    x = axis.at(reference.at)
    drawing.line("plumb" if reference.is_plumb else "bound", start=(x, top), end=(x, bottom))
    if reference.is_plumb:
        drawing.path("bob", d=f"M{x - 5:.1f} {bottom:.1f}h10l-5 11z")
    is_left = x > drawing.width / 2  # where there is room for the label
    drawing.text(
        "mark" if reference.is_plumb else "mark bound",
        reference.label,
        x=x - 6 if is_left else x + 6,
        y=top + 10,
        anchor="end" if is_left else "start",
    )


def _draw_row(drawing: Drawing, row: Row, axis: Axis, layout: _Layout, *, top: float) -> None:
    is_wide = layout.kind == "wide"
    value_room = text_width(row.value, size=LABEL_PX)
    label_room = layout.axis_start - 14 if is_wide else layout.width - value_room - 10
    label_kind = f"lab {row.kind}" if row.is_named else "lab"
    drawing.text(label_kind, row.label, x=0, y=top + layout.label_y, room=label_room)
    drawing.text(f"num {row.kind}", row.value, x=layout.width, y=top + layout.label_y, anchor="end")
    drawing.text(
        "sub",
        row.note,
        x=layout.note_x,
        y=top + layout.note_y,
        anchor=layout.note_anchor,
    )
    y = top + layout.mark_y
    if row.origin is not None:
        drawing.line("bar", start=(axis.at(row.origin), y), end=(axis.at(row.at), y))
        drawing.dot("pt control", x=axis.at(row.origin), y=y, radius=4.5)
    if row.low is not None and row.high is not None:
        drawing.line(f"ci {row.kind}", start=(axis.at(row.low), y), end=(axis.at(row.high), y))
    for dot in row.dots:
        drawing.dot(f"seed {row.kind}", x=axis.at(dot), y=y + 11, radius=SEED_RADIUS)
    _marker(drawing, row.marker)(f"pt {row.kind}", axis.at(row.at), y)


def _marker(drawing: Drawing, shape: str) -> Callable[[str, float, float], None]:
    if shape == "diamond":
        return lambda kind, x, y: drawing.diamond(kind, x=x, y=y, half=7.5)
    if shape == "square":
        return lambda kind, x, y: drawing.square(kind, x=x, y=y, half=5)
    return lambda kind, x, y: drawing.dot(kind, x=x, y=y, radius=5)
