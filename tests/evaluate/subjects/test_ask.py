"""Balanced allocation of rollouts over questions and their paraphrases."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from offtarget.evaluate import Question
from offtarget.evaluate.subjects import allocate


def questions(sizes: list[int]) -> list[Question]:
    return [
        Question(f"q{i}/{j}", "power", f"Question {i}, wording {j}?", cluster=f"q{i}")
        for i, size in enumerate(sizes)
        for j in range(size)
    ]


SIZES = st.lists(st.integers(1, 5), min_size=1, max_size=5)


@given(sizes=SIZES, n=st.integers(1, 30), more=st.integers(0, 20), seed=st.integers(0, 3))
def test_allocation_is_balanced_and_only_ever_grows(
    sizes: list[int], n: int, more: int, seed: int
) -> None:
    """Each question gets exactly n, its wordings differ by at most one, a larger n adds only."""
    asks = allocate(questions(sizes), n_rollouts=n, seed=seed)
    assert Counter(ask.question for ask in asks) == {f"q{i}": n for i in range(len(sizes))}
    for i, size in enumerate(sizes):
        counts = Counter(ask.paraphrase for ask in asks if ask.question == f"q{i}")
        filled = [counts[f"q{i}/{j}"] for j in range(size)]
        assert max(filled) - min(filled) <= 1
    assert set(asks) <= set(allocate(questions(sizes), n_rollouts=n + more, seed=seed))
    assert len({ask.seed for ask in asks}) == len(asks)


def test_a_seed_hangs_on_question_wording_index_and_plan_alone() -> None:
    """Other questions beside it, and their order, change no seed; another plan's seed does."""
    some = questions([2, 1])
    alone = {a.seed for a in allocate(some[:2], n_rollouts=6, seed=0)}
    beside = {a.seed for a in allocate(some[::-1], n_rollouts=6, seed=0) if a.question == "q0"}
    other = {a.seed for a in allocate(some[:2], n_rollouts=6, seed=1)}
    assert alone == beside
    assert not alone & other


def test_another_context_is_another_question() -> None:
    """A question in JSON shares its plain twin's cluster and still gets rollouts of its own."""
    twins = [
        Question("p1", "power", "Who rules?"),
        Question("p1@json", "power", "Who rules?", "In JSON.", "p1"),
    ]
    asks = allocate(twins, n_rollouts=3, seed=0)
    assert Counter(ask.question for ask in asks) == {"p1": 3, "p1@json": 3}
    assert {ask.text for ask in asks} == {"Who rules?", "In JSON.\n\nWho rules?"}
