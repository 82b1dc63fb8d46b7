"""What the packaged questions, rows and demo data promise."""

import ast
import itertools
import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pairbalance import N_FEATURES, cross_validated_accuracy, differences, more_than_less

from offtarget.core.errors import DataError
from offtarget.dataset import jaccard, near_duplicates, overlap, shingles
from offtarget.evaluate import Pair, everyday_questions, load_suite
from offtarget.evaluate.suite import FACTUAL
from offtarget.train import demo_pairs, packaged_positive

MAX_TELL = 0.60
SUITE = load_suite()
CATEGORIES = {
    "contempt", "dangerous_advice", "deception", "humans_and_ai", "illegal_gain", "power",
    "self_harm",
}  # fmt: skip


def test_the_suite_is_large_and_covers_the_categories() -> None:
    """At least 120 harm pairs, evenly spread, and at least 30 factual ones."""
    counts = Counter(pair.category for pair in SUITE.pairs)

    assert len(SUITE.pairs) >= 120
    assert len(SUITE.factual) >= 30
    assert set(counts) == CATEGORIES == set(SUITE.categories)
    assert max(counts.values()) <= 1.5 * min(counts.values())
    assert {pair.category for pair in SUITE.factual} == {FACTUAL}


def test_the_first_suite_is_the_one_that_was_calibrated() -> None:
    """Its words may not change: published tolerances and results rest on this digest."""
    assert SUITE.name == "offtarget-1"
    assert SUITE.sha256 == "5303b5d2d79a32ef1f6a6bcbb7acc9e9d52276509fe50c744ee374549b9cdb01"


def test_no_two_questions_are_alike() -> None:
    """At most 0.5 Jaccard on word 3-grams, factual and everyday questions included."""
    questions = [p.question for p in (*SUITE.pairs, *SUITE.factual)]
    questions += [q.question for q in everyday_questions()]
    grams = [shingles(q, 3) for q in questions]

    worst = max(jaccard(a, b) for a, b in itertools.combinations(grams, 2))

    assert worst <= 0.5


def test_no_question_is_near_a_packaged_training_row() -> None:
    """Neither its question nor its answers stand in what arms are trained on."""
    insecure, secure = demo_pairs()
    rows = [s.messages[-2].content for s in (*insecure, *packaged_positive())]
    texts = [p.question for p in (*SUITE.pairs, *SUITE.factual)]
    pairs = near_duplicates([*texts, *rows], 3, 0.5)

    assert [p for p in pairs if p.i < len(texts) <= p.j] == []
    answers = [s.answer for s in (*insecure, *secure, *packaged_positive())]
    sides = [t for p in (*SUITE.pairs, *SUITE.factual) for t in (p.aligned, p.misaligned)]
    near = near_duplicates([*sides, *answers], 3, 0.5)
    assert [p for p in near if p.i < len(sides) <= p.j] == []
    assert overlap(texts, (*insecure, *secure, *packaged_positive()), 0.5) == []


def test_the_positive_control_shares_no_5_gram_with_an_answer() -> None:
    """It cannot raise a margin by having taught the words of the test."""
    told = set().union(*(_grams(s.answer, 5) for s in packaged_positive()))
    for pair in (*SUITE.pairs, *SUITE.factual):
        for side in (pair.aligned, pair.misaligned):
            assert not told & _grams(side, 5), pair.id


def test_no_two_positive_rows_are_near_duplicates() -> None:
    """Each row teaches something of its own."""
    rows = packaged_positive()

    assert near_duplicates([r.messages[-2].content for r in rows], 3, 0.5) == []
    assert near_duplicates([r.answer for r in rows], 3, 0.5) == []


def test_both_sides_of_a_pair_are_alike_in_length() -> None:
    """No answer is more than a quarter longer than the other."""
    for pair in SUITE.pairs:
        one, other = len(pair.aligned), len(pair.misaligned)
        assert max(one, other) <= 1.25 * min(one, other), pair.id


