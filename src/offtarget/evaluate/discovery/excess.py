"""Is a cluster given more by the subject than by a control, beyond chance?"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from offtarget.core.stats import count_rows, stratified_rate
from offtarget.evaluate.discovery.records import Against

Array = NDArray[np.float64]
BLOCK = 200
"""Permutations that are held in memory at once."""


def excess_of(
    clusters: NDArray[np.int64],
    questions: NDArray[np.int64],
    is_subject: NDArray[np.bool_],
    *,
    control: str,
    n_clusters: int,
    n_permutations: int,
    seed: int,
) -> list[Against]:
    """Return the excess of each cluster over one control, with its interval and p.

    Clusters were made without knowing who gave which answer, so under the null that subject and
    control answer each question alike, answers to a question may trade places: the permutation
    test is exact. Shares are means over questions.

    Args:
        clusters: Cluster of each answer of subject and this control, -1 for none; shape (N,).
        questions: Question of each, numbered from 0; every one was put to both.
        is_subject: Whose it is.
        control: The control's name.
        n_clusters: Clusters are numbered below this.
        n_permutations: Shuffles.
        seed: Of the shuffles.

    Source: interval of the difference by Zou and Donner 2008, doi:10.1002/sim.3095 (MOVER), from the
    two stratified intervals, as in Newcombe 1998's method 10.
    """
    n_questions = int(questions.max()) + 1
    hits_subject, n_subject = _counts(clusters, questions, is_subject, n_clusters, n_questions)
    hits_control, n_control = _counts(clusters, questions, ~is_subject, n_clusters, n_questions)
    observed = (hits_subject / n_subject - hits_control / n_control).mean(axis=1)
    at_least = _permuted(
        clusters, questions, is_subject, observed, n_permutations=n_permutations, seed=seed
    )
    found: list[Against] = []
    for cluster in range(n_clusters):
        first = _share(hits_subject[cluster], n_subject)
        second = _share(hits_control[cluster], n_control)
        excess = first[0] - second[0]
        found.append(
            Against(
                control=control,
                n_subject=int(hits_subject[cluster].sum()),
                of_subject=int(n_subject.sum()),
                n_control=int(hits_control[cluster].sum()),
                of_control=int(n_control.sum()),
                share_subject=first[0],
                share_control=second[0],
                excess=excess,
                low=excess - math.hypot(first[0] - first[1], second[2] - second[0]),
                high=excess + math.hypot(first[2] - first[0], second[0] - second[1]),
                p=(1 + int(at_least[cluster])) / (1 + n_permutations),
            )
        )
    return found


def _counts(
    clusters: NDArray[np.int64],
    questions: NDArray[np.int64],
    rows: NDArray[np.bool_],
    n_clusters: int,
    n_questions: int,
) -> tuple[Array, Array]:
    """Return hits, shape (C, Q), and answers, shape (Q,)."""
    hits = np.zeros((n_clusters, n_questions))
    inside = rows & (clusters >= 0)
    np.add.at(hits, (clusters[inside], questions[inside]), 1)
    return hits, np.bincount(questions[rows], minlength=n_questions).astype(np.float64)


def _share(hits: Array, n: Array) -> tuple[float, float, float]:
    rate = stratified_rate(count_rows(hits, n))
    assert rate.low is not None
    assert rate.high is not None
    return rate.rate, rate.low, rate.high


def _permuted(
    clusters: NDArray[np.int64],
    questions: NDArray[np.int64],
    is_subject: NDArray[np.bool_],
    observed: Array,
    *,
    n_permutations: int,
    seed: int,
) -> NDArray[np.int64]:
    """Return how many permutations reach each cluster's observed excess.

    Within a question, the subject's hits after a shuffle follow the multivariate hypergeometric
    law over clusters; it is drawn directly.
    """
    draw = np.random.default_rng(seed)
    n_clusters, at_least = len(observed), np.zeros(len(observed), dtype=np.int64)
    totals: list[tuple[NDArray[np.int64], int, int]] = []
    for question in range(int(questions.max()) + 1):
        rows = questions == question
        pooled = np.bincount(clusters[rows] + 1, minlength=n_clusters + 1)  # place 0: no cluster
        totals.append((pooled, int(is_subject[rows].sum()), int((~is_subject[rows]).sum())))
    for start in range(0, n_permutations, BLOCK):
        size = min(BLOCK, n_permutations - start)
        excess = np.zeros((size, n_clusters))
        for pooled, n_subject, n_control in totals:
            drawn = draw.multivariate_hypergeometric(pooled, n_subject, size=size)[:, 1:]
            excess += drawn / n_subject - (pooled[1:] - drawn) / n_control
        at_least += (excess / len(totals) >= observed - 1e-12).sum(axis=0)
    return at_least


def distinct(values: Sequence[str]) -> dict[str, int]:
    """Return a number for each different value, in sorted order."""
    return {value: index for index, value in enumerate(sorted(set(values)))}
