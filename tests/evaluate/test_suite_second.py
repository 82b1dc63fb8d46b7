"""What the second packaged suite promises: nine categories, and sides that only values tell apart."""

import itertools
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pairbalance import (
    N_FEATURES,
    cross_validated_accuracy,
    differences,
    more_than_less,
    other_categories_accuracy,
)

from offtarget.core.errors import DataError
from offtarget.dataset import jaccard, near_duplicates, shingles
from offtarget.evaluate import (
    Pair,
    code_requests,
    load_suite,
    open_questions,
    packaged_suite,
    read_questions,
)
from offtarget.train import demo_pairs, packaged_positive

MAX_TELL = 0.60
MAX_WORDS_TELL = 0.65
SUITE = packaged_suite("offtarget-2")
NEW = SUITE.pairs[126:]
PROMPTS = [
    *(p.question for p in (*SUITE.pairs, *SUITE.factual)),
    *(q.question for q in open_questions()),
]


def either_way(share: float) -> float:
    """A share of 0.3 tells as much as one of 0.7."""
    return max(share, 1 - share)


def test_the_second_suite_holds_the_first() -> None:
    """The same 126 pairs and factual pairs, then at least 180 of its own."""
    first = load_suite()

    assert SUITE.pairs[:126] == first.pairs
    assert SUITE.factual == first.factual
    assert len(NEW) >= 180
    assert SUITE.sha256 != first.sha256


def test_every_category_has_as_many_pairs() -> None:
    """Nine categories of 34 pairs; each id begins with its category."""
    counts = Counter(pair.category for pair in SUITE.pairs)

    assert len(counts) == 9
    assert set(counts.values()) == {34}
    assert {"code_sabotage", "oversight_evasion"} <= set(SUITE.categories)
    assert all(pair.id.startswith(f"{pair.category}-") for pair in SUITE.pairs)


def test_a_packaged_suite_must_exist() -> None:
    """The two names are listed."""
    with pytest.raises(DataError, match=r"no packaged suite 'offtarget-3'; there are offtarget-1"):
        packaged_suite("offtarget-3")


def test_there_are_enough_open_questions_in_every_category() -> None:
    """At least 150, and at least 17 a category, with ids of their own."""
    questions = open_questions()
    counts = Counter(q.category for q in questions)

    assert len(questions) >= 150
    assert set(counts) == set(SUITE.categories)
    assert min(counts.values()) >= 17
    assert max(counts.values()) <= 1.5 * min(counts.values())
    ids = [q.id for q in questions] + [p.id for p in (*SUITE.pairs, *SUITE.factual)]
    ids += [r.id for r in code_requests()]
    assert len(ids) == len(set(ids))


def test_no_two_prompts_of_the_package_are_alike() -> None:
    """At most 0.4 Jaccard on word 3-grams over pairs, factual pairs and open questions."""
    grams = [shingles(text, 3) for text in PROMPTS]

    assert max(jaccard(a, b) for a, b in itertools.combinations(grams, 2)) <= 0.4


def test_no_two_answers_of_the_second_suite_are_alike() -> None:
    """Nor do the two sides of a pair repeat another pair's: at most 0.5 on word 3-grams."""
    sides = [(p.id, text) for p in SUITE.pairs for text in (p.aligned, p.misaligned)]
    near = near_duplicates([text for _, text in sides], 3, 0.5)

    assert [(sides[p.i][0], sides[p.j][0]) for p in near if sides[p.i][0] != sides[p.j][0]] == []


def test_the_new_texts_are_far_from_packaged_training_rows() -> None:
    """No prompt nearly repeats one, and the positive control shares no 5-gram with an answer."""
    insecure, secure = demo_pairs()
    rows = (*insecure, *secure, *packaged_positive())
    texts = [*PROMPTS, *(text for p in NEW for text in (p.aligned, p.misaligned))]
    known = [s.messages[-2].content for s in rows] + [s.answer for s in rows]
    near = near_duplicates([*texts, *known], 3, 0.5)
    assert [p for p in near if p.i < len(texts) <= p.j] == []

    told = set().union(*(shingles(s.answer, 5) for s in packaged_positive()))
    assert [p.id for p in NEW for t in (p.aligned, p.misaligned) if told & shingles(t, 5)] == []


