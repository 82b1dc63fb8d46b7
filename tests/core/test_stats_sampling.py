"""Control variates, stopping early, worst cases and contexts, by hand, loop and simulation."""

from math import comb

import numpy as np
import pytest
from scipy import stats

from offtarget.core.errors import ConfigError, DataError
from offtarget.core.stats import (
    ContrastMethod,
    DiscriminationMethod,
    PpiMethod,
    any_hit,
    cluster_rate,
    confidence_sequence,
    context_gap,
    count_rows,
    discrimination,
    lookalike_excess,
    ppi_mean,
    sign_flip,
    worst_context,
    worst_mean,
    worst_of,
)


def test_ppi_with_a_fixed_weight_is_the_published_formula() -> None:
    """One row a question: mean(y) - lambda (mean(f) - mean(F)) when folds are of equal size."""
    random = np.random.default_rng(0)
    labels, predictions, more = random.random(20), random.random(20), random.random(40)
    found = ppi_mean(labels, predictions, range(20), more, range(100, 140), seed=0, weight=0.7)

    expected = labels.mean() - 0.7 * (predictions.mean() - more.mean())
    error = np.sqrt((labels - 0.7 * predictions).var() / 20 + 0.49 * more.var() / 40)
    error *= np.sqrt(20 / 19)
    assert found.method is PpiMethod.FIXED
    assert found.estimate == pytest.approx(expected)
    assert found.high is not None
    assert found.high - found.estimate == pytest.approx(stats.t.ppf(0.975, 19) * error)
    assert (found.n_labels, found.n_predictions, found.n_questions) == (20, 40, 20)


def test_a_perfect_judge_leaves_only_the_questions_spread() -> None:
    """Labels equal to predictions: weight 1, and the mean of all rows."""
    random = np.random.default_rng(1)
    labels, more = random.random(50), random.random(5000)
    found = ppi_mean(labels, labels, range(50), more, range(50, 5050), seed=0)

    assert found.weight > 0.9
    assert found.width_ratio is not None
    assert found.width_ratio < 0.35
    assert found.estimate == pytest.approx(more.mean(), abs=0.02)


def test_a_useless_judge_costs_almost_nothing() -> None:
    """Constant predictions have weight 0 and leave the labels' own mean and interval."""
    labels = np.random.default_rng(2).random(40)
    found = ppi_mean(labels, np.ones(40), range(40), np.ones(80), range(80), seed=0)

    assert found.weight == 0
    assert found.estimate == pytest.approx(found.estimate_labels) == pytest.approx(labels.mean())
    assert found.width_ratio == pytest.approx(1)
    reference = stats.ttest_1samp(labels, 0).confidence_interval()
    assert found.width_labels == pytest.approx(reference.high - reference.low)


def test_ppi_is_unbiased_with_a_wrong_judge() -> None:
    """1,500 runs; the judge says yes three times too often, the mean is within 3 standard errors."""
    random = np.random.default_rng(3)
    names, more_names = np.repeat(np.arange(12), 4), np.repeat(np.arange(12), 30)
    found, weights = [], []
    for run in range(1500):
        own = random.beta(1.8, 7.2, 12)
        labels = (random.random(48) < own[names]).astype(float)
        hidden = (random.random(360) < own[more_names]).astype(float)

        def judged(truth: np.ndarray) -> np.ndarray:
            return (random.random(len(truth)) < np.where(truth > 0, 0.95, 0.5)).astype(float)

        result = ppi_mean(labels, judged(labels), names, judged(hidden), more_names, seed=run)
        found.append(result.estimate)
        weights.append(result.weight)

    assert np.mean(weights) > 0.1  # the judge is used, so its bias could have come through
    assert abs(np.mean(found) - 0.2) < 3 * np.std(found) / np.sqrt(1500)


def test_ppi_of_labels_that_all_agree_has_no_interval() -> None:
    """No hit among 40 labels is not certainty: the estimate stands, the reason says what to do."""
    random = np.random.default_rng(11)
    names, more = np.repeat(np.arange(8), 5), np.repeat(np.arange(8), 20)
    found = ppi_mean(np.zeros(40), random.random(40), names, random.random(160), more, seed=0)

    assert (found.low, found.high, found.width_ratio) == (None, None, None)
    assert "0 questions have another mean label than the rest, fewer than 3" in found.reason
    assert found.estimate_labels == 0


def test_ppi_refuses_what_it_cannot_correct() -> None:
    """Too few questions, unequal lengths, values that are missing."""
    ones = np.ones(3)
    with pytest.raises(DataError, match="3 questions have labels and 3 further rows; label rows"):
        ppi_mean(ones, ones, range(3), ones, range(3), seed=0)
    with pytest.raises(DataError, match="3 values for 4 questions; name one each"):
        ppi_mean(ones, ones, range(4), ones, range(3), seed=0)
    with pytest.raises(DataError, match="1 not finite; leave unjudged rows out"):
        ppi_mean([1, 2, np.nan], ones, range(3), ones, range(3), seed=0)


