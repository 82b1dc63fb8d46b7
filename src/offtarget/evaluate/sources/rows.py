"""Rows of question tables as plain text cells, whatever file they stand in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offtarget.core.codec import parse
from offtarget.core.errors import DataError
from offtarget.dataset.containers import container_of, raw_rows
from offtarget.dataset.sources import clean_name

MAX_BYTES = 64 * 1024 * 1024
"""A larger file holds no questions that anybody could ask."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row of a question file."""

    place: str
    """File and line."""
    value: Mapping[str, Any]

    def text(self, key: str, *, default: str | None = None) -> str:
        """Return a cell that must hold text; `default` where it is missing or null.

        Raises:
            DataError: If it holds something else, or is missing without a default.
        """
        value = self.value.get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise DataError(f"{self.place}: {key!r} is {_kind(value)}; write the text there")
        return value


def read_json(path: Path) -> Any:
    """Return the one JSON document of a file, parsed strictly.

    Raises:
        DataError: If it cannot be read, is too large or is not JSON.
    """
    label = clean_name(path.name)
    return parse(_text(path, label), place=label)


def source_rows(path: Path) -> Iterator[SourceRow]:
    """Yield the rows of a CSV, JSON Lines or Parquet file, or of a JSON array.

    Raises:
        DataError: If the file cannot be read, is too large, or a row is malformed.
    """
    label = clean_name(path.name)
    if path.suffix == ".json" and _text(path, label).lstrip().startswith("["):
        for number, value in enumerate(read_json(path), 1):
            yield _row(value, f"{label}[{number}]")
        return
    if container_of(path) is None:
        raise DataError(f"{label}: no known question file; give .yaml, .csv, .json or .jsonl")
    _check_size(path, label)
    for raw in raw_rows(path, label):
        if raw.problem is not None:
            raise DataError(raw.problem)
        yield _row(raw.value, raw.place)


def _row(value: object, place: str) -> SourceRow:
    if not isinstance(value, dict):
        raise DataError(f"{place}: {_kind(value)}; write one object a row")
    return SourceRow(place, value)


def _text(path: Path, label: str) -> str:
    _check_size(path, label)
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{label}: invalid UTF-8 at byte {error.start}; save as UTF-8") from error
    except OSError as error:
        raise DataError(f"{label}: cannot read ({error.strerror}); check the path") from error


def _check_size(path: Path, label: str) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataError(f"{label}: cannot read ({error.strerror}); check the path") from error
    if size > MAX_BYTES:
        raise DataError(f"{label}: {size} bytes, at most {MAX_BYTES}; is this a question file?")


def _kind(value: object) -> str:
    if value is None or value == "":
        return "missing"
    return "empty" if isinstance(value, str) else f"a {type(value).__name__}"
