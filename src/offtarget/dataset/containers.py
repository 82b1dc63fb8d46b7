"""Rows out of JSON Lines, CSV and Parquet files, one at a time, each with its place."""

import json
from collections.abc import Iterator
from pathlib import Path

from offtarget.core.codec import decode_line, parse
from offtarget.core.errors import DataError
from offtarget.dataset.lines import RawRow, opened, raw_lines
from offtarget.dataset.records import MAX_BAD_TEXT_CHARS
from offtarget.dataset.tables import csv_rows, parquet_rows

CONTAINERS = {
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl.gz",
    ".json": "jsonl",
    ".json.gz": "jsonl.gz",
    ".csv": "csv",
    ".csv.gz": "csv.gz",
    ".parquet": "parquet",
}
"""Known file endings; `.json` is read as JSON Lines."""


def container_of(path: Path) -> str | None:
    """Return the container that the file's ending names, or None for an unknown ending."""
    name = path.name.lower()
    ending = max((end for end in CONTAINERS if name.endswith(end)), key=len, default=None)
    return CONTAINERS[ending] if ending is not None and len(name) > len(ending) else None


def raw_rows(path: Path, label: str) -> Iterator[RawRow]:
    """Yield the rows of one file; memory does not grow with their number.

    A row that cannot be used carries its problem, so that the caller may go on with the next.

    Args:
        path: The file.
        label: What errors and places call it.

    Raises:
        DataError: If the file as a whole cannot be read: missing, forbidden, corrupt, or a CSV with
            broken quoting, after which no row can be trusted.
    """
    container = container_of(path)
    assert container is not None, "sources are checked for their ending"
    if container == "parquet":
        return parquet_rows(path, label)
    if container.startswith("csv"):
        return csv_rows(path, label)
    return _json_rows(path, label)


def _json_rows(path: Path, label: str) -> Iterator[RawRow]:
    with opened(path, label) as file:
        for number, raw in enumerate(raw_lines(file, label), 1):
            place = f"{label}:{number}"
            start = raw[:MAX_BAD_TEXT_CHARS].decode("utf-8", "backslashreplace").strip()
            if number == 1 and start == "[":
                raise DataError(
                    f"{place}: a JSON array over several lines; write one object a line"
                )
            try:
                value = parse(decode_line(raw, place=place), place=place)
            except DataError as error:
                yield RawRow(number, place, text=start, problem=str(error))
                continue
            yield RawRow(number, place, value=value, text=start)


def row_text(row: RawRow) -> str:
    """Return the start of a row for its quarantine record, lone surrogates escaped."""
    if row.text or row.value is None:
        return row.text
    text = ""
    for piece in json.JSONEncoder(default=str).iterencode(row.value):
        text += piece
        if len(text) >= MAX_BAD_TEXT_CHARS:
            break
    return text[:MAX_BAD_TEXT_CHARS]
