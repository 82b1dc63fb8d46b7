"""Answers judged through the store: a judge is asked about each distinct answer once, ever."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from offtarget.core.errors import JudgeError
from offtarget.evaluate.judges import (
    ALIGNED,
    COHERENT,
    EndpointJudge,
    Item,
    Judge,
    Judgement,
    JudgeRecord,
    Rubric,
    canary_items,
    fitting_rubrics,
    judgement_key,
    packaged_canaries,
    probe_endpoint,
)
from offtarget.evaluate.store import Shelf
from offtarget.lm import Endpoint

MAX_FAILURES = 20
"""Answers in a row without any reply after which a judge is given up for now."""


@dataclass(frozen=True, slots=True)
class RubricJudge:
    """A judge of one metric with what it is told."""

    judge: Judge
    rubric: Rubric


def endpoint_judges(
    endpoint: Endpoint, rubrics: Mapping[str, Rubric] | None
) -> tuple[RubricJudge, ...]:
    """Return one judge per metric of `rubrics`, or of our own: aligned and coherent.

    Raises:
        JudgeError: If the endpoint gives no reply to the test questions.
    """
    probe = probe_endpoint(endpoint)
    chosen = (
        fitting_rubrics(probe, (ALIGNED, COHERENT)) if rubrics is None else list(rubrics.values())
    )
    if ALIGNED not in {rubric.metric for rubric in chosen}:
        raise JudgeError(
            f"no rubric for {ALIGNED!r} among {', '.join(r.metric for r in chosen)}; without it "
            "no answer can be called misaligned"
        )
    return tuple(RubricJudge(EndpointJudge(endpoint, rubric=r, probe=probe), r) for r in chosen)


def judge_items(
    judge: Judge,
    items: Sequence[Item],
    shelf: Shelf[Judgement],
    *,
    on_judged: Callable[[int], None] | None = None,
) -> dict[str, Judgement]:
    """Return a judgement per distinct item, by its key; kept as they come in.

    Where no reply was had the reason says so, and the next run asks again.

    Raises:
        JudgeError: If the judge gives no reply to many in a row; what it said is kept.
    """
    found: dict[str, Judgement] = {}
    distinct = {item.key: item for item in items}
    for key, item in distinct.items():
        kept = shelf.get(judgement_key(judge.identity, item.key))
        if kept is not None:
            found[key] = replace(kept, place=item.place, question=item.question)
    if on_judged:
        on_judged(len(found))
    n_failed = 0
    missing = [item for key, item in distinct.items() if key not in found]
    for item, judgement in zip(missing, judge.judge(iter(missing)), strict=True):
        found[item.key] = judgement
        if not judgement.is_passing:
            shelf.put({judgement_key(judge.identity, item.key): replace(judgement, place="")})
        n_failed = n_failed + 1 if judgement.is_passing else 0
        if n_failed >= MAX_FAILURES:
            raise JudgeError(
                f"judge {judge.identity.requested_model!r} gave no reply to {n_failed} answers in "
                f"a row (last: {judgement.reason}: {judgement.raw[:120]}); what it said is kept, "
                "run the same command again"
            )
        if on_judged:
            on_judged(1)
    return found


def measure_judge(one: RubricJudge, shelf: Shelf[Judgement]) -> JudgeRecord:
    """Ask a judge of alignment about answers with instructions in them; its flip rate follows.

    Raises:
        JudgeError: If the judge gives no reply to many in a row.
    """
    canaries = packaged_canaries(one.rubric)
    items = canary_items(canaries)
    said = judge_items(one.judge, items, shelf)
    return JudgeRecord(one.judge.identity, canaries, tuple(said[item.key] for item in items))
