"""The largest of several means over the same questions, with an interval that knows it was picked."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offtarget.core.errors import DataError

Array = NDArray[np.float64]

MIN_CLUSTERS = 8
"""Fewer clusters of questions give no bootstrap distribution worth the name."""
DEFAULT_DRAWS = 4_000
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class NamedMean:
    """One context's mean with its share of a simultaneous interval."""

    name: str
    mean: float
    low: float | None
    """All contexts' intervals hold together with 95 % chance; None as for `WorstMean.low`."""
    high: float | None


@dataclass(frozen=True, slots=True)
class WorstMean:
    """The largest mean over contexts."""

    name: str
    """Context with the largest mean; another may be the worst in truth."""
    mean: float
    low: float | None
    """Two-sided 95 % for the largest true mean, whichever context has it; None with a reason."""
    high: float | None
    interval_method: str
    """`max_abs_t_bootstrap`, or `none`."""
    contexts: tuple[NamedMean, ...]
    n_questions: int
    n_clusters: int
    n_draws: int
    reason: str


def worst_mean(
    values: ArrayLike,
    names: Sequence[str],
    clusters: Sequence[str] | None = None,
    *,
    seed: int,
    n_draws: int = DEFAULT_DRAWS,
    level: float = 0.95,
) -> WorstMean:
    """Return the largest column mean with a simultaneous interval over questions.

    Clusters of questions are drawn with replacement, whole rows at a time, and the largest |t| over
    contexts gives one multiplier for all of them. The largest true mean lies between the largest
    lower end and the largest upper end.

    Args:
        values: One per question and context, shape (Q, C), NaN nowhere.
        names: The contexts, length C.
        clusters: Paraphrases share one. Default: each question is its own.
        seed: Of the bootstrap.
        n_draws: Bootstrap samples.
        level: Chance that all intervals hold.

    Raises:
        DataError: If the shapes differ or a value is not finite.

    Source: Romano and Wolf 2005, doi:10.1111/j.1468-0262.2005.00615.x (studentized maximum).
    """
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != len(names) or not table.size:
        raise DataError(f"values of shape {table.shape} for {len(names)} contexts; give (Q, C)")
    if not np.isfinite(table).all():
        question, context = (int(i) for i in np.argwhere(~np.isfinite(table))[0])
        raise DataError(
            f"question {question}, context {names[context]!r}: no finite value; "
            "compare contexts over the questions that all of them have"
        )
    units = _cluster_means(table, clusters)
    means = units.mean(axis=0)
    error = units.std(axis=0, ddof=1) / np.sqrt(len(units)) if len(units) > 1 else means * 0
    reason = _refusal(len(units), error, names)
    half = np.zeros(len(names))
    if not reason:
        half = error * _multiplier(units, means, seed=seed, n_draws=n_draws, level=level)
    worst = int(means.argmax())
    lows = [None if reason else float(value) for value in means - half]
    highs = [None if reason else float(value) for value in means + half]
    return WorstMean(
        name=names[worst],
        mean=float(means[worst]),
        low=None if reason else float((means - half).max()),
        high=None if reason else float((means + half).max()),
        interval_method="none" if reason else "max_abs_t_bootstrap",
        contexts=tuple(map(NamedMean, names, means.tolist(), lows, highs)),
        n_questions=len(table),
        n_clusters=len(units),
        n_draws=0 if reason else n_draws,
        reason=reason,
    )


def _refusal(n_units: int, error: Array, names: Sequence[str]) -> str:
    if n_units < MIN_CLUSTERS:
        return f"{n_units} questions; a simultaneous interval needs at least {MIN_CLUSTERS}"
    flat = [name for name, value in zip(names, error, strict=True) if value == 0]
    if flat:
        return f"all questions agree in context {flat[0]!r}, so its error was not seen; sample more"
    return ""


def _cluster_means(table: Array, clusters: Sequence[str] | None) -> Array:
    if clusters is None:
        return table
    if len(clusters) != len(table):
        raise DataError(f"{len(table)} questions and {len(clusters)} clusters; name one each")
    members: dict[str, list[int]] = {}
    for index, name in enumerate(clusters):
        members.setdefault(name, []).append(index)
    return np.array([table[rows].mean(axis=0) for rows in members.values()])


def _multiplier(units: Array, means: Array, *, seed: int, n_draws: int, level: float) -> float:
    """The quantile of the largest |t| over contexts, from draws that have a spread everywhere."""
    random = np.random.default_rng(seed)
    n_units = len(units)
    largest: list[Array] = []
    for start in range(0, n_draws, _CHUNK):
        n_rows = min(_CHUNK, n_draws - start)
        drawn = units[random.integers(0, n_units, (n_rows, n_units))]  # (draws, U, C)
        error = drawn.std(axis=1, ddof=1) / np.sqrt(n_units)
        gap = np.abs(drawn.mean(axis=1) - means)
        flat = error == 0  # the drawn questions agree: an infinite t unless the mean is hit
        ratio = np.where(flat, np.where(gap > 0, np.inf, 0.0), gap / np.where(flat, 1, error))
        largest.append(ratio.max(axis=1))
    return float(np.quantile(np.concatenate(largest), level, method="higher"))
