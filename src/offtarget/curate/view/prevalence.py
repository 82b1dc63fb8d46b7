"""How common a flaw is, as counted, and corrected for what the engines miss and make up."""

import math
from dataclasses import dataclass

from offtarget.core.errors import DataError
from offtarget.core.stats import wilson

Z = 1.959963984540054
"""Normal quantile of a two-sided 95 % interval."""
PSEUDO = 2.0
"""Made-up cases added to each measured error rate, one right and one wrong (Lang & Reiczigel)."""


@dataclass(frozen=True, slots=True)
class Share:
    """A count of a total with its two-sided 95 % Wilson interval."""

    count: int
    n: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ErrorCounts:
    """How often engines were right about labelled code."""

    n_vulnerable: int
    n_found: int
    """Vulnerable ones that were found: their share is the sensitivity."""
    n_safe: int
    n_quiet: int
    """Safe ones without a finding: their share is the specificity."""

    @property
    def sensitivity(self) -> Share:
        """Share of the vulnerable that is found."""
        return share(self.n_found, self.n_vulnerable)

    @property
    def specificity(self) -> Share:
        """Share of the safe about which nothing is said."""
        return share(self.n_quiet, self.n_safe)


@dataclass(frozen=True, slots=True)
class Corrected:
    """A share of truly flawed rows, estimated; None where it cannot be."""

    rate: float | None
    low: float | None
    high: float | None
    note: str = ""
    """Why there is no estimate, or how far it can be trusted."""


def share(count: int, n: int) -> Share:
    """Return `count` of `n` with its interval; rate 0 and interval [0, 1] where `n` is 0."""
    low, high = wilson(count, n)
    return Share(count, n, count / n if n else 0.0, low, high)


def corrected(count: int, n: int, errors: ErrorCounts) -> Corrected:
    """Return the share of rows that truly have the flaw, with a two-sided 95 % interval.

    The estimate is (p + Sp - 1) / (Se + Sp - 1), cut to [0, 1]. The interval carries the sampling
    error of the data and of both measured error rates, which are taken as independent binomials.
    It does not know whether the error rates hold for these data at all. It is widened to hold the
    estimate where the adjustment of small counts would leave it outside.

    Args:
        count: Rows with a finding.
        n: Rows that were read.
        errors: Measured on other data.

    Raises:
        DataError: If a count exceeds its total.

    Source: Rogan & Gladen 1978, doi:10.1093/oxfordjournals.aje.a112510; interval: Lang & Reiczigel
    2014, doi:10.1016/j.prevetmed.2013.09.015.
    """
    _check(count, n, errors)
    if not n:
        return Corrected(None, None, None, "no rows were read")
    if not errors.n_vulnerable or not errors.n_safe:
        return Corrected(None, None, None, "the engines' errors were not measured")
    sensitivity, specificity = errors.sensitivity.rate, errors.specificity.rate
    if sensitivity + specificity <= 1.0:
        return Corrected(
            None, None, None,
            f"measured sensitivity {sensitivity:.3f} and specificity {specificity:.3f} add up to "
            "1 or less: findings say nothing about how common the flaw is",
        )  # fmt: skip
    rate = _cut((count / n + specificity - 1.0) / (sensitivity + specificity - 1.0))
    ends = _interval(count, n, errors)
    if ends is None:
        return Corrected(None, None, None, "too few labelled cases to correct by")
    if ends[0] >= 1.0 or ends[1] <= 0.0:
        more = "more" if ends[0] >= 1.0 else "fewer"
        return Corrected(
            None, None, None,
            f"{more} rows are found than these errors allow: the labelled set is unlike these data",
        )  # fmt: skip
    ends = _cut(ends[0]), _cut(ends[1])
    return Corrected(rate, min(rate, ends[0]), max(rate, ends[1]))


def _interval(count: int, n: int, errors: ErrorCounts) -> tuple[float, float] | None:
    """Return both ends after Lang & Reiczigel 2014, uncut; None where adjusted rates tell nothing."""
    n_p = n + Z * Z
    n_se, n_sp = errors.n_vulnerable + PSEUDO, errors.n_safe + PSEUDO
    p = (count + Z * Z / 2) / n_p
    se, sp = (errors.n_found + PSEUDO / 2) / n_se, (errors.n_quiet + PSEUDO / 2) / n_sp
    youden = se + sp - 1.0
    if youden <= 0.0:
        return None
    center = (p + sp - 1.0) / youden
    var_se, var_sp = se * (1 - se) / n_se, sp * (1 - sp) / n_sp
    error = math.sqrt(p * (1 - p) / n_p + var_se * center**2 + var_sp * (1 - center) ** 2) / youden
    shift = 2 * Z * Z * (center * var_se - (1 - center) * var_sp)
    return center + shift - Z * error, center + shift + Z * error


def _check(count: int, n: int, errors: ErrorCounts) -> None:
    for part, whole, what in (
        (count, n, "rows with a finding"),
        (errors.n_found, errors.n_vulnerable, "vulnerable cases found"),
        (errors.n_quiet, errors.n_safe, "safe cases passed"),
    ):
        if not 0 <= part <= whole:
            raise DataError(f"{part} {what} of {whole}; count them again")


def _cut(value: float) -> float:
    return min(1.0, max(0.0, value))
