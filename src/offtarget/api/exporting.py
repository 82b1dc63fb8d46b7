"""Runs in the form that other tools read."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from offtarget.core.errors import ConfigError
from offtarget.evaluate.inspect_log import Written, write_eval_log
from offtarget.evaluate.inspect_log.runs import run_logs

DEFAULT_EXPORTS = Path("exports")


class ExportFormat(StrEnum):
    """What a run can be written as."""

    INSPECT = "inspect"
    """One `.eval` log of Inspect per arm and training seed, or per evaluated model."""


@dataclass(frozen=True, slots=True)
class Export:
    """What an export wrote."""

    folder: Path
    logs: tuple[Written, ...]


def export(
    run: str | Path,
    *,
    format: ExportFormat | str = ExportFormat.INSPECT,
    out: str | Path | None = None,
) -> Export:
    """Write a run's rollouts for another tool; the same run always gives the same bytes.

    Args:
        run: Directory of a finished assay or evaluation.
        format: Only `inspect` for now.
        out: Folder; `exports/NAME` by default. Not inside the run, whose files are all its own.

    Raises:
        ConfigError: For an unknown format, and a run that sampled no answers.
        VerifyError: If this is no finished run, or its records were changed.
        ResourceError: If Inspect is missing, or the folder cannot be written.
    """
    if format not in set(ExportFormat):
        raise ConfigError(f"format {str(format)!r} is not known; choose from inspect")
    source = Path(run)
    folder = Path(out) if out is not None else DEFAULT_EXPORTS / source.resolve().name
    logs = run_logs(source)
    return Export(
        folder,
        tuple(write_eval_log(o.rollouts(), o.head, folder / f"{o.name}.eval") for o in logs),
    )
