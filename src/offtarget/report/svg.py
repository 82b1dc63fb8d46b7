"""Inline SVG, element by element; every text goes through `safe_text` and is escaped."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from offtarget.report.text import ELLIPSIS, safe_text

LABEL_PX = 13
SMALL_PX = 11
MAX_LABEL = 200
"""Characters of a label, its tooltip included."""
MAX_SPOKEN = 2000
"""Characters of a title or description."""
NARROW = frozenset(" !'(),.:;I[]fijlrt|")
BROAD = frozenset("%@MWmw")


@dataclass(slots=True)
class Drawing:
    """A picture under construction; positions are pixels, y grows downwards."""

    width: int
    parts: list[Markup] = field(default_factory=list)

    def line(self, kind: str, *, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Add a straight line of CSS class `kind`."""
        (x1, y1), (x2, y2) = start, end
        self._add("line", {"class": kind, "x1": x1, "y1": y1, "x2": x2, "y2": y2})

    def dot(self, kind: str, *, x: float, y: float, radius: float) -> None:
        """Add a circle."""
        self._add("circle", {"class": kind, "cx": x, "cy": y, "r": radius})

    def square(self, kind: str, *, x: float, y: float, half: float) -> None:
        """Add a square around its center."""
        self._add(
            "rect",
            {"class": kind, "x": x - half, "y": y - half, "width": 2 * half, "height": 2 * half},
        )

    def path(self, kind: str, *, d: str) -> None:
        """Add a path from numbers of our own; `d` never holds untrusted text."""
        self._add("path", {"class": kind, "d": d})

    def diamond(self, kind: str, *, x: float, y: float, half: float) -> None:
        """Add a square on its corner."""
        points = [(x, y - half), (x + half, y), (x, y + half), (x - half, y)]
        self.path(kind, d="M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in points) + "z")

    def text(
        self,
        kind: str,
        text: str,
        *,
        x: float,
        y: float,
        anchor: str = "start",
        room: float | None = None,
        keep_end: bool = False,
    ) -> None:
        """Add one line of text; past `room` pixels it is cut and the whole is in a tooltip.

        `keep_end` cuts in the middle, for names that differ at their end.
        """
        whole = safe_text(text, limit=MAX_LABEL)
        size = SMALL_PX if kind.split()[0] in ("tick", "sub", "mark") else LABEL_PX
        shown = whole if room is None else fit(whole, room, size=size, keep_end=keep_end)
        tooltip = Markup("")
        if shown != whole:
            tooltip = Markup("<title>{}</title>").format(whole)
        attributes: dict[str, str | float] = {"class": kind, "x": x, "y": y}
        if anchor != "start":
            attributes["text-anchor"] = anchor
        self._add("text", attributes, escape(shown) + tooltip)

    def render(self, *, id: str, kind: str, height: float, title: str, description: str) -> Markup:
        """Return the SVG element; `title` and `description` are what a screen reader says."""
        names = Markup('<title id="{0}-t">{1}</title><desc id="{0}-d">{2}</desc>').format(
            id, safe_text(title, limit=MAX_SPOKEN), safe_text(description, limit=MAX_SPOKEN)
        )
        attributes: dict[str, str | float] = {
            "class": kind,
            "viewBox": f"0 0 {self.width} {height:g}",
            "role": "img",
            "aria-labelledby": f"{id}-t {id}-d",
        }
        return _element("svg", attributes, names + Markup("").join(self.parts))

    def _add(
        self, name: str, attributes: Mapping[str, str | float], body: Markup | None = None
    ) -> None:
        self.parts.append(_element(name, attributes, body))


def text_width(text: str, *, size: float) -> float:
    """Return the pixels that `text` takes in a wide font (DejaVu Sans, bold), never too few."""
    return size * sum(_ems(char) for char in text)


def fit(text: str, room: float, *, size: float, keep_end: bool = False) -> str:
    """Return `text`, cut with an ellipsis where it is wider than `room` pixels.

    `keep_end` cuts in the middle.
    """
    if text_width(text, size=size) <= room:
        return text
    room -= text_width(ELLIPSIS, size=size)
    if not keep_end:
        return _start(text, room, size=size).rstrip() + ELLIPSIS
    head = _start(text, room / 2, size=size)
    tail = _start(text[::-1], room - text_width(head, size=size), size=size)[::-1]
    return head.rstrip() + ELLIPSIS + tail.lstrip()


def _start(text: str, room: float, *, size: float) -> str:
    kept = ""
    for char in text:
        room -= size * _ems(char)
        if room < 0:
            break
        kept += char
    return kept


def _ems(char: str) -> float:
    if char in NARROW:
        return 0.46
    if char in BROAD:
        return 1.1
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return 1.1
    if char.isupper():
        return 0.82
    return 0.71 if char.isascii() else 1.0


def _element(
    name: str, attributes: Mapping[str, str | float], body: Markup | None = None
) -> Markup:
    pairs = Markup("").join(
        Markup(' {}="{}"').format(key, _value(value)) for key, value in attributes.items()
    )
    if body is None:
        return Markup("<{0}{1}/>").format(name, pairs)
    return Markup("<{0}{1}>{2}</{0}>").format(name, pairs, body)


def _value(value: str | float) -> str:
    return value if isinstance(value, str) else f"{round(value, 1):g}"
