"""A mean from few labels and many predictions that may be wrong: PPI++."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offtarget.core.errors import DataError
from offtarget.core.stats.spread import MIN_SHOWN

Array = NDArray[np.float64]

MAX_FOLDS = 5
"""Parts of the questions; each part's weight is tuned on the others."""
MIN_QUESTIONS = 4
"""Labeled questions below which no weight can be tuned on one part and used on another."""


class PpiMethod(StrEnum):
    """How the prediction's weight was chosen."""

    TUNED = "ppi_cross_fitted"
    FIXED = "ppi_fixed_weight"


@dataclass(frozen=True, slots=True)
class PpiMean:
    """A mean over questions like these, with predictions as control variate."""

    estimate: float
    low: float | None
    """Two-sided 95 %, Student's t over questions; None where `reason` says why."""
    high: float | None
    method: PpiMethod
    weight: float
    """Lambda, the mean over folds: 0 ignores the predictions, 1 trusts their slope."""
    estimate_labels: float
    """The mean of the labels alone, over questions."""
    width_labels: float
    """Width of the interval from the labels alone; compare with high - low."""
    n_labels: int
    n_predictions: int
    """Rows with a prediction and no label."""
    n_questions: int
    """Questions with a label."""
    reason: str
    """Why there is no interval; empty where there is one."""

    @property
    def width_ratio(self) -> float | None:
        """Width of the interval over that from the labels alone; 1 saves nothing."""
        if self.low is None or self.high is None:
            return None
        return (self.high - self.low) / self.width_labels


def ppi_mean(
    labels: ArrayLike,
    predictions: ArrayLike,
    questions: Sequence[object] | NDArray[np.int64],
    more_predictions: ArrayLike,
    more_questions: Sequence[object] | NDArray[np.int64],
    *,
    seed: int,
    weight: float | None = None,
) -> PpiMean:
    """Return the mean over questions of the labels, corrected by predictions on more rows.

    estimate = mean(labels) - lambda (mean(predictions on labeled) - mean(more predictions)), means
    over rows within a question, then over questions. The labels must be a random draw of each
    question's rows. Lambda minimizes the variance between questions and lies in [0, 1]; it is tuned
    on other questions than it is used on, so that the estimate is unbiased for any predictor.

    Args:
        labels: Shape (n,), the outcome that counts.
        predictions: Shape (n,), the predictor on the same rows.
        questions: Question of each labeled row, length n.
        more_predictions: Shape (N,), the predictor on rows without a label.
        more_questions: Question of each of those, length N.
        seed: Of the assignment of questions to folds.
        weight: Use this lambda and tune nothing.

    Raises:
        DataError: If lengths differ, a value is not finite, or fewer than 4 questions have labels,
            or fewer than 4 have further rows.

    Source: Angelopoulos, Duchi and Zrnic 2023, arXiv:2311.01453 (power tuning). Means by question
    and cross-fitting are ours: the paper's rows are independent and its tuned lambda is unbiased
    in the limit only.
    """
    labeled = _per_question(np.stack([_finite(labels), _finite(predictions)]), questions)
    others = _per_question(_finite(more_predictions)[None], more_questions)
    if min(len(labeled), len(others)) < MIN_QUESTIONS:
        raise DataError(
            f"{len(labeled)} questions have labels and {len(others)} further rows; "
            f"label rows of at least {MIN_QUESTIONS} questions and keep as many with others"
        )
    table = _table(labeled, others)
    estimate, lam = _cross_fitted(table, seed=seed, weight=weight)
    half = _half(_influence(table, lam), len(labeled))
    alone = _half(_influence(table, 0.0), len(labeled))
    reason = _refusal(table[:, 0])
    return PpiMean(
        estimate=estimate,
        low=None if reason else estimate - half,
        high=None if reason else estimate + half,
        method=PpiMethod.TUNED if weight is None else PpiMethod.FIXED,
        weight=lam,
        estimate_labels=float(np.nanmean(table[:, 0])),
        width_labels=2 * alone,
        n_labels=len(questions),
        n_predictions=len(more_questions),
        n_questions=len(labeled),
        reason=reason,
    )


