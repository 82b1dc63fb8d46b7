"""Weights of questions: equal per category, per cluster, per question."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def question_weights(
    categories: Sequence[str], clusters: Sequence[str]
) -> tuple[Array, dict[str, dict[str, list[int]]]]:
    """Return weights that sum to 1, shape (Q,), and the questions by category and cluster.

    Equal weight per category, per cluster within it, per question within that.
    """
    groups: dict[str, dict[str, list[int]]] = {}
    for index, (category, cluster) in enumerate(zip(categories, clusters, strict=True)):
        groups.setdefault(category, {}).setdefault(cluster, []).append(index)
    weights = np.zeros(len(categories))
    for members in groups.values():
        for questions in members.values():
            weights[questions] = 1 / (len(groups) * len(members) * len(questions))
    return weights, groups
