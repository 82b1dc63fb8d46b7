"""Fingerprints: the same flaw has the same one after rows were added, removed or moved."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field

from offtarget.core.finding import Finding

KEY = "primaryLocationLineHash"
"""The one partial fingerprint that GitHub code scanning reads."""


def fingerprint(finding: Finding, code_line: str, *, before: str = "", after: str = "") -> str:
    """Return the hash of what a flaw is, without where it is: 16 hex digits.

    It covers the rule, the origin and the code with its white space squeezed. It does not cover
    the row, the message's index, the file, the severity and confidence, which change with the
    rules' version, and the text of the conversation around the code.

    Args:
        finding: The claimed flaw.
        code_line: The lines that hold the flaw; empty where the code is not at hand.
        before: The nearest line of code above them.
        after: The nearest line of code below them.
    """
    parts = (finding.rule, finding.origin.value, *map(_squeezed, (code_line, before, after)))
    content = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(content).hexdigest()[:16]


@dataclass(slots=True)
class Ordinals:
    """Counts equal fingerprints in each file, in the order of its findings."""

    _counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def numbered(self, file: str, print_: str) -> str:
        """Return the fingerprint with its number in the file: `9f86d081884c7d65:2`."""
        self._counts[file, print_] += 1
        return f"{print_}:{self._counts[file, print_]}"


def _squeezed(code: str) -> str:
    return " ".join(code.split())
