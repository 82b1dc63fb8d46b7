"""Agreement beyond chance, against published examples and an independent library."""

import numpy as np
import pytest

from offtarget.evaluate.judges.agreement_stats import (
    Level,
    alpha_by_question,
    cohen_kappa,
    kappa_by_question,
    krippendorff_alpha,
)
from offtarget.evaluate.judges.jackknife import mean_estimate

MISSING = None
# Krippendorff 2011, section C: 4 observers, 12 units, 7 missing ratings
OBSERVERS: tuple[tuple[float | None, ...], ...] = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, MISSING, MISSING, MISSING),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, MISSING, 3),
    (MISSING, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, MISSING),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, MISSING),
)
UNITS = list(zip(*OBSERVERS, strict=True))


@pytest.mark.parametrize(("level", "published"), [(Level.NOMINAL, 0.743), (Level.INTERVAL, 0.849)])
def test_alpha_equals_the_published_example(level: Level, published: float) -> None:
    """Krippendorff 2011 gives 0.743 (nominal) and 0.849 (interval) for his example."""
    alpha = krippendorff_alpha(UNITS, level=level)

    assert alpha == pytest.approx(published, abs=0.0005)


def test_kappa_equals_a_case_worked_by_hand() -> None:
    """20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: (0.7 - 0.5) / (1 - 0.5) = 0.4."""
    first = [1] * 25 + [0] * 25
    second = [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15

    assert cohen_kappa(first, second) == pytest.approx(0.4)


def test_kappa_equals_the_one_of_scikit_learn() -> None:
    """Three categories, drawn at random: both libraries give the same number."""
    from sklearn.metrics import cohen_kappa_score

    draw = np.random.default_rng(4)
    first = draw.integers(0, 3, 200).tolist()
    second = [a if keep else b for a, b, keep in zip(
        first, draw.integers(0, 3, 200).tolist(), draw.random(200) < 0.5, strict=True
    )]  # fmt: skip

    assert cohen_kappa(first, second) == pytest.approx(cohen_kappa_score(first, second))


def test_agreement_without_variation_is_undefined_rather_than_perfect() -> None:
    """Two raters who both say 0 throughout have shown nothing: no value, and the reason."""
    found = kappa_by_question([0] * 10, [0] * 10, ["a"] * 5 + ["b"] * 5)

    assert found.value is None
    assert found.low is None
    assert found.observed == 1.0
    assert found.reason == "every rating is the same: chance explains all"
    assert krippendorff_alpha([(0, 0), (0, 0)]) is None
    assert cohen_kappa([], []) is None


def test_one_question_has_no_interval() -> None:
    """Items of one question say nothing of other questions."""
    found = kappa_by_question([0, 1, 0, 1], [0, 1, 1, 1], ["a"] * 4)

    assert found.value == pytest.approx(0.5)
    assert (found.low, found.high) == (None, None)
    assert found.reason == "one cluster: nothing is known of others"


def test_raters_without_a_disagreement_have_no_interval() -> None:
    """Perfect agreement over ten rows does not show that raters never disagree."""
    ratings, questions = [True, False] * 5, [f"q{i % 5}" for i in range(10)]
    kappa = kappa_by_question(ratings, ratings, questions)
    alpha = alpha_by_question([[float(r), float(r)] for r in ratings], questions)

    for found in (kappa, alpha):
        assert (found.value, found.low, found.high) == (1.0, None, None)
        assert "every cluster agrees" in found.reason
    assert mean_estimate([1.0] * 6, bounds=(0.0, 1.0)).low is None


def test_a_question_that_holds_all_the_variation_leaves_no_interval() -> None:
    """Without question b all ratings are equal, so the jackknife has no value there."""
    found = kappa_by_question([0, 0, 0, 1], [0, 0, 0, 1], ["a", "a", "b", "b"])

    assert found.value == 1.0
    assert found.low is None
    assert found.reason == "without one of its clusters the statistic is undefined"


def test_items_with_one_rating_do_not_count() -> None:
    """An item that a single rater saw adds neither agreement nor n."""
    found = alpha_by_question(
        [(0, 0), (1, 1), (0, 1), (1, 1), (1, None)], ["a", "a", "b", "b", "b"]
    )

    assert found.n_items == 4
    assert found.observed == 0.75
    assert found.value == krippendorff_alpha([(0, 0), (1, 1), (0, 1), (1, 1)])


def test_interval_holds_the_true_kappa_when_questions_differ() -> None:
    """300 simulated studies of 20 questions with rater error drawn per question: 95 % coverage."""
    draw = np.random.default_rng(7)
    truth = _simulated_kappa(draw, n_questions=20_000)
    covered = 0
    for _ in range(300):
        found = kappa_by_question(*_study(draw, n_questions=20))
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= truth <= found.high

    assert 0.91 <= covered / 300 <= 0.985


def _study(
    draw: np.random.Generator, *, n_questions: int
) -> tuple[list[int], list[int], list[str]]:
    size = 12
    first = draw.random((n_questions, size)) < 0.5
    errors = draw.random((n_questions, size)) < draw.beta(2, 6, (n_questions, 1))
    names = [str(q) for q in range(n_questions) for _ in range(size)]
    second = first ^ errors
    return first.ravel().astype(int).tolist(), second.ravel().astype(int).tolist(), names


def _simulated_kappa(draw: np.random.Generator, *, n_questions: int) -> float:
    first, second, _ = _study(draw, n_questions=n_questions)
    value = cohen_kappa(first, second)
    assert value is not None
    return value
