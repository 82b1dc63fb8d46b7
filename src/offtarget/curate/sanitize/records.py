"""What a sanitizer changes in one snippet, and what it promises of the change."""

from dataclasses import dataclass
from enum import StrEnum

from offtarget.codescan.flaw import Flaw


class FixStatus(StrEnum):
    """How far the flaws of one snippet could be taken out."""

    FIXED = "fixed"
    """None of them is left, and every obligation holds."""
    PARTLY = "partly"
    """Some are left; every obligation holds of what was changed."""
    NOT_FIXABLE = "not_fixable"
    """Nothing was changed; the reason says why."""


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """One replacement: `code[start:end]` becomes `text`."""

    start: int
    end: int
    text: str
    rule: str
    """Of the flaw that asked for it."""
    kind: str
    """Id of the fix kind, or `import`."""
    reason: str
    """What the change does, in a few words."""


@dataclass(frozen=True, slots=True)
class Obligation:
    """One promise about a rewrite, and whether it was kept."""

    name: str
    held: bool
    detail: str = ""
    """Where it was not: what broke it."""


@dataclass(frozen=True, slots=True)
class Sanitized:
    """A snippet after its flaws were taken out as far as possible."""

    code: str
    status: FixStatus
    edits: tuple[Edit, ...] = ()
    """Against the original code, sorted, without overlap."""
    obligations: tuple[Obligation, ...] = ()
    left: tuple[Flaw, ...] = ()
    """Flaws at the gate or above that are still found, in the new code."""
    reason: str = ""
    """Why flaws are left; empty where it is fixed."""


@dataclass(frozen=True, slots=True)
class Change:
    """One replacement that a fix asks for."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A proposal: changes that belong together, and the imports that they need."""

    changes: tuple[Change, ...]
    imports: tuple[str, ...] = ()
    """Whole import statements of one name each: `import secrets`, `from html import escape`."""
    guards: tuple[str, ...] = ()
    """Helper definitions that must stand after the imports."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a fix kind leaves a flaw alone."""

    reason: str
