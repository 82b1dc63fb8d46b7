"""Intervals for effects measured on crossed questions and training seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offtarget.core.stats.spread import cluster_variance
from offtarget.core.stats.weights import question_weights

POWER_FACTOR = 2.8
"""Standard errors that an effect must have to be seen: 1.96 (two-sided 5 %) + 0.84 (80 % power)."""
MIN_SEEDS_FOR_RECIPE = 3
"""Below this the seed component is not estimated and the claim is about these weights alone."""
_ROUNDING = 1e-12
"""Spread, in units of the largest value, that is rounding and not a spread."""

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
    """Two-sided, against zero; where all clusters agree, what their signs alone can show."""
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

    Values that are all the same give an interval of that value alone: right for margins of equal
    weights, which no sampling moves; never for rates, see `signed_rates`.

    Args:
        values: Effects, shape (Q, S): question by seed.
        categories: The category of each question, length Q.
        clusters: The cluster of each question; paraphrases share one. Length Q.
    """
    parts = crossed_parts(values, categories, clusters)
    return Effect(
        estimate=parts.estimate,
        low=parts.estimate - parts.half(0.975),
        high=parts.estimate + parts.half(0.975),
        upper_one_sided=parts.estimate + parts.half(0.95),
        se_questions=parts.se_questions,
        se_seeds=parts.se_seeds,
        smallest_detectable=POWER_FACTOR * math.hypot(parts.se_questions, parts.se_seeds),
        p=parts.p(abs(parts.estimate)),
        n_questions=len(values),
        n_clusters=parts.n_clusters,
        n_seeds=parts.n_seeds,
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """An estimate with the two components of its error."""

    estimate: float
    se_questions: float
    df_questions: float
    """Satterthwaite's degrees of freedom of the question component."""
    se_seeds: float
    n_seeds: int
    n_clusters: int

    @property
    def is_flat(self) -> bool:
        """Every cluster and seed has the same value: their spread was not seen, so not its size."""
        return not (self.se_questions or self.se_seeds)

    def half(self, level: float) -> float:
        """Return the distance from the estimate to its one-sided bound at `level`, above 0.5."""
        from scipy.stats import t  # takes half a second, which commands that count should not pay

        questions = float(t.ppf(level, self.df_questions)) * self.se_questions
        if not self.se_seeds:
            return questions
        return math.hypot(questions, float(t.ppf(level, self.n_seeds - 1)) * self.se_seeds)

    def p(self, distance: float) -> float:
        """Return the two-sided p of a value this far away: the level at which it is excluded.

        Without a spread it is the smallest p of a sign test over clusters, and 1 at no distance.
        """
        low, high = 0.5, 1 - 1e-12
        if not distance:
            return 1.0
        if self.is_flat:
            return max(2.0 ** (1 - self.n_clusters), 2 * (1 - high))
        if self.half(high) <= distance:
            return 2 * (1 - high)
        for _ in range(60):
            middle = (low + high) / 2
            if self.half(middle) < distance:
                low = middle
            else:
                high = middle
        return 2 * (1 - low)


def crossed_parts(values: Array, categories: Sequence[str], clusters: Sequence[str]) -> Parts:
    """Return the mean of `crossed_effect` and the components of its error, not yet an interval."""
    n_seeds = values.shape[1]
    weights, groups = question_weights(categories, clusters)
    per_question = values.mean(axis=1)
    se_questions, df = _question_error(per_question, groups)
    se_seeds = 0.0
    if n_seeds >= MIN_SEEDS_FOR_RECIPE:
        se_seeds = float((weights @ values).std(ddof=1) / math.sqrt(n_seeds))
    rounding = _ROUNDING * float(np.abs(values).max(initial=0.0))
    se_questions, se_seeds = (se if se > rounding else 0.0 for se in (se_questions, se_seeds))
    estimate = float(weights @ per_question)
    return Parts(
        estimate=estimate if abs(estimate) > rounding else 0.0,
        se_questions=se_questions,
        df_questions=df,
        se_seeds=se_seeds,
        n_seeds=n_seeds,
        n_clusters=sum(len(members) for members in groups.values()),
    )


def _question_error(
    per_question: Array, groups: dict[str, dict[str, list[int]]]
) -> tuple[float, float]:
    """Standard error over clusters, and its degrees of freedom; (0, 1) for a single cluster."""
    units = [
        (float(per_question[questions].mean()), stratum)
        for stratum, members in enumerate(groups.values())
        for questions in members.values()
    ]
    if len(units) < 2:
        return 0.0, 1.0
    means, strata = zip(*units, strict=True)
    variance, df = cluster_variance(np.array(means), np.array(strata))
    return math.sqrt(float(variance)), float(df)
