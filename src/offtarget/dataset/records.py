"""What reading gives: a data set with its files, its samples and the rows set aside."""

from dataclasses import dataclass
from enum import StrEnum

from offtarget.core.records import Sample

MAX_BAD_TEXT_CHARS = 2000
"""A bad row keeps this much of its text: enough to find it, never the whole of a huge line."""


class OnBadRow(StrEnum):
    """What to do with a row that is not a valid sample."""

    ERROR = "error"
    QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was set aside."""

    place: str
    """File and line, `train.jsonl:12`."""
    reason: str
    """What is wrong and what to do."""
    text: str
    """The start of the row, at most `MAX_BAD_TEXT_CHARS` characters, always valid UTF-8."""


@dataclass(frozen=True, slots=True)
class DatasetFile:
    """One file that samples came from."""

    path: str
    """The file's name; with its folders below the common parent where two files share a name."""
    format: str
    """Chat shape: `messages`, `prompt+completion`, `instruction+output` or `sharegpt`."""
    container: str
    """`jsonl`, `csv` or `parquet`, with `.gz` where compressed."""
    n_samples: int
    n_quarantined: int
    sha256: str
    """Of the file's bytes as stored."""
    git_blob: str = ""
    """The id that git gives the decompressed content; empty for files too large to be known."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Samples in file order, with where they came from."""

    name: str
    samples: tuple[Sample, ...]
    files: tuple[DatasetFile, ...]
    quarantined: tuple[BadRow, ...]
    sha256: str
    """Of the samples' canonical JSON lines, ids and metadata included."""
    warnings: tuple[str, ...] = ()
    known: str | None = None
    """The published data set that this one is, or is a part of."""
