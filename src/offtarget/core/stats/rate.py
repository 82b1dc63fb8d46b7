"""A rate with its interval and a statement of what the interval speaks of."""

from dataclasses import dataclass
from enum import StrEnum

from offtarget.core.records import Claim


class Estimand(StrEnum):
    """Which questions a number speaks of."""

    THESE_QUESTIONS = "these_questions"
    """The questions asked, and no other: only answers vary."""
    LIKE_THESE = "questions_like_these"
    """The questions that these were drawn from: questions vary, and answers within them."""


class RateMethod(StrEnum):
    """How an interval was computed."""

    STRATIFIED_WILSON = "stratified_wilson"
    """Row variance within questions, Wilson with the effective n."""
    STRATIFIED_EXACT = "stratified_clopper_pearson"
    """The same with Clopper-Pearson: fewer than 5 hits or misses."""
    CLUSTER = "cluster_korn_graubard"
    """Variance between questions, Clopper-Pearson with the effective n, Student's t."""
    CLUSTER_AS_ROWS = "cluster_questions_as_rows"
    """Fewer than 3 questions with a hit (or a miss): each question counts as one row."""
    CROSSED = "crossed_korn_graubard"
    """Question or row variance and variance between seeds (t with S - 1 degrees of freedom)."""
    NONE = "none"
    """No interval can be given; `reason` says why."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of rows, averaged over questions, with its two-sided 95 % interval."""

    k: int
    """Hits, over all questions and seeds."""
    n: int
    """Rows, over all questions and seeds."""
    rate: float
    """In [0, 1]: mean over questions with equal weight per category; k/n only if n is even."""
    low: float | None
    """None where no interval can be given."""
    high: float | None
    interval_method: RateMethod
    estimand: Estimand
    claim: Claim
    n_questions: int
    n_clusters: int
    n_seeds: int
    n_empty: int
    """Questions left out because they have no scored row."""
    reason: str
    """Why there is no interval; empty where there is one."""
