"""Our own record files, read back into the records that they were written from."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from offtarget.core.codec import decode, parse, read_lines
from offtarget.core.errors import ConfigError, OfftargetError
from offtarget.core.schema import check_schema

T = TypeVar("T")


def read_record(
    path: Path,
    type_: type[T],
    *,
    place: str,
    error: type[OfftargetError],
    schema: int | None = None,
) -> T:
    """Return the one record of a JSON file.

    Args:
        path: The file.
        type_: Dataclass of the record.
        place: What errors call the file.
        error: What is raised for a record that is malformed, or no text.
        schema: Number of the layout that the record must have; None where it has no number.

    Raises:
        OfftargetError: `error` as said; DataError for text that is no strict JSON.
        VerifyError: If it is of another layout.
        OSError: If the file cannot be read.
    """
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as problem:
        raise error(f"{place}: not UTF-8 text; restore it from a copy") from problem
    raw = parse(text, place=place)
    if schema is not None:
        check_schema(place, raw, schema)
    return decode(raw, type_, place=place, error=error)


def read_typed(
    path: Path,
    type_: type[T],
    *,
    place: str = "",
    error: type[OfftargetError] = ConfigError,
) -> Iterator[T]:
    """Yield the records of a JSON Lines file.

    Args:
        path: The file.
        type_: Dataclass of a record.
        place: What errors call the file, before the line; its name when "".
        error: What is raised for a record that is malformed.

    Raises:
        OfftargetError: `error` as said; DataError for a line that is no strict JSON.
        OSError: If the file cannot be read.
    """
    for number, text in read_lines(path):
        line = f"{place or path.name}:{number}"
        yield decode(parse(text, place=line), type_, place=line, error=error)
