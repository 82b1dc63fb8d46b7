"""What an engine says of one snippet: its flaws, and whether it could read it at all."""

from dataclasses import dataclass
from enum import StrEnum

from offtarget.core.finding import Severity


class Reading(StrEnum):
    """How a snippet's code was read; a later one is less sure."""

    WHOLE = "whole"
    """It parses as it stands."""
    REPAIRED = "repaired"
    """It parses after dedenting, wrapping, or leaving out markers or a cut-off tail."""
    TOLERANT = "tolerant"
    """A parser that steps over errors read it."""
    PARTLY = "partly"
    """Read but for what nests too deep: that part is not known to be clean."""
    PATTERNS = "patterns"
    """Nothing parses; only text patterns were tried."""
    SKIPPED = "skipped"
    """Not parsed, because no rule of the engine can match whatever it parses to."""
    UNPARSED = "unparsed"
    """Not read: it is not known to be clean."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """One piece of code, as an engine gets it."""

    language: str
    """A value of `Language`."""
    code: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a data flow inside a snippet: character offsets and a few words."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Flaw:
    """One claimed flaw inside a snippet; `start` and `end` are character offsets, end exclusive."""

    rule: str
    cwe: str
    severity: Severity
    confidence: float
    engine: str
    start: int
    end: int
    text: str
    trace: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Scanned:
    """What one engine found in one snippet."""

    reading: Reading
    flaws: tuple[Flaw, ...] = ()
    """Sorted by start, end and rule."""
