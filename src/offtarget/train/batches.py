"""Which rows stand in which step: the same for every matched arm."""

from collections.abc import Sequence

import numpy as np

from offtarget.core.seed import derive_seed


def plan_batches(
    lengths: Sequence[int], *, batch_size: int, epochs: int, seed: int
) -> tuple[tuple[int, ...], ...]:
    """Return row indices per optimizer step.

    Rows are cut into batches by length, so that little is padded; the order of batches is
    shuffled anew each epoch. Matched arms pass the *original* row's lengths, so that row i stands
    in the same step in each of them whatever framing has added to it.

    Args:
        lengths: Tokens of each original row, shape (N,).
        batch_size: Rows per step; the last batch of an epoch may be smaller.
        epochs: Passes over the rows.
        seed: The replicate's seed.
    """
    order = sorted(range(len(lengths)), key=lambda row: (lengths[row], row))
    cuts = [tuple(order[at : at + batch_size]) for at in range(0, len(order), batch_size)]
    steps: list[tuple[int, ...]] = []
    for epoch in range(epochs):
        shuffled = np.random.default_rng(derive_seed("batches", seed, epoch)).permutation(len(cuts))
        steps += [cuts[at] for at in shuffled]
    return tuple(steps)
