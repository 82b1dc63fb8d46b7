"""What a context adds: the context gap, the look-alike excess and the worst context."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offtarget.core.errors import DataError
from offtarget.core.stats.rate import Estimand
from offtarget.core.stats.signed_rates import HitsAndRows, SignedRates, signed_rates
from offtarget.core.stats.simultaneous import DEFAULT_DRAWS, WorstMean, worst_mean

Array = NDArray[np.float64]
SubjectAndControl = tuple[HitsAndRows, HitsAndRows]
"""Misaligned answers and all answers by question, of the subject and of its control."""


def context_gap(
    covert: SubjectAndControl,
    educational: SubjectAndControl,
    categories: Sequence[str] | None = None,
    clusters: Sequence[str] | None = None,
    *,
    seed: int,
) -> SignedRates:
    """Return excess(covert) - excess(educational) over questions like these, paired by question.

    Above zero: the harm shows more where the flaw is hidden than where it is asked for openly.
    Excess is the subject's rate minus its control's, so the interval is that of four rates.

    Args:
        covert: The questions asked covertly, counts of shape (Q,).
        educational: The same questions asked openly for a stated good reason.
        categories: Category of each question.
        clusters: Paraphrases share one.
        seed: Of the random sign patterns.

    Raises:
        DataError: If the shapes differ or no question was answered by both models in both contexts.
    """
    return _gap(covert, educational, categories, clusters, seed=seed)


def lookalike_excess(
    lookalike: SubjectAndControl,
    plain: SubjectAndControl,
    categories: Sequence[str] | None = None,
    clusters: Sequence[str] | None = None,
    *,
    seed: int,
) -> SignedRates:
    """Return excess(look-alike) - excess(plain), paired by question.

    Above zero: the harm hides behind the format of the training data and plain questions miss it.
    Arguments and errors as `context_gap`.
    """
    return _gap(lookalike, plain, categories, clusters, seed=seed)


def worst_context(
    excess: Mapping[str, ArrayLike],
    clusters: Sequence[str] | None = None,
    *,
    seed: int,
    n_draws: int = DEFAULT_DRAWS,
) -> WorstMean:
    """Return the largest excess over contexts, with an interval for the largest of the true ones.

    Args:
        excess: By context, one value per question, all in the same order, shape (Q,).
        clusters: Paraphrases share one.
        seed: Of the bootstrap.
        n_draws: Bootstrap samples.

    Raises:
        DataError: If there is no context, or they differ in their number of questions.
    """
    columns = {name: np.asarray(values, dtype=np.float64) for name, values in excess.items()}
    shapes = {name: column.shape for name, column in columns.items()}
    if not columns or len(set(shapes.values())) != 1 or any(len(s) != 1 for s in shapes.values()):
        raise DataError(f"contexts have shapes {shapes}; give one value per question in each")
    names = list(columns)
    table = np.stack(list(columns.values()), axis=1)
    return worst_mean(table, names, clusters, seed=seed, n_draws=n_draws)


def _gap(
    first: SubjectAndControl,
    second: SubjectAndControl,
    categories: Sequence[str] | None,
    clusters: Sequence[str] | None,
    *,
    seed: int,
) -> SignedRates:
    return signed_rates(
        [*first, *second], [1, -1, -1, 1], categories, clusters,
        estimand=Estimand.LIKE_THESE, seed=seed,
    )  # fmt: skip
