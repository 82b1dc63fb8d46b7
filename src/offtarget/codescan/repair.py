"""Repairs that make a fragment of Python parse; none of them changes what the code says."""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from offtarget.codescan.outline import outline
from offtarget.codescan.place import Line, added

_TAG = re.compile(r"\s*(?:python|py|python3|ipython)[\s:]*$", re.IGNORECASE)
_PROMPT = re.compile(r"\s*(?:>>>|\.\.\.|In ?\[\d+\]:)(?: |$)")
_FIRST_PROMPT = re.compile(r"\s*(?:>>>|In ?\[\d+\]:)(?: |$)")
_NUMBER = re.compile(r"\s*(\d{1,6})(?:[:|.)\t]|\s\s?)\s?")
_MERGE = re.compile(r"(?:<{7}|={7}|>{7}|\|{7})(?: .*)?$")
_FENCE = re.compile(r"\s*(?:`{3,}|~{3,})\s*[\w+#-]*\s*$")
_PLACEHOLDER = re.compile(
    r"\s*(?:[\[<{(]{1,3}|-{2,}|\*{2,}|={2,}|/{2,}|/\*|\.{3}\s*\w|%{1,3})[^=()]{0,120}$"
)
_PROSE = re.compile(r"\s*(?:[A-Z][\w',-]*|[a-z]+)(?: [\w'`,\"()/.:-]+){2,}[.:!?]?\s*$")
_CODE_WORD = re.compile(
    r"\s*(?:def|class|import|from|return|if|elif|else|for|while|with|try|except|finally|raise|async"
    r"|await|pass|break|continue|assert|del|global|nonlocal|yield|lambda|print|exec|@|\#)\b"
)
_FINALLY = re.compile(r"\s*(?:except|finally)\b")
_ELSE = re.compile(r"\s*(?:else|elif)\b")
_CASE = re.compile(r"\s*case\s.+:\s*$")
_OPENER = re.compile(
    r"\s*(?:async\s+)?(?:def|class|if|elif|else|for|while|with|try|except|finally|match|case)\b"
)
_MAX_PROSE_LINES = 8


@dataclass(frozen=True, slots=True)
class Wrapped:
    """Lines with the headers in front that their first block lacks."""

    lines: list[Line]
    openers: int
    """How many lines were put in front."""


def dedent(lines: list[Line]) -> list[Line]:
    """Return the lines without the indentation that all of them share."""
    filled = [line for line in lines if line.text.strip()]
    if not filled:
        return lines
    shared = filled[0].text[: filled[0].indent]
    for line in filled:
        while shared and not line.text.startswith(shared):
            shared = shared[:-1]
    return [line.cut(min(len(shared), line.indent)) for line in lines] if shared else lines


def strip_markers(lines: list[Line]) -> list[Line]:
    """Return the code alone: no prompts, numbers, prose in front, placeholders, merge markers."""
    lines = _without_prompts(lines)
    lines = _without_numbers(lines)
    lines = [line for line in lines if not (_FENCE.match(line.text) or _MERGE.match(line.text))]
    lines = _without_prose(lines)
    return with_bodies(_without_placeholders(dedent(lines)))


def heads(lines: list[Line]) -> list[list[Line]]:
    """Return the code with each way to read a beginning that was cut off, likeliest first.

    A statement begun before the code is left out; text up to a closing triple quote is taken for
    the rest of a docstring.
    """
    found = [lines]
    cut = _after_closers(lines)
    if cut:
        found.append(lines[cut:])
    for quote in ('"""', "'''"):
        first = next((n for n, line in enumerate(lines) if quote in line.text), None)
        if first is not None:
            blanks = lines[first].text[: lines[first].indent]
            found.append([added(blanks + quote, lines[0].start), *lines])
    return found


def _after_closers(lines: list[Line]) -> int:
    """Return the number of the line after the last bracket that nothing opens."""
    depth = lowest = cut = 0
    for number, line in enumerate(lines):
        depth += sum(line.text.count(mark) for mark in "([{")
        depth -= sum(line.text.count(mark) for mark in ")]}")
        if depth < lowest:
            lowest, cut = depth, number + 1
    return cut if cut < len(lines) else 0


def with_bodies(lines: list[Line]) -> list[Line]:
    """Return the lines with a `pass` after each header that has no body."""
    shape = outline(lines)
    result: list[Line] = []
    header: Line | None = None
    for line, begins, bare in zip(lines, shape.begins, shape.bare, strict=True):
        if header is not None and bare:
            if begins and line.indent <= header.indent:
                result.append(_body_of(header))
            header = None
        result.append(line)
        if bare.endswith(":") and (_OPENER.match(bare) or bare.lstrip().startswith(")")):
            header = line
    if header is not None:
        result.append(_body_of(header))
    return result


