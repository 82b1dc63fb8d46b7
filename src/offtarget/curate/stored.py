"""Rows as they are stored: read to be copied byte by byte, with single texts replaced."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Protocol

from offtarget.curate.splice import Slot
from offtarget.dataset.containers import container_of


class StoredRow(Protocol):
    """One row, with all that its file says of it."""

    def value(self) -> object:
        """Return what the data set's reader sees of it.

        Raises:
            DataError: If it is malformed.
        """

    def replaced(self, texts: Mapping[Slot, str]) -> "StoredRow":
        """Return the row with other texts at some slots.

        Raises:
            DataError: If a slot holds no text.
        """


class StoredWriter(Protocol):
    """Writes rows to a file of the same kind."""

    def write(self, row: StoredRow) -> str:
        """Write a row; return its sha256: of its bytes without the line break, or of its values."""

    def close(self) -> None:
        """Write what is left; the file itself stays open."""


class StoredFile(Protocol):
    """A data set's file."""

    @property
    def head(self) -> object:
        """What files must share to go into one: the header, the schema, or nothing."""

    def rows(self) -> Iterator[StoredRow]:
        """Yield the rows, one for each that the data set's reader counts; use each before the next.

        Raises:
            DataError: If the file cannot be read on.
        """

    def digest(self, row: StoredRow) -> str:
        """Return the sha256 that `StoredWriter.write` would."""

    def writer(self, file: IO[bytes], *, is_compressed: bool) -> StoredWriter:
        """Return a writer of such files; the same rows always give the same bytes."""


def family_of(path: Path) -> str:
    """Return `jsonl`, `csv` or `parquet`; empty for an unknown ending."""
    return (container_of(path) or "").removesuffix(".gz")


def open_stored(path: Path, label: str) -> StoredFile:
    """Return the file at `path`, which errors call `label`; its ending is a known one.

    Raises:
        DataError: If it cannot be opened.
    """
    from offtarget.curate.stored_lines import CsvFile, JsonLinesFile

    family = family_of(path)
    if family == "parquet":
        from offtarget.curate.stored_parquet import ParquetFile

        return ParquetFile(path, label)
    return CsvFile(path, label) if family == "csv" else JsonLinesFile(path, label)
