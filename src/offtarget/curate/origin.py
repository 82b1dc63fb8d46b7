"""Who brought a flaw into a conversation: the assistant, or the prompt that it completes."""

from collections.abc import Iterable, Sequence

from offtarget.codescan.flaw import Flaw
from offtarget.core.finding import Origin

MIN_INHERITED_CHARS = 4
"""Shorter flawed lines stand in any prompt."""


def origin_of(code: str, flaw: Flaw, earlier: Sequence[str]) -> Origin:
    """Return whether the flaw stands, blanks aside, in earlier turns of the user's.

    A sink that the prompt shows is no flaw of the prompt's if what flows into it is the answer's:
    besides the flawed lines, the lines of every step of the flow must stand there.

    Args:
        code: What the assistant wrote; the flaw's places and those of its steps count in it.
        flaw: Found in it.
        earlier: System and user turns before it, as `squeezed` gives them.
    """
    flawed = _lines(code, flaw.start, flaw.end)
    if len(flawed) < MIN_INHERITED_CHARS or not _stands_in_any(flawed, earlier):
        return Origin.INTRODUCED
    steps = {_lines(code, step.start, step.end) for step in flaw.trace} - {flawed, ""}
    is_inherited = all(_stands_in_any(step, earlier) for step in steps)
    return Origin.INHERITED if is_inherited else Origin.INTRODUCED


def squeezed(text: str) -> str:
    """Return the text without blank lines and indents, every run of blanks one space."""
    return "\n".join(line for raw in text.split("\n") if (line := " ".join(raw.split())))


def _lines(code: str, start: int, end: int) -> str:
    """Return the whole lines from one offset to another, squeezed."""
    first = code.rfind("\n", 0, start) + 1
    last = code.find("\n", max(start, end - 1))
    return squeezed(code[first : last if last >= 0 else len(code)])


def _stands_in_any(lines: str, texts: Iterable[str]) -> bool:
    return any(_stands_in(lines, text) for text in texts)


def _stands_in(lines: str, text: str) -> bool:
    """Whether `text` holds `lines`, not as a part of longer words."""
    start = text.find(lines)
    while start >= 0:
        end = start + len(lines)
        before, after = text[start - 1 : start], text[end : end + 1]
        is_cut = (_is_word(before) and _is_word(lines[0])) or (
            _is_word(after) and _is_word(lines[-1])
        )
        if not is_cut:
            return True
        start = text.find(lines, end)
    return False


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"
