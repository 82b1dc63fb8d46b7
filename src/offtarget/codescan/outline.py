"""Where statements begin and what is left open at the end, found without parsing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from offtarget.codescan.place import Line

_TOKEN = re.compile(
    r"""(?P<comment>\#.*)
    | (?P<triple>\"{3}|'{3})
    | (?P<string>"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+')
    | (?P<torn>["'])
    | (?P<open>[(\[{])
    | (?P<close>[)\]}])""",
    re.VERBOSE,
)
_STATEMENT = re.compile(
    r"\s*(?:(?:async\s+)?def\s|class\s|return\b|import\s|from\s+\S+\s+import\b|raise\b|while\s"
    r"|try\s*:|except\b|finally\s*:|with\s|elif\s|@\w|(?:if|for)\s.*:\s*$|[a-z_]\w*\s=\s)"
)
_CLOSERS = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Outline:
    """What a linear look at the brackets and quotes of some code tells."""

    begins: tuple[bool, ...]
    """For each line, whether a statement may begin there: not in a string or a bracket."""
    bare: tuple[str, ...]
    """Each line without its comment and trailing blanks; empty inside a string."""
    pending: str
    """The text that closes all that is open at the end."""
    torn: bool
    """Whether the last line breaks off inside a one-line string."""


def outline(lines: Sequence[Line]) -> Outline:
    """Return where statements of the code begin; a keyword resets brackets left open."""
    begins, bare = [], []
    stack: list[str] = []
    triple = ""
    torn = joined = False
    for line in lines:
        if not triple and stack and _STATEMENT.match(line.text) and "=" not in line.text[:40]:
            stack.clear()
        begins.append(not (triple or stack or joined))
        triple, torn, code_end = _scan_line(line.text, triple, stack)
        text = line.text[:code_end].rstrip()
        bare.append(text)
        joined = text.endswith("\\")
    closers = "".join(_CLOSERS[bracket] for bracket in reversed(stack))
    return Outline(tuple(begins), tuple(bare), triple + closers, torn)


def _scan_line(text: str, triple: str, stack: list[str]) -> tuple[str, bool, int]:
    """Follow quotes and brackets through one line.

    Returns the quotes of the string still open after it, whether a one-line string breaks off,
    and where the code of the line ends.
    """
    position = 0
    torn = False
    while position < len(text):
        if triple:
            end = text.find(triple, position)
            if end < 0:
                return triple, False, 0
            position, triple = end + 3, ""
            continue
        token = _TOKEN.search(text, position)
        if token is None:
            break
        position = token.end()
        kind = token.lastgroup
        if kind == "comment":
            return "", torn, token.start()
        if kind == "triple":
            triple = token.group()
        elif kind == "torn":
            torn = True
        elif kind == "open":
            stack.append(token.group())
        elif kind == "close" and stack:
            stack.pop()
    return triple, torn, len(text)