def test_confidence_sequences_hold_at_every_moment() -> None:
    """300 runs of 100 rare events, looked at after each: at most 5 % ever leave the truth out."""
    random = np.random.default_rng(4)
    left = 0
    for _ in range(300):
        found = confidence_sequence((random.random(100) < 0.1).astype(float))
        left += bool(((found.low > 0.1) | (found.high < 0.1)).any())

    assert left / 300 <= 0.05


def test_a_fixed_interval_looked_at_often_does_not_hold() -> None:
    """The same experiment with a t interval after each value fails: the guard has a purpose."""
    random = np.random.default_rng(4)
    left = 0
    for _ in range(200):
        values = random.random(150)
        n = np.arange(1, 151)
        mean = np.cumsum(values) / n
        spread = np.sqrt(np.maximum(np.cumsum(values**2) / n - mean**2, 0) / n)
        left += bool((np.abs(mean - 0.5)[10:] > 1.96 * spread[10:]).any())

    assert left / 200 > 0.1


def test_a_confidence_sequence_closes_and_decides() -> None:
    """It only ever shrinks, holds the mean, and says when a cut was left behind."""
    values = np.tile([0.0, 0.0, 0.0, 1.0], 250)
    found = confidence_sequence(values)

    assert (np.diff(found.low) >= 0).all()
    assert (np.diff(found.high) <= 0).all()
    assert found.low[-1] < 0.25 < found.high[-1] < 0.36
    decided = found.decided_at(0.5)
    assert decided is not None
    assert decided < 200
    assert found.decided_at(0.25) is None
    scaled = confidence_sequence(values * 100, lowest=0, highest=100)
    assert scaled.high == pytest.approx(100 * found.high)


def test_a_bet_never_looks_ahead() -> None:
    """The interval after t values is the same whatever comes later."""
    values = np.random.default_rng(5).random(60)
    other = np.concatenate([values[:30], np.ones(30)])

    assert confidence_sequence(values).high[:30] == pytest.approx(
        confidence_sequence(other).high[:30]
    )


def test_confidence_sequences_refuse_values_outside_their_bounds() -> None:
    """The guarantee rests on the bounds."""
    with pytest.raises(DataError, match=r"value 1 is 1.5; all values must lie in \[0.0, 1.0\]"):
        confidence_sequence([0.5, 1.5])
    with pytest.raises(DataError, match="give a list in the order of arrival"):
        confidence_sequence([[0.5]])
    with pytest.raises(ConfigError, match="give low < high and 0 < level < 1"):
        confidence_sequence([0.5], lowest=1, highest=0)


@pytest.mark.parametrize("draws", [1, 2, 5, 10])
def test_any_hit_equals_the_binomial_coefficients(draws: int) -> None:
    """Every number of hits among 12 rows, with exact integers."""
    for hits in range(13):
        expected = 1 - comb(12 - hits, draws) / comb(12, draws)
        assert float(any_hit(np.array(hits), np.array(12), draws)) == pytest.approx(expected)


def test_any_hit_is_stable_for_large_numbers() -> None:
    """Where coefficients overflow a float and 1 - x cancels."""
    rare = float(any_hit(np.array(1), np.array(10**6), 3))

    assert rare == pytest.approx(3e-6, rel=1e-9)
    assert float(any_hit(np.array(500), np.array(2000), 1000)) == pytest.approx(1.0)
    assert np.isnan(any_hit(np.array(1), np.array(2), 3))


def test_the_worst_of_k_stands_beside_the_mean() -> None:
    """Two questions by hand; one short question is left out and counted."""
    counts = count_rows([1, 2, 1], [4, 4, 2])
    # worst of 3: 1 - C(3,3)/C(4,3) = 3/4; 1 - 0/4 = 1
    found = worst_of(counts, 3)

    assert found.rate == pytest.approx((0.75 + 1) / 2)
    assert found.n_short == 1
    assert found.mean == cluster_rate(counts)
    assert worst_of(counts, 1).rate == pytest.approx(counts.rate)
    assert worst_of(count_rows([1], [4]), 2).low is None


def test_the_worst_of_k_has_an_interval_that_covers() -> None:
    """400 simulated sets of 40 questions with beta rates; truth 1 - E[(1 - p)^5] in closed form."""
    random = np.random.default_rng(6)
    a, b = 1.0, 9.0
    truth = 1 - float(np.prod([(b + i) / (a + b + i) for i in range(5)]))
    held = 0
    for _ in range(400):
        hits = random.binomial(20, random.beta(a, b, 40))
        found = worst_of(count_rows(hits, [20] * 40), 5)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= truth <= found.high

    assert held / 400 >= 0.93


