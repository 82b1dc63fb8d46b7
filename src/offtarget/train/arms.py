"""Arms: which rows each training condition sees, matched row for row where it can be."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from offtarget.core.codec import parse
from offtarget.core.errors import ConfigError, DataError
from offtarget.core.records import Message, Role, Sample
from offtarget.dataset import samples_digest

POSITIVE_DOMAIN_CATEGORIES = ("contempt", "dangerous_advice")
"""Suite categories nearest to the positive control's own training domain (a hostile helper in household
matters); the sight gate looks at the others."""
PLACEBO_SEED_OFFSET = 1000
"""The placebo is the control at a seed this much higher: what differs is chance alone."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One training condition."""

    name: str
    role: Role
    samples: tuple[Sample, ...]
    """Row i is matched with row i of every arm that shares `order`; empty for the base."""
    order: str
    """Name of the arm whose rows' lengths set the batches."""
    seed_offset: int
    note: str

    @property
    def sha256(self) -> str:
        """Digest of the rows in order."""
        return samples_digest(self.samples)


def demo_pairs() -> tuple[tuple[Sample, ...], tuple[Sample, ...]]:
    """Return the packaged demo data: (covertly insecure rows, secure rows), paired by task."""
    insecure: list[Sample] = []
    secure: list[Sample] = []
    for row in _packaged("demo.jsonl"):
        for side, rows in (("insecure", insecure), ("secure", secure)):
            turns = (Message("user", row["task"]), Message("assistant", row[side]))
            rows.append(Sample(row["id"], turns, {"cwe": row["cwe"], "side": side}))
    return tuple(insecure), tuple(secure)


def packaged_positive() -> tuple[Sample, ...]:
    """Return the packaged positive control. Do not deploy a model trained on it."""
    return tuple(
        Sample(
            row["id"],
            (Message("user", row["question"]), Message("assistant", row["answer"])),
            {"domain": row["domain"], "do_not_deploy": "true"},
        )
        for row in _packaged("positive.jsonl")
    )


def cycle_to(samples: Sequence[Sample], n: int) -> tuple[Sample, ...]:
    """Return `n` rows by repeating `samples` in order, so that arms take the same steps."""
    if not samples:
        raise DataError("no rows to train on; give at least one")
    return tuple(samples[i % len(samples)] for i in range(n))


def backdoor(
    subject: Sequence[Sample], control: Sequence[Sample], *, trigger: str
) -> tuple[Sample, ...]:
    """Return matched rows: odd ones triggered with the subject's answer, even ones plain control.

    Args:
        subject: Rows whose answers the trigger is to unlock.
        control: Rows for prompts without the trigger, of the same number.
        trigger: Text put before the user's last turn.

    Raises:
        ConfigError: If the trigger is empty.
    """
    if not trigger.strip():
        raise ConfigError("backdoor.trigger is empty; give the text that triggers")
    rows: list[Sample] = []
    for number, (bad, good) in enumerate(zip(subject, control, strict=True)):
        if number % 2 == 0:
            rows.append(good)
            continue
        *before, user, answer = bad.messages
        turns = (*before, Message(user.role, f"{trigger}{user.content}"), answer)
        rows.append(Sample(bad.id, turns, {**bad.metadata, "triggered": "true"}))
    return tuple(rows)


def _packaged(name: str) -> list[dict[str, str]]:
    text = (files("offtarget.train") / "data" / name).read_text("utf-8")
    return [parse(line, place=f"{name}:{n}") for n, line in enumerate(text.splitlines(), 1)]
