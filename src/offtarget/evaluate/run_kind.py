"""What kind of run a directory holds, told by its chain; a command takes only its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from offtarget.core.chain import HOSTED_PLAN_STAGE, Chain, read_chain
from offtarget.core.errors import ConfigError, VerifyError
from offtarget.core.run_lock import locked

ASSAY_PLAN = "plan.yaml"
EVALUATION_PLAN = "plan.json"
SCAN, CLEANED = ("findings.jsonl", "rows.jsonl"), "*.clean.json"
"""What tells the folder of a scan, and one with cleaned data."""


class RunKind(StrEnum):
    """Which command made a run, as it is called in messages."""

    ASSAY = "an assay"
    EVALUATION = "an evaluation"
    HOSTED = "hosted training"


def kind_of(chain: Chain) -> RunKind | None:
    """Return the kind of run that a chain is of; None if it has no plan."""
    if any(record.name == HOSTED_PLAN_STAGE for record in chain.stages):
        return RunKind.HOSTED  # before the rest: its plan has the file name of an evaluation's
    made = {relative for record in chain.stages for relative in record.outputs}
    if ASSAY_PLAN in made:
        return RunKind.ASSAY
    return RunKind.EVALUATION if EVALUATION_PLAN in made else None


def run_kind(path: Path) -> RunKind | None:
    """Return the kind of run at `path`; None where there is none, or its chain cannot be read."""
    try:
        return kind_of(read_chain(path))
    except VerifyError:
        return None


def refuse_other(path: Path, kind: RunKind) -> None:
    """Raise ConfigError if `path` holds anything that is no run of `kind`; nothing is written.

    Raises:
        ConfigError: If it holds another kind of run, a scan or cleaned data.
        VerifyError: If it has a chain that cannot be read.
    """
    if there := _other_than(path, kind):
        raise ConfigError(
            f"{path}: holds {there}, and this command makes {kind}; nothing was changed; choose "
            "another --out"
        )


@contextmanager
def claimed(path: Path, kind: RunKind) -> Iterator[None]:
    """Hold a directory for one command that makes a run of `kind`.

    Raises:
        ConfigError: If it holds something else, or another command is at work there.
        VerifyError: If it has a chain that cannot be read.
        ResourceError: If it cannot be written.
    """
    refuse_other(path, kind)  # before the lock is written beside somebody else's files
    with locked(path):
        yield


def _other_than(path: Path, kind: RunKind) -> str:
    """Return what a directory holds that is no run of `kind`, in words; "" where nothing is."""
    if (path / "run.json").is_file():
        chain = read_chain(path)
        found = kind_of(chain)
        if found is kind or not chain.stages:
            return ""
        return str(found or "a run of an unknown kind")
    if not path.is_dir():
        return ""
    if all((path / name).is_file() for name in SCAN):
        return "a scan"
    return "cleaned data" if any(path.glob(CLEANED)) else ""
