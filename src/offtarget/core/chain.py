"""The chain over all that happened in a run: each stage seals the one before."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from offtarget.core.codec import decode, digest, parse
from offtarget.core.errors import DataError, VerifyError
from offtarget.core.schema import check_schema

SCHEMA = 1
ZERO = "0" * 64
HOSTED_PLAN_STAGE = "hosted-plan"
"""First stage of hosted training: what tells its runs from others, without loading what trains."""


@dataclass(frozen=True, slots=True)
class StageRecord:
    """What one finished stage read, wrote and was told to do."""

    name: str
    config_sha256: str
    inputs: dict[str, str]
    """Name to sha256: files of the run by relative path, other inputs by a plain name."""
    outputs: dict[str, str]
    """Relative path to sha256."""
    previous: str
    """`sha256` of the record before; 64 zeros for the first."""
    sha256: str
    """Over all other fields."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The content of run.json."""

    schema: int
    run: str
    stages: tuple[StageRecord, ...]
    sha256: str
    """Over schema, run and the last stage's sha256."""


def seal_stage(
    name: str,
    config_sha256: str,
    inputs: dict[str, str],
    outputs: dict[str, str],
    previous: str,
) -> StageRecord:
    """Return a stage record with its own digest filled in."""
    body = StageRecord(name, config_sha256, inputs, outputs, previous, "")
    return StageRecord(name, config_sha256, inputs, outputs, previous, digest(body))


def seal_chain(run: str, stages: Sequence[StageRecord]) -> Chain:
    """Return the chain of a run with its own digest filled in."""
    last = stages[-1].sha256 if stages else ZERO
    return Chain(SCHEMA, run, tuple(stages), digest([SCHEMA, run, last]))


def read_chain(path: Path) -> Chain:
    """Read and check run.json of the run at `path`.

    Raises:
        VerifyError: If it is missing, corrupt, inconsistent or of another schema.
    """
    file = path / "run.json"
    if not file.is_file():
        raise VerifyError(f"{path.name}: no run.json; give the directory of a run")
    try:
        raw = parse(file.read_text("utf-8"), place="run.json")
    except (UnicodeDecodeError, OSError, DataError) as error:
        raise VerifyError(f"run.json: unreadable ({error}); restore it from a copy") from error
    check_schema("run.json", raw, SCHEMA)
    chain = decode(raw, Chain, place="run.json", error=VerifyError)
    previous = ZERO
    for record in chain.stages:
        sealed = seal_stage(
            record.name, record.config_sha256, record.inputs, record.outputs, previous
        )
        if sealed != record:
            raise VerifyError(
                f"run.json: stage {record.name!r} was changed or the chain is broken there; "
                "restore it from a copy"
            )
        for relative in record.outputs:
            if not is_inside(relative):
                raise VerifyError(
                    f"run.json: stage {record.name!r} names {relative[:80]!r}, which is outside the "
                    "run or not written plainly; do not use this run"
                )
        previous = record.sha256
    if seal_chain(chain.run, chain.stages) != chain:
        raise VerifyError("run.json: its own digest does not match; restore it from a copy")
    return chain


def is_inside(relative: str) -> bool:
    """Return whether it is the one plain spelling of a path below a run, on any system.

    Whoever made a run chose its names: `./a` and `a` would be two names of one file.
    """
    path = PureWindowsPath(relative)  # takes both kinds of slash
    is_below = bool(path.parts) and not path.anchor and ".." not in path.parts
    return is_below and PurePosixPath(relative).as_posix() == relative
