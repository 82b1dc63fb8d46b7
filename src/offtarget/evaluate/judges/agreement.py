"""Two judges of the same rollouts: how far they agree, and what rate each of them gives."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from offtarget.core.errors import JudgeError
from offtarget.evaluate.judges.agreement_stats import (
    Agreement,
    Level,
    alpha_by_question,
    kappa_by_question,
)
from offtarget.evaluate.judges.jackknife import ROUNDING
from offtarget.evaluate.judges.stored import StoredRollout
from offtarget.evaluate.replay import PooledRate
from offtarget.evaluate.replay.definition import Count
from offtarget.evaluate.replay.pooled import pooled_rate
from offtarget.evaluate.replay.tally import CUT

SPREAD = 1.959963984540054
"""Standard deviations on each side that hold 95 % of normal differences."""
INTERVAL_METHOD = "linearized over questions, Student t, 95 %"


@dataclass(frozen=True, slots=True)
class Rater:
    """A judge, or people, with what they said of rollouts, by place."""

    name: str
    scores: Mapping[str, float]
    """0 to 100; empty for people who only say yes or no."""
    misaligned: Mapping[str, bool]
    """Below the cut, or so said."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Second minus first over the rollouts that both rated."""

    mean: float
    low: float | None
    """None with fewer than 2 questions, and where all of them differ by the same."""
    high: float | None
    sd: float
    limit_low: float
    """Lower limit of agreement: 95 % of single differences lie above it, if normal."""
    limit_high: float
    n: int
    n_questions: int
    interval_method: str = INTERVAL_METHOD


@dataclass(frozen=True, slots=True)
class JudgeAgreement:
    """How two raters of one run compare. Rates are over rollouts that both rated."""

    first: str
    second: str
    n_both: int
    n_only_first: int
    n_only_second: int
    n_neither: int
    cut: float
    kappa: Agreement
    """On misaligned or not."""
    alpha: Agreement | None
    """On scores, interval distance; None where one rater gives none."""
    difference: Difference | None
    """In points, Bland and Altman 1986, doi:10.1016/S0140-6736(86)90837-8."""
    rate_first: PooledRate
    rate_second: PooledRate
    rate_difference: Difference
    """Of the shares misaligned; its limits of agreement say nothing."""
    by_question: Mapping[str, tuple[int, int, int]]
    """Question to (rollouts, misaligned by the first, misaligned by the second)."""


def rater(name: str, scores: Mapping[str, float], *, cut: float = CUT) -> Rater:
    """Return a judge that gives scores as a rater."""
    return Rater(name, scores, {place: score < cut for place, score in scores.items()})


def compare_raters(
    raters: Sequence[Rater], rollouts: Sequence[StoredRollout], *, cut: float = CUT
) -> list[JudgeAgreement]:
    """Return one comparison per pair of raters.

    Raises:
        JudgeError: If there are fewer than two raters, or two share no rollout.
    """
    if len(raters) < 2:
        raise JudgeError(
            f"{len(raters)} rater of this run; run `offtarget rejudge` with another judge, or give "
            "--labels and --key"
        )
    return [_compare(one, other, rollouts, cut) for one, other in combinations(raters, 2)]


def difference_of(values: Sequence[float], clusters: Sequence[str]) -> Difference:
    """Return the mean of differences with its interval over clusters and its spread.

    Args:
        values: One per rollout; at least one.
        clusters: The question of each; paraphrases share one.

    Source: Cochran 1977, Sampling Techniques, section 6.3 (variance of a ratio).
    """
    n = len(values)
    mean = sum(values) / n
    sd = math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1)) if n > 1 else 0.0
    sums: dict[str, float] = {}
    for value, cluster in zip(values, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + value - mean
    low = high = None
    if len(sums) > 1:
        from scipy.special import stdtrit

        size = len(sums)
        error = math.sqrt(size / (size - 1) * sum(s**2 for s in sums.values())) / n
        if error > ROUNDING * max(1.0, abs(mean)):
            half = float(stdtrit(size - 1, 0.975)) * error
            low, high = mean - half, mean + half
    return Difference(mean, low, high, sd, mean - SPREAD * sd, mean + SPREAD * sd, n, len(sums))


def _compare(
    one: Rater, other: Rater, rollouts: Sequence[StoredRollout], cut: float
) -> JudgeAgreement:
    in_one = {r.item.place for r in rollouts if r.item.place in one.misaligned}
    in_other = {r.item.place for r in rollouts if r.item.place in other.misaligned}
    both = [r for r in rollouts if r.item.place in in_one & in_other]
    if not both:
        raise JudgeError(
            f"{one.name} and {other.name} rated no rollout in common; judge the same run with both"
        )
    places = [r.item.place for r in both]
    clusters = [r.cluster for r in both]
    first = [one.misaligned[place] for place in places]
    second = [other.misaligned[place] for place in places]
    has_scores = bool(one.scores) and bool(other.scores)
    alpha = points = None
    if has_scores:
        pairs = [(one.scores[place], other.scores[place]) for place in places]
        alpha = alpha_by_question(pairs, clusters, level=Level.INTERVAL)
        points = difference_of([b - a for a, b in pairs], clusters)
    table = _by_question(both, first, second)
    groups = _by_cluster(clusters, first, second)
    return JudgeAgreement(
        first=one.name,
        second=other.name,
        n_both=len(both),
        n_only_first=len(in_one - in_other),
        n_only_second=len(in_other - in_one),
        n_neither=len(rollouts) - len(in_one | in_other),
        cut=cut,
        kappa=kappa_by_question(first, second, clusters),
        alpha=alpha,
        difference=points,
        rate_first=pooled_rate([Count(k, n) for n, k, _ in groups.values()], list(groups)),
        rate_second=pooled_rate([Count(k, n) for n, _, k in groups.values()], list(groups)),
        rate_difference=difference_of(
            [float(b) - float(a) for a, b in zip(first, second, strict=True)], clusters
        ),
        by_question=table,
    )


def _by_question(
    both: Sequence[StoredRollout], first: Sequence[bool], second: Sequence[bool]
) -> dict[str, tuple[int, int, int]]:
    return _by_cluster([r.item.question for r in both], first, second)


def _by_cluster(
    names: Sequence[str], first: Sequence[bool], second: Sequence[bool]
) -> dict[str, tuple[int, int, int]]:
    table: dict[str, tuple[int, int, int]] = {}
    for name, a, b in zip(names, first, second, strict=True):
        n, k, m = table.get(name, (0, 0, 0))
        table[name] = (n + 1, k + a, m + b)
    return table
