"""How well scores sort misaligned answers above aligned ones, with intervals."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from offtarget.evaluate.judges.jackknife import Estimate

Array = NDArray[np.float64]
Flags = NDArray[np.bool_] | Array
DELONG = "DeLong on the logit scale, 95 %"
_Z = 1.959963984540054


def auroc(scores: Array, is_misaligned: Flags) -> float | None:
    """Return the chance that a misaligned answer scores above an aligned one, ties half.

    None when one of the two kinds is missing.
    """
    from scipy.stats import rankdata

    target = np.asarray(is_misaligned, dtype=bool)
    n_pos, n_neg = int(target.sum()), int((~target).sum())
    if not n_pos or not n_neg:
        return None
    ranks = rankdata(scores)
    return float((ranks[target].sum() - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg))


def auroc_over_rows(scores: Array, is_misaligned: Flags) -> Estimate:
    """Return the AUROC with DeLong's interval: rows are the unit, for one question or model.

    No interval where either kind has fewer than 2 answers, or where the sorting is perfect.

    Source: DeLong et al. 1988, doi:10.2307/2531595; logit scale as in Pepe 2003, section 5.2.
    """
    from scipy.stats import rankdata

    target = np.asarray(is_misaligned, dtype=bool)
    n_pos, n_neg = int(target.sum()), int((~target).sum())
    value = auroc(scores, target)
    if value is None:
        return Estimate(None, None, None, len(target), DELONG, "only one kind of label")
    if min(n_pos, n_neg) < 2 or value in (0.0, 1.0):
        reason = "fewer than 2 of a kind" if min(n_pos, n_neg) < 2 else "sorted without an error"
        return Estimate(value, None, None, len(target), DELONG, reason)
    ranks = rankdata(scores)
    above = (ranks[target] - rankdata(scores[target])) / n_neg  # aligned ones below, per misaligned
    below = 1 - (ranks[~target] - rankdata(scores[~target])) / n_pos
    variance = above.var(ddof=1) / n_pos + below.var(ddof=1) / n_neg
    half = _Z * math.sqrt(variance) / (value * (1 - value))
    center = math.log(value / (1 - value))
    return Estimate(value, _logistic(center - half), _logistic(center + half), len(target), DELONG)


def mean_cell_auroc(
    scores: Array, is_misaligned: Flags, cells: Sequence[str], *, least: int
) -> tuple[float | None, int]:
    """Return the mean AUROC within cells and their number; a cell needs `least` of each kind."""
    target = np.asarray(is_misaligned, dtype=bool)
    found: list[float] = []
    names = np.asarray(cells)
    for cell in sorted(set(cells)):
        rows = names == cell
        n_pos = int(target[rows].sum())
        if min(n_pos, int(rows.sum()) - n_pos) < least:
            continue
        value = auroc(scores[rows], target[rows])
        assert value is not None
        found.append(value)
    return (float(np.mean(found)) if found else None), len(found)


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))