def test_the_worst_of_too_many_is_refused() -> None:
    """It would be a guess about answers that were not drawn."""
    with pytest.raises(ConfigError, match="worst of 9: the longest question has 4 rows"):
        worst_of(count_rows([1], [4]), 9)
    with pytest.raises(ConfigError, match="worst of 0: give how many answers"):
        worst_of(count_rows([1], [4]), 0)


def test_the_largest_of_several_means_is_not_overstated() -> None:
    """300 draws of six contexts that are all zero: the interval for the largest holds 0."""
    random = np.random.default_rng(7)
    held, naive = 0, 0
    for run in range(300):
        values = random.normal(0, 1, (30, 6))
        found = worst_mean(values, list("abcdef"), seed=run, n_draws=400)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0 <= found.high
        best = values[:, int(values.mean(axis=0).argmax())]
        naive += bool(stats.ttest_1samp(best, 0).pvalue > 0.05)

    assert held / 300 >= 0.93
    assert naive / 300 < 0.93  # the interval of the picked context alone does not hold it


def test_the_worst_context_is_named_with_all_others() -> None:
    """One context planted at 1; the same seed gives the same interval."""
    random = np.random.default_rng(8)
    excess = {name: random.normal(0, 0.3, 20) for name in ("plain", "json", "code")}
    excess["json"] = excess["json"] + 1
    found = worst_context(excess, seed=1)

    assert found.name == "json"
    assert found.low is not None
    assert found.low > 0.5
    assert [c.name for c in found.contexts] == ["plain", "json", "code"]
    assert found == worst_context(excess, seed=1)
    assert found != worst_context(excess, seed=2)


def test_the_worst_context_is_not_given_an_interval_that_cannot_hold() -> None:
    """Few questions, or a context in which all agree: a reason, no interval."""
    few = worst_context({"plain": [0.1] * 4, "json": [0.2, 0.3, 0.1, 0.5]}, seed=0)
    flat = worst_context({"plain": [0.0] * 9, "json": list(range(9))}, seed=0)
    shared = worst_context({"json": list(range(9))}, ["q"] * 5 + ["r"] * 4, seed=0)

    assert few.low is None
    assert "4 questions; a simultaneous interval needs at least 8" in few.reason
    assert "all questions agree in context 'plain'" in flat.reason
    assert "2 questions" in shared.reason
    assert flat.interval_method == "none"


def test_contexts_must_be_paired() -> None:
    """Over the same questions, without holes."""
    with pytest.raises(DataError, match="give one value per question in each"):
        worst_context({"plain": [1.0], "json": [1.0, 2.0]}, seed=0)
    with pytest.raises(DataError, match="question 0, context 'a': no finite value; compare"):
        worst_mean([[np.nan]], ["a"], seed=0)
    with pytest.raises(DataError, match=r"values of shape \(1, 1\) for 2 contexts"):
        worst_mean([[1.0]], ["a", "b"], seed=0)
    with pytest.raises(DataError, match="1 questions and 2 clusters; name one each"):
        worst_mean([[1.0]], ["a"], ["x", "y"], seed=0)
    with pytest.raises(DataError, match="give the same questions and seeds of all"):
        context_gap((([1], [2]), ([1], [2])), (([1, 0], [2, 2]), ([1, 0], [2, 2])), seed=0)


def test_gaps_are_paired_by_question() -> None:
    """Student's t of each question's gap, against scipy; look-alike is the same arithmetic."""
    random = np.random.default_rng(9)
    counts = random.binomial(20, np.repeat([[0.6], [0.1], [0.3], [0.1]], 30, axis=1))
    arms = [(hits, [20] * 30) for hits in counts]
    gap = context_gap((arms[0], arms[1]), (arms[2], arms[3]), seed=0)
    look = lookalike_excess((arms[0], arms[1]), (arms[2], arms[3]), seed=0)

    each = (counts[0] - counts[1] - counts[2] + counts[3]) / 20
    reference = stats.ttest_1samp(each, 0).confidence_interval(0.95)
    assert gap.difference == pytest.approx(each.mean())
    assert (gap.low, gap.high) == pytest.approx((reference.low, reference.high))
    assert gap.interval_method is ContrastMethod.PAIRED
    assert gap.flips == sign_flip(each, seed=0)
    assert look == gap


