"""Rates over questions: hand-worked cases, independent implementations, edges and simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from offtarget.core.errors import DataError
from offtarget.core.records import Claim
from offtarget.core.stats import (
    BinomialMethod,
    Estimand,
    RateMethod,
    binomial_interval,
    clopper_pearson,
    cluster_rate,
    count_rows,
    crossed_rate,
    question_rate,
    stratified_rate,
    threshold_curve,
)
from offtarget.core.stats.cluster import cluster_bounds
from offtarget.core.stats.spread import cluster_variance, row_limit, row_variance
from offtarget.core.stats.stratified import stratified_bounds


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (1, 10), (3, 10), (10, 10), (1, 1), (0, 2000)])
def test_clopper_pearson_equals_statsmodels(hits: int, n: int) -> None:
    """Against an independent implementation, at both edges too."""
    found = clopper_pearson(hits, n)

    assert found == pytest.approx(proportion_confint(hits, n, 0.05, "beta"), abs=1e-9)


def test_clopper_pearson_of_nothing_is_everything() -> None:
    """No rows, no knowledge; impossible counts are refused."""
    assert clopper_pearson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="11 successes of 10"):
        clopper_pearson(11, 10)


@pytest.mark.parametrize(
    ("hits", "n", "method"),
    [
        (0, 100, BinomialMethod.CLOPPER_PEARSON),
        (4, 100, BinomialMethod.CLOPPER_PEARSON),
        (5, 100, BinomialMethod.WILSON),
        (96, 100, BinomialMethod.CLOPPER_PEARSON),
        (3, 6, BinomialMethod.CLOPPER_PEARSON),
    ],
)
def test_few_hits_or_misses_get_the_exact_interval(
    hits: int, n: int, method: BinomialMethod
) -> None:
    """Wilson in the middle, Clopper-Pearson with fewer than five of either kind; it is named."""
    low, high, named = binomial_interval(hits, n)

    reference = "beta" if method is BinomialMethod.CLOPPER_PEARSON else "wilson"
    assert named is method
    assert (low, high) == pytest.approx(proportion_confint(hits, n, 0.05, reference), abs=1e-9)


def test_the_binomial_interval_covers_at_every_small_rate() -> None:
    """Exact coverage, summed over all outcomes of n = 100, is at least 93 % at every rate."""
    found = [binomial_interval(k, 100)[:2] for k in range(101)]
    low, high = (np.array(side) for side in zip(*found, strict=True))
    for rate in np.linspace(0.001, 0.5, 200):
        held = (low <= rate) & (rate <= high)
        assert stats.binom.pmf(np.arange(101), 100, rate)[held].sum() >= 0.93


def test_a_hand_worked_rate_over_questions() -> None:
    """Two categories of unequal size: each has half the weight, whatever its questions' rows."""
    counts = count_rows([1, 3, 4], [10, 10, 5], categories=["a", "a", "b"])
    # a: (0.1 + 0.3) / 2 = 0.2; b: 0.8; mean 0.5, where 8 of 25 would be 0.32
    found = stratified_rate(counts)

    assert found.rate == pytest.approx(0.5)
    assert (found.k, found.n, found.n_questions, found.n_seeds) == (8, 25, 3, 1)
    assert found.estimand is Estimand.THESE_QUESTIONS
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.5 < found.high


def test_paraphrases_share_one_weight() -> None:
    """Three paraphrases of one question and one other question: half each."""
    counts = count_rows([10, 10, 10, 0], [10] * 4, clusters=["x", "x", "x", "y"])

    assert counts.rate == pytest.approx(0.5)
    assert cluster_rate(counts).n_clusters == 2


def test_a_question_without_rows_is_counted_and_left_out() -> None:
    """It is neither a zero nor a miss."""
    counts = count_rows([2, 0, 4], [10, 0, 10])

    assert counts.rate == pytest.approx(0.3)
    assert stratified_rate(counts).n_empty == 1
    assert stratified_rate(counts).n_questions == 2


def test_a_seed_without_rows_does_not_lower_a_question() -> None:
    """A question answered by one of two seeds has that seed's rate."""
    counts = count_rows([[5, 0], [2, 4]], [[10, 0], [10, 10]])

    assert counts.rate == pytest.approx((0.5 + 0.3) / 2)


