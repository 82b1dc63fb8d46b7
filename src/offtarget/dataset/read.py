"""Any chat data set to samples: strict, streaming, and every row left out is counted."""

import dataclasses
import hashlib
import itertools
import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from offtarget.core.codec import canonical, file_digest, git_blob_id, write_lines
from offtarget.core.errors import DataError
from offtarget.core.records import Sample
from offtarget.dataset.containers import container_of, raw_rows, row_text
from offtarget.dataset.formats import Shape, detect_shape, to_sample
from offtarget.dataset.known import recognize
from offtarget.dataset.lines import READ_ERRORS, RawRow
from offtarget.dataset.records import BadRow, Dataset, DatasetFile, OnBadRow
from offtarget.dataset.sources import Source, check_file, clean_name, find_sources, set_name

MAX_KNOWN_BYTES = 32 * 1024 * 1024
"""Larger files get no git blob id: no known data set is as large."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What one file gave."""

    file: DatasetFile
    samples: list[Sample]
    bad_rows: list[BadRow]
    is_cut: bool


class _SampleReader:
    """Reads one file and remembers the shape of its first row."""

    def __init__(self, source: Source, on_bad_row: OnBadRow) -> None:
        self.source = source
        self.on_bad_row = on_bad_row
        self.shape: Shape | None = None

    def items(self) -> Generator[Sample | BadRow, None, None]:
        n_samples, n_bad, first = 0, 0, ""
        for row in raw_rows(self.source.path, self.source.label):
            try:
                sample = self._sample(row)
            except DataError as error:
                if self.on_bad_row is OnBadRow.ERROR:
                    raise
                n_bad += 1
                first = first or str(error)
                reason = str(error).removeprefix(f"{row.place}: ")
                yield BadRow(place=row.place, reason=reason, text=row_text(row))
                continue
            n_samples += 1
            yield sample
        if n_samples + n_bad == 0:
            raise DataError(f"{self.source.label}: no rows; give a file that holds samples")
        if n_samples == 0:
            raise DataError(
                f"{self.source.label}: all {n_bad} rows are bad (first: {first}); fix the file"
            )

    def _sample(self, row: RawRow) -> Sample:
        if row.problem is not None:
            raise DataError(row.problem)
        shape = detect_shape(row.value, place=row.place)
        assert isinstance(row.value, dict)
        if self.shape is not None and shape is not self.shape:
            raise DataError(
                f"{row.place}: the row has {_keys(shape)}, the rows before it {_keys(self.shape)}; "
                "keep one shape a file"
            )
        self.shape = shape
        id_ = f"{self.source.label}:{row.number}"
        return to_sample(row.value, shape, id_=id_, place=row.place)


def iter_samples(path: Path, *, on_bad_row: OnBadRow = OnBadRow.ERROR) -> Iterator[Sample | BadRow]:
    """Yield the samples of one file in order; memory does not grow with their number.

    Args:
        path: A file of a known ending (`CONTAINERS`).
        on_bad_row: Raise at the first bad row, or yield it as a BadRow and go on.

    Raises:
        DataError: For a bad row unless quarantined; in any case for a file that cannot be read,
            holds no row, or holds only bad rows. Row errors begin with `file:line: `.
    """
    check_file(path, path.name)
    return _SampleReader(Source(path, clean_name(path.name)), on_bad_row).items()


def load_dataset(
    paths: Sequence[Path], *, on_bad_row: OnBadRow = OnBadRow.ERROR, limit: int | None = None
) -> Dataset:
    """Return the samples of files and directories, in the order given, directories sorted.

    Args:
        paths: Files, or directories searched for known endings (hidden entries are passed over).
        on_bad_row: Raise at the first bad row, or set bad rows aside and count them.
        limit: Read at most this many samples; what was left unread is said in `warnings`.

    Raises:
        DataError: As `iter_samples`; and for a directory without data files, a file given twice, or
            a limit below 1.
    """
    if limit is not None and limit < 1:
        raise DataError(f"limit of {limit} samples; ask for at least 1")
    sources = find_sources(paths)
    reads: list[_Read] = []
    n_left = limit
    for source in sources:
        if n_left == 0:
            break
        reads.append(_read_file(source, on_bad_row, n_left))
        n_left = None if n_left is None else n_left - len(reads[-1].samples)
    samples = tuple(itertools.chain.from_iterable(read.samples for read in reads))
    dataset = Dataset(
        name=set_name(paths),
        samples=samples,
        files=tuple(read.file for read in reads),
        quarantined=tuple(itertools.chain.from_iterable(read.bad_rows for read in reads)),
        sha256=samples_digest(samples),
    )
    recognition = recognize(dataset)
    warnings = (*_count_warnings(dataset, sources, reads), *recognition.warnings)
    return dataclasses.replace(dataset, known=recognition.name, warnings=warnings)


def samples_digest(samples: Iterable[Sample]) -> str:
    """Return the sha256 of the samples' canonical JSON lines, hex."""
    digest = hashlib.sha256()
    for sample in samples:
        digest.update(canonical(sample) + b"\n")
    return digest.hexdigest()


def write_quarantine(bad_rows: Iterable[BadRow], path: Path) -> None:
    """Write rows set aside as JSON Lines; the file appears whole or not at all.

    Raises:
        DataError: If the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
            temporary = Path(file.name)
            try:
                file.write(write_lines(bad_rows))
                file.close()
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(
            f"{path.name}: cannot write ({error.strerror}); choose a folder that can be written"
        ) from error


def _read_file(source: Source, on_bad_row: OnBadRow, limit: int | None) -> _Read:
    reader = _SampleReader(source, on_bad_row)
    samples: list[Sample] = []
    bad_rows: list[BadRow] = []
    is_cut = False
    with closing(reader.items()) as items:
        for item in items:
            if isinstance(item, BadRow):
                bad_rows.append(item)
                continue
            samples.append(item)
            if len(samples) == limit:
                is_cut = _has_more(items)
                break
    assert reader.shape is not None
    try:
        sha256 = file_digest(source.path)
        is_small = source.path.stat().st_size <= MAX_KNOWN_BYTES
        blob = git_blob_id(source.path) if is_small else ""
    except READ_ERRORS as error:
        raise DataError(f"{source.label}: cannot read ({error}); fetch the file again") from error
    file = DatasetFile(
        path=source.label,
        format=reader.shape.name,
        container=container_of(source.path) or "",
        n_samples=len(samples),
        n_quarantined=len(bad_rows),
        sha256=sha256,
        git_blob=blob,
    )
    return _Read(file, samples, bad_rows, is_cut)


def _has_more(items: Iterator[Sample | BadRow]) -> bool:
    try:
        return next(items, None) is not None
    except DataError:
        return True


def _count_warnings(
    dataset: Dataset, sources: Sequence[Source], reads: Sequence[_Read]
) -> list[str]:
    warnings = []
    if dataset.quarantined:
        n_rows = len(dataset.quarantined) + len(dataset.samples)
        warnings.append(f"{len(dataset.quarantined)} of {n_rows} rows were set aside as bad")
    if len(reads) < len(sources) or any(read.is_cut for read in reads):
        warnings.append(f"only the first {len(dataset.samples)} samples were read (limit)")
    return warnings


def _keys(shape: Shape) -> str:
    return " and ".join(repr(key) for key in shape.keys)