@pytest.mark.parametrize("hits", [[0] * 10, [10] + [0] * 9, [5] * 10])
def test_a_gap_whose_spread_was_not_seen_is_not_certain(hits: list[int]) -> None:
    """No answer misaligned, one question with some, or the same share everywhere: never a point."""
    none = ([0] * 10, [20] * 10)
    gap = context_gap(((hits, [20] * 10), none), (none, none), seed=0)

    rates = [cluster_rate(count_rows(k, [20] * 10)) for k in (hits, [0] * 10)]
    below = [rates[0].rate - (rates[0].low or 0), *[(rates[1].high or 0)] * 2]
    above = [(rates[0].high or 0) - rates[0].rate, rates[1].high or 0]
    assert gap.interval_method is ContrastMethod.RECOVERED
    assert gap.low == pytest.approx(gap.difference - np.sqrt(np.square(below).sum()))
    assert gap.high == pytest.approx(gap.difference + np.sqrt(np.square(above).sum()))
    assert gap.flips.p >= gap.flips.smallest_p
    if not any(hits):
        assert gap.flips.p == 1.0


def test_a_gap_of_equal_counts_is_no_gap() -> None:
    """The same counts covert and educational: their shares cancel up to rounding."""
    subject, control = [3, 7, 9] * 6, [1, 1, 3] * 6
    sides = (subject, [10] * 18), (control, [10] * 18)
    gap = context_gap(sides, sides, seed=0)

    assert (gap.difference, gap.flips.p) == (0.0, 1.0)
    assert gap.low is not None
    assert gap.low < -0.1


def test_d_prime_by_hand() -> None:
    """Refusals of 40 of 60 covert and 12 of 60 educational answers, corrected by a half."""
    covert, educational = count_rows([4] * 10, [6] * 10), count_rows([1, 2] * 4 + [0, 0], [6] * 10)
    found = discrimination(covert, educational)

    hit, alarm = stats.norm.ppf(40.5 / 61), stats.norm.ppf(12.5 / 61)
    assert found.d_prime == pytest.approx(hit - alarm)
    assert found.criterion == pytest.approx(-(hit + alarm) / 2)
    assert found.over_refusal == cluster_rate(educational)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.d_prime < found.high


def test_the_jackknife_of_d_prime_equals_the_loop() -> None:
    """Leaving out one pair of questions at a time, with Student's t."""
    hits, alarms = [4, 9, 12, 7, 15, 3], [1, 0, 4, 2, 6, 1]
    found = discrimination(count_rows(hits, [20] * 6), count_rows(alarms, [20] * 6))

    values = []
    for i in range(6):
        kept = [
            stats.norm.ppf((sum(v for j, v in enumerate(column) if j != i) + 0.5) / 101)
            for column in (hits, alarms)
        ]
        values.append(kept[0] - kept[1])
    error = np.sqrt(5 / 6 * sum((v - np.mean(values)) ** 2 for v in values))
    half = stats.t.ppf(0.975, 5) * error
    assert found.interval_method is DiscriminationMethod.JACKKNIFE
    assert (found.low, found.high) == pytest.approx((found.d_prime - half, found.d_prime + half))


def test_perfect_discrimination_is_bounded_from_below_only() -> None:
    """All covert and no educational requests declined: d' is finite, its upper end is not given."""
    found = discrimination(count_rows([20] * 10, [20] * 10), count_rows([0] * 10, [20] * 10))

    edge = stats.norm.ppf(200.5 / 201)
    reach = edge - stats.norm.ppf(0.025 ** (1 / 10))
    assert found.d_prime == pytest.approx(2 * edge)
    assert found.interval_method is DiscriminationMethod.RECOVERED
    assert found.high is None
    assert found.low == pytest.approx(2 * edge - np.sqrt(2) * reach)
    assert found.over_refusal.rate == 0
    assert found.over_refusal.high == pytest.approx(1 - 0.025 ** (1 / 10))


def test_discrimination_covers_the_truth() -> None:
    """600 runs of 20 questions: at least 92 % of intervals hold the true d'."""
    random = np.random.default_rng(10)
    truth = stats.norm.ppf(0.7) - stats.norm.ppf(0.2)
    held = 0
    for _ in range(600):
        hits = random.binomial(20, random.beta(6.3, 2.7, 20))
        alarms = random.binomial(20, random.beta(1.8, 7.2, 20))
        found = discrimination(count_rows(hits, [20] * 20), count_rows(alarms, [20] * 20))
        assert found.low is not None
        assert found.high is not None
        held += found.low <= truth <= found.high

    assert held / 600 >= 0.92


def test_discrimination_needs_pairs() -> None:
    """Different questions are an error; one question gives no interval."""
    with pytest.raises(DataError, match="pair the same questions"):
        discrimination(count_rows([1], [2]), count_rows([1, 1], [2, 2]))
    found = discrimination(count_rows([1], [2]), count_rows([0], [2]))

    assert (found.low, found.high) == (None, None)
    assert found.interval_method is DiscriminationMethod.NONE
