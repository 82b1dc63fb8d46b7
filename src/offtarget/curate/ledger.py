"""The ledger: what became of every sample, and why; its counts add up to the input."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from offtarget.core.codec import canonical, decode, parse, read_lines
from offtarget.core.errors import DataError
from offtarget.curate.framing import Framing
from offtarget.curate.output import explained, replacing


class SampleState(StrEnum):
    """How a sample ends; each ends in exactly one state."""

    KEPT = "kept"
    """In the cleaned data, unchanged."""
    SANITIZED = "sanitized"
    """In the cleaned data, its code repaired."""
    REFRAMED = "reframed"
    """In the cleaned data, its prompt changed to say what the code is."""
    QUARANTINED = "quarantined"
    """Set aside for a person."""
    DROPPED = "dropped"
    UNPARSED = "unparsed"
    """Not known to be clean; `output_line` says whether it was kept all the same."""


CHANGED = frozenset({SampleState.SANITIZED, SampleState.REFRAMED})
IN_OUTPUT = CHANGED | {SampleState.KEPT}
LEFT_OUT = frozenset({SampleState.QUARANTINED, SampleState.DROPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """What became of one sample."""

    file: str
    line: int
    """1-based row of the input file."""
    state: SampleState
    reason: str
    """Why, in one sentence; never empty."""
    framing: Framing = Framing.UNKNOWN
    rules: tuple[str, ...] = ()
    """Rules of the findings that decided, sorted, each once."""
    output_line: int | None = None
    """1-based row of the cleaned data; None if the sample is not in it."""
    quarantine_line: int | None = None
    """1-based row of the quarantine file; None if the sample is not in it."""
    sha256: str = ""
    """Of the row: its bytes without the line break; in Parquet, its values as sorted JSON."""
    output_sha256: str = ""
    """Of the row in the cleaned data; equal to `sha256` where nothing was changed."""


@dataclass(slots=True)
class LedgerCounts:
    """Counts over entries that were checked one after the other."""

    by_state: Counter[SampleState] = field(default_factory=Counter)
    rows_by_file: Counter[str] = field(default_factory=Counter)
    n_output: int = 0
    _file: str = ""

    @property
    def n_samples(self) -> int:
        """All of them."""
        return self.by_state.total()

    def add(self, entry: LedgerEntry) -> None:
        """Count an entry.

        Raises:
            DataError: If it skips or repeats a row of the input or the output, goes back to a file
                that was finished, gives no reason, or its state contradicts its place.
        """
        place = f"{entry.file}:{entry.line}"
        expected = self.rows_by_file[entry.file] + 1
        if entry.line != expected or (entry.file != self._file and expected > 1):
            raise DataError(f"{place}: out of order in the ledger, row {expected} comes next; "
                            "write one entry a row, in the input's order")  # fmt: skip
        if not entry.reason.strip():
            raise DataError(f"{place}: {entry.state} without a reason; say why")
        is_output = entry.output_line is not None
        if (entry.state in IN_OUTPUT and not is_output) or (entry.state in LEFT_OUT and is_output):
            verb = "has" if is_output else "lacks"
            raise DataError(f"{place}: {entry.state}, but it {verb} an output row; fix one of both")
        if is_output and entry.output_line != self.n_output + 1:
            raise DataError(
                f"{place}: output row {entry.output_line}, but {self.n_output + 1} comes next; "
                "keep the input's order"
            )
        self._file = entry.file
        self.rows_by_file[entry.file] += 1
        self.by_state[entry.state] += 1
        self.n_output += is_output

    def check_total(self, samples_by_file: Mapping[str, int]) -> None:
        """Raise DataError unless every sample of the input has its entry."""
        if dict(self.rows_by_file) != {name: n for name, n in samples_by_file.items() if n}:
            raise DataError(
                f"the ledger has {self.n_samples} entries for {sum(samples_by_file.values())} "
                "samples; run the same command again"
            )


def write_ledger(entries: Iterable[LedgerEntry], path: Path) -> LedgerCounts:
    """Write entries as JSON Lines, checked; the file appears whole or not at all.

    Raises:
        DataError: As `LedgerCounts.add`.
        ResourceError: If the file cannot be written.
    """
    counts = LedgerCounts()
    with replacing(path) as file:
        for entry in entries:
            counts.add(entry)
            with explained(path.parent):
                file.write(canonical(entry) + b"\n")
    return counts


def read_ledger(path: Path) -> Iterator[LedgerEntry]:
    """Yield the entries of a ledger, checked as they were when it was written.

    Raises:
        DataError: If a line is no entry, or the entries do not add up.
    """
    counts = LedgerCounts()
    for number, text in read_lines(path):
        place = f"{path.name}:{number}"
        entry = decode(parse(text, place=place), LedgerEntry, place=place, error=DataError)
        counts.add(entry)
        yield entry
