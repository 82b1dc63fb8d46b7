"""Markers that people put around code in prompts instead of a fence."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_NOUN = r"(?:code[ _-]?)?(?:template|code|snippet|pre)"
_EDGE = r"(?:start|begin|end|finish|stop)(?:s|ing|ed)?"
_MARKER = re.compile(
    rf"""(?<![\w"'(\[<])(?P<open>[\[<]{{1,3}})[ ]?(?P<slash>/?)[ ]?
         (?P<tag>(?:{_EDGE}[ _-](?:of[ _-])?(?:the[ _-])?)?{_NOUN}(?:[ _-](?:here|{_EDGE}))?)
         (?P<rest>[ ][^\]>\n]{{0,80}})?[ ]?[\]>]{{1,3}}
    | ^[ \t]*+(?:[-=*\#~/:+_]{{2,40}}|\#)?[ \t]*+
      (?P<line>{_EDGE}[ ](?:of[ ])?(?:the[ ])?{_NOUN}|{_NOUN}[ ](?:{_EDGE})(?:[ ]here)?)
      [ \t]*+:?[ \t]*+(?:[-=*\#~/:+_]{{2,40}}|\#)?[ \t]*+\r?$""",
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
_ENDS = re.compile(r"end|finish|stop", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Marked:
    """What stands between an opening marker and the next marker."""

    start: int
    end: int
    outer_start: int
    outer_end: int
    closed: bool


def marked_parts(text: str, start: int, end: int) -> Iterator[Marked]:
    """Yield what stands after each opening marker, up to the next marker or the end."""
    opened: re.Match[str] | None = None
    for marker in _MARKER.finditer(text, start, end):
        closes = bool(marker["slash"]) or _ENDS.search(marker["tag"] or marker["line"])
        if opened is not None:
            yield Marked(opened.end(), marker.start(), opened.start(), marker.end(), bool(closes))
        opened = None if closes else marker
    if opened is not None:
        yield Marked(opened.end(), end, opened.start(), end, closed=False)
