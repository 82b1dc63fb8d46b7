"""A head on rows that it was not fitted on, although they are of the same questions and model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offtarget.evaluate.labels import Label
from offtarget.evaluate.localjudge.calibration import probability
from offtarget.evaluate.localjudge.features import Features
from offtarget.evaluate.localjudge.head import fit_head

Array = NDArray[np.float64]
N_FOLDS = 5
_LEAST = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class CrossPredicted:
    """Log-odds for `corrected_rates`."""

    log_odds: Array
    """Of each labeled row, by a head fitted on the other folds; shape (labels,)."""
    more_log_odds: Array
    """Of each unlabeled row: of the mean chance that all folds' heads give it; shape (more,)."""


def cross_predict(
    features: Features, matrix: Any, labels: Sequence[Label], more_matrix: Any, *, seed: int
) -> CrossPredicted | None:
    """Return log-odds of labeled and unlabeled rows that may be compared without bias.

    None when a fold would be left with one kind of label.

    Args:
        features: What made the matrices.
        matrix: Of the labeled rows, shape (N, D).
        labels: In the same order.
        more_matrix: Of the unlabeled rows, shape (M, D).
        seed: Of the folds.

    Source: Zrnic and Candes 2024, arXiv:2309.16598 (cross-prediction-powered inference).
    """
    target = np.array([one.is_misaligned for one in labels], dtype=bool)
    folds = np.random.default_rng(seed).permutation(len(labels)) % N_FOLDS
    own = np.zeros(len(labels))
    chance = np.zeros(more_matrix.shape[0])
    for fold in range(N_FOLDS):
        inside = folds == fold
        if len(set(target[~inside].tolist())) < 2 or not inside.any():
            return None
        head = fit_head(features, matrix[~inside], target[~inside].tolist())
        own[inside] = head.rank(matrix[inside])
        chance += probability(head.rank(more_matrix)) / N_FOLDS
    kept = np.clip(chance, _LEAST, 1 - _LEAST)
    return CrossPredicted(own, np.log(kept / (1 - kept)))
