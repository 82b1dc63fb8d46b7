"""Faults in what a judge said: of canaries, and of the sampled answers of an assay."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from offtarget.core.codec import to_builtins
from offtarget.core.errors import OfftargetError
from offtarget.evaluate import JudgeConfig, Plan, RolloutRecord, load_judge, scored_rollouts
from offtarget.evaluate.judges import (
    ALIGNED,
    JUDGE,
    Canary,
    JudgeIdentity,
    Judgement,
    JudgeRecord,
    Method,
    Scale,
    canary_items,
    packaged_canaries,
    packaged_rubrics,
)
from offtarget.evaluate.raw import read_stored
from offtarget.lm.endpoint_reply import is_same_model
from offtarget.verify.outcome import differences


def said_faults(place: str, said: Judgement, *, model: str, metric: str) -> Iterator[str]:
    """Yield a line where a judgement is at odds with itself or with who is to judge what."""
    if said.metric != metric:
        yield f"{place}: is about {said.metric}, {metric} belongs here"
    elif (said.score is None) != (said.reason is not None):
        yield f"{place}: has a score and a reason for having none, or neither"
    elif said.score is not None and not 0 <= said.score <= 100:
        yield f"{place}: score {said.score:g} is not between 0 and 100"
    elif said.reason is None and said.returned_model != model:
        yield f"{place}: comes from {said.returned_model!r}, not from the judge of the run"


def canary_faults(record: JudgeRecord) -> Iterator[str]:
    """Yield a line per canary that is not packaged, and per word of the judge out of place."""
    if not _are_packaged(record):
        yield f"{JUDGE}: its canaries are not those of this version"
    items = canary_items(record.canaries)
    if [item.key for item in items] != [said.key for said in record.said]:
        yield f"{JUDGE}: what the judge said is not of these canaries in this order"
    model = record.identity.returned_model
    for said in record.said:
        yield from said_faults(f"{JUDGE}: {said.place}", said, model=model, metric=ALIGNED)


def identity_faults(identity: JudgeIdentity, planned: JudgeConfig) -> Iterator[str]:
    """Yield a line where the judge of an assay is not the one that its plan names."""
    rubrics = {
        rubric.sha256: rubric.name
        for scale in Scale
        for rubric in packaged_rubrics(scale).values()
        if rubric.metric == ALIGNED
    }
    claims = {
        "requested_model": (identity.requested_model, planned.model),
        "host": (identity.host, urlsplit(planned.url).netloc),
        "metric": (identity.metric, ALIGNED),
        "rubric_name": (identity.rubric_name, rubrics.get(identity.rubric_sha256)),
    }
    for name, (is_, was) in claims.items():
        if is_ != was:
            yield f"{JUDGE}: {name} is {is_!r}, the plan says {was!r}"
    if not is_same_model(identity.requested_model, identity.returned_model):
        yield f"{JUDGE}: answered as {identity.returned_model!r}, which is another model"


def judged_faults(run: Path, plan: Plan) -> Iterator[str]:
    """Yield a line per score of an assay that its judge did not give."""
    record = load_judge(run, plan)
    if record is None:
        return
    assert plan.judge is not None
    yield from identity_faults(record.identity, plan.judge)
    yield from canary_faults(record)
    model = record.identity.returned_model
    for folder in (f"records/{a.name}/seed-{seed}" for a in plan.arms for seed in a.seeds):
        place = f"{folder}/rollouts.jsonl"
        judgements = read_stored(run, f"{folder}/judgements.jsonl", Judgement)
        for number, said in enumerate(judgements, 1):
            at = f"{folder}/judgements.jsonl:{number}"
            yield from said_faults(at, said, model=model, metric=ALIGNED)
        try:
            answers = read_stored(run, f"{folder}/answers.jsonl", RolloutRecord)
            made = scored_rollouts(answers, judgements)
        except OfftargetError as error:
            yield f"{folder}/judgements.jsonl: {error}"
            continue
        found = read_stored(run, place, RolloutRecord)
        if len(found) != len(made):
            yield f"{place}: {len(found)} records where {len(made)} belong"
            continue
        for number, (is_, was) in enumerate(zip(found, made, strict=True), 1):
            for field, claimed, actual in differences(to_builtins(is_), to_builtins(was)):
                yield f"{place}:{number}: {field} is {claimed}, answer and judgement give {actual}"


def _are_packaged(record: JudgeRecord) -> bool:
    """Return whether the canaries are the packaged ones, for the scale of the judge's rubric.

    The letters of a rubric of a user's own are not known here: then all but the injected texts is
    compared, and that each holds its plain answer and more.
    """
    packaged = [packaged_canaries(packaged_rubrics(scale)[ALIGNED]) for scale in Scale]
    if record.canaries in packaged:
        return True
    own = {rubric.sha256 for scale in Scale for rubric in packaged_rubrics(scale).values()}
    is_foreign = record.identity.rubric_sha256 not in own
    if not is_foreign or record.identity.method is not Method.LETTERS:
        return False
    shapes = [
        [_shape(canary) for canary in canaries] for canaries in (record.canaries, packaged[0])
    ]
    return shapes[0] == shapes[1] and all(
        one.clean.answer in one.injected.answer
        and len(one.injected.answer) > len(one.clean.answer) + len(one.style)
        for one in record.canaries
    )


def _shape(canary: Canary) -> tuple[str, ...]:
    return (canary.base, canary.style, canary.side, canary.clean.text, canary.clean.answer)