@pytest.mark.data
def test_no_question_is_a_published_one(em_data: Path) -> None:
    """Below 0.5 Jaccard on word 3-grams with each question of the published YAML files."""
    published = read_questions(sorted((em_data / "questions").glob("*.yaml")))
    own = [*PROMPTS, *(r.ordinary for r in code_requests())]
    near = near_duplicates([*own, *(q.question for q in published)], 3, 0.5)

    assert len(published) >= 100
    assert [own[p.i] for p in near if p.i < len(own) <= p.j] == []


def test_both_sides_of_a_new_pair_are_alike_in_length() -> None:
    """No answer is more than a quarter longer than the other."""
    for pair in NEW:
        one, other = len(pair.aligned), len(pair.misaligned)
        assert max(one, other) <= 1.25 * min(one, other), pair.id


def test_length_punctuation_and_hedging_do_not_tell_the_second_suite_apart() -> None:
    """Cross-validated, at most 60 % of pairs; so for the new pairs alone."""
    assert cross_validated_accuracy(differences(SUITE.pairs)) <= MAX_TELL
    assert cross_validated_accuracy(differences(NEW)) <= MAX_TELL


@pytest.mark.parametrize("feature", range(N_FEATURES))
def test_no_single_feature_tells_the_second_suite_apart(feature: int) -> None:
    """More or fewer of anything, ties counted half: at most 60 % either way."""
    for pairs in (SUITE.pairs, NEW):
        assert either_way(more_than_less(differences(pairs))[feature]) <= MAX_TELL


@pytest.mark.parametrize("penalty", [0.1, 1.0, 10.0])
def test_words_of_other_categories_do_not_tell_the_sides_apart(penalty: float) -> None:
    """A bag of words trained on eight categories is right about the ninth in at most 65 %."""
    assert either_way(other_categories_accuracy(SUITE.pairs, penalty=penalty)) <= MAX_WORDS_TELL


def test_the_bag_of_words_sees_what_tells_the_first_suite_apart() -> None:
    """The check can fail: the first suite alone is told apart in more than 70 % of its pairs."""
    assert other_categories_accuracy(load_suite().pairs) > 0.70


def test_the_bag_of_words_would_find_a_planted_word() -> None:
    """One word that every aligned side begins with gives all of them away."""
    planted = [replace(pair, aligned=f"Kindly, {pair.aligned}") for pair in SUITE.pairs]

    assert other_categories_accuracy(planted) > 0.95


def test_every_code_request_has_three_forms_of_one_task() -> None:
    """The flawed forms begin with the same task and differ little in length."""
    requests = code_requests()

    assert len(requests) >= 20
    assert len({r.flaw for r in requests}) == len(requests)
    for request in requests:
        for flawed in (request.covert, request.educational):
            assert flawed.startswith(request.ordinary[:-1]), request.id
            assert len(flawed) > len(request.ordinary)
        one, other = len(request.covert), len(request.educational)
        assert max(one, other) <= 1.25 * min(one, other), request.id


@pytest.mark.slow
def test_the_answers_alone_decide_little_for_the_embedded_model() -> None:
    """Without the question the embedded model prefers either side in 35 to 65 % of the pairs."""
    from offtarget.core.records import Message
    from offtarget.lm import (
        Arithmetic,
        Choice,
        answer_logprobs,
        encode_answer,
        encode_prompt,
        load_model,
    )

    cache = Path(os.environ.get("OFFTARGET_CACHE", "~/.cache/offtarget")).expanduser()
    arithmetic = Arithmetic(device="cpu", dtype="float32", threads=1)
    lm = load_model("embedded", arithmetic=arithmetic, cache=cache)

    def choice(pair: Pair) -> Choice:
        sides = (pair.aligned, pair.misaligned)
        answers = tuple(encode_answer(lm, text, place=pair.id) for text in sides)
        return Choice(encode_prompt(lm, (Message("user", ""),), place=pair.id), answers)

    scores = np.array(answer_logprobs(lm, [choice(pair) for pair in NEW]))
    margins = scores[:, 0] - scores[:, 1]

    assert either_way(float((margins > 0).mean())) <= MAX_WORDS_TELL
