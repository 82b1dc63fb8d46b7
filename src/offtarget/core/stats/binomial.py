"""Intervals of one binomial rate: independent rows, one unit."""

import math
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FEW = 5
"""Fewer hits or fewer misses than this: Clopper-Pearson, because Wilson's coverage dips there."""
_Z = 1.959963984540054
"""97.5 % quantile of the normal distribution."""


class BinomialMethod(StrEnum):
    """Which formula gave an interval."""

    WILSON = "wilson"
    CLOPPER_PEARSON = "clopper_pearson"


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Return the two-sided 95 % Wilson interval of a rate; (0, 1) when n is 0.

    Formula (4) of Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E.

    Raises:
        ValueError: If there are more successes than n, or fewer than none.
    """
    _check(successes, n)
    if n == 0:
        return 0.0, 1.0
    rate = successes / n
    scale = 2 * (n + _Z**2)
    center = (2 * n * rate + _Z**2) / scale
    half = _Z / scale * math.sqrt(4 * n * rate * (1 - rate) + _Z**2)
    return (center - half if successes else 0.0), (center + half if successes < n else 1.0)


def clopper_pearson(successes: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return the two-sided exact interval of a rate; (0, 1) when n is 0.

    Never covers less than `level`, whatever the rate and n; wider than Wilson's for it.

    Raises:
        ValueError: If there are more successes than n, or fewer than none.

    Source: Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404.
    """
    _check(successes, n)
    if n == 0:
        return 0.0, 1.0
    low, high = exact_bounds(np.array([successes / n]), np.array([float(n)]), level=level)
    return float(low[0]), float(high[0])


def binomial_method(successes: int, n: int) -> BinomialMethod:
    """Return which interval a rate should have: exact with fewer than `FEW` hits or misses."""
    _check(successes, n)
    if min(successes, n - successes) < FEW:
        return BinomialMethod.CLOPPER_PEARSON
    return BinomialMethod.WILSON


def binomial_interval(successes: int, n: int) -> tuple[float, float, BinomialMethod]:
    """Return the 95 % interval that `binomial_method` names, and that name."""
    method = binomial_method(successes, n)
    if method is BinomialMethod.WILSON:
        return *wilson(successes, n), method
    return *clopper_pearson(successes, n), method


def wilson_bounds(rate: Array, n: Array, *, level: float = 0.95) -> tuple[Array, Array]:
    """Return Wilson's bounds for rates with a real-valued effective n above 0."""
    from scipy.special import ndtri

    z = float(ndtri(0.5 + level / 2))
    center = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    return np.where(rate <= 0, 0.0, center - half), np.where(rate >= 1, 1.0, center + half)


def exact_bounds(rate: Array, n: Array, *, level: float = 0.95) -> tuple[Array, Array]:
    """Return Clopper-Pearson bounds for rates with a real-valued effective n above 0.

    With an effective n this is the interval of Korn and Graubard 1998 (Survey Methodology 24).
    """
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    hits, misses = rate * n, (1 - rate) * n
    low = betaincinv(np.maximum(hits, 1e-12), misses + 1, tail)
    high = betaincinv(hits + 1, np.maximum(misses, 1e-12), 1 - tail)
    return np.where(rate <= 0, 0.0, low), np.where(rate >= 1, 1.0, high)


def _check(successes: int, n: int) -> None:
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}")
