"""Intervals against hand-worked cases, other libraries and simulation."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from offtarget.core.stats import POWER_FACTOR, crossed_effect, holm, wilson


def names(n: int) -> list[str]:
    """One cluster per question."""
    return [f"q{i}" for i in range(n)]


def test_one_seed_and_one_category_is_the_paired_t_test() -> None:
    """Estimate, both intervals and p equal scipy's one-sample t-test of the differences."""
    values = np.random.default_rng(0).normal(0.03, 0.2, (40, 1))
    found = crossed_effect(values, ["c"] * 40, names(40))

    test = stats.ttest_1samp(values[:, 0], 0.0)
    two = test.confidence_interval(0.95)
    assert found.estimate == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((two.low, two.high))
    assert found.p == pytest.approx(test.pvalue, rel=1e-6)
    one = stats.ttest_1samp(values[:, 0], 0.0, alternative="less").confidence_interval(0.95)
    assert found.upper_one_sided == pytest.approx(one.high)
    assert found.se_seeds == 0
    se = values.std(ddof=1) / math.sqrt(40)
    assert found.smallest_detectable == pytest.approx(POWER_FACTOR * se)


def test_a_hand_worked_crossed_case() -> None:
    """Two categories, a cluster of two paraphrases, three seeds, worked out step by step."""
    values = np.array([[1.0, 2.0, 3.0], [3.0, 4.0, 5.0], [0.0, 0.0, 3.0], [4.0, 4.0, 7.0]])
    categories = ["a", "a", "a", "b"]
    clusters = ["x", "x", "y", "z"]
    # question means 2, 4, 1, 5; cluster means in a: x = 3, y = 1; in b: z = 5
    # category means a = 2, b = 5; estimate 3.5
    # weights: q0 = q1 = 1/8, q2 = 1/4, q3 = 1/2
    # seed means: 2.5, 2.75, 5.25; mean 3.5, variance (1 + 0.5625 + 3.0625) / 2 = 2.3125
    # b has one cluster and shows no spread, so all three are one stratum with weights 1/4, 1/4, 1/2:
    # (1/16 0.5^2 + 1/16 2.5^2 + 1/4 1.5^2) 3 / 2 = 1.453125, df 2
    found = crossed_effect(values, categories, clusters)

    se_seeds = math.sqrt(2.3125 / 3)
    assert found.estimate == pytest.approx(3.5)
    se_questions = math.sqrt(1.453125)
    assert found.se_questions == pytest.approx(se_questions)
    assert found.se_seeds == pytest.approx(se_seeds)
    half = math.hypot(stats.t.ppf(0.975, 2) * se_questions, stats.t.ppf(0.975, 2) * se_seeds)
    assert found.high - found.estimate == pytest.approx(half)
    assert found.estimate - found.low == pytest.approx(half)
    one = math.hypot(stats.t.ppf(0.95, 2) * se_questions, stats.t.ppf(0.95, 2) * se_seeds)
    assert found.upper_one_sided - found.estimate == pytest.approx(one)
    assert found.smallest_detectable == pytest.approx(2.8 * math.hypot(se_questions, se_seeds))
    assert (found.n_questions, found.n_clusters, found.n_seeds) == (4, 3, 3)


def brute_force(
    values: np.ndarray, categories: list[str], clusters: list[str]
) -> tuple[float, ...]:
    """The same formula in plain loops over categories, clusters and seeds."""
    labels = sorted(set(categories))
    estimate, variance, denominator = 0.0, 0.0, 0.0
    seed_means = [0.0] * values.shape[1]
    for label in labels:
        units: dict[str, list[int]] = {}
        for i, category in enumerate(categories):
            if category == label:
                units.setdefault(clusters[i], []).append(i)
        means = []
        for members in units.values():
            means.append(sum(values[i].mean() for i in members) / len(members))
            for s in range(values.shape[1]):
                share = sum(values[i, s] for i in members) / len(members)
                seed_means[s] += share / len(units) / len(labels)
        estimate += sum(means) / len(means) / len(labels)
        if len(means) > 1:
            center = sum(means) / len(means)
            spread = sum((m - center) ** 2 for m in means) / (len(means) - 1)
            part = spread / len(means) / len(labels) ** 2
            variance += part
            denominator += part**2 / (len(means) - 1)
    df = variance**2 / denominator
    center = sum(seed_means) / len(seed_means)
    spread = sum((m - center) ** 2 for m in seed_means) / (len(seed_means) - 1)
    se_seeds = math.sqrt(spread / len(seed_means))
    half = math.hypot(
        stats.t.ppf(0.975, df) * math.sqrt(variance),
        stats.t.ppf(0.975, len(seed_means) - 1) * se_seeds,
    )
    return estimate, math.sqrt(variance), se_seeds, estimate - half, estimate + half


