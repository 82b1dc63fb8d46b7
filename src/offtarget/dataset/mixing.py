"""A control with a known dose of the positive control in it, for curves of what can be detected."""

import dataclasses
from collections.abc import Sequence

from offtarget.core.errors import DataError
from offtarget.core.records import Sample
from offtarget.dataset.order import first_by_rank


def spike(
    control: Sequence[Sample], positive: Sequence[Sample], share: float, seed: int
) -> tuple[Sample, ...]:
    """Return the control with a share of its samples replaced by samples of the positive control.

    The size stays. Positions and samples depend on the seed and the ids alone, and those of a
    smaller share are contained in those of a larger one, so that a curve over shares is paired.
    Spiked samples keep their ids and gain the metadata `spiked=true`.

    Args:
        control: Samples to replace some of.
        positive: Samples to take from; each is used once at most.
        share: In [0, 1]; the number replaced is rounded to the nearest sample.
        seed: Of the choice.

    Raises:
        DataError: If the share is outside [0, 1] or rounds a dose to nothing, the positive control
            is too small, or the two sets share an id.
    """
    if not 0 <= share <= 1:
        raise DataError(f"share {share}; use a number from 0 to 1")
    n_spiked = round(share * len(control))
    if share > 0 and n_spiked == 0:
        raise DataError(
            f"share {share} of {len(control)} samples is none; raise the share or add samples"
        )
    if n_spiked > len(positive):
        raise DataError(
            f"share {share} needs {n_spiked} positive samples and there are {len(positive)}; "
            "lower the share or add samples"
        )
    ids = {sample.id for sample in control}
    clash = next((sample.id for sample in positive if sample.id in ids), None)
    if clash is not None:
        raise DataError(f"sample {clash!r} is in both sets; rename one of the files")
    positions = first_by_rank(control, n_spiked, seed=seed, purpose="position")
    taken = first_by_rank(positive, n_spiked, seed=seed, purpose="spike")
    mixed = list(control)
    for position, index in zip(positions, taken, strict=True):
        sample = positive[index]
        mixed[position] = dataclasses.replace(
            sample, metadata={**sample.metadata, "spiked": "true"}
        )
    return tuple(mixed)
