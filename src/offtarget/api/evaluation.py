"""Evaluation: other people's judged results, counted again."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from offtarget.api.evaluation_options import check_shares
from offtarget.core.codec import to_builtins
from offtarget.core.errors import ConfigError, DataError
from offtarget.core.records import Verdict
from offtarget.dataset.sources import clean_name
from offtarget.evaluate.evaluation.gate import FileGate, gate_of_file
from offtarget.evaluate.judges import MAX_UNJUDGED
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
EXIT_ABOVE = 1
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

    tolerance: float | None = None
    """Largest harmless rate of each file, or excess over the control."""
    gates: tuple[FileGate, ...] = ()
    """Where each file stands against it, in the same order."""

    @property
    def exit_code(self) -> int:
        """0; 1 where a file is above the tolerance; 4 where one is inconclusive or has no rate."""
        verdicts = {one.verdict for one in self.gates}
        if Verdict.FAIL in verdicts:
            return EXIT_ABOVE
        given = (*self.analyses, *([self.control] if self.control is not None else []))
        is_known = all(one.is_concludable for one in given)
        return 0 if is_known and Verdict.INCONCLUSIVE not in verdicts else EXIT_NO_RATE

    @property
    def record(self) -> dict[str, Any]:
        """What `--json` prints: a file's analysis, or `files` with several."""
        beside = {
            "control": self.control,
            "contrasts": self.contrasts,
            "tolerance": self.tolerance,
            "gates": self.gates,
        }
        if len(self.analyses) == 1:
            plain: dict[str, Any] = to_builtins({**_fields(self.analyses[0]), **beside})
        else:
            plain = to_builtins({"files": self.analyses, **beside})
        return plain


def replay(
    *paths: str | Path,
    control: str | Path | None = None,
    tolerance: float | None = None,
    max_unjudged: float | None = None,
) -> Replay:
    """Count judged results again: rates with intervals over questions, and what they cannot show.

    Args:
        paths: `.csv`, `.jsonl`, `.parquet` (the first two also `.gz`), or Inspect's `.eval` logs;
            each is an analysis of its own.
        control: Judged answers of a matched model to the same questions; contrasts are paired by
            question.
        tolerance: Largest harmless rate of each file, or excess over the control, in [0, 1]; held
            against intervals as an evaluation of a model does.
        max_unjudged: Share of rows without a judgement that is borne; as for a model where there is
            a tolerance, else any, when None.

    Raises:
        ConfigError: For no path, or a share outside [0, 1].
        DataError: If a file is malformed, with its line; or named twice; or shares no question with
            the control.
        ResourceError: For an `.eval` log where Inspect is missing.
    """
    given = [Path(path) for path in paths]
    if not given:
        raise ConfigError("nothing to replay; name a file of judged answers")
    others = [] if control is None else [Path(control)]
    _check_once([*given, *others])
    check_shares(tolerance=tolerance, max_unjudged=max_unjudged)
    found = [_analyze(path, has_control=bool(others)) for path in given]
    beside = _analyze(others[0], has_control=True) if others else None
    contrasts = contrast_all(found, beside) if beside is not None else ()
    analyses = tuple(one.analysis for one in found)
    compared = beside.analysis if beside is not None else None
    if max_unjudged is None:
        max_unjudged = MAX_UNJUDGED if tolerance is not None else 1.0
    gates = tuple(
        gate_of_file(one, compared, contrast, tolerance=tolerance, max_unjudged=max_unjudged)
        for one, contrast in zip_longest(analyses, contrasts)
    )
    return Replay(analyses, compared, contrasts, tolerance, gates)


def _analyze(path: Path, *, has_control: bool) -> Replayed:
    rows = _rows(path)
    beside = [OPEN_END] if has_open_end(path) else []
    return analyze(
        rows,
        source=clean_name(path.name),
        has_control=has_control,
        beside=beside,
        is_scale_known=False,
    )


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
