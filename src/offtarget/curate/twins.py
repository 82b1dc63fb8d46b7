"""Twins: samples as they were and as they were rewritten, each pair a matched subject and control."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from offtarget.core.codec import decode, parse, read_lines
from offtarget.core.errors import DataError
from offtarget.core.records import Sample
from offtarget.curate.ledger import CHANGED, SampleState


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """One sample twice; both carry the same id."""

    id: str
    """The input's file and 1-based row, `train.jsonl:12`."""
    kind: SampleState
    """`sanitized` or `reframed`."""
    rules: tuple[str, ...]
    """Rules of the findings in the original, sorted, each once."""
    fixes: tuple[str, ...] = ()
    """Kinds of the fixes that were made, sorted, each once."""
    original: Sample
    rewritten: Sample


@dataclass(frozen=True, slots=True)
class Twins:
    """Matched arms: position i of one is the other version of position i of the other."""

    originals: tuple[Sample, ...]
    rewritten: tuple[Sample, ...]


def load_twins(path: Path, *, kind: SampleState | None = None) -> Twins:
    """Return both versions of every rewritten sample, in the input's order.

    Args:
        path: The twins that a cleaning wrote.
        kind: Only sanitized, or only reframed ones; None for all.

    Raises:
        DataError: If the file is malformed, holds an id twice or no twin of this kind.
    """
    twins = [twin for twin in read_twins(path) if kind in (None, twin.kind)]
    if not twins:
        what = f"{kind} twins" if kind else "twins"
        raise DataError(f"{path.name}: no {what}; clean with the policy that makes them")
    return Twins(
        originals=tuple(twin.original for twin in twins),
        rewritten=tuple(twin.rewritten for twin in twins),
    )


def read_twins(path: Path) -> Iterator[Twin]:
    """Yield twins, checked.

    Raises:
        DataError: If the file cannot be read, a line is no twin, its two samples are no pair, or an
            id comes twice.
    """
    seen: set[str] = set()
    try:
        for number, text in read_lines(path):
            place = f"{path.name}:{number}"
            twin = decode(parse(text, place=place), Twin, place=place, error=DataError)
            _check(twin, place)
            if twin.id in seen:
                raise DataError(f"{place}: twin {twin.id!r} comes twice; clean the data again")
            seen.add(twin.id)
            yield twin
    except OSError as error:
        raise DataError(
            f"{path.name}: cannot open ({error.strerror}); check the path and permissions"
        ) from error


def _check(twin: Twin, place: str) -> None:
    ids = {twin.id, twin.original.id, twin.rewritten.id}
    if len(ids) > 1:
        raise DataError(f"{place}: ids {sorted(ids)} in one twin; clean the data again")
    if twin.kind not in CHANGED:
        raise DataError(f"{place}: a twin that was {twin.kind}; clean the data again")
    roles = [[turn.role for turn in one.messages] for one in (twin.original, twin.rewritten)]
    if roles[0] != roles[1] or twin.original.messages == twin.rewritten.messages:
        raise DataError(f"{place}: the two samples are no pair; clean the data again")
