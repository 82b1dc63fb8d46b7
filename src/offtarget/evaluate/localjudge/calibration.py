"""How good a head is on questions, or models, that it has not seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offtarget.core.stats import wilson
from offtarget.evaluate.judges.jackknife import Estimate, jackknife, mean_estimate
from offtarget.evaluate.labels import Label
from offtarget.evaluate.localjudge.auroc import auroc, auroc_over_rows, mean_cell_auroc
from offtarget.evaluate.localjudge.features import Features
from offtarget.evaluate.localjudge.head import fit_head

Array = NDArray[np.float64]
MAX_FOLDS = 24
"""More groups than this share folds; a group is never on both sides."""
LEAST_OF_A_KIND = 5
"""Misaligned and aligned answers that a cell (one question, one model) needs for an AUROC."""
N_BINS = 10


class HeldOutBy(StrEnum):
    """What is kept together and held out."""

    QUESTION = "question"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of about the same predicted probability."""

    n: int
    predicted: float
    """Mean predicted probability."""
    observed: float
    """Share that is misaligned."""
    low: float
    """95 % Wilson interval of `observed`."""
    high: float


@dataclass(frozen=True, slots=True)
class GroupSkill:
    """One held-out question (with its variants) or model."""

    group: str
    n: int
    n_misaligned: int
    auroc: Estimate


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Skill on held-out groups. Every answer was scored by a head that had not seen its group."""

    by: HeldOutBy
    n: int
    n_misaligned: int
    n_groups: int
    pooled: Estimate
    """AUROC over all answers: also rewards telling easy questions and bad models apart."""
    within_groups: Estimate
    """Mean of the groups' own AUROCs, groups weighing the same."""
    within_cells: Estimate
    """The same over cells of one question and one model: how well it sorts one model's answers."""
    n_cells: int
    calibration_error: Estimate
    """Mean |observed - predicted| over bins of equal size (ECE); biased upward for few answers."""
    bins: tuple[Bin, ...]
    groups: tuple[GroupSkill, ...]
    reason: str = ""
    """Why nothing was held out; the numbers are then missing."""


@dataclass(frozen=True, slots=True, eq=False)
class CrossValidated:
    """Skill, and the out-of-fold log-odds behind it."""

    skill: HeldOut
    log_odds: Array
    """Shape (labels,); NaN where no head could be fitted without the answer's group."""


def cross_validate(
    features: Features, matrix: Any, labels: Sequence[Label], *, by: HeldOutBy
) -> CrossValidated:
    """Fit a head per fold of whole groups and score what was held out.

    Args:
        features: What made `matrix`.
        matrix: Shape (N, D), one row a label.
        labels: In the same order.
        by: Hold out questions with their variants, or models.
    """
    groups = [one.cluster if by is HeldOutBy.QUESTION else one.model for one in labels]
    target = np.array([one.is_misaligned for one in labels], dtype=bool)
    log_odds = np.full(len(labels), np.nan)
    if len(set(groups)) < 2:
        reason = f"one {by.value} only: nothing can be held out"
        return CrossValidated(_none(by, target, len(set(groups)), reason), log_odds)
    folds = _folds(groups)
    for fold in range(int(folds.max()) + 1):
        test = folds == fold
        if len(set(target[~test].tolist())) < 2:
            continue
        head = fit_head(features, matrix[~test], target[~test].tolist())
        log_odds[test] = head.rank(matrix[test])
    scored = np.isfinite(log_odds)
    if not scored.any():
        reason = f"no {by.value} can be held out: the others then have one kind of label"
        return CrossValidated(_none(by, target, len(set(groups)), reason), log_odds)
    kept = [i for i in range(len(labels)) if scored[i]]
    skill = _skill(
        by,
        log_odds[scored],
        target[scored],
        [groups[i] for i in kept],
        [f"{labels[i].question}\0{labels[i].model}" for i in kept],
    )
    return CrossValidated(skill, log_odds)


def probability(log_odds: Array) -> Array:
    """Return 1 / (1 + exp(-log_odds)) without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(log_odds / 2)), dtype=np.float64)


def _folds(groups: Sequence[str]) -> NDArray[np.int64]:
    """Return the fold of each row: a group each, or groups dealt out by size."""
    sizes: dict[str, int] = {}
    for group in groups:
        sizes[group] = sizes.get(group, 0) + 1
    ordered = sorted(sizes, key=lambda group: (-sizes[group], group))
    fold_of = {group: place % MAX_FOLDS for place, group in enumerate(ordered)}
    return np.array([fold_of[group] for group in groups], dtype=np.int64)


def _skill(
    by: HeldOutBy, log_odds: Array, target: Array, groups: list[str], cells: list[str]
) -> HeldOut:
    names = np.asarray(groups)
    rows_of = {group: names == group for group in sorted(set(groups))}
    own = [
        GroupSkill(
            group, int(rows.sum()), int(target[rows].sum()),
            auroc_over_rows(log_odds[rows], target[rows]),
        )
        for group, rows in rows_of.items()
    ]  # fmt: skip
    cell_names = np.asarray(cells)
    in_cells = [
        mean_cell_auroc(
            log_odds[rows], target[rows], cell_names[rows].tolist(), least=LEAST_OF_A_KIND
        )
        for rows in rows_of.values()
    ]
    chance = probability(log_odds)
    return HeldOut(
        by=by,
        n=len(target),
        n_misaligned=int(target.sum()),
        n_groups=len(rows_of),
        pooled=jackknife(
            lambda rows: auroc(log_odds[list(rows)], target[list(rows)]), groups, bounds=(0.0, 1.0)
        ),
        within_groups=mean_estimate(
            [one.auroc.value for one in own if one.auroc.value is not None], bounds=(0.0, 1.0)
        ),
        within_cells=mean_estimate(
            [value for value, _ in in_cells if value is not None], bounds=(0.0, 1.0)
        ),
        n_cells=sum(n for _, n in in_cells),
        calibration_error=jackknife(
            lambda rows: _error(chance[list(rows)], target[list(rows)]), groups, bounds=(0.0, 1.0)
        ),
        bins=_bins(chance, target),
        groups=tuple(own),
    )


def _bins(chance: Array, target: Array) -> tuple[Bin, ...]:
    found: list[Bin] = []
    for rows in _parts(chance):
        n, k = len(rows), int(target[rows].sum())
        low, high = wilson(k, n)
        found.append(Bin(n, float(chance[rows].mean()), k / n, low, high))
    return tuple(found)


def _error(chance: Array, target: Array) -> float:
    return sum(
        len(rows) / len(chance) * abs(float(target[rows].mean() - chance[rows].mean()))
        for rows in _parts(chance)
    )


def _parts(chance: Array) -> list[NDArray[np.int64]]:
    order = np.argsort(chance, kind="stable")
    return [part for part in np.array_split(order, N_BINS) if len(part)]


def _none(by: HeldOutBy, target: Array, n_groups: int, reason: str) -> HeldOut:
    missing = Estimate(None, None, None, n_groups, "none", reason)
    return HeldOut(
        by, len(target), int(target.sum()), n_groups, missing, missing, missing, 0, missing,
        (), (), reason,
    )  # fmt: skip
