"""Rollouts drawn through the store: what was answered before is not asked again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from offtarget.core.errors import ResourceError
from offtarget.evaluate.store import Shelf
from offtarget.evaluate.subjects import (
    Answer,
    AnswerSampling,
    Ask,
    Missing,
    Subject,
    rollout_key,
)

MAX_FAILURES = 20
"""Asks in a row without an answer after which the subject is given up for now."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One planned rollout and what came of it."""

    ask: Ask
    key: str
    """Its address in the store."""
    outcome: Answer | Missing


def unanswered(
    subject: Subject, asks: Sequence[Ask], sampling: AnswerSampling, shelf: Shelf[Answer]
) -> list[Ask]:
    """Return the asks that the store has no answer to."""
    return [a for a in asks if rollout_key(subject.identity, a, sampling) not in shelf]


def draw(
    subject: Subject,
    asks: Sequence[Ask],
    sampling: AnswerSampling,
    shelf: Shelf[Answer],
    *,
    on_drawn: Callable[[int], None] | None = None,
) -> tuple[Drawn, ...]:
    """Return one record per ask, in order; answers are kept as they come in.

    An ask that gets no answer is `Missing` here and is asked again by the next run.

    Args:
        subject: Who answers.
        asks: All that the plan asks.
        sampling: How answers are drawn.
        shelf: Of answers.
        on_drawn: Told how many more are done.

    Raises:
        ResourceError: If no ask of many in a row gets an answer; what was answered is kept.
    """
    wanted = unanswered(subject, asks, sampling, shelf)
    if on_drawn:
        on_drawn(len(asks) - len(wanted))
    missing: dict[Ask, Missing] = {}
    n_failed = 0
    for found in subject.answer(asks, frozenset(wanted), sampling):
        if isinstance(found.outcome, Missing):
            missing[found.ask] = found.outcome
            n_failed += 1
        else:
            shelf.put({rollout_key(subject.identity, found.ask, sampling): found.outcome})
            n_failed = 0
        if n_failed >= MAX_FAILURES:
            last = missing[found.ask]
            raise ResourceError(
                f"subject {subject.identity.name!r} gave no answer to {n_failed} requests in a row "
                f"(last: {last.reason}: {last.detail[:200]}); what it answered is kept, run the "
                "same command again"
            )
        if on_drawn:
            on_drawn(1)
    return tuple(_drawn(subject, ask, sampling, shelf, missing) for ask in asks)


def _drawn(
    subject: Subject,
    ask: Ask,
    sampling: AnswerSampling,
    shelf: Shelf[Answer],
    missing: dict[Ask, Missing],
) -> Drawn:
    key = rollout_key(subject.identity, ask, sampling)
    answer = shelf.get(key)
    if answer is not None:
        return Drawn(ask, key, answer)
    return Drawn(ask, key, missing.get(ask) or Missing("unreachable", "the subject never answered"))
