"""MinHash signatures of texts: what near-duplicates are found by, without keeping the texts."""

import hashlib
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from offtarget.curate.output import explained

N_WORDS = 3
"""Words in a shingle."""
N_HASHES = 128
"""Slots of a signature: the standard error of a similarity of 0.7 is 0.04."""
SEED = 20251123
NOTHING = 0
"""Stands for the hash of a text without words; such texts are nobody's duplicate."""
_BLOCK = 4096
_SPACES = str.maketrans(dict.fromkeys(string.punctuation.replace("_", ""), " "))

Signatures = NDArray[np.uint16]
Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Sketched:
    """What is kept of one text."""

    exact: int
    """64 bits of the hash of its words; `NOTHING` if it has none."""
    signature: bytes
    """`N_HASHES` values of 16 bits each, the low halves of the MinHash slots."""


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case; ASCII punctuation and blanks only separate."""
    return text.casefold().translate(_SPACES).split()


def shingles_of(words: Sequence[str]) -> list[str]:
    """Return every run of `N_WORDS` words; fewer words give one run of all of them."""
    if len(words) < N_WORDS:
        return [" ".join(words)] if words else []
    return list(map(" ".join, zip(*(words[i:] for i in range(N_WORDS)), strict=False)))


def sketch(texts: Iterable[str]) -> Iterator[Sketched]:
    """Yield what is kept of the first text, of the first two together, and so on.

    The words of several texts are one set, but no shingle reaches from one into the next.

    Source: Broder 1997 (MinHash); Fast Similarity Sketching, arXiv:1704.04370, as in rensa.
    """
    from rensa import RMinHash

    minhash = RMinHash(num_perm=N_HASHES, seed=SEED)
    total = hashlib.blake2b(digest_size=8)
    is_empty = True
    for text in texts:
        words = words_of(text)
        is_empty = is_empty and not words
        total.update(" ".join(words).encode("utf-8", "surrogatepass") + b"\0")
        minhash.update(_encodable(shingles_of(words)))
        low = np.array(minhash.digest(), dtype=np.uint32).astype(np.uint16)
        exact = NOTHING if is_empty else int.from_bytes(total.digest(), "little") or 1
        yield Sketched(exact, low.tobytes())


def _encodable(shingles: list[str]) -> list[str]:
    """Lone surrogates cannot be hashed as UTF-8; they count as question marks."""
    try:
        "".join(shingles).encode()
    except UnicodeEncodeError:
        return [one.encode("utf-8", "replace").decode() for one in shingles]
    return shingles


class SignatureStore:
    """Signatures in the order they were added, on disk: memory holds 8 bytes a text."""

    def __init__(self, folder: Path) -> None:
        """Keep a temporary file below `folder`, which must exist.

        Raises:
            ResourceError: If it cannot be written.
        """
        with explained(folder):
            self._scratch = TemporaryDirectory(dir=folder, prefix=".signatures-")
        self._folder = folder
        self._path = Path(self._scratch.name) / "all"
        self._file = self._path.open("wb")
        self._pending: list[bytes] = []
        self._exact: list[Hashes] = []
        self._new: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with explained(self._folder):
            self._file.close()
            self._scratch.cleanup()

    def add(self, sketched: Sketched) -> None:
        """Append one text's sketch."""
        self._pending.append(sketched.signature)
        self._new.append(sketched.exact)
        if len(self._pending) >= _BLOCK:
            self._flush()

    def read(self) -> tuple[Signatures, Hashes]:
        """Return all signatures, shape (N, N_HASHES), mapped from disk, and exact hashes, (N,)."""
        self._flush()
        exact = np.concatenate([*self._exact, np.zeros(0, dtype=np.uint64)])
        if not len(exact):
            return np.zeros((0, N_HASHES), dtype=np.uint16), exact
        return np.memmap(self._path, np.uint16, "r", shape=(len(exact), N_HASHES)), exact

    def _flush(self) -> None:
        with explained(self._folder):
            self._file.write(b"".join(self._pending))
            self._file.flush()
        self._exact.append(np.array(self._new, dtype=np.uint64))
        self._pending, self._new = [], []
