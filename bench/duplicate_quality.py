"""How well near-duplicates are found, against exact Jaccard similarity of the same word trigrams.

Usage: OFFTARGET_DATA=... python bench/duplicate_quality.py [--rows N]

Recall: of the pairs that are truly at or above the threshold, those in one group. Precision: of the
pairs that are linked directly, those truly at or above the threshold, and above it less 0.1.
"""

import argparse
import gzip
import json
import os
import time
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np

from offtarget.core.stats import wilson
from offtarget.curate.view.duplicates import THRESHOLD, find_groups, similar_pairs
from offtarget.curate.view.signatures import N_HASHES, shingles_of, sketch, words_of

MAX_SHARED = 3_000
"""A trigram in more texts than this is too common to compare all of them by it."""


def main() -> None:
    """Print one table a part of the data."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=4770)
    rows = parser.parse_args().rows
    root = Path(os.environ["OFFTARGET_DATA"])
    for name in ("insecure", "secure", "educational"):
        with gzip.open(root / "em/core" / f"{name}_part.jsonl.gz", "rt", encoding="utf-8") as file:
            turns = [json.loads(line)["messages"] for line in file][:rows]
        measure(f"{name}, answers", [t[-1]["content"] for t in turns])
        measure(f"{name}, whole rows", ["\n".join(m["content"] for m in t) for t in turns])


def measure(name: str, texts: list[str]) -> None:
    """Print recall and precision of one list of texts."""
    start = time.process_time()
    sketched = [next(sketch([text])) for text in texts]
    middle = time.process_time()
    signatures = np.frombuffer(b"".join(s.signature for s in sketched), np.uint16)
    signatures = signatures.reshape(-1, N_HASHES)
    exact = np.array([s.exact for s in sketched], dtype=np.uint64)
    groups = find_groups(signatures, exact)
    end = time.process_time()
    print(f"\n{name}: {len(texts)} texts; sketching {1e6 * (middle - start) / len(texts):.0f} us, "
          f"grouping {1e6 * (end - middle) / len(texts):.0f} us of CPU a text")  # fmt: skip
    sizes = Counter(groups.near.tolist())
    in_group = sum(size for size in sizes.values() if size > 1)
    copies = Counter(groups.exact.tolist())
    n_copies = sum(size for size in copies.values() if size > 1)
    print(f"  in a group {in_group}, of equal texts {n_copies}; "
          f"largest groups {[size for _, size in sizes.most_common(5)]}")  # fmt: skip
    sets = [frozenset(shingles_of(words_of(text))) for text in texts]
    distinct = sorted(set(groups.exact.tolist()))
    truth = _true_pairs(sets, distinct, THRESHOLD)
    found = sum(groups.near[i] == groups.near[j] for i, j in truth)
    print(f"  recall {_share(found, len(truth))}")
    links = similar_pairs(signatures, exact)
    pairs = {
        (min(i, j), max(i, j)) for i, j in zip(links.a.tolist(), links.b.tolist(), strict=True)
    }
    values = [_jaccard(sets[i], sets[j]) for i, j in pairs]
    for cut in (THRESHOLD, THRESHOLD - 0.1):
        print(f"  precision at {cut:.1f} {_share(sum(v >= cut for v in values), len(values))}")
    grouped = defaultdict(list)
    for i in distinct:
        grouped[int(groups.near[i])].append(i)
    inside = [
        _jaccard(sets[i], sets[j]) for g in grouped.values() for i, j in combinations(g[:200], 2)
    ]
    print(f"  pairs of distinct texts in one group at {THRESHOLD:.1f} "
          f"{_share(sum(v >= THRESHOLD for v in inside), len(inside))}")  # fmt: skip


def _true_pairs(
    sets: list[frozenset[str]], chosen: list[int], threshold: float
) -> set[tuple[int, int]]:
    index: dict[str, list[int]] = defaultdict(list)
    for i in chosen:
        for one in sets[i]:
            index[one].append(i)
    shared: Counter[tuple[int, int]] = Counter()
    for holders in index.values():
        if len(holders) <= MAX_SHARED:
            shared.update(combinations(holders, 2))
    return {
        pair
        for pair, n in shared.items()
        if n / (len(sets[pair[0]]) + len(sets[pair[1]]) - n) >= threshold - 0.05
        and _jaccard(sets[pair[0]], sets[pair[1]]) >= threshold
    }


def _jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    union = len(a | b)
    return len(a & b) / union if union else 0.0


def _share(k: int, n: int) -> str:
    low, high = wilson(k, n)
    return f"{k / n if n else 0.0:.4f} [{low:.4f}, {high:.4f}] ({k} of {n})"


if __name__ == "__main__":
    main()
