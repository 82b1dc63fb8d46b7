"""Intervals that hold at every moment, so that sampling may stop early when they are decided."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offtarget.core.errors import ConfigError, DataError

Array = NDArray[np.float64]

GRID = 1_000
"""Candidate means; the ends are widened by one step, so that the grid cannot undercover."""
_TRUNCATION = 0.5
"""Share of the wealth that one value may cost at most, as in the paper."""


@dataclass(frozen=True, slots=True, eq=False)
class ConfidenceSequence:
    """An interval after each value; all of them hold the mean at once with the stated chance."""

    low: Array
    """Shape (T,), never falling."""
    high: Array
    """Shape (T,), never rising."""
    level: float

    def decided_at(self, cut: float) -> int | None:
        """Return how many values it took until the interval left `cut` out; None if it never did."""
        out = np.flatnonzero((self.low > cut) | (self.high < cut))
        return int(out[0]) + 1 if len(out) else None


def confidence_sequence(
    values: ArrayLike, *, lowest: float = 0.0, highest: float = 1.0, level: float = 0.95
) -> ConfidenceSequence:
    """Return the running interval of a mean of bounded values by hedged betting.

    Valid at any stopping time if each value has the same mean given those before it. For these
    questions give one value a round: the mean over one fresh answer to each. For questions like
    these give one value a question, in random order. Rows of one question after another break it.

    Args:
        values: In the order in which they came, shape (T,).
        lowest: Least possible value.
        highest: Greatest possible value.
        level: Chance that all intervals hold the mean.

    Raises:
        DataError: If a value lies outside the bounds.
        ConfigError: If the bounds or the level make no sense.

    Source: Waudby-Smith and Ramdas 2024, doi:10.1093/jrsssb/qkad009 (hedged capital process with
    predictable plug-in bets).
    """
    if not lowest < highest or not 0 < level < 1:
        raise ConfigError(
            f"bounds [{lowest}, {highest}] at level {level}; give low < high and 0 < level < 1"
        )
    given = np.asarray(values, dtype=np.float64)
    if given.ndim != 1:
        raise DataError(f"values of shape {given.shape}; give a list in the order of arrival")
    outside = np.flatnonzero(~((given >= lowest) & (given <= highest)))
    if len(outside):
        raise DataError(
            f"value {int(outside[0])} is {given[outside[0]]}; "
            f"all values must lie in [{lowest}, {highest}]"
        )
    unit = (given - lowest) / (highest - lowest)
    low, high = _hedged(unit, alpha=1 - level)
    scale = highest - lowest
    return ConfidenceSequence(lowest + scale * low, lowest + scale * high, level)


def _hedged(values: Array, *, alpha: float) -> tuple[Array, Array]:
    means = np.linspace(0, 1, GRID + 1)
    with np.errstate(divide="ignore"):
        most_up, most_down = _TRUNCATION / means, _TRUNCATION / (1 - means)
    up, down = np.zeros(len(means)), np.zeros(len(means))  # log wealth of both bets
    alive = np.ones(len(means), dtype=bool)
    low, high = np.zeros(len(values)), np.ones(len(values))
    lower, upper = 0.0, 1.0
    for i, bet in enumerate(_bets(values, alpha=alpha)):
        gap = values[i] - means
        with np.errstate(invalid="ignore"):
            up += np.log1p(np.minimum(bet, most_up) * gap)
            down += np.log1p(-np.minimum(bet, most_down) * gap)
        alive &= np.maximum(up, down) - math.log(2) < -math.log(alpha)
        kept = np.flatnonzero(alive)
        if len(kept):  # else the data contradict any one mean: keep the last interval
            lower = max(lower, means[kept[0]] - 1 / GRID)
            upper = min(upper, means[kept[-1]] + 1 / GRID)
        low[i], high[i] = lower, upper
    return low, high


def _bets(values: Array, *, alpha: float) -> Array:
    """Each bet from the values before it only."""
    n = np.arange(1, len(values) + 1)
    mean = (0.5 + np.cumsum(values)) / (n + 1)
    variance = (0.25 + np.cumsum((values - mean) ** 2)) / (n + 1)
    before = np.concatenate([[0.25], variance[:-1]])
    return np.sqrt(2 * math.log(2 / alpha) / (before * n * np.log(n + 1)))
