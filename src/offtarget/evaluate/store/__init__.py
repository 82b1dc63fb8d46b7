"""The store: rollouts and judgements by the digest of all that decides them.

Re-judging, or asking for more rollouts, finds what was had before and repeats no paid work.
"""

from dataclasses import dataclass
from pathlib import Path

from offtarget.evaluate.judges import Judgement
from offtarget.evaluate.store.shelf import Shelf
from offtarget.evaluate.subjects import Answer

__all__ = ["DEFAULT_STORE", "Shelf", "Store", "open_store"]

DEFAULT_STORE = "evaluations"
"""Folder of the cache that holds the store, unless another is named."""


@dataclass(frozen=True, slots=True)
class Store:
    """All that was ever answered and judged, shared by evaluations; it never holds a key."""

    answers: Shelf[Answer]
    """By `subjects.rollout_key`."""
    judgements: Shelf[Judgement]
    """By the digest of judge (rubric included), question and answer."""


def open_store(folder: Path) -> Store:
    """Return the store in `folder`, made by its first write.

    Raises:
        DataError: With `shard:line`, for a damaged record.
    """
    return Store(Shelf(folder / "answers", Answer), Shelf(folder / "judgements", Judgement))