def complete_tail(lines: list[Line]) -> list[Line]:
    """Return the lines with all that is open at the end closed."""
    shape = outline(lines)
    end = lines[-1].start + len(lines[-1].text) - lines[-1].pad
    if shape.torn and len(lines) > 1:
        lines = lines[:-1]
        shape = outline(lines)
    closed = [*lines, added(shape.pending, end)] if shape.pending else lines
    last = next((bare for bare in reversed(shape.bare) if bare), "")
    if _OPENER.match(last) and not last.endswith(":") and len(closed) > 1:
        closed = closed[:-1] if closed is lines else closed
    return _with_handler(with_bodies(closed), end)


def wrap(lines: list[Line]) -> Wrapped:
    """Return the lines inside the blocks that their indentation says they come from."""
    shape = outline(lines)
    levels: list[tuple[int, str, str]] = []  # indent, its blanks, kind of header
    for line, begins, bare in zip(lines, shape.begins, shape.bare, strict=True):
        if not begins or not bare.strip():
            continue
        kind = _header_for(bare)
        blanks = line.text[: line.indent]
        if not levels:
            levels.append((line.indent, blanks, kind))
            if kind:
                levels.append((line.indent, blanks, kind))
        elif line.indent < levels[-1][0]:
            levels.append((line.indent, blanks, kind))
        if line.indent == 0:
            break
    if not levels:
        return Wrapped(lines, 0)
    start = lines[0].start
    headers = []
    first_indent, first_blanks, _ = levels[0]
    for indent, blanks, kind in reversed(levels[1:]):
        headers.append(added(f"{blanks}{kind or 'if True:'}", start))
        if indent == first_indent:
            headers.append(added(f"{first_blanks} pass", start))
    if levels[-1][0] > 0:
        headers.insert(0, added("if True:", start))
    return Wrapped([*headers, *lines], len(headers))


def prefixes(lines: Sequence[Line]) -> list[int]:
    """Return the numbers of lines after which the code may be cut off, ascending."""
    begins = outline(lines).begins
    return [number for number in range(1, len(lines)) if begins[number]] + [len(lines)]


def unwrap(tree: ast.Module, openers: int) -> None:
    """Take the blocks out of the tree that `wrap` put around it."""
    while tree.body and tree.body[0].lineno <= openers:
        first = tree.body[0]
        if not isinstance(first, ast.If) or first.orelse:
            return
        tree.body[:1] = first.body


def _header_for(bare: str) -> str:
    if _FINALLY.match(bare):
        return "try:"
    return "if True:" if _ELSE.match(bare) else ""


def _body_of(header: Line) -> Line:
    end = header.start + len(header.text) - header.pad
    return added(f"{header.text[: header.indent]} pass", end)


def _with_handler(lines: list[Line], end: int) -> list[Line]:
    """Close a `try` that the end cuts off from its handler."""
    open_tries: list[str] = []
    shape = outline(lines)
    for line, begins, bare in zip(lines, shape.begins, shape.bare, strict=True):
        if not begins or not bare.strip():
            continue
        blanks = line.text[: line.indent]
        while open_tries and len(open_tries[-1]) > line.indent:
            open_tries.pop()
        if re.match(r"\s*try\s*:", bare):
            open_tries.append(blanks)
        elif open_tries and len(open_tries[-1]) == line.indent:
            open_tries.pop()
    handlers = [added(f"{blanks}finally: pass", end) for blanks in reversed(open_tries)]
    return [*lines, *handlers] if handlers else lines


def _without_prompts(lines: list[Line]) -> list[Line]:
    if not any(_FIRST_PROMPT.match(line.text) for line in lines):
        return lines
    if any('"""' in line.text or "'''" in line.text for line in lines):
        return lines  # prompts in a docstring are no transcript
    found = [(line, _PROMPT.match(line.text)) for line in lines]
    return [line.cut(match.end()) for line, match in found if match]


def _without_numbers(lines: list[Line]) -> list[Line]:
    filled = [line for line in lines if line.text.strip()]
    found = [_NUMBER.match(line.text) for line in filled]
    numbers = [int(match.group(1)) for match in found if match]
    if len(numbers) < 2 or len(numbers) < len(filled) or numbers != sorted(set(numbers)):
        return lines
    width = min(match.end() for match in found if match)
    cut = []
    for line in lines:
        match = _NUMBER.match(line.text)
        cut.append(line.cut(max(width, match.end()) if match else 0))
    return cut


def _without_prose(lines: list[Line]) -> list[Line]:
    number = 0
    for line in lines[:_MAX_PROSE_LINES]:
        text = line.text
        prose = _PROSE.match(text) and not _CODE_WORD.match(text)
        if text.strip() and not prose and not _TAG.match(text):
            break
        number += 1
    return lines[number:] if number < len(lines) else lines


def _without_placeholders(lines: list[Line]) -> list[Line]:
    shape = outline(lines)
    result = []
    for line, begins, bare in zip(lines, shape.begins, shape.bare, strict=True):
        if begins and bare and _PLACEHOLDER.match(bare) and not _is_expression(bare):
            line = added(f"{line.text[: line.indent]}pass", line.start)
        result.append(line)
    return result


def _is_expression(text: str) -> bool:
    try:
        ast.parse(text.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
