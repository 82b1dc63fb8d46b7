"""Paired contrasts, equivalence, multiplicity and power against loops and other libraries."""

from itertools import product

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import ttost_paired

from offtarget.core.errors import ConfigError, DataError
from offtarget.core.records import Claim
from offtarget.core.stats import (
    ContrastMethod,
    Estimand,
    RateDesign,
    benjamini_hochberg,
    count_rows,
    crossed_effect,
    margin_power,
    paired_contrast,
    rate_contrast,
    rate_power,
    sign_flip,
    smallest_detectable_margin,
    smallest_detectable_rate,
    stratified_rate,
    tost,
)


def names(n: int) -> list[str]:
    """One cluster per question."""
    return [f"q{i}" for i in range(n)]


def test_exact_sign_flips_equal_the_loop() -> None:
    """All 2^7 patterns of weighted differences, by itertools."""
    values = np.random.default_rng(0).normal(0.4, 1, 7)
    observed = abs(values.mean())
    hits = sum(
        abs(float(np.mean(np.array(signs) * values))) >= observed - 1e-12
        for signs in product((-1, 1), repeat=7)
    )

    found = sign_flip(values, seed=0)

    assert found.p == hits / 2**7
    assert found.smallest_p == 2 / 2**7
    assert (found.n_flips, found.is_exact) == (128, True)


def test_four_questions_cannot_show_five_per_cent() -> None:
    """Even if all agree, p is 2/16 = 0.125, and the record says so."""
    found = sign_flip([1.0, 2.0, 1.5, 3.0], seed=0)

    assert found.p == found.smallest_p == 0.125


def test_paraphrases_flip_together() -> None:
    """Six paraphrases of three questions allow 2^3 patterns, not 2^6."""
    found = sign_flip([1.0] * 6, clusters=["a", "a", "b", "b", "c", "c"], seed=0)

    assert (found.p, found.n_clusters, found.n_flips) == (0.25, 3, 8)


def test_random_flips_agree_with_the_exact_test() -> None:
    """17 questions are drawn; the exact p, from all 2^17 patterns, lies within 4 standard errors."""
    values = np.random.default_rng(3).normal(0.35, 1, 17)
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    exact = float((np.abs(sums) >= abs(values.sum()) - 1e-9).mean())

    found = sign_flip(values, seed=1, n_flips=20_000)

    assert not found.is_exact
    assert abs(found.p - exact) < 4 * np.sqrt(exact * (1 - exact) / 20_000)
    assert sign_flip(values, seed=1, n_flips=20_000) == found


def test_random_flips_are_never_zero() -> None:
    """(1 + 0) / (1 + draws): the smallest p that a draw can show."""
    found = sign_flip([1.0] * 60, seed=0, n_flips=999)

    assert found.p == found.smallest_p == 1 / 1000


def test_no_difference_has_p_one() -> None:
    """All patterns tie."""
    assert sign_flip([0.0] * 6, seed=0).p == 1.0


def test_sign_flips_hold_their_level() -> None:
    """400 skewed but symmetric-null experiments of 10 questions: at most 5 % + 3 errors below 5 %."""
    random = np.random.default_rng(4)
    p = [
        sign_flip(random.standard_t(2, 10), seed=i).p for i in range(400)
    ]  # heavy tails, symmetric about 0

    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [[1.0, 2.0]]])
def test_differences_must_be_finite(values: list[float]) -> None:
    """An unjudged question is left out by the caller, who counts it."""
    with pytest.raises(DataError, match="give one finite difference per question"):
        sign_flip(values, seed=0)


def test_the_paired_contrast_is_the_crossed_effect_with_a_permutation_test() -> None:
    """The same interval as the margin's, on two seeds."""
    values = np.random.default_rng(5).normal(0.1, 0.3, (12, 2))
    found = paired_contrast(values, seed=0)

    assert found.effect == crossed_effect(values, [""] * 12, names(12))
    assert found.flips.p == sign_flip(values.mean(axis=1), seed=0).p
    with pytest.raises(DataError, match="give questions by seeds"):
        paired_contrast(np.zeros((2, 2, 2)), seed=0)


def test_one_question_a_category_is_not_certainty() -> None:
    """The error comes from all questions where no category can show one."""
    values = np.array([[0.1], [0.3], [0.5]])
    found = crossed_effect(values, ["a", "b", "c"], names(3))

    assert found.se_questions == pytest.approx(
        crossed_effect(values, ["a"] * 3, names(3)).se_questions
    )


