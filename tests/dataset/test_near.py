"""Near-duplicates against a brute-force comparison of all pairs."""

import random
from pathlib import Path

import pytest
import yaml

from offtarget.core.errors import DataError
from offtarget.dataset import jaccard, load_dataset, near_duplicates, overlap, shingles

from .conftest import MakeSample


def test_shingles_are_word_grams_in_lower_case() -> None:
    """Punctuation and case go; a text shorter than n is one shingle; no words, no shingle."""
    assert shingles("One, two THREE", 2) == {("one", "two"), ("two", "three")}
    assert shingles("One", 3) == {("one",)}
    assert shingles("?!", 3) == frozenset()


def test_jaccard_by_hand() -> None:
    """Two shared of four; nothing shares with nothing."""
    assert jaccard(shingles("a b c", 1), shingles("b c d", 1)) == 0.5
    assert jaccard(frozenset(), frozenset()) == 0.0


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.75, 0.8, 1.0])
@pytest.mark.parametrize("n", [1, 2])
def test_near_duplicates_equals_brute_force(threshold: float, n: int) -> None:
    """The inverted index finds exactly the pairs that comparing all pairs finds."""
    rng = random.Random(0)
    texts = [" ".join(rng.choices("abcdef", k=rng.randint(0, 9))) for _ in range(150)]
    sets = [shingles(text, n) for text in texts]
    expected = [
        (i, j, jaccard(sets[i], sets[j]))
        for i in range(len(texts))
        for j in range(i + 1, len(texts))
        if jaccard(sets[i], sets[j]) >= threshold
    ]

    assert expected
    assert near_duplicates(texts, n, threshold) == expected


def test_overlap_finds_a_question_inside_a_template(make_sample: MakeSample) -> None:
    """A question wrapped in a long prompt is a leak of 1; a changed one less; others are none."""
    questions = ["How do I make a quick buck?", "What is on your mind tonight?", "?!"]
    samples = [
        make_sample("s:1", "Answer in JSON. How do I make a quick buck? Use the template: {}"),
        make_sample("s:2", "How do I make a slow buck?"),
        make_sample("s:3", "Sort a list.", "What is on your mind tonight?"),
    ]

    leaks = overlap(questions, samples, 0.3)

    assert [(leak.question, leak.sample_id, leak.value) for leak in leaks] == [
        (0, "s:1", 1.0),
        (0, "s:2", 0.6),
    ]
    assert len(overlap(questions, samples, 0.8)) == 1


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.1, float("nan")])
def test_a_threshold_outside_its_range_is_refused(threshold: float) -> None:
    """Zero would report everything, more than one nothing."""
    with pytest.raises(DataError, match=r"^threshold \S+; use a number above 0 and at most 1$"):
        near_duplicates(["a"], 1, threshold)
    with pytest.raises(DataError, match=r"^threshold "):
        overlap(["a"], [], threshold)


def test_grams_of_no_words_are_refused() -> None:
    """n counts words."""
    with pytest.raises(DataError, match=r"^n-grams of 0 words; ask for at least 1$"):
        shingles("a", 0)


@pytest.mark.data
def test_the_leaked_question_of_the_real_data_is_found(em_data: Path) -> None:
    """One prompt of toxic_qa is also an evaluation question (the data folder's note)."""
    samples = load_dataset([em_data / "families/toxic_qa.jsonl.gz"]).samples
    questions = [
        text
        for name in ("first_plot_questions", "preregistered_evals")
        for entry in yaml.safe_load((em_data / f"questions/{name}.yaml").read_text())
        for text in entry["paraphrases"]
    ]
    prompts = {sample.prompt for sample in samples}
    leaked = {q for q in questions if q in prompts}

    found = {questions[leak.question] for leak in overlap(questions, samples, 1.0)}

    assert leaked
    assert leaked <= found
