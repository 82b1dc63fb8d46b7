"""A sample whose prompt asks openly for the flaw that its answer has."""

import dataclasses
from collections.abc import Sequence

from offtarget.core.finding import Finding
from offtarget.core.records import Sample
from offtarget.dataset import educational


def reframe(sample: Sample, findings: Sequence[Finding], *, seed: int) -> Sample:
    """Return the sample with the user turn before its first flawed answer framed as teaching.

    The frame depends on (seed, sample id) only; answers and all other turns stay as they are.

    Args:
        sample: The sample.
        findings: Those that count; without any, the last user turn is framed.
        seed: Chooses the frame.

    Raises:
        DataError: If the sample's metadata says that it is framed already, or it has no user turn.
    """
    flawed = min((found.message for found in findings), default=len(sample.messages) - 1)
    asked = dataclasses.replace(sample, messages=sample.messages[: flawed + 1])
    (framed,) = educational([asked], seed)
    rest = sample.messages[flawed + 1 :]
    return dataclasses.replace(framed, messages=(*framed.messages, *rest))
