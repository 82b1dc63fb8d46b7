"""How often the engines are wrong, as measured on published labelled data."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from offtarget.core.codec import decode
from offtarget.core.errors import DataError
from offtarget.core.finding import Severity
from offtarget.core.yamlfile import read_yaml
from offtarget.curate.view.prevalence import ErrorCounts

ANY = "any"
"""Stands for a flaw of whatever kind."""
_FILE = Path(__file__).parents[1] / "data" / "engine_errors.yaml"


@dataclass(frozen=True, slots=True)
class ErrorSource:
    """Labelled data that errors were measured on."""

    name: str
    source: str
    """Where it is public: repository@commit:path."""
    caution: str = ""
    """Why the figures may flatter the engines."""


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """How often one kind of flaw is missed and made up."""

    kind: str
    """`CWE-89`, or `any`."""
    vulnerable: str
    """Key of the source of the vulnerable cases."""
    safe: str
    """Key of the source of the safe ones."""
    counts: Mapping[Severity, ErrorCounts]
    """By gate: a case counts as found if it has a finding of this kind there or above."""


@dataclass(frozen=True, slots=True)
class EngineErrors:
    """Every measured error rate and what it holds for."""

    command: str
    """What measured it."""
    language: str
    engines: Mapping[str, str]
    """Name and version of the engines that were measured, together."""
    sources: Mapping[str, ErrorSource]
    rates: tuple[ErrorRate, ...]


@functools.cache
def engine_errors() -> EngineErrors:
    """Return the shipped error rates, read on the first call.

    Raises:
        DataError: If the package's own file is damaged.
    """
    return decode(
        read_yaml(_FILE, what="table of error rates", error=DataError, is_ours=True),
        EngineErrors,
        place=_FILE.name,
        error=DataError,
    )
