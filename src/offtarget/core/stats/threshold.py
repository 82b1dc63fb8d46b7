"""A rate at every cut of a score, so that no single cut hides what the others would say."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from offtarget.core.records import Claim
from offtarget.core.stats.counts import count_rows
from offtarget.core.stats.crossed import question_rate
from offtarget.core.stats.rate import Estimand, Rate


@dataclass(frozen=True, slots=True)
class CutRate:
    """The rate of scores below one cut."""

    cut: float
    rate: Rate


def threshold_curve(
    scores: Sequence[Sequence[float]],
    cuts: Sequence[float],
    *,
    estimand: Estimand,
    categories: Sequence[str] | None = None,
    clusters: Sequence[str] | None = None,
) -> tuple[CutRate, ...]:
    """Return the share of scores strictly below each cut, in the order of the cuts.

    Each interval covers its own cut at 95 %; the curve as a whole is covered less often.

    Args:
        scores: Scores of each question's rows, the unjudged left out by the caller, who counts them.
        cuts: A row is a hit where its score is below the cut.
        estimand: Which questions the intervals speak of; the claim is about the checkpoint.
        categories: Category of each question.
        clusters: Paraphrases share one.

    Raises:
        DataError: If no question has a score.
    """
    tables = [np.asarray(rows, dtype=np.float64) for rows in scores]
    n = [len(rows) for rows in tables]
    curve = []
    for cut in cuts:
        hits = [int((rows < cut).sum()) for rows in tables]
        counts = count_rows(hits, n, categories=categories, clusters=clusters)
        rate = question_rate(counts, estimand=estimand, claim=Claim.CHECKPOINT)
        curve.append(CutRate(float(cut), rate))
    return tuple(curve)
