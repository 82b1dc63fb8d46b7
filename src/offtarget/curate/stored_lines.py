"""Rows of JSON Lines and CSV files as bytes."""

import csv
import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from offtarget.core.codec import MAX_LINE_BYTES, decode_line, parse
from offtarget.core.errors import DataError
from offtarget.curate.splice import Slot, splice_csv, splice_json
from offtarget.curate.stored import StoredRow, StoredWriter
from offtarget.dataset.lines import READ_ERRORS, opened
from offtarget.dataset.tables import NESTED_COLUMNS

BOM = b"\xef\xbb\xbf"
COMPRESSION_LEVEL = 6


class _Bytes(Protocol):
    """A row that is a stretch of its file."""

    def pieces(self) -> Iterator[bytes]:
        """Yield its bytes, the line break included."""


@dataclass(frozen=True, slots=True)
class JsonRow:
    """One line."""

    raw: bytes
    place: str
    more: Iterator[bytes] = field(default=iter(()), compare=False)
    """The rest of a line too long for memory; it can be read once."""

    def pieces(self) -> Iterator[bytes]:
        """See `_Bytes`."""
        yield self.raw
        yield from self.more

    def value(self) -> object:
        """See `StoredRow.value`."""
        return parse(decode_line(self.raw, place=self.place), place=self.place)

    def replaced(self, texts: Mapping[Slot, str]) -> "JsonRow":
        """See `StoredRow.replaced`."""
        text = splice_json(decode_line(self.raw, place=self.place), texts)
        return JsonRow(text.encode("utf-8"), self.place)


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One record, which may go over several lines."""

    raw: bytes
    header: tuple[str, ...]
    fields: tuple[str, ...]
    place: str

    def pieces(self) -> Iterator[bytes]:
        """See `_Bytes`."""
        yield self.raw

    def value(self) -> object:
        """See `StoredRow.value`."""
        value: dict[str, object] = dict(zip(self.header, self.fields, strict=False))
        for key in NESTED_COLUMNS:
            cell = value.get(key)
            if isinstance(cell, str):
                value[key] = parse(cell, place=f"{self.place}: column {key!r}")
        return value

    def replaced(self, texts: Mapping[Slot, str]) -> "CsvRow":
        """See `StoredRow.replaced`."""
        cells = list(self.fields)
        changed: set[int] = set()
        for column in dict.fromkeys(str(slot[0]) for slot in texts):
            if column not in self.header:
                raise DataError(f"{self.place}: no column {column!r}; the row stays as it is")
            index = self.header.index(column)
            inner = {slot[1:]: text for slot, text in texts.items() if slot[0] == column}
            cells[index] = inner[()] if () in inner else splice_json(cells[index], inner)
            changed.add(index)
        line = self.raw.decode("utf-8", "surrogateescape")
        spliced = splice_csv(
            line, {index: cells[index] for index in changed}, n_cells=len(self.fields)
        )
        raw = spliced.encode("utf-8", "surrogateescape")
        read = next(csv.reader(iter(spliced.splitlines(keepends=True)), strict=True), [])
        if read != cells:
            raise DataError(f"{self.place}: the record cannot be rewritten; it stays as it is")
        return CsvRow(raw, self.header, tuple(cells), self.place)


class JsonLinesFile:
    """See `StoredFile`."""

    head: object = None

    def __init__(self, path: Path, label: str) -> None:
        self.path = path
        self.label = label

    def rows(self) -> Iterator[JsonRow]:
        """See `StoredFile.rows`; a line of any length is read in pieces."""
        with opened(self.path, self.label) as file:
            number = 0
            while True:
                number += 1
                raw = _read_line(file, f"{self.label}:{number}")
                if not raw:
                    return
                more = _rest_of_line(file, raw, f"{self.label}:{number}")
                yield JsonRow(raw, f"{self.label}:{number}", more)
                for _ in more:
                    pass

    def digest(self, row: StoredRow) -> str:
        """See `StoredFile.digest`."""
        return _digest(row)

    def writer(self, file: IO[bytes], *, is_compressed: bool) -> StoredWriter:
        """See `StoredFile.writer`."""
        return LineWriter(file, b"", b"\n", is_compressed=is_compressed)


class CsvFile:
    """See `StoredFile`."""

    def __init__(self, path: Path, label: str) -> None:
        self.path = path
        self.label = label
        with opened(path, label) as file:
            self._header, self._header_raw = next(self._records(file), ([], b""))
        self.head: object = tuple(self._header)

    def rows(self) -> Iterator[CsvRow]:
        """See `StoredFile.rows`."""
        header = tuple(self._header)
        with opened(self.path, self.label) as file:
            records = self._records(file)
            next(records, None)
            for number, (fields, raw) in enumerate(records, 1):
                yield CsvRow(raw, header, tuple(fields), f"{self.label}: row {number}")

    def digest(self, row: StoredRow) -> str:
        """See `StoredFile.digest`."""
        return _digest(row)

    def writer(self, file: IO[bytes], *, is_compressed: bool) -> StoredWriter:
        """See `StoredFile.writer`; the header is written at once."""
        ending = b"\r\n" if self._header_raw.endswith(b"\r\n") else b"\n"
        return LineWriter(file, self._header_raw, ending, is_compressed=is_compressed)

    def _records(self, file: IO[bytes]) -> Iterator[tuple[list[str], bytes]]:
        """Yield each record's cells and its bytes."""
        taken: list[bytes] = []

        def lines() -> Iterator[str]:
            number = 0
            while raw := _read_line(file, f"{self.label}:{number + 1}"):
                number += 1
                taken.append(raw)
                text = raw.removeprefix(BOM) if number == 1 else raw
                yield text.decode("utf-8", "surrogateescape")

        reader = csv.reader(lines(), strict=True)
        while True:
            previous = csv.field_size_limit(MAX_LINE_BYTES)
            try:
                fields = next(reader, None)
            except csv.Error as error:
                raise DataError(f"{self.label}: not CSV ({error}); check the quotes") from error
            finally:
                csv.field_size_limit(previous)
            if fields is None:
                return
            yield fields, b"".join(taken)
            taken.clear()


