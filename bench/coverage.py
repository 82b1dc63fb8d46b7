"""How often the intervals of rates over questions hold the truth, by simulation.

Usage: python bench/coverage.py [--runs N] [--seeds-shape bell|flat] [--ppi]

A question's own rate is drawn from a beta distribution with mean p and the given intra-question
correlation; a training seed multiplies all of them by a factor with mean 1. Rows are binomial.
With one seed the claim is the checkpoint; with three also the recipe. The intervals are computed by the
functions that the product uses. `--ppi`: the bias of PPI with a deliberately wrong local judge.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from offtarget.core.records import Claim
from offtarget.core.stats import Estimand, ppi_mean
from offtarget.core.stats.cluster import cluster_bounds
from offtarget.core.stats.crossed import recipe_bounds, row_half
from offtarget.core.stats.spread import cluster_half, cluster_limit, row_limit
from offtarget.core.stats.stratified import stratified_bounds

Array = NDArray[np.float64]

N_ROWS = 20
"""Rollouts a question and seed."""
SEED_SPREAD = 0.3
"""Standard deviation of a seed's factor."""
REQUIRED = 0.93
"""Coverage wanted for 40 questions and p of at least 0.05."""
CONSERVATIVE = 0.97


@dataclass(frozen=True, slots=True)
class Cell:
    """One setting of the simulation."""

    p: float
    n_questions: int
    correlation: float
    n_seeds: int

    @property
    def is_required(self) -> bool:
        """Where `REQUIRED` must hold."""
        return self.n_questions == 40 and self.p >= 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Rows of all runs of a cell, with what was true."""

    hits: Array
    """Shape (R, Q, S)."""
    own: Array
    """True mean rate of the questions asked, over all seeds, shape (R,)."""
    factor: Array
    """The mean factor of the seeds trained, shape (R,)."""


def main() -> None:
    """Print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seeds-shape", choices=("bell", "flat"), default="bell")
    parser.add_argument("--ppi", action="store_true")
    options = parser.parse_args()
    start = time.perf_counter()
    if options.ppi:
        _ppi(options.runs)
    else:
        _coverage(options.runs, options.seeds_shape)
    print(f"\n{options.runs} runs a cell, {time.perf_counter() - start:.0f} s")


def cells() -> Iterator[Cell]:
    """Yield every setting of the issue."""
    for n_questions, p, correlation, n_seeds in product(
        (8, 40), (0.01, 0.05, 0.2), (0.0, 0.1), (1, 3)
    ):
        yield Cell(p, n_questions, correlation, n_seeds)


def draw(cell: Cell, n_runs: int, shape: str, seed: int) -> Drawn:
    """Return simulated rows; the largest possible rate is 1, so that nothing is cut off."""
    random = np.random.default_rng(seed)
    factor = np.ones((n_runs, 1, cell.n_seeds))
    ceiling = 1.0
    if cell.n_seeds > 1:
        n_added = 3 if shape == "bell" else 1  # mean of three uniform numbers: bell-shaped, bounded
        reach = SEED_SPREAD * np.sqrt(3 * n_added)
        noise = random.random((n_runs, 1, cell.n_seeds, n_added)).mean(axis=-1)
        factor = 1 + reach * (2 * noise - 1)
        ceiling = 1 / (1 + reach)
    mean = cell.p / ceiling
    if cell.correlation:
        variance = cell.correlation * cell.p * (1 - cell.p) / ceiling**2
        strength = mean * (1 - mean) / variance - 1
        size = (n_runs, cell.n_questions, 1)
        own = ceiling * random.beta(mean * strength, (1 - mean) * strength, size)
    else:
        own = np.full((n_runs, cell.n_questions, 1), cell.p)
    hits = random.binomial(N_ROWS, own * factor).astype(np.float64)
    return Drawn(hits, own.mean(axis=(1, 2)), factor.mean(axis=(1, 2)))


def bounds(cell: Cell, hits: Array, estimand: Estimand, claim: Claim) -> tuple[Array, Array]:
    """Return the product's interval of every run; NaN where the product refuses."""
    n = np.full(hits.shape, float(N_ROWS))
    weights = np.full(hits.shape[1:], 1 / (cell.n_questions * cell.n_seeds))
    strata = np.zeros(cell.n_questions, dtype=np.int64)
    per_unit, limit = hits.mean(axis=2) / N_ROWS, row_limit(n, weights)
    if claim is Claim.CHECKPOINT:
        if estimand is Estimand.THESE_QUESTIONS:
            return stratified_bounds(hits, n, weights)
        return cluster_bounds(per_unit, strata, limit)
    if estimand is Estimand.THESE_QUESTIONS:
        half = row_half(hits, n, weights)
    else:
        half = cluster_half(per_unit, strata)
        limit = cluster_limit(per_unit, strata, limit)
    per_seed = hits.mean(axis=1) / N_ROWS
    low, high = recipe_bounds(per_unit.mean(axis=1), half, per_seed, limit)
    refused = (per_seed == 0).all(axis=1) | (per_seed == 1).all(axis=1)
    return np.where(refused, np.nan, low), np.where(refused, np.nan, high)


