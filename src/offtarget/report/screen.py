"""A terminal to write on: how wide, how colored and in which characters."""

from dataclasses import dataclass

from offtarget.report.numerals import MINUS
from offtarget.report.text import ELLIPSIS, ascii_text, cells, clip, pad, safe_text, wrap

MIN_WIDTH, MAX_WIDTH = 60, 120
MAX_PROSE = 2000
"""Characters of one text."""
GREEN, RED, YELLOW, BOLD, DIM = "32", "31", "33", "1", "2"


@dataclass(frozen=True, slots=True)
class Screen:
    """Everything that is printed passes here once."""

    width: int
    has_color: bool
    is_ascii: bool

    @property
    def ellipsis(self) -> str:
        """Return what stands for a part that is cut."""
        return "..." if self.is_ascii else ELLIPSIS

    def own(self, text: str) -> str:
        """Return text in this screen's characters, with nothing in it that steers a terminal."""
        text = safe_text(text, limit=MAX_PROSE)
        if not self.is_ascii:
            return text
        return ascii_text(text.replace(MINUS, "-").replace("\N{NO-BREAK SPACE}", " "))

    def cell(self, text: str, width: int) -> str:
        """Return text cut or padded to `width` columns."""
        return pad(clip(self.own(text), width, ellipsis=self.ellipsis), width)

    def paint(self, text: str, code: str) -> str:
        """Return text in a color; what it says does not hang on it."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.has_color else text

    def prose(self, text: str, *, first: str = "") -> list[str]:
        """Return wrapped lines; `first` opens the first one, the others stand under its end."""
        lines = wrap(self.own(text), self.width - cells(first)) or [""]
        rest = " " * cells(first)
        return [(rest if index else first) + line for index, line in enumerate(lines)]


def make_screen(*, width: int, color: bool, ascii: bool) -> Screen:
    """Return a screen of `width` columns, kept between 60 and 120."""
    return Screen(min(max(width, MIN_WIDTH), MAX_WIDTH), color, ascii)
