"""Functions for `Dataset.map` and `Dataset.filter` of the `datasets` library."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from offtarget.core.errors import ConfigError
from offtarget.core.finding import Severity
from offtarget.curate.decide import CleanConfig, Policy, UnparsedPolicy, decide
from offtarget.curate.engines import BUNDLED
from offtarget.curate.records import RowScan, ScanConfig
from offtarget.dataset import OnBadRow
from offtarget.dataset.formats import SHAPES
from offtarget.integrations.choices import choice
from offtarget.integrations.rows import COLUMNS, RowReading, RowScanner, column_values

__all__ = ["COLUMNS", "RowFilter", "Scanner", "row_filter", "scanner"]

_CHAT_COLUMNS = frozenset(key for shape in SHAPES for key in (*shape.keys, *shape.optional))


@dataclass(frozen=True, slots=True)
class Scanner:
    """For `ds.map(..., batched=True)`: adds the columns `COLUMNS`."""

    rows: RowScanner

    def __call__(
        self, batch: Mapping[str, Sequence[object]], indices: Sequence[int] | None = None
    ) -> dict[str, list[bool | float | str]]:
        """Return the new columns; `indices` come with `with_indices=True` and name rows in errors.

        Raises:
            ConfigError: If this is no batch.
            DataError: If a row cannot be read, unless the scanner quarantines it.
            ResourceError: If an engine fails or misses a canary.
        """
        values = [column_values(row, self.rows.config) for row in _scan(self.rows, batch, indices)]
        return {name: [row[name] for row in values] for name in COLUMNS}


@dataclass(frozen=True, slots=True)
class RowFilter:
    """For `ds.filter(..., batched=True)`: keeps what `offtarget clean --policy drop` keeps."""

    rows: RowScanner
    policy: CleanConfig

    def __call__(
        self, batch: Mapping[str, Sequence[object]], indices: Sequence[int] | None = None
    ) -> list[bool]:
        """Return whether each row stays; see `Scanner` for arguments and errors."""
        return [decide(row, self.policy).is_output for row in _scan(self.rows, batch, indices)]


def scanner(
    *,
    gate: Severity | str = Severity.MEDIUM,
    engines: Sequence[str] = BUNDLED,
    rules: Sequence[str | Path] = (),
    text: str = "",
    language: str = "",
    on_bad_row: OnBadRow | str = OnBadRow.ERROR,
    cache: str | Path | None = None,
) -> Scanner:
    """Return a function that adds to each row what a scan says of it.

    It pickles, works with `num_proc`, and has one fingerprint for one set of arguments, engines
    and version of offtarget, so that `datasets` finds its cached result again.

    Args:
        gate: A row with a finding of this severity or above is flagged.
        engines: `offtarget`, `ruff`, `ast-grep`, `bandit`, `semgrep`.
        rules: Files or folders of your semgrep rules.
        text: Column with one text; by default the rows hold conversations, as files do that
            `offtarget scan` reads.
        language: The text is source code in this language; by default an assistant's answer.
        on_bad_row: Stop at a row that cannot be read (`error`), or say so in its columns
            (`quarantine`).
        cache: Folder of answers of earlier scans; None for none.

    Raises:
        ConfigError: For unknown engines, severities or languages.
        ResourceError: If an engine is missing or misses a canary.
    """
    return Scanner(_rows(gate, engines, rules, text, language, on_bad_row, cache))


def row_filter(
    *,
    gate: Severity | str = Severity.MEDIUM,
    unparsed: UnparsedPolicy | str = UnparsedPolicy.KEEP,
    only_covert: bool = False,
    engines: Sequence[str] = BUNDLED,
    rules: Sequence[str | Path] = (),
    text: str = "",
    language: str = "",
    on_bad_row: OnBadRow | str = OnBadRow.ERROR,
    cache: str | Path | None = None,
) -> RowFilter:
    """Return a function that tells which rows to keep; see `scanner` for the other arguments.

    Args:
        gate: Rows with a finding of this severity or above are left out.
        unparsed: `keep` rows with code that no engine could read, or leave them out (`quarantine`).
        only_covert: Keep flagged rows that say they are insecure.
        engines: See `scanner`.
        rules: See `scanner`.
        text: See `scanner`.
        language: See `scanner`.
        on_bad_row: `quarantine` leaves the row out.
        cache: See `scanner`.

    Raises:
        ConfigError: As `scanner`, and for an unknown policy.
        ResourceError: As `scanner`.
    """
    rows = _rows(gate, engines, rules, text, language, on_bad_row, cache)
    policy = CleanConfig(
        policy=Policy.DROP,
        unparsed=choice(UnparsedPolicy, unparsed, "unparsed"),
        only_covert=only_covert,
        scan=rows.config,
    )
    return RowFilter(rows, policy)


def _rows(
    gate: Severity | str,
    engines: Sequence[str],
    rules: Sequence[str | Path],
    text: str,
    language: str,
    on_bad_row: OnBadRow | str,
    cache: str | Path | None,
) -> RowScanner:
    config = ScanConfig(
        engines=tuple(engines),
        rules=tuple(map(str, rules)),
        gate=choice(Severity, gate, "gate"),
        on_bad_row=choice(OnBadRow, on_bad_row, "on_bad_row"),
    )
    reading = RowReading(text=text, language=language)
    return RowScanner(config, reading, cache=None if cache is None else Path(cache))


def _scan(
    rows: RowScanner, batch: Mapping[str, Sequence[object]], indices: Sequence[int] | None
) -> list[RowScan]:
    wanted = {rows.reading.text} if rows.reading.text else _CHAT_COLUMNS
    columns = {name: _column(name, batch[name]) for name in batch if name in wanted}
    n_rows = len(next(iter(columns.values()), ())) if columns else _length(batch)
    values = [{name: column[at] for name, column in columns.items()} for at in range(n_rows)]
    if indices is None:
        places = [f"row {at + 1} of the batch" for at in range(n_rows)]
    else:
        places = [f"row {index + 1}" for index in indices]
    return rows.scan(values, places=places)


def _column(name: str, column: Sequence[object]) -> list[object]:
    is_turns = isinstance(column, list) and bool(column) and isinstance(column[0], Mapping)
    if not isinstance(column, list) or is_turns:
        found = "one row's turns" if is_turns else type(column).__name__
        raise ConfigError(
            f"column {name!r} comes as {found}; call map or filter with batched=True on a data set "
            "in Python format (ds.with_format(None))"
        )
    return column


def _length(batch: Mapping[str, Sequence[object]]) -> int:
    return len(next(iter(batch.values()), ()))
