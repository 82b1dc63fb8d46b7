"""Records that belong in one order: removed, doubled, or moved."""

from collections.abc import Iterator, Sequence


def order_faults(place: str, found: Sequence[object], expected: Sequence[object]) -> Iterator[str]:
    """Yield a line if the names of a file's records are not those expected, in that order."""
    if list(found) == list(expected):
        return
    present = set(found)
    missing = [item for item in expected if item not in present]
    if missing:
        yield f"{place}: {_name(missing[0])} was removed ({len(missing)} in all)"
    elif len(found) != len(expected):
        yield f"{place}: {len(found)} records where {len(expected)} belong"
    else:
        pairs = zip(found, expected, strict=True)
        moved = [n for n, (is_, was) in enumerate(pairs, 1) if is_ != was]
        yield f"{place}: records were moved or swapped, lines {', '.join(map(str, moved[:4]))}"


def _name(item: object) -> str:
    return " ".join(map(str, item)) if isinstance(item, tuple) else str(item)