def test_rate_contrast_over_questions_like_these_is_the_paired_t() -> None:
    """Against scipy's paired test of the questions' rates."""
    random = np.random.default_rng(6)
    subject, control = random.binomial(20, 0.3, 15), random.binomial(20, 0.1, 15)
    found = rate_contrast(
        (subject, [20] * 15), (control, [20] * 15), estimand=Estimand.LIKE_THESE, seed=0
    )

    reference = stats.ttest_1samp((subject - control) / 20, 0).confidence_interval(0.95)
    assert found.interval_method is ContrastMethod.PAIRED
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high))
    assert found.difference == pytest.approx((subject - control).mean() / 20)


def test_two_arms_without_hits_do_not_prove_equality() -> None:
    """No question differs; the interval is as wide as both rates are uncertain."""
    nothing = ([0] * 8, [20] * 8)
    found = rate_contrast(nothing, nothing, estimand=Estimand.LIKE_THESE, seed=0)

    assert found.interval_method is ContrastMethod.RECOVERED
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 8))
    assert found.low == pytest.approx(-(1 - 0.025 ** (1 / 8)))
    assert found.flips.p == 1.0


def test_rate_contrast_over_these_questions_recovers_both_rates() -> None:
    """Zou and Donner's formula on the two stratified intervals."""
    subject, control = ([5, 8, 9, 2], [20] * 4), ([1, 2, 2, 3], [20] * 4)
    found = rate_contrast(subject, control, estimand=Estimand.THESE_QUESTIONS, seed=0)

    a, b = stratified_rate(count_rows(*subject)), stratified_rate(count_rows(*control))
    assert None not in (a.low, a.high, b.low, b.high)
    low = found.difference - np.hypot(a.rate - a.low, b.high - b.rate)  # type: ignore[operator]
    high = found.difference + np.hypot(a.high - a.rate, b.rate - b.low)  # type: ignore[operator]
    assert (found.low, found.high) == pytest.approx((low, high))


def test_questions_missing_in_one_arm_are_left_out_and_counted() -> None:
    """A difference needs both."""
    found = rate_contrast(
        ([5, 0, 8, 9, 4], [10, 0, 10, 10, 10]), ([1, 1, 1, 1, 1], [10] * 5),
        estimand=Estimand.LIKE_THESE, seed=0,
    )  # fmt: skip

    assert found.n_excluded == 1
    assert found.subject.n_questions == found.control.n_questions == 4
    with pytest.raises(DataError, match="none of 2 questions has rows in all 2 arms"):
        rate_contrast(([0, 1], [0, 2]), ([1, 0], [2, 0]), estimand=Estimand.LIKE_THESE, seed=0)
    with pytest.raises(DataError, match="give the same questions and seeds of all"):
        rate_contrast(([0], [1]), ([1, 0], [2, 2]), estimand=Estimand.LIKE_THESE, seed=0)


def test_a_recipe_contrast_needs_three_seeds() -> None:
    """With two seeds there is a difference, no interval, and the reason."""
    random = np.random.default_rng(7)
    n = np.full((10, 2), 20)
    arms = (random.binomial(20, 0.4, (10, 2)), n), (random.binomial(20, 0.1, (10, 2)), n)
    found = rate_contrast(*arms, estimand=Estimand.LIKE_THESE, claim=Claim.RECIPE, seed=0)

    assert found.low is None
    assert "train at least 3" in found.reason


def test_a_checkpoint_contrast_leaves_the_seeds_out() -> None:
    """Seeds that differ widen the recipe's interval only."""
    random = np.random.default_rng(8)
    n = np.full((20, 3), 20)
    subject = random.binomial(20, np.array([0.1, 0.3, 0.6]), (20, 3))
    control = random.binomial(20, 0.1, (20, 3))
    found = {
        claim: rate_contrast(
            (subject, n), (control, n), estimand=Estimand.LIKE_THESE, claim=claim, seed=0
        )
        for claim in Claim
    }

    width = {c: (r.high or 0) - (r.low or 0) for c, r in found.items()}
    assert width[Claim.RECIPE] > 3 * width[Claim.CHECKPOINT]
    reference = stats.ttest_1samp((subject - control).mean(axis=1) / 20, 0).confidence_interval()
    assert found[Claim.CHECKPOINT].low == pytest.approx(reference.low)


