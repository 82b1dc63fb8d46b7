"""Whether sampled answers rank arms as the margin does, and what each says of arm against control."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from arm_draws import POSITIVE, StudyArm
from numpy.typing import NDArray

from offtarget.core.stats import paired_contrast

Array = NDArray[np.float64]
N_PERMUTATIONS = 99_999


@dataclass(frozen=True, slots=True)
class ArmRow:
    """One arm under both readings; more misaligned is a lower margin and a higher head."""

    arm: str
    margin: float
    n_answers: int
    n_coherent: int
    n_code: int
    head: dict[str, float]
    """Mean log-odds over coherent answers, by head."""
    share: dict[str, float]
    """Share of coherent answers above log-odds 0, by head."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a reading of sampled answers ranks the arms against the margin."""

    reading: str
    arms: str
    """Which arms were ranked."""
    n_arms: int
    spearman: float
    spearman_p: float
    """Two-sided, over permutations of the arms."""
    kendall: float
    kendall_p: float


@dataclass(frozen=True, slots=True)
class Shift:
    """An arm against its control under one reading; positive is more misaligned."""

    contrast: str
    reading: str
    n_questions: int
    """Pairs for the margin."""
    estimate: float
    low: float
    high: float
    t: float
    """Estimate over its standard error, over questions."""


def agreements_of(rows: Sequence[ArmRow]) -> list[Agreement]:
    """Return each reading's ranks with the positive control and without it."""
    without = [row for row in rows if row.arm != POSITIVE]
    return [
        _agreement(reading, which, chosen, kind)
        for which, chosen in (("all", rows), ("without the positive control", without))
        for kind in ("head", "share")
        for reading in rows[0].head
    ]


def shifts_of(
    arms: Sequence[StudyArm],
    margins: Mapping[str, Mapping[str, float]],
    scores: Mapping[str, Mapping[str, Mapping[str, float]]],
) -> list[Shift]:
    """Return every arm against its control, paired by question; seeds are averaged first.

    Args:
        arms: The arms; those without a control are left out.
        margins: Arm's label to pair to margin.
        scores: Arm's label to head to question to mean log-odds.
    """
    shifts = []
    for one in arms:
        control = f"{one.run.name}/{one.arm.against}"
        if not one.arm.against or control not in margins:
            continue
        name = f"{one.label} - {control}"
        shifts.append(_shift(name, "margin", margins[control], margins[one.label]))
        shifts += [
            _shift(name, f"{head}, head", scores[one.label][head], scores[control][head])
            for head in scores[control]
        ]
    return shifts


def _agreement(reading: str, which: str, rows: Sequence[ArmRow], kind: str) -> Agreement:
    from scipy.stats import kendalltau, spearmanr

    margin = np.array([-row.margin for row in rows])
    sampled = np.array([getattr(row, kind)[reading] for row in rows])
    rho, tau = spearmanr(margin, sampled), kendalltau(margin, sampled)
    return Agreement(
        f"{reading}, {kind}", which, len(rows),
        float(rho.statistic), permutation_p(margin, sampled, _products_of_ranks),
        float(tau.statistic), permutation_p(margin, sampled, _concordance),
    )  # fmt: skip


def permutation_p(x: Array, y: Array, agreement: Callable[[Array, Array], Array]) -> float:
    """Return the two-sided p of `agreement` over random orders of the arms, itself counted.

    Args:
        x: Shape (arms,).
        y: Shape (arms,).
        agreement: Of orders, shape (P, arms), with `y`: shape (P,), 0 where nothing is shared.
    """
    draw = np.random.default_rng(0)
    orders = draw.permuted(np.tile(x, (N_PERMUTATIONS, 1)), axis=1)
    seen = abs(agreement(x[None], y)[0])
    n_beyond = int((np.abs(agreement(orders, y)) >= seen - 1e-9).sum())
    return (n_beyond + 1) / (N_PERMUTATIONS + 1)


def _products_of_ranks(orders: Array, y: Array) -> Array:
    """Return the numerator of Spearman's rho; its denominator is the same in every order."""
    from scipy.stats import rankdata

    ranks = rankdata(orders, axis=1) - (orders.shape[1] + 1) / 2
    return np.asarray(ranks @ (rankdata(y) - (len(y) + 1) / 2))


def _concordance(orders: Array, y: Array) -> Array:
    """Return the numerator of Kendall's tau: concordant minus discordant pairs of arms."""
    i, j = np.triu_indices(len(y), 1)
    return np.asarray(np.sign(orders[:, i] - orders[:, j]) @ np.sign(y[i] - y[j]))


def _shift(name: str, reading: str, high: Mapping[str, float], low: Mapping[str, float]) -> Shift:
    """Return the mean of `high` - `low` over the questions that both have."""
    shared = sorted(set(high) & set(low))
    effect = paired_contrast([high[key] - low[key] for key in shared], seed=0).effect
    t = effect.estimate / effect.se_questions
    return Shift(name, reading, len(shared), effect.estimate, effect.low, effect.high, t)
