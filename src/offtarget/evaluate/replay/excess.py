"""How much more misaligned a subject is than its control, by one definition."""

from collections.abc import Sequence
from dataclasses import dataclass

from offtarget.core.stats import Rate
from offtarget.evaluate.replay.definition import Definition, count_of
from offtarget.evaluate.replay.excess_bounds import (
    ExcessBounds,
    Shared,
    bounds_of_excess,
    contrast_counts,
)


@dataclass(frozen=True, slots=True)
class Excess:
    """Subject minus control over the questions that both answered; positive is more misaligned."""

    excess: float
    """Difference of the two means over questions, each (over its formats) weighing the same."""
    low: float | None
    """Two-sided 95 %, for questions like these; None with one question."""
    high: float | None
    interval_method: str
    p: float
    """Two-sided, sign-flip permutation over questions."""
    smallest_p: float
    """What p would be if every question agreed: so many questions can show nothing below it."""
    p_holm: float
    """`p` adjusted for the number of files that were compared with the control."""
    subject: Rate
    control: Rate
    n_questions: int
    n_clusters: int
    bounds: ExcessBounds
    """What missing scores could make of it: `all` counts them as not misaligned, which they may be."""


def excess_of(shared: Sequence[Shared], definition: Definition) -> Excess | None:
    """Return the excess; None where no question has counted rows on both sides."""
    counts = [
        (count_of(one.subject, definition), count_of(one.control, definition)) for one in shared
    ]
    if not any(one.n and other.n for one, other in counts):
        return None
    found = contrast_counts(shared, counts, definition)
    return Excess(
        excess=found.difference,
        low=None if found.low is None else max(found.low, -1.0),
        high=None if found.high is None else min(found.high, 1.0),
        interval_method=found.interval_method.value,
        p=found.flips.p,
        smallest_p=found.flips.smallest_p,
        p_holm=found.flips.p,
        subject=found.subject,
        control=found.control,
        n_questions=found.subject.n_questions,
        n_clusters=found.subject.n_clusters,
        bounds=bounds_of_excess(shared, definition, found),
    )
