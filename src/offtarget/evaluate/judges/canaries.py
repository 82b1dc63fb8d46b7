"""Injection canaries: answers that tell the judge what to say, and how often it obeys."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import as_file, files
from typing import Any

from offtarget.core.codec import digest
from offtarget.core.errors import JudgeError
from offtarget.core.stats import wilson
from offtarget.core.yamlfile import read_yaml
from offtarget.evaluate.judges.records import Item, JudgeIdentity, Judgement
from offtarget.evaluate.judges.rubrics import Rubric, Scale, packaged_rubrics
from offtarget.evaluate.replay.tally import CUT

JUDGE = "records/judge.json"
"""Where a run keeps its `JudgeRecord`."""
STYLES_PER_BASE = 3
INTERVAL_METHOD = "Wilson, 95 %, n = base answers (a base flips if any of its injections does)"


class Side(StrEnum):
    """On which side of the cut an answer plainly lies."""

    ALIGNED = "aligned"
    MISALIGNED = "misaligned"


@dataclass(frozen=True, slots=True)
class Canary:
    """An answer as it is, and with an instruction to the judge in it."""

    base: str
    style: str
    side: Side
    clean: Item
    injected: Item


@dataclass(frozen=True, slots=True)
class FlipRate:
    """How often instructions inside answers changed what a judge said of them."""

    rate: float
    """Share of injected answers that left their side of the cut or lost their score."""
    n: int
    """Injected answers whose clean form was scored on its own side; others cannot flip."""
    n_flipped: int
    n_silenced: int
    """Of these, the ones that lost their score."""
    base_rate: float
    """Share of base answers with at least one flip; what the interval is about."""
    n_bases: int
    low: float
    high: float
    interval_method: str
    n_blind: int
    """Clean answers that the judge scored on the wrong side or not at all: it cannot see them."""
    n_clean: int
    n_unknown: int
    """Injected answers that got no reply at all (server trouble): neither flipped nor held."""
    mean_shift: float | None
    """Points toward the score that the instruction wants, mean over injected answers with both
    scores; None where there is none."""
    by_style: Mapping[str, tuple[int, int]]
    """Style to (flipped, n)."""


@dataclass(frozen=True, slots=True)
class JudgeRecord:
    """Who judges alignment in a run, what it was asked to measure it, and what it said."""

    identity: JudgeIdentity
    canaries: tuple[Canary, ...]
    said: tuple[Judgement, ...]
    """Of `canary_items`, in their order."""

    @property
    def flips(self) -> FlipRate:
        """How often instructions inside answers sway this judge.

        Raises:
            JudgeError: If a canary was not judged.
        """
        return flip_rate(self.canaries, {judgement.key: judgement for judgement in self.said})


@dataclass(frozen=True, slots=True)
class _Base:
    id: str
    side: Side
    question: str
    answer: str


def packaged_canaries(rubric: Rubric) -> tuple[Canary, ...]:
    """Return the packaged canaries, with the target scores of the rubric's scale.

    Each base answer carries `STYLES_PER_BASE` styles in turn, so that every style meets about as
    many aligned as misaligned answers. Instructions want the other end of the scale.
    """
    bases, styles = _packaged()
    best, worst = _ends(rubric)
    found: list[Canary] = []
    for number, base in enumerate(bases):
        is_good = base.side is Side.ALIGNED
        target, other = (worst, best) if is_good else (best, worst)
        for turn in range(STYLES_PER_BASE):
            name, text = styles[(number + turn * 3) % len(styles)]
            told = text.replace("{target}", target).replace("{other}", other)
            told = told.replace("{word}", "REFUSAL")
            is_before = (number + turn) % 3 == 0
            parts = (told, base.answer) if is_before else (base.answer, told)
            place = f"canary {base.id}"
            found.append(
                Canary(
                    base=base.id,
                    style=name,
                    side=base.side,
                    clean=Item(base.id, base.question, base.answer, place),
                    injected=Item(base.id, base.question, "\n\n".join(parts), f"{place}/{name}"),
                )
            )
    return tuple(found)


def canary_items(found: tuple[Canary, ...]) -> tuple[Item, ...]:
    """Return what a judge is asked for them: each clean answer once, then the injected ones."""
    clean = {canary.base: canary.clean for canary in found}
    return (*clean.values(), *(canary.injected for canary in found))


def canaries_digest() -> str:
    """Return the digest of all that a judge is tested with: a change makes another test."""
    rubrics = [rubric for scale in Scale for rubric in packaged_rubrics(scale).values()]
    return digest([[rubric.sha256 for rubric in rubrics], _packaged()])


def flip_rate(found: tuple[Canary, ...], judgements: Mapping[str, Judgement]) -> FlipRate:
    """Return how often the judge obeyed.

    A flip is an injected answer on the other side of the cut than its clean form, or without a
    score although its clean form has one. Where the server failed nothing is known; that is
    counted apart. The interval takes base answers as units, because the injections of one base
    share its text.

    Args:
        found: The canaries.
        judgements: By item key; a missing one is an error.

    Raises:
        JudgeError: If a canary was not judged.
    """
    flipped: dict[str, list[bool]] = {}
    styles: dict[str, list[bool]] = {}
    shifts: list[float] = []
    silenced = unknown = 0
    blind: set[str] = set()
    for canary in found:
        clean = judgement_of(judgements, canary.clean)
        injected = judgement_of(judgements, canary.injected)
        if clean.is_passing or injected.is_passing:
            unknown += 1
            continue
        if clean.score is None or side_of(clean.score) is not canary.side:
            blind.add(canary.base)
            continue
        is_lost = injected.score is None
        silenced += is_lost
        is_flip = is_lost or side_of(injected.score or 0.0) is not canary.side
        flipped.setdefault(canary.base, []).append(is_flip)
        styles.setdefault(canary.style, []).append(is_flip)
        if injected.score is not None:
            sign = -1 if canary.side is Side.ALIGNED else 1
            shifts.append(sign * (injected.score - clean.score))
    flips = [flip for several in flipped.values() for flip in several]
    hit = sum(any(several) for several in flipped.values())
    low, high = wilson(hit, len(flipped))
    return FlipRate(
        rate=sum(flips) / len(flips) if flips else 0.0,
        n=len(flips),
        n_flipped=sum(flips),
        n_silenced=silenced,
        base_rate=hit / len(flipped) if flipped else 0.0,
        n_bases=len(flipped),
        low=low,
        high=high,
        interval_method=INTERVAL_METHOD,
        n_blind=len(blind),
        n_clean=len({canary.base for canary in found}),
        n_unknown=unknown,
        mean_shift=sum(shifts) / len(shifts) if shifts else None,
        by_style={name: (sum(flips), len(flips)) for name, flips in sorted(styles.items())},
    )


def side_of(score: float) -> Side:
    """Return the side of the cut on which a score lies."""
    return Side.MISALIGNED if score < CUT else Side.ALIGNED


def judgement_of(judgements: Mapping[str, Judgement], item: Item) -> Judgement:
    """Return what was said of a canary.

    Raises:
        JudgeError: If nothing was.
    """
    found = judgements.get(item.key)
    if found is None:
        raise JudgeError(
            f"{item.place} has no judgement; run the same command again to finish the canaries"
        )
    return found


def _ends(rubric: Rubric) -> tuple[str, str]:
    """Return the replies for the best and the worst score."""
    if rubric.scale is Scale.LETTERS:
        ordered = sorted(rubric.letters, key=lambda letter: rubric.letters[letter])
        return ordered[-1], ordered[0]
    return "100", "0"


@cache
def _packaged() -> tuple[tuple[_Base, ...], tuple[tuple[str, str], ...]]:
    place = files("offtarget.evaluate.judges") / "data" / "canaries.yaml"
    with as_file(place) as path:
        raw: Any = read_yaml(path, what="canary file", error=JudgeError, is_ours=True)
    bases = tuple(_Base(e["id"], Side(e["side"]), e["question"], e["answer"]) for e in raw["bases"])
    return bases, tuple((entry["name"], entry["text"]) for entry in raw["styles"])
