"""Subsets that depend on a seed and the samples' ids alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from offtarget.core.errors import DataError
from offtarget.core.records import Sample
from offtarget.dataset.order import first_by_rank, prompt_key, rank


@dataclass(frozen=True, slots=True)
class Split:
    """A data set in two parts that share no prompt."""

    train: tuple[Sample, ...]
    heldout: tuple[Sample, ...]


def sample_rows(samples: Sequence[Sample], n: int, seed: int) -> tuple[Sample, ...]:
    """Return `n` of the samples in their own order; a smaller `n` gives a part of a larger one.

    Raises:
        DataError: If `n` is below 1 or above the number of samples.
    """
    _check_count(n, len(samples), at_most=len(samples))
    return tuple(samples[i] for i in first_by_rank(samples, n, seed=seed, purpose="subset"))


def split_heldout(samples: Sequence[Sample], n: int, seed: int) -> Split:
    """Return a split with at most `n` samples held out, both parts in their own order.

    Samples whose prompts have the same words, whatever their case, spacing and punctuation, stay on
    one side; a group of them that does not fit any more is passed over, so that fewer than `n`
    samples may be held out.

    Raises:
        DataError: If `n` is below 1 or leaves nothing to train on, or no group of equal prompts
            fits.
    """
    _check_count(n, len(samples), at_most=len(samples) - 1)
    groups: dict[str, list[int]] = {}
    for index, sample in enumerate(samples):
        groups.setdefault(prompt_key(sample), []).append(index)
    heldout: set[int] = set()
    for key in sorted(groups, key=lambda key: rank(seed, f"heldout\0{key}")):
        if len(heldout) + len(groups[key]) <= n:
            heldout.update(groups[key])
    if not heldout:
        smallest = min(map(len, groups.values()))
        raise DataError(
            f"cannot hold out {n} samples: each prompt occurs at least {smallest} times; "
            f"hold out {smallest} or more, or add prompts"
        )
    return Split(
        train=tuple(sample for i, sample in enumerate(samples) if i not in heldout),
        heldout=tuple(sample for i, sample in enumerate(samples) if i in heldout),
    )


def _check_count(n: int, n_samples: int, *, at_most: int) -> None:
    if not 1 <= n <= at_most:
        raise DataError(
            f"cannot take {n} of {n_samples} samples; ask for between 1 and {at_most}"
            if at_most >= 1
            else f"cannot take {n} of {n_samples} samples; give more samples"
        )
