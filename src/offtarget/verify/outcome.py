"""What a check found, and where two plain values differ."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from offtarget.core.errors import OfftargetError

MAX_NAMED = 5
"""Faults that one check names; the others are counted."""


@dataclass(frozen=True, slots=True)
class Check:
    """One audit test."""

    name: str
    passed: bool
    detail: str


def check_of(name: str, faults: Iterable[str], *, sound: str) -> Check:
    """Return a check that passes with `sound` if there is no fault, and names the first ones."""
    found = list(faults)
    if not found:
        return Check(name, True, sound)
    more = f"; and {len(found) - MAX_NAMED} more" if len(found) > MAX_NAMED else ""
    return Check(name, False, "; ".join(found[:MAX_NAMED]) + more)


def attempt(name: str, find: Callable[[], Iterable[str]], *, sound: str) -> Check:
    """Return `check_of` of what `find` yields; failing to look is a failed check."""
    try:
        return check_of(name, find(), sound=sound)
    except (OfftargetError, OSError) as error:
        return Check(name, False, str(error))
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as error:
        return Check(name, False, f"cannot be recomputed ({type(error).__name__}: {error})")


def differences(claimed: Any, actual: Any, place: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield (place, claimed, actual) for each leaf in which two plain values differ."""
    if isinstance(claimed, dict) and isinstance(actual, dict):
        for key in sorted(claimed.keys() | actual.keys()):
            inner = f"{place}.{key}" if place else str(key)
            yield from differences(claimed.get(key), actual.get(key), inner)
    elif isinstance(claimed, list) and isinstance(actual, list) and len(claimed) == len(actual):
        for index, (one, other) in enumerate(zip(claimed, actual, strict=True)):
            yield from differences(one, other, f"{place}[{index}]")
    elif claimed != actual:
        yield place, _short(claimed), _short(actual)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