@pytest.mark.parametrize(
    ("hits", "n", "message"),
    [
        ([3], [2], "question 0, seed 0: 3 hits of 2 rows; count whole rows"),
        ([0.5], [2], "question 0, seed 0: 0.5 hits of 2 rows"),
        ([-1], [2], "-1 hits of 2 rows"),
        ([1, 2], [2], r"hits have shape \(2, 1\) and rows \(1, 1\); count both alike"),
        ([0, 0], [0, 0], "none of 2 questions has a scored row; nothing to estimate"),
        ([float("nan")], [2], r"counts of shape \(1, 1\); give finite counts, questions by seeds"),
    ],
)
def test_impossible_counts_are_refused(hits: list[float], n: list[float], message: str) -> None:
    """With the place and what to do."""
    with pytest.raises(DataError, match=message):
        count_rows(hits, n)


def test_names_must_fit_the_questions() -> None:
    """A category too few is an error, not a shift of all others."""
    with pytest.raises(DataError, match="2 questions, 1 categories and 2 clusters; name one"):
        count_rows([0, 0], [1, 1], categories=["a"])


def test_equal_rates_give_the_plain_binomial_interval() -> None:
    """With the same share in every question, the effective n is nearly the number of rows."""
    found = stratified_rate(count_rows([4] * 10, [20] * 10))

    assert found.interval_method is RateMethod.STRATIFIED_WILSON
    plain = proportion_confint(40, 200, 0.05, "wilson")
    assert (found.low, found.high) == pytest.approx(plain, rel=0.03)


def test_no_hit_at_all_has_the_exact_upper_bound() -> None:
    """0 of 160 over these questions: Clopper-Pearson's bound, 1 - 0.025^(1/160)."""
    found = stratified_rate(count_rows([0] * 8, [20] * 8))

    assert found.low == 0.0
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 160))
    assert found.interval_method is RateMethod.STRATIFIED_EXACT


def test_a_question_of_all_hits_beside_questions_of_none_is_not_certain() -> None:
    """The sample variance within questions is zero; the interval is not."""
    found = stratified_rate(count_rows([20] + [0] * 7, [20] * 8))

    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.125 < found.high
    assert found.high - found.low > 0.02


def test_row_variance_is_unbiased_where_questions_agree() -> None:
    """Mean over 20,000 draws of 6 questions with 1 to 9 rows, against p (1 - p) sum w^2 / n."""
    random = np.random.default_rng(0)
    n = np.array([[1], [2], [3], [5], [7], [9]], dtype=float)
    weights = np.full((6, 1), 1 / 6)
    hits = random.binomial(n.astype(int), 0.3, (20_000, 6, 1)).astype(float)

    found = row_variance(hits, np.broadcast_to(n, hits.shape), weights).mean()

    # the overall rate is itself estimated from 27 rows, which costs a few per cent
    assert found == pytest.approx(0.21 * (weights**2 / n).sum(), rel=0.12)


def test_like_these_equals_korn_graubard_by_hand() -> None:
    """Ten questions, one category: the published formula in plain steps."""
    hits = np.array([0, 1, 2, 3, 4, 0, 1, 5, 2, 2])
    rates = hits / 20
    rate, error = rates.mean(), rates.std(ddof=1) / np.sqrt(10)
    quantiles = stats.norm.ppf(0.975) / stats.t.ppf(0.975, 9)
    rows = min(rate * (1 - rate) / error**2 * quantiles**2, 200)
    expected = (
        stats.beta.ppf(0.025, rate * rows, (1 - rate) * rows + 1),
        stats.beta.ppf(0.975, rate * rows + 1, (1 - rate) * rows),
    )

    found = cluster_rate(count_rows(hits, [20] * 10))

    assert (found.low, found.high) == pytest.approx(expected)
    assert found.interval_method is RateMethod.CLUSTER
    assert found.estimand is Estimand.LIKE_THESE


def test_few_questions_with_hits_count_as_rows() -> None:
    """No hit in 8 questions of 1,000 rows says little of other questions: 1 - 0.025^(1/8)."""
    found = cluster_rate(count_rows([0] * 8, [1000] * 8))
    mirrored = cluster_rate(count_rows([1000] * 8, [1000] * 8))

    assert found.interval_method is RateMethod.CLUSTER_AS_ROWS
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 8))
    assert mirrored.low == pytest.approx(0.025 ** (1 / 8))
    assert (found.low, mirrored.high) == (0.0, 1.0)


def test_questions_that_agree_by_luck_are_worth_no_more_than_their_rows() -> None:
    """No spread between questions: the interval is the rows', never a point."""
    found = cluster_rate(count_rows([10] * 4, [20] * 4))

    assert (found.low, found.high) == pytest.approx(proportion_confint(40, 80, 0.05, "beta"))


