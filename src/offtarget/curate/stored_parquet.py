"""Rows of Parquet files as Arrow values: schema and metadata stay, untouched rows are not decoded."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from offtarget.core.codec import parse
from offtarget.core.errors import DataError
from offtarget.curate.splice import Slot, splice_json
from offtarget.curate.stored import StoredRow, StoredWriter
from offtarget.dataset.formats import SHAPES
from offtarget.dataset.tables import BATCH_ROWS, BUFFER_BYTES, NESTED_COLUMNS

GROUP_ROWS = 65_536
"""Most rows of a row group that is written."""
GROUP_BYTES = 64 * 1024 * 1024
"""A row group is written once it holds as much."""

_READ = {key for shape in SHAPES for key in (*shape.keys, *shape.optional)}
_LOST = "not UTF-8"


@dataclass(frozen=True, slots=True, eq=False)
class ParquetRow:
    """One row of a batch."""

    batch: Any
    """A `pyarrow.RecordBatch`."""
    index: int
    place: str
    sha256: str
    """Of all of its values."""

    def value(self) -> object:
        """See `StoredRow.value`; only the columns of a conversation."""
        names = [name for name in self.batch.schema.names if name in _READ]
        try:
            value = self.batch.slice(self.index, 1).select(names).to_pylist()[0]
        except UnicodeDecodeError as error:
            raise DataError(f"{self.place}: invalid UTF-8; write the column as UTF-8") from error
        for key in NESTED_COLUMNS:
            if isinstance(value.get(key), str):
                value[key] = parse(value[key], place=f"{self.place}: column {key!r}")
        return value

    def replaced(self, texts: Mapping[Slot, str]) -> "ParquetRow":
        """See `StoredRow.replaced`."""
        import pyarrow

        one = self.batch.slice(self.index, 1)
        for column in dict.fromkeys(str(slot[0]) for slot in texts):
            if column not in one.schema.names:
                raise DataError(f"{self.place}: no column {column!r}; the row stays as it is")
            index = one.schema.get_field_index(column)
            cell = one.column(index)[0].as_py()
            for slot, text in texts.items():
                if slot[0] == column:
                    cell = _replaced(cell, slot[1:], text)
            field = one.schema.field(index)
            one = one.set_column(index, field, pyarrow.array([cell], type=field.type))
        return ParquetRow(one, 0, self.place, _digests(one)[0])


class ParquetFile:
    """See `StoredFile`."""

    def __init__(self, path: Path, label: str) -> None:
        self.path = path
        self.label = label
        with self._opened() as file:
            self._schema = file.schema_arrow
            self._codecs = _codecs(file.metadata)
        self.head: object = self._schema.to_string(show_schema_metadata=False)

    def rows(self) -> Iterator[ParquetRow]:
        """See `StoredFile.rows`."""
        import pyarrow

        number = 0
        with self._opened() as file:
            batches = file.iter_batches(BATCH_ROWS, use_threads=False)
            while True:
                try:
                    batch = next(batches, None)
                except (pyarrow.ArrowException, OSError) as error:
                    raise self._unreadable(error) from error
                if batch is None:
                    return
                for index, sha256 in enumerate(_digests(batch)):
                    number += 1
                    yield ParquetRow(batch, index, f"{self.label}:{number}", sha256)

    def digest(self, row: StoredRow) -> str:
        """See `StoredFile.digest`."""
        assert isinstance(row, ParquetRow), "rows of a Parquet file"
        return row.sha256

    def writer(self, file: IO[bytes], *, is_compressed: bool) -> StoredWriter:
        """See `StoredFile.writer`; columns keep their compression."""
        assert not is_compressed, "Parquet compresses by itself"
        return ParquetRowWriter(file, self._schema, self._codecs)

    def _opened(self) -> Any:
        import pyarrow
        from pyarrow import parquet

        try:
            return parquet.ParquetFile(self.path, pre_buffer=False, buffer_size=BUFFER_BYTES)
        except (pyarrow.ArrowException, OSError) as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> DataError:
        reason = str(error).partition("\n")[0]
        return DataError(f"{self.label}: cannot read Parquet ({reason}); fetch the file again")


class ParquetRowWriter:
    """Gathers rows to row groups."""

    def __init__(self, file: IO[bytes], schema: Any, codecs: Mapping[str, Any]) -> None:
        from pyarrow import parquet

        self._schema = schema
        self._writer = parquet.ParquetWriter(file, schema, compression=dict(codecs))
        self._ready: list[Any] = []
        self._n_rows = 0
        self._n_bytes = 0
        self._batch: Any = None
        self._start = self._end = 0

    def write(self, row: StoredRow) -> str:
        """See `StoredWriter.write`."""
        assert isinstance(row, ParquetRow), "rows of a Parquet file"
        if row.batch is not self._batch or row.index != self._end:
            self._take()
            self._batch, self._start = row.batch, row.index
        self._end = row.index + 1
        return row.sha256

    def close(self) -> None:
        """See `StoredWriter.close`."""
        self._take()
        self._flush()
        self._writer.close()

    def _take(self) -> None:
        """Move the run of neighbors that was gathered to those that are ready."""
        if self._batch is None:
            return
        run = self._batch.slice(self._start, self._end - self._start)
        self._batch = None
        self._ready.append(run)
        self._n_rows += run.num_rows
        self._n_bytes += run.nbytes
        if self._n_rows >= GROUP_ROWS or self._n_bytes >= GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        import pyarrow

        if self._ready:
            tables = [pyarrow.Table.from_batches([run]).cast(self._schema) for run in self._ready]
            table = pyarrow.concat_tables(tables)
            self._writer.write_table(table, row_group_size=GROUP_ROWS)
        self._ready = []
        self._n_rows = self._n_bytes = 0


def _replaced(cell: Any, slot: Slot, text: str) -> Any:
    if not slot:
        return text
    if isinstance(cell, str):
        return splice_json(cell, {slot: text})
    step, rest = slot[0], slot[1:]
    inner = cell[step]  # the row was read by this way before
    copied = cell.copy()
    copied[step] = _replaced(inner, rest, text)
    return copied


def _codecs(metadata: Any) -> dict[str, str]:
    """Return the compression of each column; a file that was scanned holds at least one group."""
    group = metadata.row_group(0)
    columns = (group.column(index) for index in range(group.num_columns))
    return {one.path_in_schema: one.compression.replace("UNCOMPRESSED", "NONE") for one in columns}


def _digests(batch: Any) -> list[str]:
    """Return the sha256 of each row's values as JSON."""
    try:
        rows = batch.to_pylist()
    except UnicodeDecodeError:
        rows = [_values(batch.slice(index, 1)) for index in range(batch.num_rows)]
    return [
        hashlib.sha256(
            json.dumps(row, sort_keys=True, default=_plain).encode("utf-8", "surrogatepass")
        ).hexdigest()
        for row in rows
    ]


def _values(row: Any) -> dict[str, Any]:
    """Return the values of one row of which some are not UTF-8."""
    import pyarrow

    values: dict[str, Any] = {}
    for name, column in zip(row.schema.names, row.columns, strict=True):
        try:
            values[name] = column.to_pylist()[0]
        except UnicodeDecodeError:
            try:
                values[name] = column.cast(pyarrow.binary()).to_pylist()[0]
            except pyarrow.ArrowException:
                values[name] = _LOST
    return values


def _plain(value: object) -> str:
    return value.hex() if isinstance(value, bytes | bytearray) else str(value)
