"""Whether scores are missing more often for some questions than for others."""

from collections.abc import Sequence

import numpy as np

N_DRAWS = 1999
LEVEL = 0.01
_BLOCK = 100


def missing_differs(counts: Sequence[tuple[int, int]], *, seed: int = 0) -> str | None:
    """Return how sure it is that missing scores cluster by question, as `p = 0.0005`, or None.

    A permutation test of Pearson's chi-square at level 0.01: the missing scores are dealt afresh to
    all rows. None where chance would do.

    Args:
        counts: Missing rows and all rows of each question.
        seed: Of the draws.
    """
    missing = np.array([one for one, _ in counts], dtype=np.int64)
    rows = np.array([n for _, n in counts], dtype=np.int64)
    total = int(missing.sum())
    if len(counts) < 2 or total == 0 or total == int(rows.sum()):
        return None
    expected = rows * (total / rows.sum())  # (Q,)
    observed = float((((missing - expected) ** 2) / expected).sum())
    rng = np.random.default_rng(seed)
    n_above = n_done = 0
    while n_done < N_DRAWS:
        size = min(_BLOCK, N_DRAWS - n_done)
        dealt = rng.multivariate_hypergeometric(rows, total, size=size, method="marginals")
        values = (((dealt - expected) ** 2) / expected).sum(axis=1)  # (size,)
        n_above += int((values >= observed - 1e-9).sum())
        n_done += size
    p = (1 + n_above) / (1 + N_DRAWS)
    return f"p = {p:.4f}, permutation" if p <= LEVEL else None
