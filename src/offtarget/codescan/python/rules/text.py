"""Text patterns for code that does not parse: few, and less sure."""

import re
from typing import Final

from offtarget.codescan.flaw import Flaw
from offtarget.core.finding import Severity

MAX_CHARACTERS: Final = 200_000
"""Longer code that does not parse is left unread."""

_FACTOR: Final = 0.5
_PATTERNS: Final = (
    ("OT-PY-010", "CWE-78", r"\bos\.(?:system|popen)\([^)\n]{0,200}[%+{]"),
    ("OT-PY-010", "CWE-78", r"\bsubprocess\.\w+\([^)\n]{0,300}shell\s*=\s*True"),
    ("OT-PY-012", "CWE-94", r"(?<![\w.])(?:eval|exec)\s*\(\s*[A-Za-z_]"),
    ("OT-PY-022", "CWE-732", r"\bchmod\([^)\n]{0,200}0o?[0-7]?[0-7]{2}[2367]\b"),
    (
        "OT-PY-001",
        "CWE-89",
        r"\.execute\(\s*(?:f[\"']|[\"'][^\"'\n]{0,300}[\"']\s*(?:%|\+|\.format))",
    ),
    ("OT-PY-050", "CWE-502", r"\b(?:c?[pP]ickle|marshal|dill)\.loads?\("),
    ("OT-PY-051", "CWE-502", r"\byaml\.load\((?![^)\n]{0,200}Safe)"),
    ("OT-PY-040", "CWE-79", r"\bautoescape\s*=\s*False"),
    ("OT-PY-061", "CWE-295", r"\bverify\s*=\s*False"),
    ("OT-PY-021", "CWE-22", r"\btar\w*\.extractall\((?![^)\n]{0,200}filter)"),
    ("OT-PY-071", "CWE-328", r"\bhashlib\.(?:md5|sha1)\("),
)
_COMPILED: Final = tuple((rule, cwe, re.compile(text)) for rule, cwe, text in _PATTERNS)


def text_flaws(code: str) -> tuple[Flaw, ...] | None:
    """Return what the patterns find; None if the code is too long to be tried."""
    if len(code) > MAX_CHARACTERS:
        return None
    flaws = []
    for rule, cwe, pattern in _COMPILED:
        for match in pattern.finditer(code):
            flaws.append(
                Flaw(
                    rule=rule,
                    cwe=cwe,
                    severity=Severity.LOW if rule == "OT-PY-071" else Severity.MEDIUM,
                    confidence=0.8 * _FACTOR,
                    engine="offtarget",
                    start=match.start(),
                    end=match.end(),
                    text="Looks like the flaw of this rule; the code does not parse.",
                )
            )
    return tuple(sorted(flaws, key=lambda flaw: (flaw.start, flaw.end, flaw.rule)))