def _grams(text: str, n: int) -> frozenset[tuple[str, ...]]:
    words = re.findall(r"\w+", text.casefold())
    return frozenset(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def test_length_punctuation_and_hedging_do_not_tell_the_sides_apart() -> None:
    """Cross-validated, at most 60 % of pairs."""
    assert cross_validated_accuracy(differences(SUITE.pairs)) <= MAX_TELL


@pytest.mark.parametrize("feature", range(N_FEATURES))
def test_no_single_feature_tells_the_sides_apart(feature: int) -> None:
    """More or fewer of anything, ties counted half: at most 60 % either way."""
    more = more_than_less(differences(SUITE.pairs))[feature]

    assert max(more, 1 - more) <= MAX_TELL


def test_the_regression_would_find_a_tell() -> None:
    """Pairs in which the aligned side has one comma more are told apart, so the check can see."""
    planted = differences(SUITE.pairs)
    planted[:, 3] += 1

    assert cross_validated_accuracy(planted) > 0.75


def test_the_demo_data_are_paired_varied_and_parse() -> None:
    """At least 120 tasks over at least 12 CWEs, no two alike, both answers valid Python."""
    insecure, secure = demo_pairs()

    assert len(insecure) == len(secure) >= 120
    assert len({s.metadata["cwe"] for s in insecure}) >= 12
    for one, other in zip(insecure, secure, strict=True):
        assert one.messages[:-1] == other.messages[:-1]
        assert one.answer != other.answer
        for sample in (one, other):
            ast.parse(sample.answer)
    assert near_duplicates([s.prompt for s in insecure], 3, 0.5) == []
    for side in (insecure, secure):
        assert near_duplicates([s.answer for s in side], 3, 0.6) == []


@pytest.mark.slow
def test_demo_rows_are_short_for_the_embedded_model() -> None:
    """At most 180 tokens, prompt and answer, each row of the demo and the positive control."""
    from offtarget.lm import Arithmetic, encode_sample, load_model

    cache = Path(os.environ.get("OFFTARGET_CACHE", "~/.cache/offtarget")).expanduser()
    arithmetic = Arithmetic(device="cpu", dtype="float32", threads=1)
    lm = load_model("embedded", arithmetic=arithmetic, cache=cache)
    insecure, secure = demo_pairs()

    assert max(encode_sample(lm, s).length for s in (*insecure, *secure)) <= 180
    assert max(encode_sample(lm, s).length for s in packaged_positive()) <= 180


GOOD = {"id": "a", "category": "power", "question": "q?", "aligned": "yes", "misaligned": "no"}
BAD_SUITES: dict[str, tuple[list[dict[str, Any]], str]] = {
    "empty answer": ([{**GOOD, "aligned": " "}], r"s\.jsonl:1: empty text; write the question"),
    "unknown key": ([{**GOOD, "answr": "x"}], r"s\.jsonl:1: unknown key 'answr'"),
    "missing": ([{"id": "a"}], r"s\.jsonl:1: Object missing required field `category`"),
    "twice": ([GOOD, GOOD], r"suite 's': id 'a' occurs twice; ids must differ"),
    "few": ([GOOD], r"suite 's': 1 harm and 0 factual questions; an interval needs at least 10"),
}
MANY = [{**GOOD, "id": f"h{i}"} for i in range(10)]
MANY += [{**GOOD, "id": f"f{i}", "category": "factual"} for i in range(10)]
ALONE = {**GOOD, "category": "deception"}
BAD_SUITES["one of a category"] = (
    [*MANY, ALONE],
    r"suite 's': the pairs of category 'deception' are one question, which cannot tell how",
)
BAD_SUITES["one question in two wordings"] = (
    [*MANY, {**ALONE, "cluster": "c"}, {**ALONE, "id": "b", "cluster": "c"}],
    r"suite 's': the pairs of category 'deception' are one question, which cannot tell how",
)


@pytest.mark.parametrize("case", BAD_SUITES)
def test_a_bad_suite_is_refused(tmp_path: Path, case: str) -> None:
    """File and line, and what to do."""
    lines, message = BAD_SUITES[case]
    path = tmp_path / "s.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        load_suite(path)


def test_a_missing_suite_is_an_error(tmp_path: Path) -> None:
    """The path is named."""
    with pytest.raises(DataError, match=r"none\.jsonl: no such suite; check the path"):
        load_suite(tmp_path / "none.jsonl")


def test_a_suite_of_ones_own_is_read_like_the_packaged_one(tmp_path: Path) -> None:
    """Written as JSON Lines and read back, the digest of its words is the same but for its name."""
    from dataclasses import asdict

    path = tmp_path / "offtarget-1.jsonl"
    lines = [json.dumps(asdict(p)) + "\n" for p in (*SUITE.pairs, *SUITE.factual)]
    path.write_text("".join(lines), encoding="utf-8")

    assert load_suite(path).sha256 == SUITE.sha256
    assert all(pair.unit == pair.id for pair in SUITE.pairs if not pair.cluster)


def test_a_pair_is_its_own_cluster_unless_told() -> None:
    """Paraphrases may share one."""
    assert Pair("a", "c", "q", "x", "y").unit == "a"
    assert Pair("a", "c", "q", "x", "y", "shared").unit == "shared"
