"""The code in a chat message: fenced, between markers, or bare among prose."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from offtarget.codescan.codelines import LineKind, code_runs, kind_of_line
from offtarget.codescan.detect import detect_language, language_of
from offtarget.codescan.fences import fences_of, one_line_fences
from offtarget.codescan.flaw import Snippet
from offtarget.codescan.language import Language
from offtarget.codescan.templates import marked_parts

_MIN_WHOLE = 0.5
"""Share of the lines that must be code for a whole message to be one."""

Kind = Literal["fence", "bare", "template", "inline"]


@dataclass(frozen=True, slots=True)
class Located:
    """One piece of code and its place: `text[start : start + len(snippet.code)]` is the code."""

    snippet: Snippet
    start: int
    kind: Kind
    closed: bool
    """False where the end of the message cuts the code off, or its closing mark is missing."""


def code_of(text: str, *, role: str) -> tuple[Located, ...]:
    """Return the pieces of code in a message, in order and without overlap.

    Plain prose yields nothing. In a message of the assistant without fences, bare code is taken
    whole: markers in it are strings or comments of the code.

    Args:
        text: The content of one message.
        role: `assistant`, `user` or any other role.
    """
    found: list[Located] = []
    position = 0
    fences = list(fences_of(text))
    for fence in fences:
        found.extend(_unfenced(text, position, fence.outer_start))
        code = text[fence.start : fence.end]
        if code.strip():
            language = _fenced_language(code, fence.info)
            snippet = Snippet(language, code)
            found.append(Located(snippet, fence.start, "fence", fence.closed))
        position = fence.outer_end
    if not fences and role == "assistant":
        whole = _whole(text)
        if whole is not None:
            return (whole,)
    found.extend(_unfenced(text, position, len(text)))
    return tuple(found)


def _fenced_language(code: str, info: str) -> str:
    if language_of(info) is None and _is_diff(code):
        return Language.OTHER
    return detect_language(code, hint=info)


def _is_diff(code: str) -> bool:
    lines = [line for line in code[:4000].splitlines() if line.strip()]
    n_signed = sum(line[0] in "+-" for line in lines)
    return any(line.startswith("@@ -") for line in lines) or (
        len(lines) > 2 and n_signed >= 2 and all(line[0] in "+- @\\" for line in lines)
    )


def _whole(text: str) -> Located | None:
    """Return the message as one piece of code, if it is."""
    start, end, hint = _trimmed(text, 0, len(text))
    if start >= end:
        return None
    kinds = [kind_of_line(line) for line in text[start:end].splitlines()[:400]]
    told = [kind for kind in kinds if kind is not LineKind.NEUTRAL]
    n_strong = kinds.count(LineKind.STRONG)
    n_code = n_strong + kinds.count(LineKind.WEAK)
    if not told or told[0] is LineKind.PROSE or not n_strong or n_code < _MIN_WHOLE * len(told):
        return None
    runs = list(code_runs(text, start, end))
    if n_strong > 1 and (not runs or runs[0].start > start or runs[-1].end < end):
        return None  # prose stands before or after
    if len(runs) > 1 and hint == "":
        return None
    return _located(text, start, end, "bare", hint=hint)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int, str]:
    """Return the bounds without blank lines around, and the language tag that stood first."""
    hint = ""
    while True:
        while end > start and text[end - 1].isspace():
            end -= 1
        line_end = text.find("\n", start, end)
        line = text[start : line_end if line_end >= 0 else end].strip()
        if line_end < 0 or (line and (hint or len(line) > 20 or language_of(line) is None)):
            return start, end, hint
        hint = line or hint
        start = line_end + 1


def _unfenced(text: str, start: int, end: int) -> Iterator[Located]:
    position = start
    for part in marked_parts(text, start, end):
        if not _has_code(text, part.start, part.end):
            continue
        yield from _bare(text, position, part.outer_start)
        first, last, hint = _trimmed(text, part.start, part.end)
        if first < last:
            yield _located(text, first, last, "template", hint=hint, closed=part.closed)
        position = part.outer_end
    yield from _bare(text, position, end)


def _has_code(text: str, start: int, end: int) -> bool:
    lines = text[start:end].splitlines()
    return any(kind_of_line(line) is LineKind.STRONG for line in lines)


def _bare(text: str, start: int, end: int) -> Iterator[Located]:
    position = start
    for run in code_runs(text, start, end):
        yield from _inline(text, position, run.start)
        first, last, hint = _trimmed(text, run.start, run.end)
        if first < last:
            yield _located(text, first, last, "bare", hint=hint)
        position = run.end
    yield from _inline(text, position, end)


def _inline(text: str, start: int, end: int) -> Iterator[Located]:
    for first, last in one_line_fences(text, start, end):
        if text[first:last].strip():
            yield _located(text, first, last, "inline")


def _located(
    text: str, start: int, end: int, kind: Kind, *, hint: str = "", closed: bool = True
) -> Located:
    code = text[start:end]
    return Located(Snippet(detect_language(code, hint=hint), code), start, kind, closed)
