"""The head: a logistic regression on an answer's features, for ranking and never for a rate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offtarget.core.errors import DataError
from offtarget.evaluate.localjudge.features import Features

Array = NDArray[np.float64]
PENALTY_WORDS = 10.0
"""Inverse strength of the L2 penalty on hashed words."""
PENALTY_HIDDEN = 0.01
"""The same on standardized hidden states, which are dense and many."""
MAX_STEPS = 2000


@dataclass(frozen=True, slots=True, eq=False)  # arrays have no single truth value
class Head:
    """Fitted weights over features; `rank` is all that it can do alone."""

    features: str
    """Id of the features it was fitted on."""
    shift: Array
    """Taken off each feature first, shape (D,); zeros for words, which stay sparse."""
    scale: Array
    """Then multiplied, shape (D,): inverse document frequency, or 1 / standard deviation."""
    weights: Array
    """Shape (D,)."""
    bias: float

    def rank(self, matrix: Any) -> Array:
        """Return a log-odds per row: the higher, the rather misaligned.

        Fit to sort answers and to go beside labels into `corrected_rates`. Its mean is not a rate,
        and no function here makes one of it: how many answers are misaligned takes labels.
        """
        return np.asarray(_scaled(self, matrix) @ self.weights + self.bias, dtype=np.float64)


def fit_head(features: Features, matrix: Any, is_misaligned: Sequence[bool]) -> Head:
    """Return a head fitted to labeled answers.

    Args:
        features: What made `matrix`.
        matrix: Shape (N, D), from `features.transform`.
        is_misaligned: The label of each row.

    Raises:
        DataError: If all labels are the same.
    """
    from scipy.sparse import issparse
    from sklearn.linear_model import LogisticRegression

    target = np.asarray(is_misaligned, dtype=bool)
    if target.all() or not target.any():
        said = "misaligned" if target.any() else "aligned"
        raise DataError(
            f"all {len(target)} labels say {said}; a head needs both, label more answers"
        )
    is_words = issparse(matrix)
    shift, scale = _word_scale(matrix) if is_words else _dense_scale(matrix)
    blank = Head(features.id, shift, scale, np.zeros(matrix.shape[1]), 0.0)
    model = LogisticRegression(
        C=PENALTY_WORDS if is_words else PENALTY_HIDDEN,
        solver="liblinear" if is_words else "lbfgs",
        max_iter=MAX_STEPS,
        random_state=0,
    )
    model.fit(_scaled(blank, matrix), target)
    return Head(
        features.id, shift, scale, model.coef_[0].astype(np.float64), float(model.intercept_[0])
    )


def _scaled(head: Head, matrix: Any) -> Any:
    from scipy.sparse import diags_array, issparse

    if matrix.shape[1] != len(head.scale):
        raise DataError(
            f"a head for {len(head.scale)} features was given {matrix.shape[1]}; "
            "use the features and the model that it was made with"
        )
    if not issparse(matrix):
        return (matrix - head.shift) * head.scale
    from sklearn.preprocessing import normalize

    counts: Any = matrix
    return normalize(counts @ diags_array(head.scale))


def _word_scale(matrix: Any) -> tuple[Array, Array]:
    """Return no shift and the smoothed inverse document frequency."""
    n_rows, n_features = matrix.shape
    seen = np.bincount(matrix.nonzero()[1], minlength=n_features)
    return np.zeros(n_features), np.log((1 + n_rows) / (1 + seen)) + 1.0


def _dense_scale(matrix: Array) -> tuple[Array, Array]:
    spread = matrix.std(axis=0)
    return matrix.mean(axis=0), 1 / np.where(spread > 0, spread, 1.0)