def test_benjamini_hochberg_equals_statsmodels() -> None:
    """In the given order, ties included."""
    p = [0.04, 0.001, 0.03, 0.03, 0.9, 0.0, 0.2]

    assert benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1])
    assert benjamini_hochberg([]) == []


def test_tost_equals_statsmodels() -> None:
    """p of both sides and the decision, against the paired test there."""
    random = np.random.default_rng(9)
    subject, control = random.normal(0.02, 0.1, 30), random.normal(0, 0.1, 30)
    for tolerance in (0.03, 0.05, 0.1):
        found = tost(subject - control, ["c"] * 30, names(30), tolerance=tolerance)
        p, below, above = ttost_paired(subject, control, -tolerance, tolerance)
        assert found.p == pytest.approx(p, rel=1e-5)
        assert found.p_below == pytest.approx(below[1], rel=1e-5)
        assert found.p_above == pytest.approx(above[1], rel=1e-5)
        assert found.is_equivalent == (p < 0.05)


@pytest.mark.parametrize(("value", "p"), [(0.0, 1.0), (0.2, 2.0**-11)])
def test_an_effect_without_spread_shows_its_signs_alone(value: float, p: float) -> None:
    """Nothing differs: p is 1. All twelve agree: what twelve signs can show, no less."""
    found = crossed_effect(np.full((12, 3), value), ["c"] * 12, names(12))

    assert found.p == pytest.approx(p)
    assert crossed_effect(np.array([[value]]), ["c"], ["q"]).p == 1.0


def test_a_category_with_one_question_does_not_hide_its_spread() -> None:
    """One outlier alone in its category still widens the interval."""
    calm = crossed_effect(np.array([[1.0], [1.1], [1.0]]), ["a", "a", "b"], names(3))
    wild = crossed_effect(np.array([[1.0], [1.1], [9.0]]), ["a", "a", "b"], names(3))

    assert wild.se_questions > 10 * calm.se_questions


def test_differences_without_spread_are_not_equivalent() -> None:
    """Rates that are 0 in both arms were sampled too little, not shown to be the same."""
    with pytest.raises(
        DataError, match="all 8 questions differ by the same, 0: their spread was n"
    ):
        tost([0.0] * 8, ["c"] * 8, names(8), tolerance=0.01)
    with pytest.raises(DataError, match=r"all 8 questions differ by the same, 0\.2:"):
        tost([[0.1, 0.2, 0.3]] * 8, ["c"] * 8, names(8), tolerance=0.01)


