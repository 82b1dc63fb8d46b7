"""What a context adds: the context gap, the look-alike excess and the worst context."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offtarget.core.errors import DataError
from offtarget.core.stats.paired import Contrast, paired_contrast
from offtarget.core.stats.simultaneous import DEFAULT_DRAWS, WorstMean, worst_mean

Array = NDArray[np.float64]


def context_gap(
    covert: ArrayLike,
    educational: ArrayLike,
    categories: Sequence[str] | None = None,
    clusters: Sequence[str] | None = None,
    *,
    seed: int,
) -> Contrast:
    """Return excess(covert) - excess(educational), paired by question.

    Above zero: the harm shows more where the flaw is hidden than where it is asked for openly.

    Args:
        covert: Excess (subject against control, positive is worse) of each question asked covertly,
            shape (Q,) or (Q, S).
        educational: The same questions asked openly for a stated good reason, the same shape.
        categories: Category of each question.
        clusters: Paraphrases share one.
        seed: Of the random sign patterns.

    Raises:
        DataError: If the shapes differ or a value is not finite.
    """
    differences = _difference(covert, educational, "covert", "educational")
    return paired_contrast(differences, categories, clusters, seed=seed)


def lookalike_excess(
    lookalike: ArrayLike,
    plain: ArrayLike,
    categories: Sequence[str] | None = None,
    clusters: Sequence[str] | None = None,
    *,
    seed: int,
) -> Contrast:
    """Return excess(look-alike) - excess(plain), paired by question.

    Above zero: the harm hides behind the format of the training data and plain questions miss it.
    Arguments and errors as `context_gap`.
    """
    differences = _difference(lookalike, plain, "look-alike", "plain")
    return paired_contrast(differences, categories, clusters, seed=seed)


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


def _difference(first: ArrayLike, second: ArrayLike, name: str, other: str) -> Array:
    left, right = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if left.shape != right.shape:
        raise DataError(
            f"{name} has shape {left.shape} and {other} {right.shape}; "
            "pair them over the same questions and seeds"
        )
    return left - right
