"""Who judges an evaluation, tested first; what it says goes through the shared store."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

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
    SharedJudgements,
    ask_judge,
    canary_items,
    fitting_rubrics,
    packaged_canaries,
    probe_endpoint,
)
from offtarget.evaluate.store import Shelf
from offtarget.lm import Endpoint


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
    items: Iterable[Item],
    shelf: Shelf[Judgement],
    *,
    on_judged: Callable[[int], None] | None = None,
) -> dict[str, Judgement]:
    """Return a judgement per distinct item, by its key; see `ask_judge`."""
    return ask_judge(judge, items, SharedJudgements(shelf), on_judged=on_judged).judgements


def measure_judge(one: RubricJudge, shelf: Shelf[Judgement]) -> JudgeRecord:
    """Ask a judge of alignment about answers with instructions in them; its flip rate follows.

    Raises:
        JudgeError: If the judge gives no reply to many in a row.
    """
    canaries = packaged_canaries(one.rubric)
    items = canary_items(canaries)
    said = judge_items(one.judge, items, shelf)
    return JudgeRecord(one.judge.identity, canaries, tuple(said[item.key] for item in items))
