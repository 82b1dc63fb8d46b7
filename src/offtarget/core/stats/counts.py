"""Hits and rows by question and training seed: what every rate over questions is made of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offtarget.core.errors import DataError
from offtarget.core.stats.weights import question_weights

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)  # arrays have no single truth value
class Counts:
    """Hits among scored rows, questions by seeds, without questions that have no row."""

    hits: Array
    """Shape (Q, S)."""
    n: Array
    """Shape (Q, S); a seed may lack rows of a question, a question has at least one row."""
    weights: Array
    """Shape (Q, S), sums to 1: equal per category, cluster, question and seed that has rows."""
    owner: NDArray[np.int64]
    """Shape (Q,): the cluster of each question, as a number from 0."""
    strata: NDArray[np.int64]
    """Shape (U,): the category of each cluster, as a number."""
    n_empty: int
    """Questions left out because they have no row; their rate is unknown, not zero."""

    @property
    def rates(self) -> Array:
        """Shape (Q, S), hits per row; 0 where there is no row, which has weight 0."""
        return self.hits / np.maximum(self.n, 1)

    @property
    def per_cluster(self) -> Array:
        """Shape (U,): the mean rate of each cluster's questions, equal weight each."""
        return self.cluster_means(self.per_question)

    @property
    def per_question(self) -> Array:
        """Shape (Q,): the mean of each question's rates over the seeds that have rows."""
        return np.asarray((self.rates * (self.n > 0)).sum(axis=1) / (self.n > 0).sum(axis=1))

    def cluster_means(self, values: Array) -> Array:
        """Return the mean of `values`, shape (Q,), over each cluster's questions, shape (U,)."""
        sizes = np.bincount(self.owner, minlength=len(self.strata))
        return np.asarray(self.cluster_sums(values) / sizes)

    def cluster_sums(self, values: Array) -> Array:
        """Return the sum of `values`, shape (Q,), over each cluster's questions, shape (U,)."""
        sums = np.bincount(self.owner, weights=values, minlength=len(self.strata))
        return np.asarray(sums, dtype=np.float64)

    @property
    def rate(self) -> float:
        """The weighted mean of the questions' rates."""
        return float((self.weights * self.rates).sum() / self.weights.sum())


def count_rows(
    hits: ArrayLike,
    n: ArrayLike,
    *,
    categories: Sequence[str] | None = None,
    clusters: Sequence[str] | None = None,
) -> Counts:
    """Return checked counts with their weights.

    Args:
        hits: Rows of each question that count, shape (Q,) or (Q, S).
        n: Scored rows of each question, the same shape.
        categories: The category of each question; all have equal weight. Default: one category.
        clusters: Questions of one cluster (paraphrases) share a weight and are one unit.
            Default: each question is its own.

    Raises:
        DataError: If the shapes differ, a count is not a whole number, hits exceed rows, or no
            question has a row.
    """
    found, rows = (_table(values) for values in (hits, n))
    if found.shape != rows.shape:
        raise DataError(f"hits have shape {found.shape} and rows {rows.shape}; count both alike")
    bad = np.argwhere((found < 0) | (found > rows) | (found % 1 != 0) | (rows % 1 != 0))
    if len(bad):
        question, seed = (int(i) for i in bad[0])
        raise DataError(
            f"question {question}, seed {seed}: {found[question, seed]:g} hits of "
            f"{rows[question, seed]:g} rows; count whole rows, hits among them"
        )
    n_questions = len(rows)
    categories = categories if categories is not None else [""] * n_questions
    clusters = clusters if clusters is not None else [str(i) for i in range(n_questions)]
    if not len(categories) == len(clusters) == n_questions:
        raise DataError(
            f"{n_questions} questions, {len(categories)} categories and {len(clusters)} clusters; "
            "name one of each per question"
        )
    kept = [i for i in range(n_questions) if rows[i].sum() > 0]
    if not kept:
        raise DataError(f"none of {n_questions} questions has a scored row; nothing to estimate")
    return _weighted(
        found[kept],
        rows[kept],
        [categories[i] for i in kept],
        [clusters[i] for i in kept],
        n_empty=n_questions - len(kept),
    )


def _table(values: ArrayLike) -> Array:
    table = np.asarray(values, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or not np.isfinite(table).all():
        raise DataError(f"counts of shape {table.shape}; give finite counts, questions by seeds")
    return table


def _weighted(
    hits: Array, n: Array, categories: Sequence[str], clusters: Sequence[str], *, n_empty: int
) -> Counts:
    weights, groups = question_weights(categories, clusters)
    has_rows = n > 0
    cells = weights[:, None] * has_rows / has_rows.sum(axis=1, keepdims=True)
    owner = np.zeros(len(n), dtype=np.int64)
    strata: list[int] = []
    for number, members in enumerate(groups.values()):
        for questions in members.values():
            owner[questions] = len(strata)
            strata.append(number)
    return Counts(hits, n, cells, owner, np.array(strata), n_empty)
