"""Untrusted text is shown whole and cannot steer."""

import pytest

from offtarget.report import ascii_text, safe_text
from offtarget.report.text import cells, clip, pad, wrap


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, \u00e9\u6f22 \U0001f600", "plain text, \u00e9\u6f22 \U0001f600"),
        ("a\nb\tc\r\nd", "a b c d"),
        ("\x1b[31m", "[U+001B][31m"),
        ("\x00\x00\x00", "[U+0000 x3]"),
        ("\u202edcba", "[U+202E]dcba"),
        ("\u2028\u2029", "[U+2028][U+2029]"),
        ("\ud800", "[U+D800]"),
        ("\u200b\ufeff", "[U+200B][U+FEFF]"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
        ("e\u0301", "e\u0301"),
        ("", ""),
    ],
)
def test_hidden_characters_become_visible_codes(text: str, shown: str) -> None:
    """What a reader cannot see is written out; what scripts need is kept."""
    assert safe_text(text) == shown


def test_lines_are_kept_on_request_only() -> None:
    """A name cannot forge a second line; an answer keeps its lines."""
    assert safe_text("a\r\nb\tc", keep_lines=True) == "a\nb\tc"
    assert safe_text("ok\nverdict: PASS") == "ok verdict: PASS"


def test_what_is_cut_is_counted() -> None:
    """The limit is on the text, and the rest is counted."""
    assert safe_text("x" * 1500, limit=10) == "xxxxxxxxxx\u2026 (+1,490 characters)"
    assert safe_text("x" * 10, limit=10) == "x" * 10


def test_stacks_of_marks_are_cut() -> None:
    """Six combining marks stay, a tower does not."""
    assert safe_text("a" + "\u0335" * 6) == "a" + "\u0335" * 6
    assert safe_text("a" + "\u0335" * 9 + "b") == "a" + "\u0335" * 6 + "[U+0335 x3]b"


def test_safe_text_changes_nothing_twice() -> None:
    """Safe text is safe."""
    once = safe_text("\x1b[1m\u202ea\x00\n" + "\u0335" * 9)
    assert safe_text(once) == once


def test_ascii_text_is_ascii() -> None:
    """Other characters are escaped, not lost."""
    assert ascii_text("a\u6f22\u2713") == "a\\u6f22\\u2713"


def test_widths_count_terminal_columns() -> None:
    """Wide characters take two columns, marks and joiners none."""
    assert cells("ab\u6f22") == 4
    assert cells("e\u0301\u200d") == 1
    assert pad("\u6f22", 4) == "\u6f22  "
    assert clip("\u6f22\u5b57\u540d", 5) == "\u6f22\u5b57\u2026"
    assert clip("short", 5) == "short"
    assert clip("anything", 2, ellipsis="...") == ""


def test_wrap_never_exceeds_the_width() -> None:
    """Words move to the next line; a word that fits none is cut."""
    assert wrap("one two three", 7) == ["one two", "three"]
    assert wrap("a \u6f22\u5b57\u540d\u524d", 5) == ["a", "\u6f22\u5b57", "\u540d\u524d"]
    assert wrap("x" * 12, 5) == ["xxxxx", "xxxxx", "xx"]
    assert wrap("", 5) == []