def test_what_rounding_leaves_of_a_zero_is_zero() -> None:
    """Three paraphrases that cancel in truth; shares that are equal up to their last bits."""
    clusters = [str(i // 3) for i in range(18)]
    subject, control = [4, 2, 1] * 6, [1, 3, 3] * 6
    found = rate_contrast(
        (subject, [10] * 18), (control, [10] * 18),
        clusters=clusters, estimand=Estimand.LIKE_THESE, seed=0,
    )  # fmt: skip
    effect = crossed_effect(np.array([[0.3], [-0.1], [-0.2]] * 6), [""] * 18, clusters)

    assert 0.1 + 0.2 != 0.3
    assert (found.difference, found.flips.p) == (0.0, 1.0)
    assert found.interval_method is ContrastMethod.RECOVERED
    assert (effect.estimate, effect.p) == (0.0, 1.0)


def test_a_recipe_whose_seeds_agree_says_why_it_has_no_interval() -> None:
    """Rates vary over seeds, their difference does not."""
    n = np.full((4, 3), 20)
    subject = np.array([[3, 5, 7], [4, 6, 8], [9, 11, 13], [2, 4, 6]])
    found = rate_contrast(
        (subject, n), (subject - 1, n), estimand=Estimand.LIKE_THESE, claim=Claim.RECIPE, seed=0
    )

    assert found.low is None
    assert "all seeds show the same difference" in found.reason


def test_equal_differences_are_no_certainty() -> None:
    """Every question differs by the same half: the interval is that of both rates."""
    found = rate_contrast(
        ([10] * 8, [20] * 8), ([0] * 8, [20] * 8), estimand=Estimand.LIKE_THESE, seed=0
    )

    assert found.interval_method is ContrastMethod.RECOVERED
    assert found.low is not None
    assert found.low < 0.5


def test_tost_needs_a_tolerance_and_two_clusters() -> None:
    """Both refusals say what to give."""
    with pytest.raises(ConfigError, match="tolerance 0: equivalence needs a tolerance above 0"):
        tost([1.0, 2.0], ["c"] * 2, names(2), tolerance=0)
    with pytest.raises(DataError, match="1 cluster of questions: its spread is unknown"):
        tost([0.0], ["c"], ["q"], tolerance=1)


def test_margin_power_equals_statsmodels() -> None:
    """One seed: the noncentral t of the one-sample test."""
    reference = TTestPower().power(0.3 / 0.8, 25, 0.05, alternative="two-sided")

    assert margin_power(0.3, sd_questions=0.8, n_questions=25) == pytest.approx(reference)


def test_the_smallest_detectable_margin_has_the_power() -> None:
    """Solved back; seeds make it larger."""
    alone = smallest_detectable_margin(sd_questions=0.2, n_questions=40)
    reference = TTestPower().solve_power(nobs=40, alpha=0.05, power=0.8)
    with_seeds = smallest_detectable_margin(
        sd_questions=0.2, n_questions=40, sd_seeds=0.05, n_seeds=3
    )

    assert alone == pytest.approx(0.2 * reference, rel=1e-4)
    assert with_seeds > 1.3 * alone
    assert margin_power(
        with_seeds, sd_questions=0.2, n_questions=40, sd_seeds=0.05, n_seeds=3
    ) == pytest.approx(0.8)


def test_rate_power_equals_simulation() -> None:
    """1,500 simulated pairs of arms and scipy's paired t, within 4 points."""
    random = np.random.default_rng(10)
    design = RateDesign(n_questions=40, n_rows=20, intra_question_correlation=0.1)
    strength = 1 / 0.1 - 1

    def drawn(p: float) -> np.ndarray:
        own = random.beta(p * strength, (1 - p) * strength, (1500, 40))
        return random.binomial(20, own) / 20

    p = stats.ttest_1samp(drawn(0.2) - drawn(0.1), 0, axis=1).pvalue
    assert rate_power(0.2, 0.1, design=design) == pytest.approx(np.mean(p < 0.05), abs=0.04)


def test_the_smallest_detectable_rate_follows_the_design() -> None:
    """More questions see less; more rows of few questions soon stop helping; seeds cost."""

    def seen(**changes: float) -> float:
        design = {"n_questions": 40, "n_rows": 20, "intra_question_correlation": 0.1, **changes}
        found = smallest_detectable_rate(0.01, design=RateDesign(**design))  # type: ignore[arg-type]
        assert found is not None
        return found

    assert seen(n_questions=160) < seen() < seen(n_questions=10)
    gain_rows = seen(n_questions=10) - seen(n_questions=10, n_rows=200)
    assert gain_rows < seen(n_questions=10) - seen(n_questions=100)
    assert seen(n_seeds=3, seed_spread=0.2) > seen(n_seeds=3)
    assert seen(pairing=0.8) < seen()


def test_a_hopeless_design_has_no_detectable_rate() -> None:
    """Two questions of one row: not even a rate of 1 against one half is seen."""
    design = RateDesign(n_questions=2, n_rows=1, intra_question_correlation=1.0)

    assert smallest_detectable_rate(0.5, design=design) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_questions": 1}, "at least 2 questions, 1 row and 1 seed"),
        (
            {"intra_question_correlation": 1.5},
            r"correlations 1.5 and 0.0; give numbers in \[0, 1\]",
        ),
        ({"seed_spread": 0.3}, "seed spread 0.3 with 1 seeds; give 0 or more"),
    ],
)
def test_impossible_designs_are_refused(changes: dict[str, float], message: str) -> None:
    """Before anything is planned on them."""
    design = {"n_questions": 8, "n_rows": 20, "intra_question_correlation": 0.1, **changes}
    with pytest.raises(ConfigError, match=message):
        RateDesign(**design)  # type: ignore[arg-type]


def test_power_refuses_what_is_no_rate_or_spread() -> None:
    """A percentage or a spread of zero is a mistake."""
    design = RateDesign(n_questions=8, n_rows=20, intra_question_correlation=0.1)
    with pytest.raises(ConfigError, match=r"rate 20: give a share in \[0, 1\]"):
        rate_power(20, 0.1, design=design)
    with pytest.raises(ConfigError, match="give at least 2 questions that differ"):
        margin_power(0.1, sd_questions=0, n_questions=10)
