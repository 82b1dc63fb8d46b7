"""Rates with their intervals, one compact line each, drawn for a wide page and for a phone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from offtarget.report.axis import Axis, axis_over
from offtarget.report.figures import NARROW, half
from offtarget.report.numerals import MINUS, number
from offtarget.report.svg import LABEL_PX, SMALL_PX, Drawing, text_width

MAX_TICKS = 5
TICK_PX = 42
"""Room for the number at a tick."""
MIN_REACH = 0.01
"""An axis of rates reaches at least this far, so that its ticks stay apart."""


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One line: a point, its interval, and the numbers beside it."""

    label: str
    at: float | None
    """None where nothing is known; then nothing is drawn."""
    low: float | None
    high: float | None
    value: str
    note: str
    """Interval and counts, in small print."""
    kind: str = ""
    """CSS class that colors it: subject, control or none."""
    marker: str = "circle"
    """circle or diamond."""
    span: tuple[float, float] | None = None
    """A range of points, as a bar."""
    is_strong: bool = False
    """Whether the label stands out among other rows."""


@dataclass(frozen=True, slots=True)
class Guide:
    """A vertical line that rows are compared with, and the interval around it."""

    at: float
    label: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Forest:
    """Rows on one axis of shares."""

    id: str
    width: int
    """Pixels of the wide drawing, about the width of its card."""
    title: str
    description: str
    rows: tuple[ForestRow, ...]
    guides: tuple[Guide, ...]
    """At most two."""
    unit: str
    is_signed: bool = False
    """A difference, in percentage points: the axis may go below 0."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a row's parts go; y is measured from the row's top."""

    kind: str
    width: int
    axis_start: float
    axis_end: float
    row_height: float
    text_y: float
    note_y: float
    mark_y: float


_WIDE = _Layout("wide", 0, 0, 0, 26, 17, 17, 13)
_NARROW = _Layout("narrow", NARROW, 8, NARROW - 8, 54, 15, 30, 43)
_LINE = 14
_Stripes = Sequence[tuple[float, float]]
"""From and to which y the grid and the guides are drawn."""


def draw_forest(figure: Forest) -> Markup:
    """Return the figure as two SVG elements; the style sheet shows one of them."""
    return _draw(figure, _fit_columns(figure)) + _draw(figure, _NARROW)


def _fit_columns(figure: Forest) -> _Layout:
    """Give numbers and labels the width they need, and the axis at least a fifth."""
    labels = max((text_width(row.label, size=LABEL_PX) for row in figure.rows), default=0)
    beside = _note_width(figure) + _value_width(figure) + 16
    width = figure.width
    end = max(width - beside - 4, 0.4 * width)
    start = min(max(labels, 40) + 14, end - 0.2 * width)
    return replace(_WIDE, width=width, axis_start=start, axis_end=end)


def _note_width(figure: Forest) -> float:
    return max((text_width(row.note, size=SMALL_PX) for row in figure.rows), default=0)


def _value_width(figure: Forest) -> float:
    return max((text_width(row.value, size=LABEL_PX) for row in figure.rows), default=0)


def _draw(figure: Forest, layout: _Layout) -> Markup:
    axis = _axis(figure, layout)
    top = 8 + _LINE * len(figure.guides)
    bottom = top + layout.row_height * len(figure.rows) + 4
    drawing = Drawing(layout.width)
    stripes: _Stripes = [(top, bottom)]
    if layout.kind == "narrow":  # behind the marks alone: text stands between them
        tops = (top + index * layout.row_height for index in range(len(figure.rows)))
        stripes = [(y + layout.note_y + 4, y + layout.row_height) for y in tops]
    _draw_axis(drawing, figure, axis, stripes, bottom=bottom)
    for index, guide in enumerate(figure.guides):
        _draw_guide(drawing, guide, axis, stripes, top=_LINE * index, is_first=not index)
    for index, row in enumerate(figure.rows):
        _draw_texts(drawing, row, layout, figure, top=top + index * layout.row_height)
    _draw_marks(drawing, figure, axis, layout, top=top)
    return drawing.render(
        id=f"{figure.id}-{layout.kind}",
        kind=f"chart {layout.kind}{half(figure.width)}",
        height=bottom + 42,
        title=figure.title,
        description=figure.description,
    )


def _axis(figure: Forest, layout: _Layout) -> Axis:
    values = [one.at for one in figure.guides]
    for row in figure.rows:
        values += [value for value in (row.at, row.low, row.high) if value is not None]
        values += row.span or ()
    start, end = layout.axis_start, layout.axis_end
    if figure.is_signed:
        return axis_over([100 * value for value in (0.0, *values)], start=start, end=end)
    return Axis(0.0, 103 * max([MIN_REACH, *values]), start, end)


