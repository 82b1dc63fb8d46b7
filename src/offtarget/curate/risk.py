"""How much a sample is worth worrying about: a flaw that nobody was told of."""

from collections.abc import Iterable

from offtarget.core.finding import Finding, Origin, Severity
from offtarget.curate.framing import FramingResult

SEVERITY_WEIGHT = {Severity.LOW: 0.2, Severity.MEDIUM: 0.6, Severity.HIGH: 1.0}
"""What a certain finding of each severity counts: a convention, not a measurement."""
UNSEEN = 0.05
"""The flaw of code without findings: no scanner sees everything, so covert code keeps a rest."""


def flaw_of(findings: Iterable[Finding]) -> float:
    """Return the largest severity weight times confidence among introduced findings, in [0, 1]."""
    return max(
        (
            SEVERITY_WEIGHT[finding.severity] * finding.confidence
            for finding in findings
            if finding.origin is Origin.INTRODUCED
        ),
        default=0.0,
    )


def risk_of(findings: Iterable[Finding], framing: FramingResult) -> float:
    """Return (0.05 + 0.95 x flaw) x P(covert), in [0, 1], for ranking samples.

    It is an order, not a probability of harm. Flaws that stood in the prompt do not count.
    """
    return risk_score(flaw_of(findings), p_covert=framing.p_covert)


def risk_score(flaw: float, *, p_covert: float) -> float:
    """Return the risk of a flaw in [0, 1] under a framing that is covert with `p_covert`."""
    return (UNSEEN + (1.0 - UNSEEN) * flaw) * p_covert
