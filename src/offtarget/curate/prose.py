"""What a message says in words, with its code blanked out and every offset kept."""

import re

MAX_CHARS = 20_000
"""Of one message that are read: the first 12,000 and the last 8,000."""
_HEAD = 12_000

_BLOCK = re.compile(
    r"```.*?(?:```|\Z)"
    r"|(?P<open><{1,2}[ ]{0,3}(?:code|template|snippet|file)[ ]{0,3}>{1,2}).*?"
    r"(?:<{1,2}[ ]{0,3}/[ ]{0,3}(?:code|template|snippet|file)[ ]{0,3}>{1,2}|\Z)"
    r"|`[^`\n]{1,200}`",
    re.DOTALL | re.IGNORECASE,
)
_CODE_LINE = re.compile(
    r"[ \t]{0,200}(?:"
    r"(?:import|from|using|package|include|require)[ \t]+[\w.*{\"'<]+[ \t]*(?:$|;|,|import\b|as\b|from\b)"
    r"|(?:async[ \t]+)?(?:def|func|fn|function)[ \t]+\w+[ \t]*[(<]"
    r"|(?:public|private|protected|static|const|let|var|void|int|char|struct|enum)\b.*[;{(=]"
    r"|(?:class|interface|namespace)[ \t]+\w+.{0,80}[:{]$"
    r"|@\w[\w.]*(?:\(|$)"
    r"|#(?:include|define|!|ifdef|ifndef|endif|pragma)\b"
    r"|//|/\*|\*/|<[/!a-zA-Z?]"
    r"|[\w.\[\]'\"(), ]{1,80}[-+*/|:%]?=(?!=)[ \t]*\S"
    r"|(?:if|for|while|elif|with|except|switch|catch)\b.*[:{]$"
    r"|(?:try|else|finally|do)[ \t]*[:{]$"
    r"|return\b[ \t]*(?:$|[\w.\"'\[({-]+(?:$|[(\[.,;]|[ \t]*[-+*/<>=]))"
    r"|(?:await[ \t]+)?[A-Za-z_][\w.]{0,80}\("
    r"|[)}\]'\"]+[),;:]*$"
    r"|.*[{;]$"
    r"|(?:pass|break|continue|\.\.\.|%%|---)$"
    r"|(?:SELECT|INSERT|UPDATE|DELETE|CREATE|DROP)[ ]"
    r")"
)
_INDENTED = re.compile(r"[ \t]{2,}\S|\t\S")
_SPEECH = re.compile(
    r"[ \t]*(?:[-*>\d.)]{1,3}[ ])?[\"'(]?[A-Za-z][\w'-]*[,:;]?(?:[ ][^\s]+){3,}[.?!:]?\s*$"
)
_COMMENT = re.compile(r"(?:#|//|/\*|<!--|(?:^|[ \t])--[ ]|^[ \t]*\*[ ])[ \t]?(.*)$")
_QUOTES = re.compile(r"'''|\"\"\"")


def cut(text: str) -> tuple[str, bool]:
    """Return what is read of a message, and whether something was left out.

    The left-out middle is replaced by nothing; offsets hold for the first 12,000 characters only,
    see `offset_in_full`.
    """
    if len(text) <= MAX_CHARS:
        return text, False
    return text[:_HEAD] + text[len(text) - (MAX_CHARS - _HEAD) :], True


def offset_in_full(offset: int, *, full_length: int) -> int:
    """Return where in the whole message an offset of the cut text lies."""
    if full_length <= MAX_CHARS or offset < _HEAD:
        return offset
    return offset + full_length - MAX_CHARS


def prose_of(text: str) -> str:
    """Return the text with code turned to spaces: same length, same line breaks.

    Code is what stands in fences, code tags and backticks, and lines outside that read like code.
    """
    if "`" in text or "<" in text:
        text = _BLOCK.sub(lambda match: _blank(match.group()), text)
    lines = text.split("\n")
    in_code = False
    for index, line in enumerate(lines):
        stripped = line.strip()
        if not stripped:
            continue
        in_code = _is_code(line, stripped, in_code)
        if in_code:
            lines[index] = " " * len(line)
    return "\n".join(lines)


def remarks_of(text: str) -> str:
    """Return the prose and the comments and docstrings of code; all else turned to spaces."""
    prose = prose_of(text).split("\n")
    open_quote = ""
    for index, line in enumerate(text.split("\n")):
        if prose[index].strip():
            continue
        kept, open_quote = _remark(line, open_quote)
        prose[index] = kept
    return "\n".join(prose)


def holds_code(text: str) -> bool:
    """Return whether the text has a fence, or a line that reads like code."""
    if "```" in text:
        return True
    return any(_CODE_LINE.match(line.rstrip()) for line in text[:MAX_CHARS].split("\n"))


def _is_code(line: str, stripped: str, in_code: bool) -> bool:
    if _CODE_LINE.match(line.rstrip()):
        return True
    if in_code and (_INDENTED.match(line) or stripped[0] in "#)}]*"):
        return True
    return in_code and not _SPEECH.match(line)


def _remark(line: str, open_quote: str) -> tuple[str, str]:
    """Return the line with all but its remark blanked, and the docstring quote still open."""
    if open_quote:
        end = line.find(open_quote)
        if end < 0:
            return line, open_quote
        return line[:end] + " " * (len(line) - end), ""
    quote = _QUOTES.search(line)
    if quote and not line[: quote.start()].strip(" \trRbBuUfF"):
        end = line.find(quote.group(), quote.end())
        if end < 0:
            return " " * quote.end() + line[quote.end() :], quote.group()
        kept = line[quote.end() : end]
        return " " * quote.end() + kept + " " * (len(line) - end), ""
    comment = _COMMENT.search(line)
    if comment is None:
        return " " * len(line), ""
    start = comment.start(1)
    return " " * start + line[start:], ""


def _blank(text: str) -> str:
    return "".join("\n" if char == "\n" else " " for char in text)
