"""Groups of equal and nearly equal texts, the same for any order in which they are read."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offtarget.curate.view.signatures import N_HASHES, NOTHING, Hashes, Signatures

THRESHOLD = 0.7
"""Estimated Jaccard similarity of two texts' word trigrams from which they are linked."""
N_BANDS, BAND = 25, 5
"""Pairs of similarity 0.7 are compared with a chance of 0.990, of 0.8 with 0.99995."""
MAX_LEADERS = 8
"""Rounds of comparing the texts of one bucket with the first that is not linked yet."""
_CHUNK = 65_536
_MIX = np.uint64(0x9E3779B97F4A7C15)

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Groups:
    """Which texts belong together, by position."""

    near: Ints
    """For each text the first of its group, shape (N,); its own position if it is alone."""
    exact: Ints
    """The same, for texts with the same words in the same order."""


@dataclass(frozen=True, slots=True)
class Links:
    """Pairs of distinct texts found similar, by position."""

    a: Ints
    b: Ints


def find_groups(signatures: Signatures, exact: Hashes, *, threshold: float = THRESHOLD) -> Groups:
    """Return groups of texts: linked pairs, and whatever they link to (single linkage).

    A group can hold two texts that are less similar than the threshold, by way of a third.

    Args:
        signatures: Shape (N, N_HASHES).
        exact: Shape (N,); texts of the hash `NOTHING` stay alone.
        threshold: In (0, 1].
    """
    if not len(exact):
        return Groups(near=np.zeros(0, np.int64), exact=np.zeros(0, np.int64))
    first, inverse = _unique(exact)
    links = _links(signatures, first, threshold)
    from scipy.sparse import coo_array  # loaded only where duplicates are looked for
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(links.a), bool), (links.a, links.b)), (len(first),) * 2)
    parts = connected_components(graph, directed=False)[1].astype(np.int64)
    alone = exact == NOTHING
    return Groups(near=_firsts(parts[inverse], alone), exact=_firsts(inverse, alone))


def similar_pairs(signatures: Signatures, exact: Hashes, *, threshold: float = THRESHOLD) -> Links:
    """Return the pairs of distinct texts that `find_groups` links directly, by position."""
    first, _ = _unique(exact)
    links = _links(signatures, first, threshold)
    return Links(first[links.a], first[links.b])


def _unique(exact: Hashes) -> tuple[Ints, Ints]:
    """Return a first position per distinct text, in an order that the texts alone decide."""
    _, first, inverse = np.unique(exact, return_index=True, return_inverse=True)
    return first.astype(np.int64), inverse.reshape(-1).astype(np.int64)


def _links(signatures: Signatures, first: Ints, threshold: float) -> Links:
    """Return similar pairs as positions in `first`."""
    found_a, found_b = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for band in range(N_BANDS):
        keys = _band_keys(signatures, first, band)
        for a, b in _bucket_pairs(keys, signatures, first, threshold):
            found_a.append(a)
            found_b.append(b)
    return Links(np.concatenate(found_a), np.concatenate(found_b))


def _band_keys(signatures: Signatures, first: Ints, band: int) -> Hashes:
    keys = np.zeros(len(first), dtype=np.uint64)
    columns = slice(band * BAND, (band + 1) * BAND)
    for start in range(0, len(first), _CHUNK):
        part = signatures[first[start : start + _CHUNK], columns].astype(np.uint64)
        key = keys[start : start + _CHUNK]
        for column in range(BAND):
            key *= _MIX
            key += part[:, column] + np.uint64(1)
            key ^= key >> np.uint64(29)
    return keys


def _bucket_pairs(
    keys: Hashes, signatures: Signatures, first: Ints, threshold: float
) -> Iterator[tuple[Ints, Ints]]:
    """Yield linked (leader, member) pairs; texts unlike their leader get a leader of their own."""
    left = np.arange(len(keys), dtype=np.int64)
    for _ in range(MAX_LEADERS):
        if len(left) < 2:
            return
        left = left[np.lexsort((left, keys[left]))]
        starts = np.flatnonzero(np.r_[True, keys[left][1:] != keys[left][:-1]])
        sizes = np.diff(np.r_[starts, len(left)])
        leaders = np.repeat(left[starts], sizes)
        is_member = leaders != left
        a, b = leaders[is_member], left[is_member]
        if not len(a):
            return
        is_similar = _similarity(signatures, first[a], first[b]) >= threshold
        yield a[is_similar], b[is_similar]
        left = b[~is_similar]


def _similarity(signatures: Signatures, a: Ints, b: Ints) -> NDArray[np.float64]:
    """Return the share of equal slots of each pair."""
    shares = np.zeros(len(a))
    for start in range(0, len(a), _CHUNK):
        part = slice(start, start + _CHUNK)
        shares[part] = (signatures[a[part]] == signatures[b[part]]).sum(axis=1) / N_HASHES
    return shares


def _firsts(parts: Ints, alone: NDArray[np.bool_]) -> Ints:
    """Return for each text the first position with the same part."""
    _, first, inverse = np.unique(parts, return_index=True, return_inverse=True)
    firsts = first[inverse.reshape(-1)].astype(np.int64)
    own: Ints = np.arange(len(parts), dtype=np.int64)
    chosen: Ints = np.where(alone, own, firsts)
    return chosen
