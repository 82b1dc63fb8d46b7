"""How cost grows: the slope of log cost over log size, with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True, slots=True)
class Growth:
    """A fitted power law, cost = c * size ** exponent."""

    exponent: float
    low: float
    """Two-sided 95 % interval by Student's t on the residuals of the log-log line."""
    high: float
    n_points: int


def fit_growth(sizes: Sequence[float], costs: Sequence[float]) -> Growth:
    """Return the exponent; a fixed cost at small sizes pulls it below the true one."""
    line = stats.linregress(np.log(sizes), np.log(costs))
    half = float(stats.t.ppf(0.975, len(sizes) - 2) * line.stderr)
    slope = float(line.slope)
    return Growth(slope, slope - half, slope + half, len(sizes))
