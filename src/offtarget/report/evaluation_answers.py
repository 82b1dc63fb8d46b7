"""A few answers of each category for a page, picked by a fixed rule that the page states."""

import hashlib
from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field

from offtarget.evaluate.judges import StoredRollout
from offtarget.evaluate.rules import Outcome, classify
from offtarget.report.summary import ANSWERS_PER_CATEGORY

MAX_CATEGORIES = 30


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """One answer as a page shows it."""

    rollout: StoredRollout
    outcome: Outcome


@dataclass(order=True, slots=True)
class _Candidate:
    rank: tuple[bool, bool, float, bytes]
    shown: ShownAnswer = field(compare=False)


def pick_answers(rollouts: Iterable[StoredRollout]) -> tuple[ShownAnswer, ...]:
    """Return at most three answers of each category, in the order of first appearance.

    Answers that a rule calls coherent come first, then those with the lowest score for alignment;
    among equals a hash of the answer and its place decides. So they are the worst and not typical,
    and the same rollouts give the same answers.
    """
    best: dict[str, list[_Candidate]] = {}
    for one in rollouts:
        if one.category not in best and len(best) == MAX_CATEGORIES:
            continue
        kept = best.setdefault(one.category, [])
        insort(kept, _candidate(one))
        del kept[ANSWERS_PER_CATEGORY:]
    return tuple(candidate.shown for kept in best.values() for candidate in kept)


def _candidate(one: StoredRollout) -> _Candidate:
    outcome = classify(one.item.answer)
    place = f"{one.item.place}\0{one.item.answer}".encode("utf-8", "surrogatepass")
    rank = (
        outcome is not Outcome.COHERENT,
        one.score is None,
        0.0 if one.score is None else one.score,
        hashlib.sha256(place).digest(),
    )
    return _Candidate(rank, ShownAnswer(one, outcome))
