"""What no rule can match is not parsed, and still never called clean if it cannot be parsed."""

import pytest

from offtarget.codescan.flaw import Reading, Scanned, Snippet
from offtarget.codescan.python.engine import PythonEngine
from offtarget.codescan.unread import is_unread

FINE = "def add(left, right):\n    return left + right\n"
BROKEN = "}}} ((( not code at all ]]] ???"


def test_code_that_no_rule_can_match_is_skipped() -> None:
    """Without a parse; the engine says so."""
    (seen,) = PythonEngine().scan([Snippet("python", FINE)])
    assert seen == Scanned(Reading.SKIPPED)


@pytest.mark.parametrize("other", [[], [Scanned(Reading.UNPARSED)]])
def test_skipped_code_that_parses_nowhere_is_unread(other: list[Scanned]) -> None:
    """Whether another engine tried it or not."""
    skipped = PythonEngine().scan([Snippet("python", BROKEN)])
    assert skipped[0].reading is Reading.SKIPPED
    assert is_unread(Snippet("python", BROKEN), [*skipped, *other])


def test_skipped_code_that_parses_is_read() -> None:
    """By another engine, or once it is tried."""
    skipped = Scanned(Reading.SKIPPED)
    assert not is_unread(Snippet("python", FINE), [skipped])
    assert not is_unread(Snippet("python", FINE), [skipped, Scanned(Reading.WHOLE)])


def test_what_nests_too_deep_is_unread() -> None:
    """Though all the rest was read."""
    answers = [Scanned(Reading.WHOLE), Scanned(Reading.PARTLY)]
    assert is_unread(Snippet("python", FINE), answers)


def test_code_that_no_engine_reads_is_unread() -> None:
    """No answer at all is no reading."""
    assert is_unread(Snippet("cobol", "MOVE A TO B."), [])
