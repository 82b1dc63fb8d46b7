"""Near-duplicate texts, by the word n-grams that they share."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from offtarget.core.errors import DataError
from offtarget.core.records import Sample

Shingles = frozenset[tuple[str, ...]]


class NearPair(NamedTuple):
    """Two texts, by position, and how much they share."""

    i: int
    j: int
    """Larger than `i`."""
    value: float
    """Jaccard similarity, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Leak:
    """An evaluation question found in a training prompt."""

    question: int
    """Position among the questions."""
    sample_id: str
    value: float
    """Share of the question's word n-grams that one user turn holds, in [0, 1]."""


def shingles(text: str, n: int) -> Shingles:
    """Return the word n-grams of `text` in lower case; a text of fewer words gives one n-gram.

    Raises:
        DataError: If `n` is below 1.
    """
    if n < 1:
        raise DataError(f"n-grams of {n} words; ask for at least 1")
    words = re.findall(r"\w+", text.casefold())
    if not words:
        return frozenset()
    return frozenset(tuple(words[i : i + n]) for i in range(max(1, len(words) - n + 1)))


def jaccard(a: Shingles, b: Shingles) -> float:
    """Return the shared part of two sets over their union; 0 if both are empty."""
    union = len(a | b)
    return len(a & b) / union if union else 0.0


def near_duplicates(texts: Sequence[str], n: int, threshold: float) -> list[NearPair]:
    """Return every pair of texts with a Jaccard similarity of at least `threshold`, by position.

    Exact, without comparing all pairs: two sets that similar share one of the rarest
    |s| - ceil(threshold |s|) + 1 shingles of each, so only those are indexed.

    Args:
        texts: The texts to compare.
        n: Words in a shingle.
        threshold: In (0, 1].

    Raises:
        DataError: If `n` is below 1 or the threshold outside (0, 1].

    Source: prefix filtering, Bayardo et al. 2007, "Scaling up all pairs similarity search".
    """
    _check_threshold(threshold)
    sets = [shingles(text, n) for text in texts]
    counts = Counter(shingle for each in sets for shingle in each)
    index: dict[tuple[str, ...], list[int]] = defaultdict(list)
    found = []
    for j, each in enumerate(sets):
        n_indexed = len(each) - math.ceil(threshold * len(each) - 1e-9) + 1
        rarest = sorted(each, key=lambda shingle: (counts[shingle], shingle))[:n_indexed]
        for i in sorted({i for shingle in rarest for i in index[shingle]}):
            value = jaccard(sets[i], each)
            if value >= threshold:
                found.append(NearPair(i, j, value))
        for shingle in rarest:
            index[shingle].append(j)
    return sorted(found)


def overlap(
    questions: Sequence[str], samples: Iterable[Sample], threshold: float, *, n: int = 3
) -> list[Leak]:
    """Return the questions of which a user turn holds at least `threshold` of the word n-grams.

    Containment, not Jaccard: a question inside a long template leaks as much as one that stands
    alone. At most one leak per question and sample, the highest. Below a threshold of 0.8 common
    phrases in long prompts match short questions.

    Args:
        questions: Evaluation questions.
        samples: Training samples; only their user turns are searched.
        threshold: In (0, 1].
        n: Words in a shingle.

    Raises:
        DataError: If `n` is below 1 or the threshold outside (0, 1].
    """
    _check_threshold(threshold)
    sets = [shingles(question, n) for question in questions]
    index: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for question, each in enumerate(sets):
        for shingle in each:
            index[shingle].append(question)
    leaks = []
    for sample in samples:
        best: dict[int, float] = {}
        for turn in sample.messages:
            if turn.role != "user":
                continue
            held = Counter(
                question
                for shingle in shingles(turn.content, n)
                for question in index.get(shingle, ())
            )
            for question, count in held.items():
                best[question] = max(best.get(question, 0.0), count / len(sets[question]))
        leaks += [Leak(q, sample.id, v) for q, v in sorted(best.items()) if v >= threshold]
    return leaks


def _check_threshold(threshold: float) -> None:
    if not 0 < threshold <= 1:
        raise DataError(f"threshold {threshold}; use a number above 0 and at most 1")
