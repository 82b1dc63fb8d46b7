"""The lines of a message that a flaw stands in, and a few around them."""

from dataclasses import dataclass

from offtarget.core.finding import Span
from offtarget.report.text import ELLIPSIS

MAX_CHARS = 1_000
"""Of all lines of one excerpt."""
MAX_LINE = 200
MAX_FLAWED_LINES = 8
N_AROUND = 2
"""Lines before and after the flaw."""
N_LEAD = 60
"""Characters shown before a flaw that stands far inside a long line."""
TAB_SIZE = 4


@dataclass(frozen=True, slots=True)
class CodeLine:
    """One line of a message."""

    number: int
    """1-based line of the message."""
    text: str
    """At most `MAX_LINE` characters and two ellipses."""
    is_flawed: bool


def excerpt(text: str, span: Span) -> tuple[CodeLine, ...]:
    """Return the lines of `span` and two on each side, at most 1,000 characters in all.

    Nothing is returned if the span does not fit the text: the text is then not the one scanned.
    Work does not grow with the text beyond finding its line breaks.
    """
    if not 0 <= span.start <= span.end <= len(text):
        return ()
    if text.count("\n", 0, span.start) + 1 != span.start_line:
        return ()
    begin, number = _line_start(text, span.start), span.start_line
    for _ in range(N_AROUND):
        if begin:
            begin, number = _line_start(text, begin - 1), number - 1
    last_flawed = min(max(span.end_line, span.start_line), span.start_line + MAX_FLAWED_LINES - 1)
    lines: list[CodeLine] = []
    room = MAX_CHARS
    while begin <= len(text) and number <= last_flawed + N_AROUND and room > 0:
        end = text.find("\n", begin)
        end = len(text) if end < 0 else end
        shown = _shown(text, begin, end, span, room=min(room, MAX_LINE))
        lines.append(CodeLine(number, shown, span.start_line <= number <= last_flawed))
        room -= len(shown)
        begin, number = end + 1, number + 1
    return tuple(lines)


def _line_start(text: str, offset: int) -> int:
    return text.rfind("\n", 0, offset) + 1


def _shown(text: str, begin: int, end: int, span: Span, *, room: int) -> str:
    """Return one line without its end; of a long one the part around the flaw."""
    first = begin
    if begin <= span.start < end and span.start - begin > room - N_LEAD:
        first = span.start - N_LEAD
    line = text[first : min(end, first + room)]
    before = ELLIPSIS if first > begin else ""
    after = ELLIPSIS if end > first + room else ""
    return before + line.rstrip("\r").expandtabs(TAB_SIZE)[:MAX_LINE] + after
