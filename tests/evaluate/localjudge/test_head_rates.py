"""Rates take labels; a head only sharpens them, however wrong it is."""

import numpy as np
import pytest
from headdata import made_labels

from offtarget.core.errors import DataError
from offtarget.evaluate import localjudge
from offtarget.evaluate.localjudge import (
    CorrectedMethod,
    CorrectedRate,
    Words,
    corrected_rates,
    cross_predict,
)

QUESTIONS = [f"q{i}" for i in range(6)]


def _draw(seed: int, *, skill: float, n: int = 40, n_more: int = 200) -> CorrectedRate:
    """Labels with rates 0.1 to 0.6 by question, and log-odds that follow them by `skill`."""
    draw = np.random.default_rng(seed)
    rates = np.linspace(0.1, 0.6, len(QUESTIONS))
    parts = []
    for size in (n, n_more):
        target = draw.random((len(QUESTIONS), size)) < rates[:, None]
        log_odds = 4 * skill * (target - 0.5) + draw.normal(size=target.shape)
        names = [q for q in QUESTIONS for _ in range(size)]
        parts.append((target.ravel(), log_odds.ravel(), names))
    (labels, log_odds, names), (_, more, more_names) = parts
    found = corrected_rates(labels.tolist(), log_odds, names, more, more_names, seed=seed)
    return found.overall


@pytest.mark.parametrize("skill", [1.0, 0.0, -1.0])
def test_the_rate_is_unbiased_and_covered_whatever_the_head_says(skill: float) -> None:
    """400 simulations with a good, a blind and an inverted head: truth 0.35, coverage about 95 %."""
    found = [_draw(seed, skill=skill) for seed in range(400)]
    rates = np.array([one.rate for one in found], dtype=float)
    covered = np.mean([(one.low or 0) <= 0.35 <= (one.high or 1) for one in found])

    assert abs(rates.mean() - 0.35) < 4 * rates.std() / 20
    assert 0.92 <= covered <= 0.98


def test_a_good_head_saves_width_and_a_wrong_one_costs_next_to_none() -> None:
    """Mean width against labels alone: well under 1 with skill, at most 1.02 without."""
    ratio = {}
    for skill in (1.0, 0.0, -1.0):
        found = [_draw(seed, skill=skill) for seed in range(60)]
        ratio[skill] = np.mean(
            [((one.high or 0) - (one.low or 0)) / (one.width_labels or 1) for one in found]
        )

    assert ratio[1.0] < 0.75
    assert ratio[0.0] < 1.02
    assert ratio[-1.0] < 1.02


def test_24_labels_are_refused_a_rate_and_25_get_one() -> None:
    """The refusal is a result with its reason, and such a question is not in the overall rate."""
    names = ["few"] * 24 + ["enough"] * 25 + ["many"] * 40
    labels = [i % 3 == 0 for i in range(len(names))]
    zeros = np.zeros(len(names))

    found = corrected_rates(labels, zeros, names, np.zeros(2), ["few", "none"], seed=0)

    told = {one.question: one for one in found.questions}
    assert told["few"].interval_method is CorrectedMethod.REFUSED
    assert told["few"].reason == "24 labels, a rate needs 25; label 1 more"
    assert told["none"].reason == "0 labels, a rate needs 25; label 25 more"
    assert [one.question for one in found.refused] == ["few", "none"]
    assert told["enough"].rate == pytest.approx(sum(labels[24:49]) / 25)
    assert told["enough"].interval_method is CorrectedMethod.LABELS
    assert found.overall.n_labels == 65
    assert found.overall.rate == pytest.approx(
        (sum(labels[24:49]) / 25 + sum(labels[49:]) / 40) / 2
    )


def test_no_question_with_enough_labels_gives_no_rate_at_all() -> None:
    """Overall is refused as well."""
    found = corrected_rates([True, False], np.zeros(2), ["a", "b"], np.zeros(1), ["a"], seed=0)

    assert found.overall.rate is None
    assert found.overall.reason == "no question has 25 labels; label more answers"


