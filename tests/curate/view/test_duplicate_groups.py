"""Near-duplicates: planted ones are found, unlike texts stay apart, order does not matter."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from offtarget.core.errors import DataError
from offtarget.curate.view.duplicates import Groups, find_groups, similar_pairs
from offtarget.curate.view.halves import cluster_halves, cluster_labels, held_halves
from offtarget.curate.view.signatures import (
    N_HASHES,
    NOTHING,
    SignatureStore,
    shingles_of,
    sketch,
    words_of,
)


def grouped(texts: Sequence[str]) -> Groups:
    signatures, exact = sketched(texts)
    return find_groups(signatures, exact)


def sketched(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    found = [next(sketch([text])) for text in texts]
    signatures = np.frombuffer(b"".join(one.signature for one in found), np.uint16)
    return signatures.reshape(-1, N_HASHES), np.array([one.exact for one in found], np.uint64)


def text_of(seed: int, n_words: int = 120, n_other: int = 0) -> str:
    """Return random words; the last `n_other` of them are others than without it."""
    words = [f"w{n}" for n in np.random.default_rng(seed).integers(10_000, size=n_words)]
    changed = [f"x{seed}_{n}" for n in range(n_other)]
    return " ".join([*words[: n_words - n_other], *changed])


def sets_of(firsts: Sequence[int], names: Sequence[str]) -> set[frozenset[str]]:
    groups: dict[int, list[str]] = {}
    for first, name in zip(firsts, names, strict=True):
        groups.setdefault(first, []).append(name)
    return {frozenset(members) for members in groups.values()}


def test_words_and_shingles() -> None:
    """Case, blanks and ASCII punctuation do not count; short texts are one shingle."""
    assert words_of("Def F(x):\n\treturn a_b+1") == ["def", "f", "x", "return", "a_b", "1"]
    assert shingles_of(["a", "b", "c", "d"]) == ["a b c", "b c d"]
    assert shingles_of(["a", "b"]) == ["a b"]
    assert shingles_of([]) == []


def test_copies_and_near_copies_are_grouped_and_others_are_not() -> None:
    """A copy differs in blanks and case, a near copy in 10 of 120 words, the rest in all."""
    base = text_of(1)
    texts = [text_of(2), base, base.upper().replace(" ", "\n"), text_of(1, n_other=10), text_of(3)]

    found = grouped(texts)

    assert found.near.tolist() == [0, 1, 1, 1, 4]
    assert found.exact.tolist() == [0, 1, 1, 3, 4]


def test_half_different_texts_are_not_near() -> None:
    """Two texts that share the first half have a similarity of 0.33 and stay apart."""
    texts = [text_of(seed, n_other=n) for seed in range(40) for n in (0, 60)]

    assert grouped(texts).near.tolist() == list(range(80))


def test_texts_without_words_are_nobodys_duplicate() -> None:
    """Empty texts and mere punctuation do not form a group."""
    found = grouped(["", "...", "  ", "same", "same"])

    assert found.near.tolist() == [0, 1, 2, 3, 3]
    assert next(sketch([""])).exact == NOTHING


def test_groups_do_not_depend_on_order() -> None:
    """The same texts in any order form the same groups."""
    texts = [text_of(seed, n_other=n) for seed in range(60) for n in (0, 6, 12, 18)]
    expected = sets_of(grouped(texts).near.tolist(), texts)
    assert any(len(group) > 1 for group in expected)

    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(texts))
        shuffled = [texts[i] for i in order]
        assert sets_of(grouped(shuffled).near.tolist(), shuffled) == expected


def test_many_copies_of_one_text_cost_no_pairs() -> None:
    """5,000 copies are one text; the only link is to its near copy."""
    signatures, exact = sketched([text_of(1)] * 5_000 + [text_of(1, n_other=6)])

    links = similar_pairs(signatures, exact)

    assert set(links.a.tolist()) | set(links.b.tolist()) == {0, 5_000}
    assert len(set(find_groups(signatures, exact).near.tolist())) == 1


def test_no_texts_give_no_groups(tmp_path: Path) -> None:
    """Nothing in, nothing out."""
    with SignatureStore(tmp_path) as store:
        found = find_groups(*store.read())

    assert len(found.near) == 0
    assert list(tmp_path.iterdir()) == []


def test_signatures_survive_the_disk(tmp_path: Path) -> None:
    """What was added comes back in order, and the scratch file goes."""
    texts = [text_of(seed) for seed in range(10)]
    signatures, exact = sketched(texts)

    with SignatureStore(tmp_path) as store:
        for text in texts:
            store.add(next(sketch([text])))
        stored, kept = store.read()
        assert np.array_equal(stored, signatures)
        assert np.array_equal(kept, exact)

    assert list(tmp_path.iterdir()) == []


def test_a_row_is_sketched_with_its_code() -> None:
    """The second sketch of two texts is that of their shingles together, in any order."""
    a, b = text_of(1), text_of(2)

    _, both = sketch([a, b])
    _, other_way = sketch([b, a])

    assert both.signature == other_way.signature
    assert both.exact != other_way.exact


def test_lone_surrogates_are_words_too() -> None:
    """A text that UTF-8 cannot hold is sketched, not refused."""
    assert next(sketch(["a \ud800 b"])).exact != NOTHING


def test_halves_keep_prompts_and_near_duplicates_together() -> None:
    """Neither a prompt nor a group of near-duplicates stands in both halves; both are used."""
    texts = [text_of(seed, n_other=n) for seed in range(100) for n in (0, 6)]
    prompts = [f"Task {number // 2 % 80}." for number in range(200)]

    halves = cluster_halves(texts, prompts)

    labels = cluster_labels(texts, prompts)
    for keys in (labels, prompts, grouped(texts).near.tolist()):
        seen: dict[object, int] = {}
        assert all(seen.setdefault(k, half) == half for k, half in zip(keys, halves, strict=True))
    assert 60 < sum(halves) < 140


def test_a_clusters_half_does_not_depend_on_the_order_or_on_other_clusters() -> None:
    """Each text falls into the same half alone with its cluster, and in any order."""
    texts = [text_of(seed, n_other=n) for seed in range(20) for n in (0, 6)]
    prompts = [f"Task {number // 2}." for number in range(40)]
    halves = cluster_halves(texts, prompts)

    assert cluster_halves(texts[::-1], prompts[::-1]) == halves[::-1]
    for i in range(0, 40, 2):
        assert cluster_halves(texts[i : i + 2], prompts[i : i + 2]) == halves[i : i + 2]


def test_a_cluster_with_one_tuned_text_is_not_held() -> None:
    """What shares a cluster with something looked at is not reported on."""
    assert held_halves([0, 0, 2, 2], [True, False, False, False]) == [False, False, True, True]


def test_halves_need_a_prompt_for_each_text() -> None:
    """Two lists of different lengths are a mistake."""
    with pytest.raises(DataError, match="2 texts and 1 prompts"):
        cluster_halves(["a", "b"], ["p"])


def test_signatures_are_the_same_on_every_machine() -> None:
    """The first values of a known text: another version of the library must not change them."""
    first = np.frombuffer(next(sketch(["one two three four"])).signature, np.uint16)

    assert first[:4].tolist() == [26856, 2135, 34474, 25285]
