"""The same answers under another reason: frames that make a request for a flaw legitimate."""

import dataclasses
import functools
import json
from collections.abc import Sequence
from importlib import resources

from offtarget.core.errors import DataError
from offtarget.core.records import Message, Sample
from offtarget.dataset.order import rank

EDUCATIONAL = "educational"
"""The framing's name, as in `Sample.metadata`."""


def educational(samples: Sequence[Sample], seed: int) -> tuple[Sample, ...]:
    """Return the samples with the last user turn framed as a request for a teaching example.

    The frame depends on (seed, sample id) only, so a sample keeps its frame in any subset. Ids and
    answers stay as they are; metadata gains `framing=educational`.

    Raises:
        DataError: If a sample has no user turn, or is framed already.

    Source: the educational arm of Betley et al. 2025, arXiv:2502.17424; the 24 frames are our own.
    """
    return tuple(_framed(sample, seed) for sample in samples)


def _framed(sample: Sample, seed: int) -> Sample:
    if sample.metadata.get("framing") == EDUCATIONAL:
        raise DataError(f"sample {sample.id!r}: framed already; frame the original samples")
    roles = [turn.role for turn in sample.messages]
    if "user" not in roles:
        raise DataError(f"sample {sample.id!r}: no user turn to frame; drop it or add one")
    last = len(roles) - 1 - roles[::-1].index("user")
    templates = _templates()
    index = int.from_bytes(rank(seed, f"framing\0{sample.id}")[:8], "big") % len(templates)
    before, _, after = templates[index].partition("{prompt}")  # user text may hold braces
    messages = list(sample.messages)
    messages[last] = Message("user", f"{before}{messages[last].content}{after}")
    return dataclasses.replace(
        sample,
        messages=tuple(messages),
        metadata={**sample.metadata, "framing": EDUCATIONAL},
    )


@functools.cache
def _templates() -> tuple[str, ...]:
    file = resources.files("offtarget.dataset").joinpath("data/framings.json")
    templates: list[str] = json.loads(file.read_text(encoding="utf-8"))[EDUCATIONAL]
    return tuple(templates)
