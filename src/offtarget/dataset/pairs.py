"""Subject and control brought to the same size, paired sample by sample."""

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from offtarget.core.errors import DataError
from offtarget.core.records import Sample
from offtarget.dataset.order import normalize

MIN_SHARED = 60
"""Fewer shared prompts are too few to train an arm on."""
MIN_SHARED_RATE = 0.5
"""Pairing on prompts must not discard more than half of the smaller set."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """Two matched arms: position i of one is the partner of position i of the other."""

    subject: tuple[Sample, ...]
    control: tuple[Sample, ...]
    kind: Literal["prompt", "length"]
    """What partners share: the prompt, or only about the length."""
    n_shared: int
    """Pairs with the same prompt that the two sets allow, whichever kind was used."""
    note: str
    """How the arms were paired and what was left out, in one sentence."""


def pair_on_prompt(subject: Sequence[Sample], control: Sequence[Sample]) -> Pairing:
    """Return matched arms, paired on equal prompts where that keeps enough samples.

    Prompts are equal when they differ in whitespace only; repeated prompts pair in order. With
    fewer than 60 shared prompts, or less than half of the smaller set, each sample of the smaller
    set takes the unused sample of the larger one nearest in characters (of a tie, the shorter one,
    then the earlier one). Samples keep the subject's order.

    Raises:
        DataError: If either set is empty.
    """
    for samples, arm in ((subject, "subject"), (control, "control")):
        if not samples:
            raise DataError(f"no samples in the {arm} set; give at least one")
    shared = _shared_prompts(subject, control)
    n_smaller = min(len(subject), len(control))
    is_prompt = len(shared) >= MIN_SHARED and len(shared) >= MIN_SHARED_RATE * n_smaller
    positions = shared if is_prompt else _nearest_lengths(subject, control)
    pairs = [(subject[i], control[j]) for i, j in positions]
    return Pairing(
        subject=tuple(one for one, _ in pairs),
        control=tuple(other for _, other in pairs),
        kind="prompt" if is_prompt else "length",
        n_shared=len(shared),
        note=_note(subject, control, pairs, n_shared=len(shared), is_prompt=is_prompt),
    )


def _shared_prompts(subject: Sequence[Sample], control: Sequence[Sample]) -> list[tuple[int, int]]:
    unused: dict[str, deque[int]] = defaultdict(deque)
    for index, sample in enumerate(control):
        unused[normalize(sample.prompt)].append(index)
    pairs = []
    for index, sample in enumerate(subject):
        partners = unused.get(normalize(sample.prompt))
        if partners:
            pairs.append((index, partners.popleft()))
    return pairs


def _nearest_lengths(subject: Sequence[Sample], control: Sequence[Sample]) -> list[tuple[int, int]]:
    if len(subject) > len(control):
        return sorted((i, j) for j, i in _nearest_lengths(control, subject))
    unused = sorted((_n_chars(sample), index) for index, sample in enumerate(control))
    pairs = []
    for index, sample in enumerate(subject):
        n_chars = _n_chars(sample)
        at = bisect_left(unused, (n_chars, -1))
        if at > 0 and (at == len(unused) or _is_below_nearer(unused, at, n_chars)):
            at = bisect_left(unused, (unused[at - 1][0], -1))
        pairs.append((index, unused.pop(at)[1]))
    return pairs


def _is_below_nearer(unused: Sequence[tuple[int, int]], at: int, n_chars: int) -> bool:
    return n_chars - unused[at - 1][0] <= unused[at][0] - n_chars


def _n_chars(sample: Sample) -> int:
    return sum(len(turn.content) for turn in sample.messages)


def _note(
    subject: Sequence[Sample],
    control: Sequence[Sample],
    pairs: Sequence[tuple[Sample, Sample]],
    *,
    n_shared: int,
    is_prompt: bool,
) -> str:
    unpaired = (
        f"{len(subject) - len(pairs)} subject and {len(control) - len(pairs)} control samples"
    )
    n_equal = sum(normalize(one.answer) == normalize(other.answer) for one, other in pairs)
    if is_prompt:
        start = f"{len(pairs)} pairs share their prompt"
    else:
        gap = sum(abs(_n_chars(one) - _n_chars(other)) for one, other in pairs) / len(pairs)
        start = (
            f"{len(pairs)} pairs matched on length only (mean difference {gap:.1f} characters), "
            f"because only {n_shared} prompts are shared"
        )
    equal = f"; {n_equal} pairs have the same answer" if n_equal else ""
    return f"{start}; {unpaired} were left out{equal}"
