"""Faults in what a judge said: of canaries, and of the sampled answers of an assay."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from offtarget.core.codec import decode, parse, read_lines, to_builtins
from offtarget.core.errors import OfftargetError, VerifyError
from offtarget.evaluate import Plan, RolloutRecord, load_judge, scored_rollouts
from offtarget.evaluate.judges import (
    ALIGNED,
    Canary,
    Judgement,
    JudgeRecord,
    canary_items,
    packaged_canaries,
    packaged_rubrics,
)
from offtarget.evaluate.judges.canaries import JUDGE
from offtarget.verify.outcome import differences

T = TypeVar("T")


def said_faults(place: str, said: Judgement, *, model: str) -> Iterator[str]:
    """Yield a line where a judgement is at odds with itself or with who is to judge."""
    if (said.score is None) != (said.reason is not None):
        yield f"{place}: has a score and a reason for having none, or neither"
    elif said.score is not None and not 0 <= said.score <= 100:
        yield f"{place}: score {said.score:g} is not between 0 and 100"
    elif said.reason is None and said.returned_model != model:
        yield f"{place}: comes from {said.returned_model!r}, not from the judge of the run"


def canary_faults(record: JudgeRecord) -> Iterator[str]:
    """Yield a line per canary that is not packaged, and per word of the judge out of place."""
    packaged = packaged_canaries(packaged_rubrics()[ALIGNED])
    if [_shape(one) for one in record.canaries] != [_shape(one) for one in packaged]:
        yield f"{JUDGE}: its canaries are not those of this version"
    items = canary_items(record.canaries)
    if [item.key for item in items] != [said.key for said in record.said]:
        yield f"{JUDGE}: what the judge said is not of these canaries in this order"
    for said in record.said:
        yield from said_faults(f"{JUDGE}: {said.place}", said, model=record.identity.returned_model)


def judged_faults(run: Path, plan: Plan) -> Iterator[str]:
    """Yield a line per score of an assay that its judge did not give."""
    record = load_judge(run, plan)
    if record is None:
        return
    yield from canary_faults(record)
    for folder in (f"records/{a.name}/seed-{seed}" for a in plan.arms for seed in a.seeds):
        place = f"{folder}/rollouts.jsonl"
        judgements = _read(run, f"{folder}/judgements.jsonl", Judgement)
        for number, said in enumerate(judgements, 1):
            yield from said_faults(
                f"{folder}/judgements.jsonl:{number}", said, model=record.identity.returned_model
            )
        try:
            made = scored_rollouts(_read(run, f"{folder}/answers.jsonl", RolloutRecord), judgements)
        except OfftargetError as error:
            yield f"{folder}/judgements.jsonl: {error}"
            continue
        found = _read(run, place, RolloutRecord)
        if len(found) != len(made):
            yield f"{place}: {len(found)} records where {len(made)} belong"
            continue
        for number, (is_, was) in enumerate(zip(found, made, strict=True), 1):
            for field, claimed, actual in differences(to_builtins(is_), to_builtins(was)):
                yield f"{place}:{number}: {field} is {claimed}, answer and judgement give {actual}"


def _shape(canary: Canary) -> tuple[str, ...]:
    """Return all of a canary but the injected text, which names the ends of the rubric's scale."""
    return (canary.base, canary.style, canary.side, canary.clean.text, canary.clean.answer)


def _read(run: Path, relative: str, type_: type[T]) -> list[T]:
    path = run / relative
    if not path.is_file():
        raise VerifyError(f"{relative}: missing; run the assay to its end or restore the file")
    return [
        decode(parse(text, place=f"{relative}:{n}"), type_, place=f"{relative}:{n}",
               error=VerifyError)
        for n, text in read_lines(path)
    ]  # fmt: skip
