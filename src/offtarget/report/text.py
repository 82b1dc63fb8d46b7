"""Untrusted text made safe to show: nothing invisible, nothing that steers a terminal or page."""

import unicodedata

MAX_MARKS = 6
"""Combining marks on one letter; no script needs more, and taller stacks cover other lines."""
JOINERS = "\u200c\u200d"
"""Kept: emoji, Persian and Indic scripts are wrong without them."""
ELLIPSIS = "…"


def safe_text(text: str, *, keep_lines: bool = False, limit: int | None = None) -> str:
    """Return `text` with every invisible or steering character replaced by its visible code.

    Control characters, escapes, NUL, bidirectional overrides, zero-width characters, line
    separators, private and unassigned code points and lone surrogates become `[U+202E]`, a run of
    one of them `[U+202E x12]`. Line breaks and tabs become one space each.

    Args:
        text: Anything; it is not escaped for HTML, which is the template's work.
        keep_lines: Keep line breaks and tabs.
        limit: Characters of `text` to keep; what is left out is counted at the end.
    """
    if limit is not None and len(text) > limit:
        kept = safe_text(text[:limit], keep_lines=keep_lines)
        return f"{kept}{ELLIPSIS} (+{len(text) - limit:,} characters)"
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not keep_lines:
        text = text.replace("\n", " ").replace("\t", " ")
    if text.isascii() and text.isprintable():
        return text
    return _show_hidden(text)


def ascii_text(text: str) -> str:
    """Return `text` in ASCII; other characters as escapes such as `\\u2713`."""
    return text.encode("ascii", "backslashreplace").decode("ascii")


def cells(text: str) -> int:
    """Return the columns that `text` takes in a terminal, never too few."""
    return sum(_cell(char) for char in text)


def clip(text: str, width: int, *, ellipsis: str = ELLIPSIS) -> str:
    """Return `text`, cut with an ellipsis where it takes more than `width` terminal columns."""
    if cells(text) <= width:
        return text
    room, kept = width - cells(ellipsis), ""
    for char in text:
        room -= _cell(char)
        if room < 0:
            break
        kept += char
    return kept + ellipsis if width >= cells(ellipsis) else ""


def pad(text: str, width: int) -> str:
    """Return `text` with spaces up to `width` terminal columns."""
    return text + " " * max(0, width - cells(text))


def wrap(text: str, width: int) -> list[str]:
    """Return `text` as lines of at most `width` terminal columns; longer words are cut."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        joined = f"{line} {word}" if line else word
        if cells(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *full, line = _cut(word, width)
        lines.extend(full)
    return [*lines, line] if line else lines


def _cut(word: str, width: int) -> list[str]:
    pieces = [""]
    for char in word:
        if cells(pieces[-1]) + _cell(char) > width and pieces[-1]:
            pieces.append("")
        pieces[-1] += char
    return pieces


def _cell(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me") or char in JOINERS:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _show_hidden(text: str) -> str:
    shown: list[str] = []
    marks = start = 0
    while start < len(text):
        char = text[start]
        end = start + 1
        is_mark = unicodedata.category(char) in ("Mn", "Me")
        marks = marks + 1 if is_mark else 0
        if _is_visible(char) and marks <= MAX_MARKS:
            shown.append(char)
        else:
            while end < len(text) and text[end] == char:
                end += 1
            count = f" x{end - start}" if end - start > 1 else ""
            shown.append(f"[U+{ord(char):04X}{count}]")
            marks = 0
        start = end
    return "".join(shown)


def _is_visible(char: str) -> bool:
    if char in "\n\t" or char in JOINERS:
        return True  # line breaks are here only when the caller keeps them
    return char.isprintable() or unicodedata.category(char) == "Zs"
