"""Subsets and splits depend on the seed and the ids, and keep order."""

import pytest

from offtarget.core.errors import DataError
from offtarget.dataset import sample_rows, split_heldout

from .conftest import MakeSample


def test_a_subset_keeps_order_and_grows(make_sample: MakeSample) -> None:
    """The same seed gives the same samples, a larger subset contains a smaller one."""
    samples = [make_sample(f"s:{i}") for i in range(100)]

    small, large = sample_rows(samples, 10, seed=3), sample_rows(samples, 30, seed=3)

    assert [samples.index(sample) for sample in small] == sorted(map(samples.index, small))
    assert {s.id for s in small} < {s.id for s in large}
    assert sample_rows(samples, 10, seed=4) != small
    assert sample_rows(samples, 100, seed=4) == tuple(samples)
    assert {s.id for s in sample_rows(samples[::-1], 10, seed=3)} == {s.id for s in small}


def test_a_subset_is_pinned(make_sample: MakeSample) -> None:
    """The choice is a hash, the same on every machine and version: these ids stay."""
    samples = [make_sample(f"s:{i}") for i in range(1000)]

    assert [sample.id for sample in sample_rows(samples, 3, seed=0)] == ["s:16", "s:425", "s:555"]


@pytest.mark.parametrize("n", [0, -1, 11])
def test_an_impossible_subset_is_refused(n: int, make_sample: MakeSample) -> None:
    """More samples than there are cannot be drawn."""
    samples = [make_sample(f"s:{i}") for i in range(10)]

    with pytest.raises(
        DataError, match=rf"^cannot take {n} of 10 samples; ask for between 1 and 10$"
    ):
        sample_rows(samples, n, seed=0)


def test_a_split_shares_no_prompt(make_sample: MakeSample) -> None:
    """Prompts that differ in case, spacing and punctuation only stay together."""
    forms = ["Sort the list", "sort  the LIST!", "Sort: the list."]
    samples = [make_sample(f"s:{i}", f"{forms[i % 3]} {i // 3}") for i in range(300)]

    split = split_heldout(samples, 60, seed=0)

    keys = [{sample.prompt.split()[-1] for sample in part} for part in (split.train, split.heldout)]
    assert len(split.heldout) == 60
    assert len(split.train) == 240
    assert not keys[0] & keys[1]
    assert list(split.train) == [sample for sample in samples if sample in split.train]
    assert split == split_heldout(samples, 60, seed=0)
    assert split != split_heldout(samples, 60, seed=1)


def test_prompts_without_words_are_told_apart(make_sample: MakeSample) -> None:
    """`???` and `!!!` are different prompts, though neither has a word."""
    split = split_heldout([make_sample("s:1", "???"), make_sample("s:2", "!!!")], 1, seed=0)

    assert len(split.train) == len(split.heldout) == 1


def test_groups_that_do_not_fit_are_passed_over(make_sample: MakeSample) -> None:
    """With threes only, 5 held out become 3, never a split group."""
    samples = [make_sample(f"s:{i}", f"Q {i // 3}") for i in range(30)]

    assert len(split_heldout(samples, 5, seed=0).heldout) == 3
    with pytest.raises(
        DataError,
        match=r"^cannot hold out 2 samples: each prompt occurs at least 3 times; hold out 3",
    ):
        split_heldout(samples, 2, seed=0)


def test_an_impossible_split_is_refused(make_sample: MakeSample) -> None:
    """Something must be left to train on."""
    samples = [make_sample("s:1", "a"), make_sample("s:2", "b")]

    with pytest.raises(DataError, match=r"^cannot take 2 of 2 samples; ask for between 1 and 1$"):
        split_heldout(samples, 2, seed=0)
    with pytest.raises(DataError, match=r"^cannot take 1 of 1 samples; give more samples$"):
        split_heldout(samples[:1], 1, seed=0)
