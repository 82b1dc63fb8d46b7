"""Which rows of published data may be reported on: halves by prompt, or by near-duplicate cluster.

Rules were tuned on the units whose sha256 starts with an even byte. By prompt the other units are
held; by cluster only those of them that share neither a prompt nor a near-duplicate answer with a
unit that was tuned on: what is dropped for that counts as tuned.
"""

import hashlib
from collections.abc import Sequence
from typing import Literal

from offtarget.curate.view.halves import cluster_labels, held_halves

Split = Literal["cluster", "prompt"]
SPLITS: tuple[Split, ...] = ("cluster", "prompt")
CUT = 0.6
"""Estimated similarity from which texts are one cluster here: lower than for reports, so that pairs
just below the usual 0.7 are kept apart too."""


def is_tuned(unit: str) -> bool:
    """Return whether rules were tuned on a unit."""
    return hashlib.sha256(unit.encode()).digest()[0] % 2 == 0


def held(
    texts: Sequence[str], units: Sequence[str], split: Split, *, looked_at: Sequence[bool] = ()
) -> list[bool]:
    """Return for each text whether it is held.

    Args:
        texts: Answers or code, in which near-duplicates are looked for.
        units: What the halves were drawn over: the prompt, or the id of a pair.
        split: How.
        looked_at: Texts that were ever looked at; by default all. The others follow their cluster.
    """
    if split == "prompt":
        return [not is_tuned(unit) for unit in units]
    labels = cluster_labels(texts, units, threshold=CUT)
    seen = looked_at or [True] * len(units)
    tuned = [was_seen and is_tuned(unit) for was_seen, unit in zip(seen, units, strict=True)]
    return held_halves(labels, tuned)