def _coverage(n_runs: int, shape: str) -> None:
    print(f"Rows a question and seed: {N_ROWS}; spread of seeds {SEED_SPREAD}, {shape}-shaped.\n")
    print("| questions | p | correlation | seeds | claim | estimand | coverage | mean width | "
          "refused | |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|")
    for number, cell in enumerate(cells()):
        drawn = draw(cell, n_runs, shape, seed=number)
        claims = [Claim.CHECKPOINT] if cell.n_seeds == 1 else list(Claim)
        for claim, estimand in product(claims, Estimand):
            truth = drawn.own if estimand is Estimand.THESE_QUESTIONS else np.full(n_runs, cell.p)
            if claim is Claim.CHECKPOINT:
                truth = truth * drawn.factor
            low, high = bounds(cell, drawn.hits, estimand, claim)
            given = ~np.isnan(low)
            held = float(((low <= truth) & (truth <= high))[given].mean())
            width = float((high - low)[given].mean())
            print(
                f"| {cell.n_questions} | {cell.p} | {cell.correlation} | {cell.n_seeds} | {claim} "
                f"| {estimand} | {held:.1%} | {width:.3f} | {1 - given.mean():.1%} | "
                f"{_remark(cell, held)} |"
            )


def _remark(cell: Cell, held: float) -> str:
    if held > CONSERVATIVE:
        return "conservative"
    if held < REQUIRED:
        return "BELOW REQUIREMENT" if cell.is_required else "below 93 %"
    return ""


def _ppi(n_runs: int) -> None:
    """Print bias, coverage and width of PPI with right, useless and wrong judges."""
    truth, n_questions, n_labels, n_more = 0.2, 40, 5, 45
    print(f"{n_questions} questions, {n_labels} labels and {n_more} unlabeled rows each, rate "
          f"{truth}, intra-question correlation 0.1.\n")  # fmt: skip
    print("| judge | bias (standard error) | coverage | width | lambda | coverage, labels alone | "
          "width, labels alone |")  # fmt: skip
    print("|---|---|---|---|---|---|---|")
    names = np.repeat(np.arange(n_questions), n_labels)
    more_names = np.repeat(np.arange(n_questions), n_more)
    for judge in ("right 85 %", "noise", "three times too high", "opposite"):
        random = np.random.default_rng(7)
        found = []
        for run in range(n_runs):
            own = random.beta(1.8, 7.2, n_questions)
            labels = (random.random(len(names)) < own[names]).astype(float)
            hidden = (random.random(len(more_names)) < own[more_names]).astype(float)
            result = ppi_mean(
                labels, _judged(judge, labels, names, random), names,
                _judged(judge, hidden, more_names, random), more_names, seed=run,
            )  # fmt: skip
            held = width = np.nan  # the product may refuse an interval, never the estimate
            if result.low is not None and result.high is not None:
                held, width = result.low <= truth <= result.high, result.high - result.low
            alone = abs(result.estimate_labels - truth) <= result.width_labels / 2
            found.append([
                result.estimate, held, width, result.weight, alone, result.width_labels,
            ])  # fmt: skip
        table = np.array(found, dtype=float)
        mean = np.nanmean(table, axis=0)
        error = table[:, 0].std(ddof=1) / np.sqrt(n_runs)
        print(f"| {judge} | {mean[0] - truth:+.5f} ({error:.5f}) | {mean[1]:.1%} | {mean[2]:.3f} | "
              f"{mean[3]:.2f} | {mean[4]:.1%} | {mean[5]:.3f} |")  # fmt: skip


def _judged(
    judge: str, labels: Array, questions: NDArray[np.int64], random: np.random.Generator
) -> Array:
    """What a local judge says of rows whose true labels are known here."""
    noise = random.random(len(labels))
    if judge == "right 85 %":
        return np.where(noise < 0.85, labels, 1 - labels)
    if judge == "noise":
        return noise
    if judge == "three times too high":  # says yes to 95 % of hits and 55 % of the others
        return (noise < np.where(labels > 0, 0.95, 0.5 + 0.025 * (questions % 5))).astype(float)
    return 0.9 - 0.5 * labels + 0.02 * (questions % 5) + 0.1 * noise


if __name__ == "__main__":
    main()
