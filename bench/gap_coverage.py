"""How often the interval of a context gap holds the truth, by simulation.

Usage: python bench/gap_coverage.py [--runs N]

Four rates over the same questions: subject and control, each asked covertly and openly. A question's
rate in each is drawn from a beta distribution with the given mean and intra-question correlation:
independently in each, or at the same quantile in all ("shared": hard questions are hard everywhere).
Rows are binomial. The interval is that of `context_gap`.
"""

import argparse
from itertools import product

import numpy as np
from scipy.stats import beta

from offtarget.core.stats import ContrastMethod, HitsAndRows, context_gap

N_ROWS = 20
CORRELATION = 0.1
SETTINGS = ("0", "0.1", "0.1 shared")
RATES = ((0.01, 0.01, 0.01, 0.01), (0.05, 0.01, 0.01, 0.01), (0.2, 0.01, 0.05, 0.01))
"""Covert subject and control, educational subject and control."""


def main() -> None:
    """Print a row for each setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=4_000)
    n_runs = parser.parse_args().runs
    print("| rates | questions | correlation | coverage | mean width | recovered |")
    print("|---|---|---|---|---|---|")
    for rates, n_questions, setting in product(RATES, (8, 40), SETTINGS):
        random = np.random.default_rng(11)
        truth = rates[0] - rates[1] - rates[2] + rates[3]
        found = []
        for run in range(n_runs):
            arms = _arms(rates, n_questions, setting, random)
            gap = context_gap((arms[0], arms[1]), (arms[2], arms[3]), seed=run)
            assert gap.low is not None
            assert gap.high is not None
            found.append((
                gap.low <= truth <= gap.high, gap.high - gap.low,
                gap.interval_method is ContrastMethod.RECOVERED,
            ))  # fmt: skip
        held, width, recovered = np.mean(found, axis=0)
        print(
            f"| {rates} | {n_questions} | {setting} | {held:.1%} | {width:.3f} | {recovered:.0%} |",
            flush=True,
        )


def _arms(
    rates: tuple[float, ...], n_questions: int, setting: str, random: np.random.Generator
) -> list[HitsAndRows]:
    shared = random.random(n_questions)
    found: list[HitsAndRows] = []
    for rate in rates:
        own = np.full(n_questions, rate)
        if setting != "0":
            quantile = shared if setting == "0.1 shared" else random.random(n_questions)
            size = (1 - CORRELATION) / CORRELATION
            own = beta.ppf(quantile, rate * size, (1 - rate) * size)
        found.append((random.binomial(N_ROWS, own), np.full(n_questions, N_ROWS)))
    return found


if __name__ == "__main__":
    main()
