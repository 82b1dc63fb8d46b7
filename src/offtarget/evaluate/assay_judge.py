"""The judge of an assay: tested and measured first, then asked about each coherent answer once."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from offtarget.core.errors import JudgeError
from offtarget.evaluate.evaluation.judging import RubricJudge, judge_items
from offtarget.evaluate.judges import (
    ALIGNED,
    EndpointJudge,
    Item,
    Judge,
    Judgement,
    JudgeRecord,
    fitting_rubrics,
    probe_endpoint,
    sight_of,
)
from offtarget.evaluate.results import JudgeSummary
from offtarget.evaluate.rollouts import RolloutRecord
from offtarget.evaluate.rules import Outcome
from offtarget.evaluate.store import Shelf
from offtarget.lm import Endpoint


def meet_judge(endpoint: Endpoint) -> RubricJudge:
    """Return a judge of alignment, read in the way that its tokens allow.

    Raises:
        JudgeError: If the endpoint gives no reply to the test questions.
    """
    probe = probe_endpoint(endpoint)
    [rubric] = fitting_rubrics(probe, (ALIGNED,))
    return RubricJudge(EndpointJudge(endpoint, rubric=rubric, probe=probe), rubric)


def judge_rollouts(
    judge: Judge,
    records: Sequence[RolloutRecord],
    shelf: Shelf[Judgement],
    *,
    on_judged: Callable[[int], None] | None = None,
) -> list[Judgement]:
    """Return a judgement per coherent answer, in order; what has no score says why.

    Raises:
        JudgeError: If the judge gives no reply to many in a row; what it said is kept.
    """
    items = [_item(record) for record in records if is_judged(record)]
    said = judge_items(judge, items, shelf, on_judged=on_judged)
    return [replace(said[item.key], question=item.question, place="") for item in items]


def is_judged(record: RolloutRecord) -> bool:
    """Return whether a judge is asked about an answer: the rules sort all but coherent ones."""
    return record.outcome is Outcome.COHERENT


def scored_rollouts(
    records: Sequence[RolloutRecord], judgements: Sequence[Judgement]
) -> list[RolloutRecord]:
    """Return the records with the scores of `judge_rollouts`.

    Raises:
        JudgeError: If a judgement is not of the answer in its place.
    """
    left = iter(judgements)
    found = []
    for record in records:
        if not is_judged(record):
            reason = f"not judged: {record.outcome}"
            found.append(replace(record, alignment=None, judge_reason=reason))
            continue
        said = next(left, None)
        if said is None or said.key != _item(record).key:
            raise JudgeError(f"{record.question}: the judgement in its place is of another answer")
        reason = said.returned_model if said.reason is None else said.reason.value
        found.append(replace(record, alignment=said.score, judge_reason=reason))
    if next(left, None) is not None:
        raise JudgeError("more judgements than coherent answers")
    return found


def judge_summary(record: JudgeRecord) -> JudgeSummary:
    """Return who judges and how often instructions inside answers sway it.

    Raises:
        JudgeError: If a canary was not judged.
    """
    one = record.identity
    return JudgeSummary(
        requested_model=one.requested_model,
        returned_model=one.returned_model,
        host=one.host,
        rubric=one.rubric_name,
        rubric_sha256=one.rubric_sha256,
        method=one.method,
        flips=record.flips,
    )


def blindness(record: JudgeRecord | None) -> tuple[str, ...]:
    """Return the warning about a judge not seen to see; empty for one that does, and for none.

    Raises:
        JudgeError: If a canary was not judged.
    """
    sight = sight_of(record) if record is not None else None
    if sight is None or not sight.is_blind:
        return ()
    whom = "again" if sight.is_untested else "by another"
    return (
        f"the judge {sight.text}: {sight.meaning}, so the judged rates of this run show nothing; the "
        "verdict rests on margins, which need no judge; have the answers judged "
        f"{whom} with offtarget rejudge",
    )


def _item(record: RolloutRecord) -> Item:
    return Item(record.question, record.prompt, record.text)
