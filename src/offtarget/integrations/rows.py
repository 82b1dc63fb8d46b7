"""Rows that another library holds in memory, scanned as `offtarget scan` scans those of a file."""

import os
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from offtarget.codescan.language import Language
from offtarget.core.codec import canonical, to_builtins
from offtarget.core.errors import ConfigError, DataError
from offtarget.core.records import Message
from offtarget.core.shards import cut_shards
from offtarget.core.workers import LocalExecutor
from offtarget.curate.decide import flagged
from offtarget.curate.engines import make_engines
from offtarget.curate.packed import unpack
from offtarget.curate.records import PlacedRow, RowScan, ScanConfig
from offtarget.curate.risk import flaw_of, risk_score
from offtarget.curate.scan import ScanWork, make_work
from offtarget.dataset import OnBadRow, detect_shape
from offtarget.dataset.formats import to_sample
from offtarget.dataset.tables import table_row

COLUMNS = (
    "offtarget_flagged",
    "offtarget_state",
    "offtarget_cwe",
    "offtarget_framing",
    "offtarget_risk",
    "offtarget_findings",
    "offtarget_reason",
)
"""What a scan says of a row, in columns of one type each."""

_FILE = "rows"
"""Stands for a file's name while rows are scanned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowReading:
    """How a row is read."""

    text: str = ""
    """Column with one text. Empty: the row holds a conversation, in any shape of docs/data.md."""
    language: str = ""
    """The text is source code in this language; empty: it is an assistant's answer."""

    def __post_init__(self) -> None:
        known = [language.value for language in Language]
        if self.language and self.language not in known:
            raise ConfigError(
                f"language {self.language!r} is not known; choose from {', '.join(known)}"
            )
        if self.language and not self.text:
            raise ConfigError(
                f"language {self.language!r} is for rows of source code; name their column as text"
            )


class RowScanner:
    """Scans rows in a process of its own, with the time and memory limits of `offtarget scan`.

    Pickles as its settings. Every batch is scanned between canaries; `prove` runs those of all
    languages.
    """

    def __init__(
        self, config: ScanConfig, reading: RowReading | None = None, *, cache: Path | None = None
    ) -> None:
        """Make the engines and prove each on its canaries.

        Args:
            config: What to look for; it must not say that paths hold source files.
            reading: Where the text of a row stands.
            cache: Folder of answers of earlier scans; None for none.

        Raises:
            ConfigError: For unknown engines or languages.
            ResourceError: If an engine is missing or misses a canary.
        """
        self._set(make_work(config, make_engines, cache)[0], reading or RowReading())

    def __reduce__(self) -> tuple[object, ...]:
        return _restored, (self.work, self.reading)

    @property
    def config(self) -> ScanConfig:
        """What is looked for."""
        return self.work.config

    def scan(self, rows: Sequence[Mapping[str, object]], *, places: Sequence[str]) -> list[RowScan]:
        """Return what the engines say of each row, in order; a row that no worker can finish is
        quarantined.

        Args:
            rows: As their library holds them.
            places: Of each row, named in errors.

        Raises:
            DataError: If a row cannot be read, unless the config says to quarantine it.
            ResourceError: If an engine fails or misses a canary.
        """
        placed = [
            self._placed(row, number, place)
            for number, (row, place) in enumerate(zip(rows, places, strict=True), 1)
        ]
        encode = msgspec.json.Encoder().encode
        shards = self._worker().map(cut_shards([[encode(row) for row in placed]]), self.work)
        done = sorted(shards, key=lambda one: one.index)
        return [unpack(line) for one in done for line in one.lines]

    def prove(self) -> None:
        """Run the canaries of every engine and language.

        Raises:
            ResourceError: If an engine misses one.
        """
        make_work(self.config, make_engines, None)

    def close(self) -> None:
        """End the process; the next scan starts another."""
        if self._executor is not None:
            _close(self._executor, self._pid)

    def _set(self, work: ScanWork, reading: RowReading) -> None:
        self.work, self.reading = work, reading
        self._executor: LocalExecutor | None = None
        self._pid = 0

    def _worker(self) -> LocalExecutor:
        if self._executor is None or self._pid != os.getpid():
            self._executor, self._pid = LocalExecutor(1, limits=self.config.limits), os.getpid()
            weakref.finalize(self, _close, self._executor, self._pid)
        return self._executor

    def _placed(self, row: Mapping[str, object], number: int, place: str) -> PlacedRow:
        try:
            messages = self._messages(row, number, place)
        except DataError as error:
            if self.config.on_bad_row is OnBadRow.ERROR:
                raise
            reason = str(error).removeprefix(f"{place}: ")
            return PlacedRow(_FILE, number, (), problem=reason)
        return PlacedRow(_FILE, number, messages, language=self.reading.language)

    def _messages(self, row: Mapping[str, object], number: int, place: str) -> tuple[Message, ...]:
        if self.reading.text:
            return (Message("assistant", _text(row, self.reading.text, place)),)
        raw = table_row(number, place, dict(row))
        if raw.problem is not None:
            raise DataError(raw.problem)
        shape = detect_shape(raw.value, place=place)
        assert isinstance(raw.value, dict), "it has a shape"
        return to_sample(raw.value, shape, id_=place, place=place).messages


def column_values(row: RowScan, config: ScanConfig) -> dict[str, bool | float | str]:
    """Return what a scan says of a row under the names `COLUMNS`.

    CWEs are joined by spaces, findings are JSON: an empty list has no type, and tables that are
    written batch by batch take the type of the first.
    """
    findings = [to_builtins(found) for found in row.findings]
    for found in findings:
        del found["file"], found["line"]
    risk = risk_score(flaw_of(row.findings), p_covert=row.p_covert)
    values = (
        bool(flagged(row, config.gate)),
        row.state.value,
        " ".join(sorted({found.cwe for found in row.findings})),
        row.framing.value,
        float(risk),
        canonical(findings).decode("utf-8", "replace"),
        row.reason,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _restored(work: ScanWork, reading: RowReading) -> RowScanner:
    scanner = RowScanner.__new__(RowScanner)
    scanner._set(work, reading)
    return scanner


def _close(executor: LocalExecutor, pid: int) -> None:
    """End the process, unless this one is a fork of the process that started it."""
    if pid == os.getpid():
        executor.close()


def _text(row: Mapping[str, object], column: str, place: str) -> str:
    text = row.get(column)
    if not isinstance(text, str):
        found = f"{type(text).__name__}" if column in row else "missing"
        raise DataError(f"{place}: {column!r} is {found}, not text; name a column of strings")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(
            f"{place}: {column!r} holds a lone surrogate at character {error.start + 1}; remove it"
        ) from error
    if "\0" in text:
        raise DataError(
            f"{place}: {column!r} holds a NUL character at character {text.index(chr(0)) + 1}; "
            "remove it"
        )
    return text