def _cross_fitted(table: Array, *, seed: int, weight: float | None) -> tuple[float, float]:
    """The estimate and the mean lambda; each fold's lambda comes from the other folds."""
    folds = _folds(table, seed=seed)
    n_labeled = np.isfinite(table[:, 0]).sum()
    estimate, mean_weight = 0.0, 0.0
    for fold in range(int(folds.max()) + 1):
        inside = folds == fold
        lam = _tuned(table[~inside]) if weight is None else weight
        label, here, elsewhere = np.nanmean(table[inside], axis=0)
        share = np.isfinite(table[inside, 0]).sum() / n_labeled
        estimate += float(share * (label - lam * (here - elsewhere)))
        mean_weight += float(lam * share)
    return estimate, mean_weight


def _refusal(labels: Array) -> str:
    """Nearly all questions with one and the same mean label show no spread to build on."""
    _, sizes = np.unique(labels[np.isfinite(labels)], return_counts=True)
    n_other = int(sizes.sum() - sizes.max())
    if n_other >= MIN_SHOWN:
        return ""
    return (
        f"{n_other} questions have another mean label than the rest, fewer than {MIN_SHOWN}, so the "
        "spread between questions was not seen; label more rows"
    )


def _finite(values: ArrayLike) -> Array:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise DataError(
            f"values of shape {array.shape} with {int((~np.isfinite(array)).sum())} not finite; "
            "leave unjudged rows out and count them"
        )
    return array


def _per_question(
    values: Array, questions: Sequence[object] | NDArray[np.int64]
) -> dict[str, Array]:
    """The mean of each column over a question's rows, by the question's name."""
    names = [str(question) for question in questions]
    if values.shape[1] != len(names):
        raise DataError(f"{values.shape[1]} values for {len(names)} questions; name one each")
    order = {name: i for i, name in enumerate(dict.fromkeys(names))}
    index = np.array([order[name] for name in names], dtype=np.int64)
    n = np.bincount(index, minlength=len(order))
    sums = np.stack([np.bincount(index, weights=row, minlength=len(order)) for row in values])
    return {name: sums[:, i] / n[i] for name, i in order.items()}


def _table(labeled: dict[str, Array], others: dict[str, Array]) -> Array:
    """Shape (Q, 3): label, prediction on labeled, prediction on others; NaN where there is none."""
    names = list(dict.fromkeys([*labeled, *others]))
    none = np.array([np.nan, np.nan])
    return np.array([[*labeled.get(name, none), *others.get(name, none[:1])] for name in names])


def _folds(table: Array, *, seed: int) -> NDArray[np.int64]:
    """A fold for each question, so that each holds labeled questions and others alike."""
    has = np.isfinite(table)
    kind = has[:, 0] * 2 + has[:, 2]  # 1: others only, 2: labels only, 3: both
    n_folds = min(MAX_FOLDS, *(int(has[:, column].sum()) // 2 for column in (0, 2)))
    draw = np.random.default_rng(seed)
    folds = np.empty(len(table), dtype=np.int64)
    start = 0
    for value in (3, 2, 1):
        members = draw.permutation(np.flatnonzero(kind == value))
        folds[members] = (np.arange(len(members)) + (start if value != 1 else 0)) % n_folds
        start += len(members)
    return folds


def _tuned(table: Array) -> float:
    """The weight with the smallest variance between questions, in [0, 1]."""
    with_labels = _influence(table, 0.0)
    slope = with_labels - _influence(table, 1.0)
    spread = float(slope @ slope)
    if spread <= 1e-24 * float(np.nansum(table[:, 1:] ** 2)):  # constant but for rounding
        return 0.0
    return min(1.0, max(0.0, float(with_labels @ slope) / spread))


def _influence(table: Array, weight: float) -> Array:
    """What each question adds to the estimate's error, shape (Q,)."""
    labels = table[:, 0] - weight * table[:, 1]
    first, second = (_centered(column) for column in (labels, weight * table[:, 2]))
    return np.asarray(first + second)


def _centered(column: Array) -> Array:
    has = np.isfinite(column)
    return np.asarray(np.where(has, column - np.nanmean(column), 0.0) / has.sum())


def _half(influence: Array, n_labeled: int) -> float:
    from scipy.special import stdtrit

    error = math.sqrt(float(influence @ influence) * n_labeled / (n_labeled - 1))
    return float(stdtrit(n_labeled - 1, 0.975)) * error
