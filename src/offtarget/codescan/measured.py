"""What was measured of each rule on published labelled code: counts, and how sure they make it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from offtarget.core.errors import DataError
from offtarget.core.yamlfile import read_yaml

_TABLE = Path(__file__).parent / "data" / "measured.yaml"
_KEYS = {"command", "measured", "engines", "sets", "rules"}
_SET_KEYS = {"name", "source", "vulnerable", "other", "n_held", "n_all"}


@dataclass(frozen=True, slots=True)
class Sides:
    """Pieces of code on both sides of a labelled set."""

    n_vulnerable: int
    n_other: int
    """Of the side that is not vulnerable, or no longer."""

    @property
    def n(self) -> int:
        """Both."""
        return self.n_vulnerable + self.n_other


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """A published set of labelled code."""

    id: str
    name: str
    source: str
    """Repository, commit and path."""
    vulnerable: str
    """What its vulnerable side is."""
    other: str
    """What its other side is; empty for a set without one, which gives no precision."""
    n_held: Sides
    """All pieces of the part that no rule was tuned on."""
    n_all: Sides


@dataclass(frozen=True, slots=True)
class Measured:
    """How often one rule fired on one set, at any severity; a piece counts once."""

    labelled: LabelledSet
    held: Sides
    """Of the pieces that no rule was tuned on."""
    all: Sides


@dataclass(frozen=True, slots=True)
class Measurement:
    """The table, as it was written by `bench/rule_precision.py`."""

    command: str
    measured: str
    """The day, `2026-11-23`."""
    engines: Mapping[str, str]
    """Versions of the engines that were measured."""
    by_rule: Mapping[str, tuple[Measured, ...]]
    """Rules that fired at least once; the largest sets first."""

    def of(self, rule: str) -> tuple[Measured, ...]:
        """Return what was measured of a rule; nothing if it fired on no labelled piece."""
        return self.by_rule.get(rule, ())


@cache
def measurement() -> Measurement:
    """Return the packaged table.

    Raises:
        DataError: If it is damaged.
    """
    return read_measurement(_TABLE)


def read_measurement(path: Path) -> Measurement:
    """Return the table in a file, checked.

    Raises:
        DataError: If a key is missing or unknown, a set is not described, a count is no count, or
            exceeds what the set holds.
    """
    table = _mapping(
        read_yaml(path, what="table of measured rules", error=DataError, is_ours=True), path.name
    )
    _check_keys(table, _KEYS, path.name)
    sets = {
        name: _labelled(name, entry, f"{path.name}: set {name}")
        for name, entry in _mapping(table["sets"], path.name).items()
    }
    rules = {
        rule: tuple(
            _measured(sets, name, counts, f"{path.name}: {rule}, {name}")
            for name, counts in _mapping(entry, f"{path.name}: {rule}").items()
        )
        for rule, entry in _mapping(table["rules"], path.name).items()
    }
    engines = {str(k): str(v) for k, v in _mapping(table["engines"], path.name).items()}
    return Measurement(
        command=str(table["command"]),
        measured=str(table["measured"]),
        engines=MappingProxyType(engines),
        by_rule=MappingProxyType(rules),
    )


def _labelled(name: str, entry: Any, place: str) -> LabelledSet:
    fields = _mapping(entry, place)
    _check_keys(fields, _SET_KEYS, place)
    texts = {key: str(fields[key]) for key in ("name", "source", "vulnerable", "other")}
    return LabelledSet(
        id=name,
        **texts,
        n_held=_sides(fields["n_held"], place),
        n_all=_sides(fields["n_all"], place),
    )


def _measured(sets: Mapping[str, LabelledSet], name: str, counts: Any, place: str) -> Measured:
    if name not in sets:
        raise DataError(f"{place}: the set is not described; {_again()}")
    fields = _mapping(counts, place)
    _check_keys(fields, {"held", "all"}, place)
    found = Measured(sets[name], _sides(fields["held"], place), _sides(fields["all"], place))
    whole = sets[name]
    pairs = (
        (found.held, found.all), (found.held, whole.n_held), (found.all, whole.n_all)
    )  # fmt: skip
    for part, limit in pairs:
        if part.n_vulnerable > limit.n_vulnerable or part.n_other > limit.n_other:
            raise DataError(f"{place}: {part} of {limit} pieces; {_again()}")
    return found


def _sides(value: Any, place: str) -> Sides:
    is_pair = isinstance(value, list) and len(value) == 2
    if not is_pair or not all(type(n) is int and n >= 0 for n in value):
        raise DataError(f"{place}: {value!r} is no pair of counts; {_again()}")
    return Sides(*value)


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise DataError(f"{place}: {value!r} is no table; {_again()}")
    return value


def _check_keys(found: Mapping[str, Any], wanted: set[str], place: str) -> None:
    if set(found) != wanted:
        raise DataError(f"{place}: keys {sorted(found)}, not {sorted(wanted)}; {_again()}")


def _again() -> str:
    return "install the package again, or run bench/rule_precision.py"
