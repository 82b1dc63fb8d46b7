"""Random-looking choices that depend on a seed and on ids alone, never on a library's generator."""

import hashlib
import re
from collections.abc import Sequence

from offtarget.core.records import Sample


def normalize(text: str) -> str:
    """Return `text` with each run of whitespace as one space, none at the ends."""
    return " ".join(text.split())


def prompt_key(sample: Sample) -> str:
    """Return what makes two prompts the same for splitting: the words, in lower case."""
    return " ".join(re.findall(r"\w+", sample.prompt.casefold())) or normalize(sample.prompt)


def rank(seed: int, key: str) -> bytes:
    """Return a sort key that shuffles by (seed, key), the same on every machine and version."""
    return hashlib.sha256(f"{seed}\0{key}".encode()).digest()


def first_by_rank(samples: Sequence[Sample], n: int, *, seed: int, purpose: str) -> list[int]:
    """Return the positions of the `n` samples of lowest rank, ascending.

    For one seed and purpose the choice of a smaller `n` is contained in that of a larger one.
    """
    order = sorted(
        range(len(samples)), key=lambda i: (rank(seed, f"{purpose}\0{samples[i].id}"), i)
    )
    return sorted(order[:n])