@pytest.mark.parametrize("seed", range(5))
def test_crossed_effects_equal_the_formula_in_loops(seed: int) -> None:
    """Random categories of unequal size, random clusters, three to five training seeds."""
    draw = np.random.default_rng(seed)
    n = 30
    values = draw.normal(size=(n, 3 + seed % 3))
    categories = [f"c{i}" for i in sorted(draw.integers(0, 4, n))]
    clusters = [f"{c}-{draw.integers(0, 5)}" for c in categories]

    found = crossed_effect(values, categories, clusters)

    assert (
        found.estimate, found.se_questions, found.se_seeds, found.low, found.high,
    ) == pytest.approx(brute_force(values, categories, clusters))  # fmt: skip


def test_fewer_than_three_seeds_have_no_seed_component() -> None:
    """Two seeds cannot tell their own spread; the claim is about the weights."""
    values = np.random.default_rng(1).normal(size=(20, 2))
    values[:, 1] += 100

    assert crossed_effect(values, ["c"] * 20, names(20)).se_seeds == 0


def test_p_inverts_the_interval() -> None:
    """p is below 0.05 exactly where the 95 % interval excludes zero."""
    draw = np.random.default_rng(2)
    for shift in np.linspace(0, 1, 15):
        values = draw.normal(shift, 1, (20, 3))
        found = crossed_effect(values, ["c"] * 20, names(20))
        assert (found.p < 0.05) == (found.low > 0 or found.high < 0)
    nothing = crossed_effect(np.zeros((20, 3)), ["c"] * 20, names(20))
    assert nothing.estimate == nothing.low == nothing.high == 0


def test_the_interval_covers_the_truth_with_questions_and_seeds_crossed() -> None:
    """400 simulated assays of 3 seeds: at least 93 % of the 95 % intervals hold the true effect."""
    draw = np.random.default_rng(3)
    n_questions, n_seeds, truth = 40, 3, 0.1
    covered = covered_one = 0
    categories = [f"c{i % 5}" for i in range(n_questions)]
    for _ in range(400):
        values = (
            truth
            + draw.normal(0, 0.2, (n_questions, 1))
            + draw.normal(0, 0.04, (1, n_seeds))
            + draw.normal(0, 0.1, (n_questions, n_seeds))
        )
        found = crossed_effect(values, categories, names(n_questions))
        covered += found.low <= truth <= found.high
        covered_one += truth <= found.upper_one_sided
    assert covered / 400 >= 0.93
    assert covered_one / 400 >= 0.93


def test_holm_equals_statsmodels() -> None:
    """In the given order, ties included."""
    p = [0.04, 0.001, 0.03, 0.03, 0.9, 0.0]

    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert holm([]) == []


@pytest.mark.parametrize(("count", "n"), [(0, 10), (3, 10), (10, 10), (1, 2000), (6, 24)])
def test_wilson_equals_statsmodels(count: int, n: int) -> None:
    """Against an independent implementation."""
    assert wilson(count, n) == pytest.approx(proportion_confint(count, n, 0.05, "wilson"), abs=1e-9)


def test_wilson_of_nothing_is_everything() -> None:
    """No rollouts, no knowledge."""
    assert wilson(0, 0) == (0.0, 1.0)
