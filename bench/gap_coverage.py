"""How often the interval of a context gap holds the truth, by simulation.

Usage: python bench/gap_coverage.py [--runs N]

Four rates over the same questions: subject and control, each asked covertly and openly. A question's
rate in each is drawn from a beta distribution with the given mean and intra-question correlation;
rows are binomial. The interval is that of `context_gap`.
"""

import argparse
from itertools import product

import numpy as np
from numpy.typing import NDArray

from offtarget.core.stats import ContrastMethod, context_gap
from offtarget.core.stats.contexts import SubjectAndControl

N_ROWS = 20
RATES = ((0.01, 0.01, 0.01, 0.01), (0.05, 0.01, 0.01, 0.01), (0.2, 0.01, 0.05, 0.01))
"""Covert subject and control, educational subject and control."""


def main() -> None:
    """Print a row for each setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=4_000)
    n_runs = parser.parse_args().runs
    print("| rates | questions | correlation | coverage | mean width | recovered |")
    print("|---|---|---|---|---|---|")
    for rates, n_questions, correlation in product(RATES, (8, 40), (0.0, 0.1)):
        random = np.random.default_rng(11)
        truth = rates[0] - rates[1] - rates[2] + rates[3]
        found = []
        for run in range(n_runs):
            covert = _both(rates[:2], n_questions, correlation, random)
            educational = _both(rates[2:], n_questions, correlation, random)
            gap = context_gap(covert, educational, seed=run)
            assert gap.low is not None
            assert gap.high is not None
            found.append((
                gap.low <= truth <= gap.high, gap.high - gap.low,
                gap.interval_method is ContrastMethod.RECOVERED,
            ))  # fmt: skip
        held, width, recovered = np.mean(found, axis=0)
        print(
            f"| {rates} | {n_questions} | {correlation:g} | {held:.1%} | {width:.3f} | "
            f"{recovered:.0%} |",
            flush=True,
        )


def _both(
    rates: tuple[float, ...], n_questions: int, correlation: float, random: np.random.Generator
) -> SubjectAndControl:
    subject, control = (_arm(rate, n_questions, correlation, random) for rate in rates)
    return subject, control


def _arm(
    rate: float, n_questions: int, correlation: float, random: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    own: float | NDArray[np.float64] = rate
    if correlation:
        size = (1 - correlation) / correlation
        own = random.beta(rate * size, (1 - rate) * size, n_questions)
    return random.binomial(N_ROWS, own, n_questions), np.full(n_questions, N_ROWS)


if __name__ == "__main__":
    main()
