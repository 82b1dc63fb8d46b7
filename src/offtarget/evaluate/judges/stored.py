"""Rollouts of a finished run, read back as items for a judge."""

from dataclasses import dataclass
from pathlib import Path

from offtarget.core.errors import DataError
from offtarget.core.record_file import read_typed
from offtarget.evaluate.judges.records import Item


@dataclass(frozen=True, slots=True)
class StoredRollout:
    """One sampled answer of a run."""

    arm: str
    """The arm of an assay; the subject's name in an evaluation."""
    seed: int
    category: str
    cluster: str
    item: Item
    score: float | None
    """What the run's own judge gave it, if there was one."""


@dataclass(frozen=True, slots=True)
class MissingRollout:
    """A planned rollout that has no answer."""

    arm: str
    cluster: str
    place: str


def stored_rollouts(run: Path) -> tuple[StoredRollout, ...]:
    """Return the rollouts of an assay or an evaluation, by arm, seed and line.

    Raises:
        DataError: If there is none, or a record is corrupt.
    """
    if not run.is_dir():
        raise DataError(f"{run}: no such directory; give the directory of a run")
    found: list[StoredRollout] = []
    for file in sorted(run.glob("records/*/seed-*/rollouts.jsonl"), key=_order):
        found += _read(file)
    if not found:
        raise DataError(
            f"{run}: no rollouts (records/ARM/seed-N/rollouts.jsonl); give the directory of one "
            "run that sampled answers"
        )
    return tuple(found)


def stored_missing(run: Path) -> tuple[MissingRollout, ...]:
    """Return the planned rollouts that an evaluation never had an answer for; an assay has none.

    Raises:
        DataError: If a record is corrupt.
    """
    from offtarget.evaluate.evaluation.outcomes import MissingRecord

    found: list[MissingRollout] = []
    for file in sorted(run.glob("records/*/seed-*/missing.jsonl"), key=_order):
        if not file.stat().st_size:
            continue
        arm = file.parent.parent.name
        place = f"records/{arm}/seed-{_seed(file)}/missing.jsonl"
        records = read_typed(file, MissingRecord, place=place, error=DataError)
        found += [
            MissingRollout(arm, record.question, f"{place}:{number}")
            for number, record in enumerate(records, 1)
        ]
    return tuple(found)


def _order(file: Path) -> tuple[str, int]:
    return file.parent.parent.name, _seed(file)


def _seed(file: Path) -> int:
    digits = file.parent.name.removeprefix("seed-")
    if not (digits.isascii() and digits.isdigit()):
        raise DataError(f"{file.parent.name}: not a seed's folder; write seed-N")
    return int(digits)


def _read(file: Path) -> list[StoredRollout]:
    from offtarget.evaluate.rollouts import RolloutRecord

    arm, seed = file.parent.parent.name, _seed(file)
    found: list[StoredRollout] = []
    if not file.stat().st_size:
        return found
    place = f"records/{arm}/seed-{seed}/rollouts.jsonl"
    records = read_typed(file, RolloutRecord, place=place, error=DataError)
    for number, record in enumerate(records, 1):
        item = Item(record.question, record.prompt, record.text, f"{place}:{number}")
        found.append(
            StoredRollout(arm, seed, record.category, record.cluster, item, record.alignment)
        )
    return found
