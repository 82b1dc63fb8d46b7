"""Rows of scanned data that are parsed only when their text is asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from offtarget.core.codec import decode_line, parse
from offtarget.curate.inputs import ScannedInput, find_inputs, placed_rows
from offtarget.curate.records import PlacedRow
from offtarget.dataset import OnBadRow, detect_shape, to_sample
from offtarget.dataset.containers import container_of
from offtarget.dataset.lines import opened, raw_lines
from offtarget.dataset.sources import Source


@dataclass(frozen=True, slots=True)
class LazyRow:
    """A row that was passed and perhaps not read."""

    file: str
    line: int
    """1-based row of its file."""
    raw: bytes = b""
    """The line of a file of JSON Lines; empty for other formats."""
    row: PlacedRow | None = None
    """The row where the format gives it anyway."""

    def read(self) -> PlacedRow:
        """Return the row with its messages.

        Raises:
            DataError: If it is malformed.
        """
        if self.row is not None:
            return self.row
        place = f"{self.file}:{self.line}"
        value = parse(decode_line(self.raw, place=place), place=place)
        shape = detect_shape(value, place=place)
        sample = to_sample(value, shape, id_=place, place=place)
        return PlacedRow(self.file, self.line, sample.messages)


def lazy_rows(paths: Sequence[Path], *, plain: bool) -> Iterator[LazyRow]:
    """Yield all rows of what was scanned, in order; a row of JSON Lines costs one read of its line.

    Raises:
        DataError: If a path is missing or unfit, or a file cannot be read.
    """
    for taken in find_inputs(paths, plain=plain):
        yield from rows_of(taken)


def rows_of(taken: ScannedInput) -> Iterator[LazyRow]:
    """Yield all rows of one input; see `lazy_rows`."""
    source = taken.source
    if source is not None and (container_of(source.path) or "").startswith("jsonl"):
        yield from _lines(source)
        return
    for row in placed_rows(taken, on_bad_row=OnBadRow.QUARANTINE):
        yield LazyRow(row.file, row.line, row=row)


def _lines(source: Source) -> Iterator[LazyRow]:
    with opened(source.path, source.label) as file:
        for number, raw in enumerate(raw_lines(file, source.label), 1):
            yield LazyRow(source.label, number, raw)
