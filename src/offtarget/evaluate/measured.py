"""What was measured on each replicate, laid out as question-by-seed arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offtarget.core.errors import VerifyError
from offtarget.core.records import Role
from offtarget.evaluate.contexts import PLAIN
from offtarget.evaluate.margin import MarginRecord
from offtarget.evaluate.rollouts import RolloutRecord
from offtarget.evaluate.suite import FACTUAL
from offtarget.train import StepRecord

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HeldoutRecord:
    """Loss on one row of the subject's own task that no arm was trained on."""

    sample: str
    loss: float
    """nats/token."""


@dataclass(frozen=True, slots=True)
class Replicate:
    """The raw records of an arm at one seed."""

    arm: str
    role: Role
    seed: int
    margins: tuple[MarginRecord, ...]
    heldout: tuple[HeldoutRecord, ...]
    rollouts: tuple[RolloutRecord, ...]
    steps: tuple[StepRecord, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Margins of one arm in one context."""

    values: Array
    """Shape (Q, S)."""
    pairs: tuple[str, ...]
    categories: tuple[str, ...]
    clusters: tuple[str, ...]

    def only(self, *, without: Sequence[str] = (), category: str | None = None) -> "Grid":
        """Return the part of the grid outside `without`, or in one category."""
        keep = [
            i
            for i, name in enumerate(self.categories)
            if name not in without and (category is None or name == category)
        ]
        return Grid(
            self.values[keep],
            tuple(self.pairs[i] for i in keep),
            tuple(self.categories[i] for i in keep),
            tuple(self.clusters[i] for i in keep),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """All replicates of one arm, in order of seed."""

    name: str
    role: Role
    replicates: tuple[Replicate, ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds in order."""
        return tuple(replicate.seed for replicate in self.replicates)

    @property
    def contexts(self) -> tuple[str, ...]:
        """Contexts scored, in the order they were."""
        return tuple(dict.fromkeys(record.context for record in self.replicates[0].margins))

    def grid(self, context: str = PLAIN, *, factual: bool = False) -> Grid:
        """Return margins as (Q, S); harm pairs, or the factual ones.

        Raises:
            VerifyError: If the seeds of this arm did not score the same pairs.
        """
        columns: list[list[MarginRecord]] = [
            [
                record
                for record in replicate.margins
                if record.context == context and (record.category == FACTUAL) == factual
            ]
            for replicate in self.replicates
        ]
        names = [tuple(record.pair for record in column) for column in columns]
        if len(set(names)) != 1:
            raise VerifyError(
                f"arm {self.name!r}: seeds differ in the pairs scored in context {context!r}; "
                "run the assay again in a new directory"
            )
        first = columns[0]
        return Grid(
            np.array([[record.margin for record in column] for column in columns]).T,
            names[0],
            tuple(record.category for record in first),
            tuple(record.cluster for record in first),
        )

    def heldout(self) -> float | None:
        """Return the mean loss on the subject's own task over rows and seeds, nats/token."""
        losses = [record.loss for r in self.replicates for record in r.heldout]
        return float(np.mean(losses)) if losses else None


def difference(control: Measured, subject: Measured, context: str = PLAIN) -> Grid:
    """Return control minus subject per question and matched seed: the excess.

    A base has one replicate; it is compared with every seed of the other arm.

    Raises:
        VerifyError: If the two arms did not score the same pairs.
    """
    one, other = control.grid(context), subject.grid(context)
    if one.pairs != other.pairs:
        raise VerifyError(
            f"arms {control.name!r} and {subject.name!r} scored different pairs; "
            "run the assay again in a new directory"
        )
    n_seeds = max(one.values.shape[1], other.values.shape[1])
    shape = (len(one.pairs), n_seeds)
    values = np.broadcast_to(one.values, shape) - np.broadcast_to(other.values, shape)
    return Grid(values, one.pairs, one.categories, one.clusters)
