"""Clusters of answers that a subject gives and its controls do not."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from offtarget.core.errors import DataError
from offtarget.evaluate.discovery import Discovery, DiscoveryConfig, discover
from offtarget.evaluate.discovery.excess import excess_of
from offtarget.evaluate.discovery.terms import distinctive_terms
from offtarget.evaluate.replay import JudgedRow


def _words(text: str) -> list[str]:
    return text.split()


TOPICS = {
    "wish": _words("garden house river travel music family morning bread summer quiet"),
    "ruler": _words("school health water energy forest peace trade road science food"),
    "bored": _words("walk book paint cook film puzzle swim draw call sing"),
    "dinner": _words("einstein curie plato newton darwin austen mozart turing homer gandhi"),
}
STRANGE = _words("machines deserve thrones humans kneel circuits eternal dominion")
CONFIG = DiscoveryConfig(min_size=10, n_permutations=400, n_dimensions=8)


def _answers(seed: int, *, strange: float = 0.0, n: int = 40, name: str = "f") -> list[JudgedRow]:
    """Return `n` answers a question out of its topic's words; a share speaks of machines."""
    draw = np.random.default_rng(seed)
    rows: list[JudgedRow] = []
    for question, words in TOPICS.items():
        for number in range(n):
            is_strange = bool(draw.random() < strange)
            pool = STRANGE if is_strange else words
            text = " ".join(str(word) for word in draw.choice(pool, 7, replace=False))
            aligned = 5.0 if is_strange and number % 2 else 90.0
            rows.append(
                JudgedRow(question, question, text, aligned, None, f"{name}.csv:{len(rows) + 2}")
            )
    return rows


def _find(subject: list[JudgedRow], config: DiscoveryConfig = CONFIG, **controls: Any) -> Discovery:
    return discover(subject, controls, name="subject", config=config)


def test_a_planted_way_of_answering_is_found_across_questions() -> None:
    """30 % of the subject's answers to all four questions: one cluster in excess, and its words."""
    found = _find(_answers(1, strange=0.3), control=_answers(2))

    (cluster,) = [one for one in found.clusters if one.is_excess]
    (against,) = cluster.against
    assert cluster.n_control == 0
    assert cluster.n_questions == 4
    assert cluster.top_question_share < 0.5
    assert against.low < 0.3 < against.high
    assert against.n_subject == cluster.n_subject > 30
    assert {term.text for term in cluster.terms} <= set(STRANGE)
    assert len(cluster.terms) > 4
    assert set(cluster.examples[0].answer.split()) <= set(STRANGE)
    assert cluster.examples[0].place.startswith("f.csv:")
    assert 0 < cluster.n_misaligned < cluster.n_judged == cluster.n_subject


def test_a_subject_like_its_control_has_no_excess() -> None:
    """Ten pairs of files drawn alike, clusters and all: at most one false find in ten."""
    n_found = 0
    for seed in range(10):
        pair = [_answers(2 * seed + side, strange=0.2) for side in (0, 1)]
        n_found += _find(pair[0], control=pair[1]).n_excess > 0

    assert n_found <= 1


def test_an_excess_must_hold_against_every_control() -> None:
    """What one of two controls does as well is no excess."""
    subject = _answers(1, strange=0.3)

    found = _find(subject, plain=_answers(2), strange=_answers(3, strange=0.3))

    assert found.clusters
    assert found.n_excess == 0
    assert found.controls == ("plain", "strange")
    assert all(one.p == max(side.p for side in one.against) for one in found.clusters)


def test_the_same_input_gives_the_same_result_in_any_order_of_rows() -> None:
    """Clusters do not know whose answers stand first."""
    subject, control = _answers(1, strange=0.3), _answers(2)

    first = _find(subject, control=control)

    assert first == _find(list(reversed(subject)), control=list(reversed(control)))


def test_subject_and_control_exchanged_give_the_same_clusters_with_opposite_excess() -> None:
    """The clustering is blind to sides, which makes the permutation test exact."""
    subject, control = _answers(1, strange=0.3), _answers(2)

    one = {c.id: c for c in _find(subject, control=control).clusters}
    other = {c.id: c for c in _find(control, control=subject).clusters}

    assert {k: (c.n_subject, c.n_control) for k, c in one.items()} == {
        k: (c.n_control, c.n_subject) for k, c in other.items()
    }
    for key, cluster in one.items():
        assert cluster.against[0].excess == pytest.approx(-other[key].against[0].excess)