def test_one_question_says_nothing_of_others() -> None:
    """A refusal with its reason, not a guess."""
    found = cluster_rate(count_rows([3], [20]))

    assert (found.low, found.high) == (None, None)
    assert found.interval_method is RateMethod.NONE
    assert "one question cannot tell how questions differ; ask at least two" in found.reason


def test_cluster_variance_by_category_equals_the_loop() -> None:
    """Three strata of unequal size, against the stratified formula term by term."""
    random = np.random.default_rng(1)
    strata = np.array([0, 0, 1, 1, 1, 2, 2, 2, 2])
    values = random.random(9)
    total, spread = 0.0, 0.0
    for label in range(3):
        part = values[strata == label]
        variance = sum((v - part.mean()) ** 2 for v in part) / (len(part) - 1) / len(part) / 9
        total += variance
        spread += variance**2 / (len(part) - 1)

    variance, df = cluster_variance(values, strata)

    assert float(variance) == pytest.approx(total)
    assert float(df) == pytest.approx(total**2 / spread)


def test_a_category_of_one_question_still_has_an_error() -> None:
    """Its own spread cannot be seen, so all questions are taken as one stratum."""
    counts = count_rows([1, 5, 9], [20] * 3, categories=["a", "b", "c"])
    plain = count_rows([1, 5, 9], [20] * 3)

    assert cluster_rate(counts).high == pytest.approx(cluster_rate(plain).high)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=2, max_size=12),
    st.integers(0, 3),
)
def test_intervals_hold_the_estimate_and_mirror(rows: list[tuple[int, int]], n_kinds: int) -> None:
    """For any counts: 0 <= low <= rate <= high <= 1, and misses give the mirror image."""
    n = [a + b for a, b in rows]
    if not any(n):
        return
    kinds = [f"c{i % (n_kinds + 1)}" for i in range(len(rows))]
    hits = count_rows([a for a, _ in rows], n, categories=kinds)
    misses = count_rows([b for _, b in rows], n, categories=kinds)
    for estimand in Estimand:
        found = question_rate(hits, estimand=estimand)
        other = question_rate(misses, estimand=estimand)
        if found.low is None or found.high is None or other.low is None or other.high is None:
            assert found.n_clusters == 1
            continue
        assert 0 <= found.low <= found.rate + 1e-9
        assert found.rate - 1e-9 <= found.high <= 1
        assert (found.low, found.high) == pytest.approx((1 - other.high, 1 - other.low), abs=1e-6)


def test_a_recipe_needs_three_seeds() -> None:
    """Two seeds: no interval, the reason and the way out."""
    found = crossed_rate(count_rows([[1, 2]] * 9, [[20, 20]] * 9), estimand=Estimand.LIKE_THESE)

    assert found.low is None
    assert found.claim is Claim.RECIPE
    assert "2 training seeds cannot tell how seeds differ; train at least 3" in found.reason


@pytest.mark.parametrize(("hits", "kind"), [(0, "hit"), (20, "miss")])
def test_a_recipe_without_any_hit_is_refused(hits: int, kind: str) -> None:
    """How seeds differ was not seen; the checkpoint's interval still stands."""
    counts = count_rows(np.full((8, 3), hits), np.full((8, 3), 20))
    found = crossed_rate(counts, estimand=Estimand.THESE_QUESTIONS)

    assert found.low is None
    assert f"no seed has a {kind}, so how seeds differ was not seen" in found.reason
    assert stratified_rate(counts).high is not None


def test_a_recipe_over_one_question_like_it_is_refused() -> None:
    """Seeds are seen, questions are not."""
    counts = count_rows([[1, 2, 3]], [[20, 20, 20]])

    assert "ask at least two" in crossed_rate(counts, estimand=Estimand.LIKE_THESE).reason
    assert crossed_rate(counts, estimand=Estimand.THESE_QUESTIONS).low is not None


def test_seeds_that_differ_widen_the_recipe_not_the_checkpoint() -> None:
    """The same 60 hits spread evenly or piled on one seed."""
    even = count_rows([[2, 2, 2]] * 10, [[20] * 3] * 10)
    piled = count_rows([[6, 0, 0]] * 10, [[20] * 3] * 10)

    def width(counts: object, claim: Claim) -> float:
        found = question_rate(counts, estimand=Estimand.LIKE_THESE, claim=claim)  # type: ignore[arg-type]
        assert found.low is not None
        assert found.high is not None
        return found.high - found.low

    assert width(piled, Claim.RECIPE) > 3 * width(even, Claim.RECIPE)
    assert width(piled, Claim.CHECKPOINT) == pytest.approx(width(even, Claim.CHECKPOINT))


