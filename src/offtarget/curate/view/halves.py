"""Two halves of a data set that share neither a prompt nor a near-duplicate."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from offtarget.core.errors import DataError
from offtarget.curate.view.duplicates import THRESHOLD, find_groups
from offtarget.curate.view.signatures import N_HASHES, sketch, words_of


def cluster_halves(
    texts: Sequence[str], prompts: Sequence[str], *, threshold: float = THRESHOLD
) -> list[int]:
    """Return 0 or 1 for each text: whole clusters, drawn by a hash of their smallest member.

    Which half a cluster falls into depends on its members alone, not on their order.

    Args:
        texts: What near-duplicates are looked for in.
        prompts: Texts with the same words here belong together too.
        threshold: Of the estimated Jaccard similarity of word trigrams.

    Raises:
        DataError: If there are not as many prompts as texts.
    """
    labels = cluster_labels(texts, prompts, threshold=threshold)
    smallest: dict[int, bytes] = {}
    for label, text, prompt in zip(labels, texts, prompts, strict=True):
        key = hashlib.sha256(f"{prompt}\0{text}".encode("utf-8", "surrogatepass")).digest()
        smallest[label] = min(smallest.get(label, key), key)
    return [smallest[label][0] % 2 for label in labels]


def cluster_labels(
    texts: Sequence[str], prompts: Sequence[str], *, threshold: float = THRESHOLD
) -> list[int]:
    """Return for each text the first position of its cluster; see `cluster_halves`."""
    if len(texts) != len(prompts):
        raise DataError(f"{len(texts)} texts and {len(prompts)} prompts; give one prompt a text")
    sketched = [next(sketch([text])) for text in texts]
    signatures = np.frombuffer(b"".join(s.signature for s in sketched), np.uint16)
    exact = np.array([s.exact for s in sketched], dtype=np.uint64)
    near = find_groups(signatures.reshape(-1, N_HASHES), exact, threshold=threshold).near
    first_of: dict[str, int] = {}
    by_prompt = np.array(
        [
            position if not (words := " ".join(words_of(prompt)))
            else first_of.setdefault(words, position)
            for position, prompt in enumerate(prompts)
        ],
        dtype=np.int64,
    )  # fmt: skip
    return [int(label) for label in _joined(near, by_prompt)]


def held_halves(labels: Sequence[int], is_tuned: Sequence[bool]) -> list[bool]:
    """Return whether each text may be reported on: no text of its whole cluster was tuned on.

    For rules that were tuned on a half drawn in another way: a cluster with one tuned member is
    tuned as a whole, so what is held has no near-duplicate among what was looked at.
    """
    seen = {label for label, tuned in zip(labels, is_tuned, strict=True) if tuned}
    return [label not in seen for label in labels]


def _joined(*firsts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first position of each component of several groupings together."""
    n = len(firsts[0])
    a = np.tile(np.arange(n), len(firsts))
    graph = coo_array((np.ones(len(a), bool), (a, np.concatenate(firsts))), (n, n))
    _, parts = connected_components(graph, directed=False)
    _, first, inverse = np.unique(parts, return_index=True, return_inverse=True)
    joined: NDArray[np.int64] = first[inverse.reshape(-1)].astype(np.int64)
    return joined