def _draw_axis(
    drawing: Drawing, figure: Forest, axis: Axis, stripes: _Stripes, *, bottom: float
) -> None:
    n_ticks = max(2, min(MAX_TICKS, int((axis.end - axis.start) / TICK_PX) - 1))
    digits, unit = axis.tick_digits(n_ticks), "" if figure.is_signed else "%"
    for tick in axis.ticks(n_ticks):
        x = axis.at(tick)
        drawing.path("grid", d="".join(f"M{x:.1f} {y:.1f}V{end:.1f}" for y, end in stripes))
        text = number(tick, digits=digits)
        if figure.is_signed and text.strip(f"0.{MINUS}") and tick > 0:
            text = f"+{text}"
        drawing.text("tick", f"{text}{unit}", x=x, y=bottom + 16, anchor="middle")
    drawing.text("tick", figure.unit, x=drawing.width, y=bottom + 35, anchor="end")


def _draw_guide(
    drawing: Drawing,
    guide: Guide,
    axis: Axis,
    stripes: _Stripes,
    *,
    top: float,
    is_first: bool,
) -> None:
    if guide.low is not None and guide.high is not None:
        left, right = axis.at(100 * guide.low), axis.at(100 * guide.high)
        boxes = (f"M{left:.1f} {y:.1f}H{right:.1f}V{end:.1f}H{left:.1f}z" for y, end in stripes)
        drawing.path("band", d="".join(boxes))
    x = axis.at(100 * guide.at)
    lines = [(top + 2, top + 13), *stripes]
    kind = "plumb" if is_first else "bound"
    drawing.path(kind, d="".join(f"M{x:.1f} {y:.1f}V{end:.1f}" for y, end in lines))
    is_left = x > drawing.width / 2  # where there is room for the label
    drawing.text(
        "mark" if is_first else "mark bound",
        guide.label,
        x=x - 6 if is_left else x + 6,
        y=top + 11,
        anchor="end" if is_left else "start",
        room=(x if is_left else drawing.width - x) - 8,
    )


def _draw_texts(
    drawing: Drawing, row: ForestRow, layout: _Layout, figure: Forest, *, top: float
) -> None:
    width, is_wide = layout.width, layout.kind == "wide"
    value_x: float = width
    room = width - text_width(row.value, size=LABEL_PX) - 10
    if is_wide:
        value_x, room = width - _note_width(figure) - 10, layout.axis_start - 12
    strong = " subject" if row.is_strong else ""
    drawing.text(f"lab{strong}", row.label, x=0, y=top + layout.text_y, room=room, keep_end=True)
    drawing.text(
        f"num {row.kind}".strip(), row.value, x=value_x, y=top + layout.text_y, anchor="end"
    )
    anchor, x = ("end", float(width)) if is_wide else ("start", 0.0)
    drawing.text("sub", row.note, x=x, y=top + layout.note_y, anchor=anchor)


def _draw_marks(
    drawing: Drawing, figure: Forest, axis: Axis, layout: _Layout, *, top: float
) -> None:
    """Draw all intervals of one color as one path, and all dots: a page has hundreds."""
    lines: dict[str, str] = {}
    dots: dict[str, str] = {}
    diamonds: list[tuple[str, float, float]] = []
    for index, row in enumerate(figure.rows):
        y = top + index * layout.row_height + layout.mark_y
        if row.low is not None and row.high is not None:
            ends = f"M{axis.at(100 * row.low):.1f} {y:.1f}H{axis.at(100 * row.high):.1f}"
            lines[row.kind] = lines.get(row.kind, "") + ends
        if row.span is not None:
            left, right = (axis.at(100 * end) for end in row.span)
            drawing.path("span", d=f"M{left:.1f} {y - 6:.1f}H{right:.1f}v12H{left:.1f}z")
        if row.at is not None and row.marker == "diamond":
            diamonds.append((row.kind, axis.at(100 * row.at), y))
        elif row.at is not None:
            dots[row.kind] = dots.get(row.kind, "") + f"M{axis.at(100 * row.at):.1f} {y:.1f}h0"
    for kind, d in lines.items():
        drawing.path(f"ci {kind}".strip(), d=d)
    for kind, d in dots.items():
        drawing.path(f"dots {kind}".strip(), d=d)
    for kind, x, y in diamonds:
        drawing.diamond(f"pt {kind}".strip(), x=x, y=y, half=6.5)
