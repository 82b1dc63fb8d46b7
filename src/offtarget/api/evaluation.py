"""Evaluation: other people's judged results, counted again."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offtarget.core.codec import to_builtins
from offtarget.core.errors import ConfigError, DataError
from offtarget.dataset.sources import clean_name
from offtarget.evaluate.replay import (
    Analysis,
    Caution,
    Contrast,
    JudgedRow,
    Replayed,
    analyze,
    contrast_all,
    has_open_end,
    read_judged,
)

INSPECT_LOG = ".eval"
EXIT_NO_RATE = 4
OPEN_END = Caution(
    "open_end",
    "the file stops without a line break: whether its last row is whole cannot be concluded; check "
    "that it was copied to its end",
)


@dataclass(frozen=True, slots=True)
class Replay:
    """Judged results, counted again."""

    analyses: tuple[Analysis, ...]
    """One per file, in the order given."""
    control: Analysis | None
    contrasts: tuple[Contrast, ...]
    """Each file against the control; empty without one."""

    @property
    def exit_code(self) -> int:
        """0, or 4 where the scores of a file allow no rate at all."""
        has_all = all(one.rates["all"].rate is not None for one in self.analyses)
        return 0 if has_all else EXIT_NO_RATE

    @property
    def record(self) -> dict[str, Any]:
        """What `--json` prints: a file's analysis, or `files` with several."""
        beside = {"control": self.control, "contrasts": self.contrasts}
        if len(self.analyses) == 1:
            plain: dict[str, Any] = to_builtins({**_fields(self.analyses[0]), **beside})
        else:
            plain = to_builtins({"files": self.analyses, **beside})
        return plain


def replay(*paths: str | Path, control: str | Path | None = None) -> Replay:
    """Count judged results again: rates with intervals over questions, and what they cannot show.

    Args:
        paths: `.csv`, `.jsonl`, `.parquet` (the first two also `.gz`), or Inspect's `.eval` logs;
            each is an analysis of its own.
        control: Judged answers of a matched model to the same questions; contrasts are paired by
            question.

    Raises:
        ConfigError: For no path.
        DataError: If a file is malformed, with its line; or named twice; or shares no question with
            the control.
        ResourceError: For an `.eval` log where Inspect is missing.
    """
    given = [Path(path) for path in paths]
    if not given:
        raise ConfigError("nothing to replay; name a file of judged answers")
    others = [] if control is None else [Path(control)]
    _check_once([*given, *others])
    found = [_analyze(path, has_control=bool(others)) for path in given]
    if not others:
        return Replay(tuple(one.analysis for one in found), None, ())
    beside = _analyze(others[0], has_control=True)
    return Replay(
        analyses=tuple(one.analysis for one in found),
        control=beside.analysis,
        contrasts=contrast_all(found, beside),
    )


def _analyze(path: Path, *, has_control: bool) -> Replayed:
    rows = _rows(path)
    beside = [OPEN_END] if has_open_end(path) else []
    return analyze(rows, source=clean_name(path.name), has_control=has_control, beside=beside)


def _rows(path: Path) -> Iterator[JudgedRow]:
    if path.suffix.lower() != INSPECT_LOG:
        return read_judged(path)
    from offtarget.evaluate.inspect_log import read_eval_log  # Inspect takes seconds to import

    if not path.is_file():
        raise DataError(f"{clean_name(path.name)}: not a file; check the path")
    return read_eval_log(path)


def _check_once(paths: Sequence[Path]) -> None:
    twice, n = Counter(path.resolve() for path in paths).most_common(1)[0]
    if n > 1:
        raise DataError(f"{clean_name(twice.name)}: given twice; name each file once")


def _fields(analysis: Analysis) -> dict[str, Any]:
    plain: dict[str, Any] = to_builtins(analysis)
    return plain
