"""How many rows hold keys, tokens and passwords."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from offtarget.curate.secrets import Secret

MAX_ROWS = 100
"""Rows that are named for each kind."""


@dataclass(frozen=True, slots=True)
class SecretKind:
    """One kind of secret in a data set."""

    kind: str
    count: int
    n_rows: int
    n_placeholders: int
    """Stand-ins of this kind, which are not in `count`."""
    rows: tuple[str, ...]
    """`FILE:ROW` of the first rows, at most 100."""
    masked: str
    """The first one, masked."""


class SecretCounts:
    """Counts secrets over rows."""

    def __init__(self) -> None:
        self._kinds: dict[str, _Tally] = {}

    def add(self, place: str, secrets: Sequence[Secret]) -> None:
        """Count one row's secrets; `place` names the row."""
        for secret in secrets:
            tally = self._kinds.setdefault(secret.kind, _Tally())
            if secret.is_placeholder:
                tally.n_placeholders += 1
                continue
            tally.count += 1
            tally.masked = tally.masked or secret.masked
            if tally.last != place:
                tally.last = place
                tally.n_rows += 1
                if len(tally.rows) < MAX_ROWS:
                    tally.rows.append(place)

    def result(self) -> tuple[SecretKind, ...]:
        """Return the kinds that were found, the most rows first."""
        found = (
            SecretKind(name, t.count, t.n_rows, t.n_placeholders, tuple(t.rows), t.masked)
            for name, t in self._kinds.items()
        )
        return tuple(sorted(found, key=lambda one: (-one.n_rows, -one.n_placeholders, one.kind)))


@dataclass(slots=True)
class _Tally:
    count: int = 0
    n_rows: int = 0
    n_placeholders: int = 0
    rows: list[str] = field(default_factory=list)
    masked: str = ""
    last: str = ""
