"""Whether the engines' answers together show that a snippet was read."""

from collections.abc import Sequence

from offtarget.codescan.flaw import Reading, Scanned, Snippet
from offtarget.codescan.ladder import read_python

_NOT_PARSED = frozenset({Reading.SKIPPED, Reading.UNPARSED})


def is_unread(snippet: Snippet, answers: Sequence[Scanned]) -> bool:
    """Return whether a snippet, or a part of it, is not known to be clean.

    So it is if no engine read it, or one that read it left out what nests too deep. Code that one
    engine skipped and no other could read is tried once more: what parses in no way is unread even
    where no rule could match it.
    """
    readings = {answer.reading for answer in answers}
    if Reading.SKIPPED in readings and readings <= _NOT_PARSED:
        readings = {read_python(snippet.code).reading}
    return readings <= {Reading.UNPARSED} or Reading.PARTLY in readings