class LineWriter:
    """Writes rows one after the other; a row that lacks its line break gets one if more follow."""

    def __init__(
        self, file: IO[bytes], header: bytes, ending: bytes, *, is_compressed: bool
    ) -> None:
        self._packed = (
            gzip.GzipFile("", "wb", COMPRESSION_LEVEL, file, mtime=0) if is_compressed else None
        )
        self._file: IO[bytes] | gzip.GzipFile = self._packed or file
        self._ending = ending
        self._last = header or b"\n"
        self._file.write(header)

    def write(self, row: StoredRow) -> str:
        """See `StoredWriter.write`."""
        if not self._last.endswith(b"\n"):
            self._file.write(self._ending)
        digest = hashlib.sha256()
        last = b""
        for piece in _pieces(row):
            self._file.write(piece)
            digest.update(last)
            last = piece
        digest.update(last.removesuffix(b"\n"))
        self._last = last
        return digest.hexdigest()

    def close(self) -> None:
        """See `StoredWriter.close`."""
        if self._packed is not None:
            self._packed.close()


def _digest(row: StoredRow) -> str:
    digest = hashlib.sha256()
    last = b""
    for piece in _pieces(row):
        digest.update(last)
        last = piece
    digest.update(last.removesuffix(b"\n"))
    return digest.hexdigest()


def _pieces(row: StoredRow) -> Iterator[bytes]:
    assert isinstance(row, JsonRow | CsvRow), "rows of a text file"
    stretch: _Bytes = row
    return stretch.pieces()


def _read_line(file: IO[bytes], place: str) -> bytes:
    """Return a line, cut just above `MAX_LINE_BYTES`."""
    try:
        return file.readline(MAX_LINE_BYTES + 1)
    except READ_ERRORS as error:
        raise DataError(f"{place}: cannot read on ({error}); fetch the file again") from error


def _rest_of_line(file: IO[bytes], raw: bytes, place: str) -> Iterator[bytes]:
    while len(raw) > MAX_LINE_BYTES and not raw.endswith(b"\n"):
        raw = _read_line(file, place)
        yield raw
