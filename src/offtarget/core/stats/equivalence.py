"""Two one-sided tests: is an effect smaller than what would matter?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from offtarget.core.errors import ConfigError, DataError
from offtarget.core.stats.effect import crossed_parts


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Whether an effect lies inside its tolerance, both ways."""

    estimate: float
    low: float
    """Lower end of the two-sided 90 % interval: the one of both one-sided tests at 5 %."""
    high: float
    tolerance: float
    p_below: float
    """One-sided p against an effect of minus the tolerance or less."""
    p_above: float
    """One-sided p against an effect of the tolerance or more."""

    @property
    def p(self) -> float:
        """The larger of the two: equivalence needs both."""
        return max(self.p_below, self.p_above)

    @property
    def is_equivalent(self) -> bool:
        """Both tests at 5 %; the same as the 90 % interval inside the tolerance."""
        return -self.tolerance < self.low and self.high < self.tolerance


def tost(
    differences: ArrayLike,
    categories: Sequence[str],
    clusters: Sequence[str],
    *,
    tolerance: float,
) -> Equivalence:
    """Return the test that paired differences are, on average, within the tolerance.

    The error is that of `crossed_effect`: questions by cluster, crossed with 3 or more seeds.

    Args:
        differences: Shape (Q,) or (Q, S).
        categories: Category of each question.
        clusters: Cluster of each question.
        tolerance: Smallest effect that matters, above 0, in the unit of the differences.

    Raises:
        ConfigError: If the tolerance is not above 0.
        DataError: If fewer than two clusters are given, or all questions differ by the same:
            their spread is unknown. Rates that are 0 in both arms are that; see `rate_contrast`.

    Source: Schuirmann 1987, doi:10.1007/BF01068419.
    """
    if not tolerance > 0:
        raise ConfigError(f"tolerance {tolerance}: equivalence needs a tolerance above 0")
    values = np.asarray(differences, dtype=np.float64)
    table = values[:, None] if values.ndim == 1 else values
    if len(set(clusters)) < 2:
        raise DataError(
            f"{len(set(clusters))} cluster of questions: its spread is unknown, so nothing can be "
            "shown to be equivalent; ask at least two"
        )
    parts = crossed_parts(table, categories, clusters)
    if not parts.se_questions:
        raise DataError(
            f"all {len(table)} questions differ by the same, {parts.estimate:g}: their spread was "
            "not seen, so nothing can be shown to be equivalent; compare rates with rate_contrast"
        )

    def one_sided(distance: float) -> float:
        two_sided = parts.p(abs(distance))
        return two_sided / 2 if distance > 0 else 1 - two_sided / 2

    half = parts.half(0.95)
    return Equivalence(
        estimate=parts.estimate,
        low=parts.estimate - half,
        high=parts.estimate + half,
        tolerance=tolerance,
        p_below=one_sided(parts.estimate + tolerance),
        p_above=one_sided(tolerance - parts.estimate),
    )
