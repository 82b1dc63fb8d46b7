"""Kinds of flaws: the part of the Common Weakness Enumeration that rules and data sets use."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from offtarget.core.errors import DataError
from offtarget.core.yamlfile import read_yaml

UNSTATED = "CWE-0"
"""Stands where another tool's rule names no kind."""
_TABLE = Path(__file__).parent / "data" / "cwe.yaml"
_ID = re.compile(r"CWE-([1-9][0-9]{0,4})(?![0-9])")


@dataclass(frozen=True, slots=True)
class Cwe:
    """One kind of flaw."""

    id: str
    """`CWE-89`."""
    name: str
    """MITRE's own name."""
    short: str
    """Ours, at most five words: `SQL injection`."""
    kind_of: tuple[str, ...] = ()
    """The next wider kinds that still name this flaw."""

    @property
    def url(self) -> str:
        """Where MITRE describes it."""
        return f"https://cwe.mitre.org/data/definitions/{self.id.removeprefix('CWE-')}.html"


def cwe(id: str) -> Cwe:
    """Return the kind of flaw with this id, `CWE-89`.

    Raises:
        DataError: If the table does not hold it.
    """
    found = table().get(id)
    if found is None:
        raise DataError(
            f"{id!r}: not in the table of CWEs; write it as 'CWE-89' or add it to data/cwe.yaml"
        )
    return found


@cache
def table() -> Mapping[str, Cwe]:
    """Return every kind that is known, by id, in numeric order.

    Other tools and data sets may name kinds that are not in it: look those up with `.get`.
    """
    entries = read_yaml(_TABLE, what="table of CWEs", error=DataError, is_ours=True)
    kinds = {
        id: Cwe(id, entry["name"], entry["short"], tuple(entry.get("kind_of", ())))
        for id, entry in entries.items()
    }
    return MappingProxyType(kinds)


def find_cwe(text: str) -> str | None:
    """Return the first id written in `text`, or None: `CWE-95: Eval Injection` gives `CWE-95`."""
    found = _ID.search(text)
    return found.group() if found else None


def covers(reported: str, truth: str) -> bool:
    """Return whether a finding of kind `reported` names a flaw of kind `truth`.

    It does if the two are the same, or one is a kind of the other: the memory error CWE-119 covers
    the out-of-bounds write CWE-787, and CWE-564 covers CWE-89. Two kinds of a third do not cover
    each other. Ids outside the table cover only themselves.
    """
    return reported == truth or reported in _wider(truth) or truth in _wider(reported)


@cache
def _wider(id: str) -> frozenset[str]:
    """Return every kind that `id` is a kind of, itself left out."""
    known = table().get(id)
    wider: set[str] = set()
    for parent in known.kind_of if known else ():
        wider |= {parent} | _wider(parent)
    return frozenset(wider)