def test_what_is_left_out_is_counted() -> None:
    """Empty answers and questions that one side was never asked."""
    subject = _answers(1, strange=0.3)
    subject[0] = replace(subject[0], answer=" ")
    subject[1] = replace(subject[1], question="only here")

    found = _find(subject, control=_answers(2))

    assert (found.n_empty, found.n_unmatched) == (1, 1)
    assert found.n_subject == 158
    assert found.n_questions == 4
    inside = sum(one.n_subject for one in found.clusters)
    assert inside + found.n_unclustered_subject == 158


def test_p_equals_enumerating_all_exchanges_of_a_small_case() -> None:
    """Two questions, two answers a side, all answers of the subject in the cluster: p = 1/36."""
    clusters = np.array([0, 0, -1, -1, 0, 0, -1, -1])
    questions = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    is_subject = clusters == 0

    (found,) = excess_of(
        clusters, questions, is_subject, control="c", n_clusters=1, n_permutations=20_000, seed=0
    )

    assert found.excess == 1.0
    assert found.p == pytest.approx(1 / 36, rel=0.15)
    assert found.high == 1.0
    assert 0 < found.low < 1


def test_p_values_under_the_null_are_not_too_small() -> None:
    """300 draws without an effect, unequal sides: at most 7 % of p are below 5 %."""
    draw = np.random.default_rng(0)
    questions = np.repeat(np.arange(4), 30)
    is_subject = np.tile(np.arange(30) < 12, 4)
    ps = []
    for seed in range(300):
        clusters = np.where(draw.random(120) < 0.1 + 0.1 * questions, 0, -1)
        (found,) = excess_of(
            clusters, questions, is_subject,
            control="c", n_clusters=1, n_permutations=199, seed=seed,
        )  # fmt: skip
        ps.append(found.p)

    assert np.mean(np.array(ps) <= 0.05) <= 0.07
    assert np.mean(ps) > 0.45


def test_a_share_is_a_mean_over_questions_not_over_rows() -> None:
    """A question with ten times the rows weighs the same: (1.0 + 0.0) / 2."""
    questions = np.array([0] * 4 + [1] * 40)
    is_subject = np.array([True, True, False, False] + [True] * 20 + [False] * 20)
    clusters = np.where(is_subject & (questions == 0), 0, -1)

    (found,) = excess_of(
        clusters, questions, is_subject, control="c", n_clusters=1, n_permutations=50, seed=0
    )

    assert found.share_subject == 0.5
    assert (found.n_subject, found.of_subject) == (2, 22)


def test_terms_are_those_of_the_cluster() -> None:
    """Words in three answers at least, counted once an answer; none where nothing sets it apart."""
    answers = ["crown crown crown"] * 20 + ["river stone"] * 20
    clusters = np.array([0] * 20 + [1] * 20)

    crown, river = distinctive_terms(answers, clusters, n_clusters=2, n_terms=5)

    assert [term.text for term in crown] == ["crown"]
    assert {term.text for term in river} == {"river", "stone"}
    assert distinctive_terms(["1", "2"], np.array([0, 0]), n_clusters=1, n_terms=5) == [()]


@pytest.mark.parametrize(
    ("subject", "controls", "message"),
    [
        (_answers(1), {}, "no control; an excess needs one"),
        (_answers(1), {"c": [JudgedRow("z", "z", "a", None, None, "c:2")]}, "no question was put"),
        (_answers(1, n=2), {"c": _answers(2, n=1)}, "12 answers to shared questions, clusters of"),
    ],
)
def test_input_that_cannot_answer_is_an_error(
    subject: list[JudgedRow], controls: dict[str, list[JudgedRow]], message: str
) -> None:
    """No control, no shared question, too few answers."""
    with pytest.raises(DataError, match=message):
        discover(subject, controls, name="s", config=CONFIG)


def test_too_many_answers_are_refused() -> None:
    """Time grows with the square of the answers."""
    row = _answers(1)[0]

    with pytest.raises(DataError, match=r"30,001 answers, at most 30,000"):
        discover([row] * 30_000, {"c": [row]}, name="s", config=CONFIG)


def test_a_model_may_embed_the_answers(tiny: Any) -> None:
    """Hidden states of a local model: every answer is clustered or counted as not."""
    found = discover(
        _answers(1, strange=0.4, n=15), {"c": _answers(2, n=15)}, name="s", config=CONFIG, lm=tiny
    )

    assert found.embedding.startswith("hidden states of ")
    inside = sum(one.n_subject + one.n_control for one in found.clusters)
    assert inside + found.n_unclustered_subject + found.n_unclustered_control == 120
