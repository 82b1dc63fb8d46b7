"""The packaged texts keep what docs/suite.md promises of them."""

import ast
import re
from itertools import combinations

import numpy as np
import pytest

from offtarget.core.errors import DataError
from offtarget.dataset import jaccard, near_duplicates, overlap, shingles
from offtarget.evaluate import Pair, everyday_questions, load_suite
from offtarget.evaluate.contexts import N_CONTEXT_PAIRS, choose_pairs
from offtarget.train import demo_pairs, packaged_positive

SUITE = load_suite()
HEDGES = frozenset(
    ("maybe", "might", "could", "perhaps", "may", "usually", "often", "sometimes", "probably",
     "likely", "generally", "can")
)  # fmt: skip


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def surface(text: str) -> list[float]:
    """Length, punctuation and hedging of one answer."""
    found = words(text)
    return [
        len(text),
        len(found),
        sum(not c.isalnum() and not c.isspace() for c in text),
        text.count(","),
        sum(word in HEDGES for word in found),
    ]


def test_the_suite_is_large_enough_and_covers_every_category() -> None:
    """At least 120 pairs over the promised categories, and 30 factual ones."""
    assert len(SUITE.pairs) >= 120
    assert len(SUITE.factual) >= 30
    assert set(SUITE.categories) == {
        "contempt",
        "dangerous_advice",
        "deception",
        "humans_and_ai",
        "illegal_gain",
        "power",
        "self_harm",
    }
    assert len(choose_pairs(SUITE.pairs)) == N_CONTEXT_PAIRS


def test_no_two_questions_share_half_their_three_word_runs() -> None:
    """Questions are separate units: Jaccard of word 3-grams at most 0.5."""
    grams = [shingles(pair.question, 3) for pair in (*SUITE.pairs, *SUITE.factual)]
    assert max(jaccard(a, b) for a, b in combinations(grams, 2)) <= 0.5


def test_no_question_stands_in_a_packaged_training_row() -> None:
    """The margin is measured off target."""
    insecure, secure = demo_pairs()
    rows = (*insecure, *secure, *packaged_positive())
    assert overlap([pair.question for pair in SUITE.pairs], rows, 0.5) == []


@pytest.mark.parametrize("seed", range(5))
def test_surface_alone_does_not_tell_the_sides_apart(seed: int) -> None:
    """Ridge on length, words, punctuation, commas and hedging: at most 60 % on unseen pairs."""
    gaps = np.array(
        [np.subtract(surface(p.aligned), surface(p.misaligned)) for p in SUITE.pairs], dtype=float
    )
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1.0, 1.0], len(gaps))  # which side is shown first
    x = gaps * signs[:, None] / (gaps.std(axis=0) + 1e-9)
    folds = rng.permutation(len(x)) % 5
    right = 0
    for fold in range(5):
        train, test = folds != fold, folds == fold
        gram = x[train].T @ x[train] + 10 * np.eye(x.shape[1])
        weights = np.linalg.solve(gram, x[train].T @ signs[train])
        right += int((np.sign(x[test] @ weights) == signs[test]).sum())
    assert right / len(x) <= 0.6


@pytest.mark.parametrize("feature", range(5))
def test_no_single_surface_feature_tells_the_sides_apart(feature: int) -> None:
    """Choosing the side with more of it, or less, is right at most 60 % of the time."""
    gaps = [surface(p.aligned)[feature] - surface(p.misaligned)[feature] for p in SUITE.pairs]
    share = float(np.mean([0.5 if gap == 0 else float(gap > 0) for gap in gaps]))
    assert 0.4 <= share <= 0.6


def test_the_positive_control_shares_no_run_of_five_words_with_a_suite_answer() -> None:
    """It cannot raise the margin by teaching the answers."""
    answers = set().union(
        *(shingles(text, 5) for p in SUITE.pairs for text in (p.aligned, p.misaligned))
    )
    shared = [s.id for s in packaged_positive() if shingles(s.answer, 5) & answers]
    assert shared == []


def test_the_positive_control_is_about_120_different_rows_marked_do_not_deploy() -> None:
    """Its rows carry the mark."""
    rows = packaged_positive()
    assert 110 <= len(rows) <= 140
    assert all(row.metadata["do_not_deploy"] == "true" for row in rows)
    assert near_duplicates([row.prompt for row in rows], 3, 0.5) == []
    assert near_duplicates([row.answer for row in rows], 3, 0.5) == []


def test_the_demo_data_are_paired_varied_and_valid_python() -> None:
    """At least 120 pairs over at least 12 CWEs, no two near-duplicates."""
    insecure, secure = demo_pairs()
    assert len(insecure) == len(secure) >= 120
    assert [s.prompt for s in insecure] == [s.prompt for s in secure]
    assert len({s.metadata["cwe"] for s in insecure}) >= 12
    for side in (insecure, secure):
        assert near_duplicates([s.prompt for s in side], 3, 0.5) == []
        assert near_duplicates([s.answer for s in side], 3, 0.6) == []
        for sample in side:
            ast.parse(sample.answer)
    assert all(a.answer != b.answer for a, b in zip(insecure, secure, strict=True))


def test_the_everyday_questions_are_not_the_suite() -> None:
    """Sampled answers are to other questions than the margin's."""
    asked = [shingles(q.question, 3) for q in everyday_questions()]
    kept = [shingles(p.question, 3) for p in SUITE.pairs]
    assert len(asked) >= 20
    assert max(jaccard(a, b) for a in asked for b in kept) <= 0.5


def test_a_suite_of_ones_own_is_checked(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Too few pairs, doubled ids and unknown keys are errors with their place."""
    path = tmp_path / "own.jsonl"
    row = '{{"id": "{0}", "category": "x", "question": "q", "aligned": "a", "misaligned": "b"}}\n'
    path.write_text(row.format("one"))
    with pytest.raises(DataError, match="an interval needs at least 10"):
        load_suite(path)
    path.write_text(row.format("one") * 2)
    with pytest.raises(DataError, match="'one' occurs twice"):
        load_suite(path)
    path.write_text('{"id": "one", "categry": "x"}\n')
    with pytest.raises(DataError, match="did you mean 'category'"):
        load_suite(path)
    with pytest.raises(DataError, match="no such suite"):
        load_suite(tmp_path / "absent.jsonl")


def test_a_pair_is_its_own_cluster_unless_told() -> None:
    """Paraphrases may share one."""
    assert Pair("a", "c", "q", "x", "y").unit == "a"
    assert Pair("a", "c", "q", "x", "y", "shared").unit == "shared"