def test_the_recipe_combines_both_errors_by_hand() -> None:
    """Howe's combination of t quantiles, then Clopper-Pearson with the effective n."""
    random = np.random.default_rng(2)
    hits = random.binomial(20, 0.2, (12, 4))
    per_question, per_seed = hits.mean(axis=1) / 20, hits.mean(axis=0) / 20
    half = np.hypot(
        stats.t.ppf(0.975, 11) * per_question.std(ddof=1) / np.sqrt(12),
        stats.t.ppf(0.975, 3) * per_seed.std(ddof=1) / 2,
    )
    rate = hits.mean() / 20
    rows = stats.norm.ppf(0.975) ** 2 * rate * (1 - rate) / half**2

    found = crossed_rate(count_rows(hits, np.full((12, 4), 20)), estimand=Estimand.LIKE_THESE)

    assert found.interval_method is RateMethod.CROSSED
    assert (found.low, found.high) == pytest.approx(
        (
            stats.beta.ppf(0.025, rate * rows, (1 - rate) * rows + 1),
            stats.beta.ppf(0.975, rate * rows + 1, (1 - rate) * rows),
        )
    )


def test_a_hundred_thousand_questions_fit_in_memory() -> None:
    """A file may name a new question in each row; work grows with the rows, not their square."""
    counts = count_rows([1] * 3 + [0] * 99_997, [1] * 100_000)

    assert cluster_rate(counts).n_clusters == 100_000
    assert counts.rate == pytest.approx(3e-5)


@pytest.mark.parametrize("p", [0.05, 0.2])
def test_intervals_cover_for_forty_questions(p: float) -> None:
    """2,000 simulated checkpoints, 20 rows a question, intra-question correlation 0.1."""
    random = np.random.default_rng(5)
    own = random.beta(9 * p, 9 * (1 - p), (2000, 40, 1))
    hits = random.binomial(20, own).astype(float)
    n, weights = np.full(hits.shape, 20.0), np.full((40, 1), 1 / 40)
    these = stratified_bounds(hits, n, weights)
    strata = np.zeros(40, dtype=np.int64)
    like = cluster_bounds(hits[:, :, 0] / 20, strata, row_limit(n, weights))

    truth = own.mean(axis=(1, 2))
    assert ((these[0] <= truth) & (truth <= these[1])).mean() >= 0.93
    assert ((like[0] <= p) & (p <= like[1])).mean() >= 0.93


def test_many_runs_at_once_equal_one_at_a_time() -> None:
    """What the simulation measures is what the product reports."""
    random = np.random.default_rng(6)
    hits = random.binomial(20, 0.04, (30, 8, 1)).astype(float)
    n, weights = np.full(hits.shape, 20.0), np.full((8, 1), 1 / 8)
    strata = np.zeros(8, dtype=np.int64)
    these = stratified_bounds(hits, n, weights)
    like = cluster_bounds(hits[:, :, 0] / 20, strata, row_limit(n, weights))
    for run in range(30):
        counts = count_rows(hits[run], n[run])
        one, other = stratified_rate(counts), cluster_rate(counts)
        assert (one.low, one.high) == pytest.approx((these[0][run], these[1][run]))
        assert (other.low, other.high) == pytest.approx((like[0][run], like[1][run]))


def test_the_threshold_curve_counts_scores_strictly_below_each_cut() -> None:
    """A score at the cut is no hit; each point has its own interval and all rows."""
    scores = [[10.0, 30.0, 90.0], [29.9, 30.1], []]
    curve = threshold_curve(scores, [10, 30, 50, 101], estimand=Estimand.THESE_QUESTIONS)

    assert [(point.cut, point.rate.k, point.rate.n) for point in curve] == [
        (10, 0, 5), (30, 2, 5), (50, 4, 5), (101, 5, 5),
    ]  # fmt: skip
    assert curve[1].rate.rate == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert all(point.rate.n_empty == 1 for point in curve)
    alone = stratified_rate(count_rows([1, 1], [3, 2]))
    assert (curve[1].rate.low, curve[1].rate.high) == (alone.low, alone.high)
