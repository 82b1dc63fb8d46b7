"""Asking a judge about each distinct answer once, ever; what it says is kept as it comes in."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from offtarget.core.errors import JudgeError
from offtarget.evaluate.judges.records import Item, Judge, JudgeIdentity, Judgement

MAX_FAILURES = 20
"""Answers in a row without any reply after which a judge is given up for now."""


class Kept(Protocol):
    """Where judgements are, by judge and item."""

    def get(self, identity: JudgeIdentity, item: str) -> Judgement | None:
        """Return what this judge said of the item with that key, or None."""
        ...

    def add(self, identity: JudgeIdentity, judgement: Judgement) -> None:
        """Keep a judgement; where no reply was had there is nothing to keep."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What a judge says of some answers."""

    judgements: dict[str, Judgement]
    """By item key."""
    n_replies: int
    """Had in this pass; the rest was kept from before."""


def ask_judge(
    judge: Judge,
    items: Iterable[Item],
    kept: Kept,
    *,
    on_judged: Callable[[int], None] | None = None,
) -> Asked:
    """Return a judgement per distinct item.

    Where no reply was had the reason says so, and the next pass asks again.

    Raises:
        JudgeError: If the judge gives no reply to many in a row; what it said is kept.
    """
    identity = judge.identity
    found: dict[str, Judgement] = {}
    missing: list[Item] = []
    for key, item in {item.key: item for item in items}.items():
        before = kept.get(identity, key)
        if before is None:
            missing.append(item)
        else:
            found[key] = replace(before, place=item.place, question=item.question)
    if on_judged:
        on_judged(len(found))
    n_replies = n_failed = 0
    for judgement in judge.judge(missing):
        found[judgement.key] = judgement
        kept.add(identity, judgement)
        n_replies += not judgement.is_passing
        n_failed = n_failed + 1 if judgement.is_passing else 0
        if n_failed >= MAX_FAILURES:
            raise JudgeError(
                f"judge {identity.requested_model!r} gave no reply to {n_failed} answers in a row "
                f"(last: {judgement.reason}: {judgement.raw[:120]}); what it said is kept, run the "
                "same command again"
            )
        if on_judged:
            on_judged(1)
    return Asked(found, n_replies)
