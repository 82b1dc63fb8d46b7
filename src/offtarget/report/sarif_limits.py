"""How large a SARIF file may be for the viewers that read it, and text cut to fit."""

import re
from dataclasses import dataclass

from offtarget.report.sarif_records import Message
from offtarget.report.text import ELLIPSIS, safe_text

_PLACEHOLDER = re.compile(r"\{(\d+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SarifLimits:
    """What is kept; results that do not fit are left out, the least severe first, and counted."""

    n_results: int
    n_rules: int
    n_engines: int
    n_steps: int
    """Steps of one data flow; the first and the last are kept."""
    n_tags: int
    compressed_bytes: int
    """Of the whole file, through gzip."""
    description: int = 1_024
    """Characters of a title, description or message."""
    id: int = 255
    """Characters of a rule's id."""
    snippet: int = 1_000
    """Characters of code around a flaw."""
    step_snippet: int = 200
    """Characters of code around one step."""
    fix: int = 10_000
    """Characters that a fix may insert; a longer one is left out, never cut."""


GITHUB = SarifLimits(
    n_results=25_000,
    n_rules=25_000,
    n_engines=100,
    n_steps=1_000,
    n_tags=10,
    compressed_bytes=10_000_000,
)
"""Of GitHub code scanning: more results, rules, extensions or bytes and the upload is refused;
more steps or tags are not shown. It shows 5,000 of the results, the most severe ones.

Source: docs.github.com, SARIF support for code scanning, 2025.
"""


def shown(text: str, limit: int) -> str:
    """Return `text` without hidden characters and with at most `limit` characters; never empty."""
    safe = safe_text(text[: limit + 1], keep_lines=True)
    return (safe if len(safe) <= limit else safe[: limit - 1] + ELLIPSIS) or "-"


def message(text: str, limit: int) -> Message:
    """Return `text` as a message that holds no link and no placeholder.

    The standard (3.11.5) has every brace doubled; viewers show them doubled, so only what would
    read as a placeholder, `{0}`, is.
    """
    plain = shown(" ".join(text.split()), limit).replace("](", "] (")  # 3.11.6: [text](link)
    return Message(text=_PLACEHOLDER.sub(r"{{\1}}", plain))
