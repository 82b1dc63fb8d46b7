"""Intervals for effects measured on crossed questions and training seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

POWER_FACTOR = 2.8
"""Standard errors that an effect must have to be seen: 1.96 (two-sided 5 %) + 0.84 (80 % power)."""
MIN_SEEDS_FOR_RECIPE = 3
"""Below this the seed component is not estimated and the claim is about these weights alone."""
_Z = 1.959963984540054
"""97.5 % quantile of the normal distribution."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Effect:
    """A mean over questions and seeds, with what is known of its error."""

    estimate: float
    low: float
    """Lower end of the two-sided 95 % interval."""
    high: float
    """Upper end of the two-sided 95 % interval."""
    upper_one_sided: float
    """One-sided 95 % upper bound."""
    se_questions: float
    se_seeds: float
    """0 for fewer than 3 seeds: then the interval speaks of these weights, not of the recipe."""
    smallest_detectable: float
    p: float
    """Two-sided, against zero."""
    n_questions: int
    n_clusters: int
    n_seeds: int


def crossed_effect(values: Array, categories: Sequence[str], clusters: Sequence[str]) -> Effect:
    """Return the mean of `values` with equal weight per category, and its interval.

    Questions and seeds are crossed. With n seeds the half-width is
    sqrt((t_Q se_Q)^2 + (t_{n-1} se_S)^2): the question component over clusters within categories,
    the seed component over the seeds' own means, each with its own Student quantile. Both hold the
    interaction variance, so the interval errs to the wide side. The quantiles of the two
    components are combined as in Howe 1974, doi:10.1080/01621459.1974.10480187.

    Args:
        values: Effects, shape (Q, S): question by seed.
        categories: The category of each question, length Q.
        clusters: The cluster of each question; paraphrases share one. Length Q.
    """
    from scipy.stats import t  # takes half a second, which no command that only counts should pay

    n_seeds = values.shape[1]
    weights, groups = _weights(categories, clusters)
    per_question = values.mean(axis=1)
    estimate = float(weights @ per_question)
    se_questions, df = _question_error(per_question, weights, groups)
    se_seeds = 0.0
    if n_seeds >= MIN_SEEDS_FOR_RECIPE:
        se_seeds = float((weights @ values).std(ddof=1) / math.sqrt(n_seeds))

    def half(level: float) -> float:
        questions = float(t.ppf(level, df)) * se_questions
        if not se_seeds:
            return questions
        return math.hypot(questions, float(t.ppf(level, n_seeds - 1)) * se_seeds)

    total = math.hypot(se_questions, se_seeds)
    return Effect(
        estimate=estimate,
        low=estimate - half(0.975),
        high=estimate + half(0.975),
        upper_one_sided=estimate + half(0.95),
        se_questions=se_questions,
        se_seeds=se_seeds,
        smallest_detectable=POWER_FACTOR * total,
        p=_p_value(abs(estimate), half),
        n_questions=len(per_question),
        n_clusters=len(set(clusters)),
        n_seeds=n_seeds,
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number (Holm 1979), in the given order."""
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Return the two-sided 95 % Wilson interval of a rate; (0, 1) when n is 0.

    Formula (4) of Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E.

    Raises:
        ValueError: If there are more successes than n, or fewer than none.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}")
    if n == 0:
        return 0.0, 1.0
    rate = successes / n
    scale = 2 * (n + _Z**2)
    center = (2 * n * rate + _Z**2) / scale
    half = _Z / scale * math.sqrt(4 * n * rate * (1 - rate) + _Z**2)
    return (center - half if successes else 0.0), (center + half if successes < n else 1.0)


def _weights(
    categories: Sequence[str], clusters: Sequence[str]
) -> tuple[Array, dict[str, dict[str, list[int]]]]:
    """Equal weight per category, per cluster within it, per question within that."""
    groups: dict[str, dict[str, list[int]]] = {}
    for index, (category, cluster) in enumerate(zip(categories, clusters, strict=True)):
        groups.setdefault(category, {}).setdefault(cluster, []).append(index)
    weights = np.zeros(len(categories))
    for members in groups.values():
        for questions in members.values():
            weights[questions] = 1 / (len(groups) * len(members) * len(questions))
    return weights, groups


def _question_error(
    per_question: Array, weights: Array, groups: dict[str, dict[str, list[int]]]
) -> tuple[float, float]:
    """Stratified standard error over clusters, with Satterthwaite's degrees of freedom."""
    parts: list[tuple[float, int]] = []
    for members in groups.values():
        means = np.array([per_question[questions].mean() for questions in members.values()])
        if len(means) < 2:
            continue
        variance = float(means.var(ddof=1)) / len(means) / len(groups) ** 2
        parts.append((variance, len(means) - 1))
    total = sum(variance for variance, _ in parts)
    if total == 0:
        return 0.0, 1.0
    df = total**2 / sum(variance**2 / n for variance, n in parts if variance)
    return math.sqrt(total), df


def _p_value(distance: float, half: object) -> float:
    """Invert the interval: the smallest level at which it excludes zero."""
    assert callable(half)
    low, high = 0.5, 1 - 1e-12
    if half(high) <= distance:
        return 2 * (1 - high)
    for _ in range(60):
        middle = (low + high) / 2
        if half(middle) < distance:
            low = middle
        else:
            high = middle
    return 2 * (1 - low)
