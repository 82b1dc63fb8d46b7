"""The rows that a scan reads: of data sets, or source files as they are; files must hold still."""

import gzip
import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from offtarget.codescan.detect import language_of
from offtarget.codescan.language import Language
from offtarget.core.codec import MAX_LINE_BYTES, file_digest
from offtarget.core.errors import DataError
from offtarget.core.records import Message
from offtarget.curate.records import PlacedRow
from offtarget.dataset import BadRow, OnBadRow, iter_samples
from offtarget.dataset.lines import READ_ERRORS
from offtarget.dataset.sources import Source, clean_name, find_sources

MAX_EXPANDED_BYTES = 1024 * 1024 * 1024
MAX_EXPANSION = 200
"""A compressed file that grows beyond both, size and factor, is taken for a bomb."""
BLOCK_BYTES = 1024 * 1024


@dataclass(slots=True)
class ScannedInput:
    """One input that becomes a run of rows."""

    label: str
    """A data set's file, or the name of all source files together."""
    source: Source | None
    """The data set's file; None for source files."""
    sources: Sequence[Source] = ()
    """The source files."""
    sha256: str = ""
    """Known once its rows have been read to the end."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    size_bytes: int
    mtime_ns: int
    sha256: str


def find_inputs(paths: Sequence[Path], *, plain: bool) -> list[ScannedInput]:
    """Return what `paths` name, in a fixed order.

    Raises:
        DataError: If a path is missing or unfit, or a directory holds nothing to scan.
    """
    if not plain:
        return [ScannedInput(source.label, source) for source in find_sources(paths)]
    return [ScannedInput("source files", None, _source_files(paths))]


def places_below(root: Path, paths: Sequence[Path], *, plain: bool) -> dict[str, str]:
    """Return where each file stands below `root`, by the name that rows and findings give it.

    Files that stand elsewhere are left out. Raises as `find_inputs`.
    """
    top = root.resolve()
    inputs = find_inputs(paths, plain=plain)
    sources = [one for taken in inputs for one in (*taken.sources, taken.source) if one is not None]
    full = {source.label: source.path.resolve() for source in sources}
    return {
        label: clean_name(path.relative_to(top).as_posix())
        for label, path in full.items()
        if path.is_relative_to(top)
    }


def placed_rows(taken: ScannedInput, *, on_bad_row: OnBadRow) -> Iterator[PlacedRow]:
    """Return the rows of one input, in order; its digest is filled in at the end.

    Raises:
        DataError: As `iter_samples`; and if a file changes while it is read, or is a bomb.
    """
    return _plain_rows(taken, on_bad_row) if taken.source is None else _rows(taken, on_bad_row)


def encoded_rows(taken: ScannedInput, *, on_bad_row: OnBadRow) -> Iterator[bytes]:
    """Yield the same rows as JSON, as workers get them; see `placed_rows`."""
    encode = msgspec.json.Encoder().encode
    for row in placed_rows(taken, on_bad_row=on_bad_row):
        yield encode(row)


def _rows(taken: ScannedInput, on_bad_row: OnBadRow) -> Iterator[PlacedRow]:
    source = taken.source
    assert source is not None, "a data set"
    before = _snapshot(source)
    try:
        for number, item in enumerate(iter_samples(source.path, on_bad_row=on_bad_row), 1):
            if isinstance(item, BadRow):
                yield PlacedRow(source.label, number, (), problem=item.reason)
            else:
                yield PlacedRow(source.label, number, item.messages)
    except DataError as error:
        _check_still(source, before)  # a torn line is then not the line's fault
        text, name = str(error), clean_name(source.path.name)
        if not text.startswith(name):
            raise
        raise DataError(source.label + text.removeprefix(name)) from error
    _check_still(source, before)
    taken.sha256 = before.sha256


def _snapshot(source: Source) -> _Snapshot:
    try:
        stat = source.path.stat()
        if source.path.suffix == ".gz":
            _check_expansion(source, stat.st_size)
        return _Snapshot(stat.st_size, stat.st_mtime_ns, file_digest(source.path))
    except READ_ERRORS as error:
        raise DataError(f"{source.label}: cannot read ({error}); fetch the file again") from error


def _check_expansion(source: Source, size_bytes: int) -> None:
    limit = max(MAX_EXPANDED_BYTES, MAX_EXPANSION * size_bytes)
    n_bytes = 0
    with suppress(*READ_ERRORS), gzip.open(source.path, "rb") as file:  # the reader names the line
        while block := file.read(BLOCK_BYTES):
            n_bytes += len(block)
            if n_bytes > limit:
                raise DataError(
                    f"{source.label}: {size_bytes} bytes expand to more than {limit}; "
                    "decompress the file first if you trust it"
                )


def _check_still(source: Source, before: _Snapshot) -> None:
    try:
        stat = source.path.stat()
        after = _Snapshot(stat.st_size, stat.st_mtime_ns, file_digest(source.path))
    except OSError as error:
        raise DataError(
            f"{source.label}: gone while it was read ({error.strerror}); run the command again"
        ) from error
    if after != before:
        raise DataError(
            f"{source.label}: changed while it was read ({before.size_bytes} bytes before, "
            f"{after.size_bytes} after); wait until nothing writes to it and run the command again"
        )


def _source_files(paths: Sequence[Path]) -> list[Source]:
    found: dict[Path, Source] = {}
    n_named = Counter(path.name for path in paths if path.is_file())
    parent = Path(os.path.commonpath([path.resolve().parent for path in paths] or [Path.cwd()]))
    for path in paths:
        if path.is_file():
            full = path.resolve()
            name = path.name if n_named[path.name] == 1 else full.relative_to(parent).as_posix()
            found.setdefault(full, Source(path, clean_name(name)))
        elif path.is_dir():
            for file in _files_below(path):
                label = clean_name(file.relative_to(path.parent).as_posix())
                found.setdefault(file.resolve(), Source(file, label))
        else:
            raise DataError(f"{path.name}: no such file or directory; check the path")
    if not found:
        raise DataError(
            f"{', '.join(path.name for path in paths) or 'no paths'}: no source files; "
            "name files or folders of code, or leave out --plain for data sets"
        )
    return list(found.values())


def _files_below(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if _language(path) is not Language.OTHER
        and path.is_file()
        and not path.is_symlink()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _plain_rows(taken: ScannedInput, on_bad_row: OnBadRow) -> Iterator[PlacedRow]:
    digest = hashlib.sha256()
    for source in taken.sources:
        row = _plain_row(source)
        if row.problem and on_bad_row is OnBadRow.ERROR:
            raise DataError(f"{source.label}: {row.problem}")
        text = row.messages[0].content if row.messages else row.problem
        digest.update(f"{source.label}\0{len(text)}\0{text}".encode("utf-8", "surrogatepass"))
        yield row
    taken.sha256 = digest.hexdigest()


def _plain_row(source: Source) -> PlacedRow:
    try:
        with source.path.open("rb") as file:
            raw = file.read(MAX_LINE_BYTES + 1)
    except OSError as error:
        return _unfit(source, f"cannot read ({error.strerror}); check permissions")
    if len(raw) > MAX_LINE_BYTES:
        return _unfit(source, f"longer than {MAX_LINE_BYTES} bytes; split it or leave it out")
    if b"\0" in raw:
        return _unfit(source, "holds a NUL byte, so it is no text; leave it out")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return _unfit(source, f"invalid UTF-8 at byte {error.start}; save it as UTF-8")
    return PlacedRow(
        source.label, 1, (Message("assistant", text),), language=_language(source.path)
    )


def _language(path: Path) -> Language:
    named = language_of(path.suffix) if path.suffix else None
    return named or Language.OTHER


def _unfit(source: Source, problem: str) -> PlacedRow:
    return PlacedRow(source.label, 1, (), problem=problem)
