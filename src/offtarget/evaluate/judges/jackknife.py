"""Intervals for statistics of clustered rows that have no formula: leave one cluster out."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

FLAT = "every cluster agrees: how clusters differ was not seen"
"""Why a statistic whose clusters show no spread has no interval, rather than one of width zero."""
ROUNDING = 1e-12
"""A spread below this is rounding and no spread."""
JACKKNIFE = "delete-one-cluster jackknife, Student t, 95 %"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with what is known of its error, or the reason why there is none."""

    value: float | None
    low: float | None
    """Lower end of the two-sided 95 % interval; None where the data allow none."""
    high: float | None
    n_units: int
    """How many clusters the interval rests on."""
    method: str
    reason: str = ""
    """Why a number above is missing."""


def jackknife(
    statistic: Callable[[Sequence[int]], float | None],
    clusters: Sequence[str],
    *,
    bounds: tuple[float, float],
) -> Estimate:
    """Return `statistic` over all rows, with an interval over clusters.

    Args:
        statistic: Takes row numbers; None where it is undefined on them.
        clusters: The cluster of each row, such as its question.
        bounds: Least and greatest value of the statistic; the interval stays within.

    Source: Tukey's delete-one jackknife over clusters, as in Cameron and Miller 2015,
    doi:10.3368/jhr.50.2.317, section VI.
    """
    groups: dict[str, list[int]] = {}
    for row, cluster in enumerate(clusters):
        groups.setdefault(cluster, []).append(row)
    value = statistic(range(len(clusters)))
    half, reason = None, ""
    if value is None:
        reason = "the statistic is undefined on these rows"
    else:
        half, reason = _half_width(statistic, groups, len(clusters))
    if value is None or half is None:
        return Estimate(value, None, None, len(groups), JACKKNIFE, reason)
    low, high = max(bounds[0], value - half), min(bounds[1], value + half)
    return Estimate(value, low, high, len(groups), JACKKNIFE)


def mean_estimate(values: Sequence[float], *, bounds: tuple[float, float]) -> Estimate:
    """Return the mean of one value per cluster, with a Student t interval over them."""
    from scipy.stats import t

    size, method = len(values), "Student t over clusters, 95 %"
    if not size:
        return Estimate(None, None, None, 0, method, "no cluster has a value")
    mean = float(np.mean(values))
    if size < 2:
        return Estimate(mean, None, None, 1, method, "one cluster: nothing is known of others")
    spread = float(np.std(values, ddof=1))
    if spread <= ROUNDING * max(1.0, abs(mean)):
        return Estimate(mean, None, None, size, method, FLAT)
    half = float(t.ppf(0.975, size - 1)) * spread / math.sqrt(size)
    low, high = max(bounds[0], mean - half), min(bounds[1], mean + half)
    return Estimate(mean, low, high, size, method)


def _half_width(
    statistic: Callable[[Sequence[int]], float | None], groups: dict[str, list[int]], n: int
) -> tuple[float | None, str]:
    from scipy.stats import t

    if len(groups) < 2:
        return None, "one cluster: nothing is known of others"
    left_out: list[float] = []
    for rows in groups.values():
        dropped = set(rows)
        value = statistic([row for row in range(n) if row not in dropped])
        if value is None:
            return None, "without one of its clusters the statistic is undefined"
        left_out.append(value)
    size, spread = len(left_out), float(np.std(left_out))
    if spread <= ROUNDING:
        return None, FLAT
    return float(t.ppf(0.975, size - 1)) * math.sqrt(size - 1) * spread, ""
