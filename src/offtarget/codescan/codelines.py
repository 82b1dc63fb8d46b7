"""Runs of lines that are code, told from prose line by line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

_MAX_LINE = 400
"""How many characters of a line are looked at."""
_MIN_STRONG = 2
"""Lines that only code has which a run needs: one alone may be an example inside a sentence."""


class LineKind(Enum):
    """What one line says about the text around it."""

    STRONG = "strong"
    """Only code has such a line."""
    WEAK = "weak"
    """Code may well have it, prose hardly."""
    NEUTRAL = "neutral"
    """Blank, a comment or indented: it belongs to what stands around it."""
    PROSE = "prose"


_SURE = re.compile(
    r"""(?:\s*+from\ [\w.]+\ import\ (?:\*|\(|\w+(?:\ as\ \w+)?(?:,\ ?\w+(?:\ as\ \w+)?)*,?\s*(?:\#.*)?$)
    | \s*+import\ [\w.]+(?:\ as\ \w+)(?:,\ ?[\w.]+(?:\ as\ \w+)?)*\s*$
    | \s*+\w+(?:,\ ?\w+)*\ =\ [\w.]+[(\[]
    | \s++(?:if|elif|while|for|with|except)\b.*:\s*(?:\#.*)?$
    | (?:async\ )?for\ \w+(?:,\ ?\w+)*\ in\ [\w.()\[\],]+:\s*$
    )""",
    re.VERBOSE,
)
_STRONG = re.compile(
    r"""\s*+(?:
      import\ [\w.]+(?:\ as\ \w+)?(?:,\ ?[\w.]+(?:\ as\ \w+)?)*;?\s*$ | from\ [\w.]+\ import\ [\w*(]
    | (?:async\ )?def\ \w+\s?\( | class\ \w+(?:\s?\([^)]*\)|\s[\w\s,:.<>]*)?\s?[:{]\s*$
    | @\w[\w.]*(?:\(.*)?$
    | (?:if|elif|while|for|with|except|switch|foreach|catch)\b.*[:{]\s*(?:\#.*)?$
    | (?:else|try|finally)\s?[:{]\s*$ | \}\s*(?:else|catch|finally)\b
    | \#\s?(?:include|define|ifdef|ifndef|endif|pragma)\b | <\?php | <!DOCTYPE | package\ [\w.]+;?\s*$
    | (?:pub\ )?fn\ \w+ | func\ (?:\([^)]*\)\s?)?\w+\( | use\ [\w:]+(?:::|;)
    | (?:export\ )?(?:async\ )?function\s?\*?\ ?\w*\s?\(
    | (?:public|private|protected|internal|static)\ [\w<>\[\],. ]+[({;=]
    | (?:const|let|var|final|auto)\ [\w{\[]+.*[=;]
    | (?:SELECT\ .*\bFROM|INSERT\ INTO|CREATE\ (?:TABLE|INDEX|VIEW)|UPDATE\ \w+\ SET|DELETE\ FROM)\ ?\b
    | (?:raise|throw|return|yield|await|del|assert|global|print|echo|puts)\b[ (].*[)\]};'"]\s*$
    | return\ (?:\w+|\w+\.\w+|-?\d+|None|True|False)\s*;?\s*$
    | (?:\w+\ ){0,2}[$*&@]?[A-Za-z_][\w.$]*(?:->\w+)?(?:\[[^\]]*\])?(?:\ ?:\ ?[\w\[\]., |]+)?
      \ ?(?:[-+*/%|&^.:]|//|\*\*|<<|>>)?=(?!=)\ ?[^\s=].*
    | [A-Za-z_$][\w.$]*(?:::|->)?[\w.]*\([^)]*\)?.*[)({;,:\[]\s*(?:\#.*|//.*)?$
    | .*[)\]\w"'];\s*(?://.*|/\*.*)?$
    | .*(?:\)|\w)\s?\{\s*$
    )""",
    re.VERBOSE,
)
_WEAK = re.compile(
    r"""\s*+(?:
      [)\]}]+[;,:)]*\s*$ | [({\[]\s*$ | [\w."'\[\]]+\s?:\s?.*[,{\[(]\s*$
    | (?:"[^"]*"|'[^']*'|[\w.]+)\s*[,)]\s*$ | </?\w+[^>]*> | [\w.]+\([^)]*\)\s*$
    | (?:return|pass|break|continue|end|fi|done|raise|yield)\s*;?\s*$
    | (?:raise|return|throw|yield|assert|print)\ \S
    | f?[rb]?\"{3} | f?[rb]?'{3} | [-+*/%|&]{1,2}\ \w | (?:and|or)\ \w
    )""",
    re.VERBOSE,
)
_COMMENT = re.compile(r"\s*+(?:#|//|/\*|\*/|\*\s|--\s|<!--)")
_SENTENCE = re.compile(
    r"\s*+(?:[-*+•]|\d+[.)])?\s*[\"'(*_]*[A-Za-z][\w'\u2019,-]*(?:[ ][^\s=(){};_<>$\[\]]+){3,}"
)
_SYMBOLS = re.compile(r"[=(){}\[\];<>$_\"']")
_LIST = re.compile(r"\s*+(?:[-*+•]|\d{1,3}[.)])\s+\S")


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of lines that are code; offsets in the text."""

    start: int
    end: int
    n_strong: int


def kind_of_line(line: str) -> LineKind:
    """Return what one line, without its end, says."""
    return _kind_of(line[:_MAX_LINE])


@lru_cache(maxsize=4096)
def _kind_of(line: str) -> LineKind:
    if not line.strip():
        return LineKind.NEUTRAL
    if _COMMENT.match(line):
        return LineKind.NEUTRAL
    if _SURE.match(line):
        return LineKind.STRONG
    if _STRONG.match(line) and not _reads_as_prose(line):
        return LineKind.STRONG
    if _LIST.match(line):
        return LineKind.PROSE
    if _WEAK.match(line) and not _reads_as_prose(line):
        return LineKind.WEAK
    if line[0] in " \t":
        return LineKind.NEUTRAL
    return LineKind.PROSE


def code_runs(text: str, start: int, end: int) -> Iterator[Run]:
    """Yield the maximal stretches of code between two offsets, in order.

    Text inside triple quotes counts as code once the run has begun.
    """
    first = last = -1
    n_strong = 0
    quote = ""
    position = start
    while position < end:
        line_end = text.find("\n", position, end)
        line_end = end if line_end < 0 else line_end
        line = text[position : min(line_end, position + 4 * _MAX_LINE)]
        kind = LineKind.WEAK if quote else kind_of_line(line)
        if kind is LineKind.PROSE and first >= 0:
            if n_strong >= _MIN_STRONG:
                yield Run(first, last, n_strong)
            first, n_strong = -1, 0
        elif kind in (LineKind.STRONG, LineKind.WEAK) or (first < 0 and _COMMENT.match(line)):
            first = position if first < 0 else first
            last = line_end
            n_strong += kind is LineKind.STRONG
        if first >= 0:
            quote = _open_quote(line, quote)
        position = line_end + 1
    if first >= 0 and n_strong >= _MIN_STRONG:
        yield Run(first, end if quote else last, n_strong)


def _reads_as_prose(line: str) -> bool:
    """Return whether it is a sentence that merely holds a character that code has too."""
    if not _SENTENCE.match(line):
        return False
    text = line.strip()
    symbols = len(_SYMBOLS.findall(text))
    ends = text.endswith((".", "?", "!", ":", ",")) and not text.endswith(("):", "),", "]:"))
    return symbols * 12 < len(text) if ends else symbols * 25 < len(text)


def _open_quote(line: str, quote: str) -> str:
    """Return the triple quote that is open after a line."""
    if not quote and '"""' not in line and "'''" not in line:
        return ""
    position = 0
    while True:
        if quote:
            position = line.find(quote, position)
            if position < 0:
                return quote
            position, quote = position + 3, ""
        else:
            found = [(line.find(mark, position), mark) for mark in ('"""', "'''")]
            found = [pair for pair in found if pair[0] >= 0]
            if not found:
                return ""
            position, quote = min(found)
            position += 3
