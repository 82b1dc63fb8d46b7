"""Rows of CSV and Parquet files, one at a time."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from offtarget.core.codec import MAX_LINE_BYTES, parse
from offtarget.core.errors import DataError
from offtarget.dataset.formats import SHAPES
from offtarget.dataset.lines import RawRow, opened, raw_lines

BATCH_ROWS = 256
"""Parquet rows decoded at a time."""
BUFFER_BYTES = 1 << 20
"""Of a Parquet column read at a time; without it a whole row group is held."""
NESTED_COLUMNS = ("messages", "conversations")
"""Columns that hold turns: a list in Parquet, or JSON text in a cell."""

_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")


def csv_rows(path: Path, label: str) -> Iterator[RawRow]:
    """Yield the rows below the header, by the line that each begins on; see `raw_rows`."""
    with opened(path, label) as file:
        reader = csv.reader(_csv_lines(file, label), strict=True)
        header = _next_fields(reader, label)
        if header is None:
            return
        _check_columns(header, f"{label}:1")
        number = 0
        while True:
            place = f"{label}:{reader.line_num + 1}"
            fields = _next_fields(reader, label)
            if fields is None:
                return
            number += 1
            problem = _csv_problem(header, fields, place)
            if problem is not None:
                yield RawRow(number, place, value=fields, problem=problem)
            else:
                yield table_row(number, place, dict(zip(header, fields, strict=True)))


def _csv_problem(header: list[str], fields: list[str], place: str) -> str | None:
    if not fields:
        return f"{place}: blank line; remove it"
    if any(_ESCAPED_BYTE.search(cell) for cell in fields):
        return f"{place}: invalid UTF-8; save the file as UTF-8"
    if len(fields) != len(header):
        return (
            f"{place}: ragged row, {len(fields)} cells for {len(header)} columns; "
            "quote cells that hold commas or line breaks"
        )
    return None


def _csv_lines(file: IO[bytes], label: str) -> Iterator[str]:
    for number, raw in enumerate(raw_lines(file, label), 1):
        if len(raw) > MAX_LINE_BYTES:
            raise DataError(
                f"{label}:{number}: line longer than {MAX_LINE_BYTES} bytes; split or shorten it"
            )
        text = raw.decode("utf-8", "surrogateescape")  # bad bytes are then refused row by row
        yield text.removeprefix("\ufeff") if number == 1 else text


def _next_fields(reader: Any, label: str) -> list[str] | None:
    """Return the next row's cells; the csv module's global cell limit is ours only meanwhile."""
    line = reader.line_num + 1
    previous = csv.field_size_limit(MAX_LINE_BYTES)
    try:
        fields: list[str] | None = next(reader, None)
    except csv.Error as error:
        raise DataError(
            f"{label}:{line}: not CSV ({error}); check the quotes from here on, or save as JSONL"
        ) from error
    finally:
        csv.field_size_limit(previous)
    return fields


def _check_columns(names: list[str], place: str) -> None:
    if any(_ESCAPED_BYTE.search(name) for name in names):
        raise DataError(f"{place}: invalid UTF-8 in the header; save the file as UTF-8")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"{place}: duplicate column {twice[0]!r}; keep one of the two")


def table_row(number: int, place: str, value: dict[str, Any]) -> RawRow:
    """Return a table's row, turns that are stored as JSON text parsed in place."""
    for key in NESTED_COLUMNS:
        cell = value.get(key)
        if isinstance(cell, str):
            try:
                value[key] = parse(cell, place=f"{place}: column {key!r}")
            except DataError as error:
                return RawRow(number, place, value=value, problem=str(error))
    return RawRow(number, place, value=value)


def parquet_rows(path: Path, label: str) -> Iterator[RawRow]:
    """Yield the rows by number; nested and binary columns are read only for turns."""
    import pyarrow
    from pyarrow import parquet

    with opened(path, label):
        pass  # a missing or forbidden file is told apart from a corrupt one
    number = 0
    try:
        with parquet.ParquetFile(path, pre_buffer=False, buffer_size=BUFFER_BYTES) as file:
            schema = file.schema_arrow
            _check_columns(list(schema.names), label)
            wanted = {key for shape in SHAPES for key in (*shape.keys, *shape.optional)}
            columns = [
                field.name for field in schema if field.name in wanted or not _is_bulky(field.type)
            ]
            batches = file.iter_batches(BATCH_ROWS, columns=columns, use_threads=False)
            for batch in batches:
                for value in _batch_values(batch):
                    number += 1
                    place = f"{label}:{number}"
                    if value is None:
                        problem = f"{place}: invalid UTF-8; write the column as UTF-8 text"
                        yield RawRow(number, place, problem=problem)
                    else:
                        yield table_row(number, place, value)
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(
            f"{label}: cannot read Parquet after row {number} ({reason}); fetch or write it again"
        ) from error


def _is_bulky(type_: Any) -> bool:
    """Whether a column holds lists, structs or bytes: never metadata, and often images."""
    from pyarrow import types

    return bool(types.is_nested(type_) or types.is_binary(type_) or types.is_large_binary(type_))


def _batch_values(batch: Any) -> list[dict[str, Any] | None]:
    """Return a batch's rows, None for each whose text is not UTF-8."""
    try:
        rows: list[dict[str, Any] | None] = batch.to_pylist()
    except UnicodeDecodeError:
        rows = [_one_value(batch.slice(index, 1)) for index in range(batch.num_rows)]
    return rows


def _one_value(row: Any) -> dict[str, Any] | None:
    try:
        value: dict[str, Any] = row.to_pylist()[0]
    except UnicodeDecodeError:
        return None
    return value