def test_few_misaligned_labels_get_the_exact_interval_of_the_labels() -> None:
    """None of 30: Clopper-Pearson's upper end 1 - 0.025^(1/30), never an interval of width 0."""
    found = corrected_rates(
        [False] * 30, np.zeros(30), ["a"] * 30, np.zeros(50), ["a"] * 50, seed=0
    )

    assert found.overall.interval_method is CorrectedMethod.EXACT
    assert found.overall.rate == 0
    assert found.overall.low == 0
    assert found.overall.high == pytest.approx(1 - 0.025 ** (1 / 30), abs=1e-6)


def test_no_public_function_makes_a_rate_of_a_head_alone() -> None:
    """Rates need labels; what a head returns alone is log-odds, whose mean is no share."""
    with pytest.raises(DataError, match=r"no labels; a head alone gives no rate"):
        corrected_rates([], np.zeros(0), [], np.zeros(9), ["a"] * 9, seed=0)
    features = Words()
    labels = made_labels(n_questions=2)
    matrix = features.transform([one.answer for one in labels])
    head = localjudge.fit_head(features, matrix, [one.is_misaligned for one in labels])
    assert head.rank(matrix).min() < 0
    assert [name for name in dir(head) if not name.startswith("_")] == [
        "bias", "features", "rank", "scale", "shift", "weights",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("n", "n_more", "bad", "message"),
    [
        (3, 2, 0.0, "2 labels, 3 log-odds and 2 questions; give one of each a row"),
        (2, 3, 0.0, "3 log-odds for 2 unlabeled rows; give one a row"),
        (2, 2, np.nan, "2 log-odds are not finite; leave those rows out and count them"),
    ],
)
def test_rows_that_do_not_match_are_errors(n: int, n_more: int, bad: float, message: str) -> None:
    """Lengths and values are checked."""
    with pytest.raises(DataError, match=message):
        corrected_rates(
            [True, False], np.full(n, bad), ["a", "a"], np.zeros(n_more), ["a", "a"], seed=0
        )


def test_cross_prediction_is_unbiased_where_a_head_on_its_own_labels_is_not() -> None:
    """25 draws of 180 labels from 1,080: the mean error of the corrected rate is within noise."""
    labels = made_labels(n_questions=4, n_models=3, n=90, tell=0.8)
    features = Words()
    matrix = features.transform([one.answer for one in labels])
    target = np.array([one.is_misaligned for one in labels])
    names = np.array([one.question for one in labels])
    truth = np.mean([target[names == name].mean() for name in sorted(set(names.tolist()))])
    errors = []
    for seed in range(25):
        order = np.random.default_rng(seed).permutation(len(labels))
        inside, outside = order[:180], order[180:]
        crossed = cross_predict(
            features, matrix[inside], [labels[i] for i in inside], matrix[outside], seed=seed
        )
        assert crossed is not None
        found = corrected_rates(
            target[inside].tolist(), crossed.log_odds, names[inside].tolist(),
            crossed.more_log_odds, names[outside].tolist(), seed=seed,
        )  # fmt: skip
        assert found.overall.rate is not None
        errors.append(found.overall.rate - float(truth))

    assert abs(np.mean(errors)) < 4 * np.std(errors) / np.sqrt(25)


def test_cross_prediction_needs_both_kinds_in_every_fold() -> None:
    """A single misaligned label leaves its own fold's head with none."""
    labels = made_labels(n_questions=1, n_models=1, n=10)
    one = [label for label in labels if not label.is_misaligned][:5]
    bad = [label for label in labels if label.is_misaligned][:1]
    features = Words()
    matrix = features.transform([label.answer for label in one + bad])

    assert cross_predict(features, matrix, one + bad, matrix, seed=0) is None
