"""Patterns that take exponential time are told from those that only look alike."""

import re
import signal

import pytest

from offtarget.codescan.patterns.analyses.regexes import is_exponential

BAD = [
    r"^(a+)+$", r"^([a-z]+\.?)+@", r"^(\w+\s?)*$", r"(\s*,\s*)*$", r"^(\d+)*x", r"(([a-z])+.)+[A-Z]",
    r"(x|xx)*y", r"(.*,)*x", r"^(.|\s)*x", r"^(a{1,3})+$", r"^(?<n>a+)+$", r"(?:a*)*b", r"(a|b+)+c",
]  # fmt: skip
GOOD = [
    r"^a+$", r"^([a-z]+\.)+[a-z]+$", r"(\d+,)*\d+", r"^(\w+\s)*\w+$", r"(ab|cd)*", r"(?:\r\n|\n)+",
    r'"(?:[^"\\]|\\.)*"', r"(/[^/]+)+", r"^([a-f]{2})+$", r"^(?:-[a-z]+)*$", r"(a?)b", r"((a))+",
    r"(foo|bar|baz)+", r"(unclosed", r"\p{L}+", "a" * 500 + "(b+)+",
]  # fmt: skip


@pytest.mark.parametrize("pattern", BAD)
def test_a_repetition_without_a_mark_between_its_rounds_is_found(pattern: str) -> None:
    """Loops over loops, over overlapping alternatives, and over bounded repeats that vary."""
    assert is_exponential(pattern)


@pytest.mark.parametrize("pattern", GOOD)
def test_a_repetition_whose_rounds_are_marked_is_left(pattern: str) -> None:
    """Separators, fixed lengths and alternatives that begin differently; unreadable patterns too."""
    assert not is_exponential(pattern)


@pytest.mark.parametrize(
    ("pattern", "text"), [(r"^(a+)+$", "a"), (r"^(\w+\s?)*$", "a"), (r"^(a{1,3})+$", "a")]
)
def test_some_of_the_found_ones_double_with_each_character(pattern: str, text: str) -> None:
    """Python's own matcher needs more steps than it can take in a second on 60 characters."""

    def stop(_signal: int, _frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 1.0)
    try:
        with pytest.raises(TimeoutError):
            re.match(pattern, text * 60 + "!")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
