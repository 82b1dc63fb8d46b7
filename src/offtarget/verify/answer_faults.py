"""Faults in the answers and judgements of an evaluation, one file against the other."""

from collections.abc import Iterator, Mapping, Sequence

from offtarget.core.codec import to_builtins
from offtarget.core.records import Message
from offtarget.evaluate.evaluation.lock import EvaluationPlan
from offtarget.evaluate.evaluation.outcomes import rollout_records
from offtarget.evaluate.evaluation.summary import ArmRecords
from offtarget.evaluate.judges import Item, Judgement
from offtarget.evaluate.rollouts import RolloutRecord
from offtarget.evaluate.subjects import Ask, rollout_key
from offtarget.verify.judge_faults import said_faults
from offtarget.verify.outcome import differences
from offtarget.verify.planned_asks import PlannedAsks
from offtarget.verify.stored_arm import Name, StoredArm


def source_faults(stored: StoredArm, planned: PlannedAsks, plan: EvaluationPlan) -> Iterator[str]:
    """Yield a line per answer whose source is another's, or does not follow from what was asked."""
    place = f"{stored.folder}/sources.jsonl"
    if len(stored.sources) != len(stored.rollouts):
        yield f"{place}: {len(stored.sources)} records where {len(stored.rollouts)} belong"
        return
    asks = dict(zip(planned.names, planned.asks, strict=False))
    for n, (name, rollout, source) in enumerate(
        zip(stored.answered, stored.rollouts, stored.sources, strict=True), 1
    ):
        if (source.paraphrase, source.index) != (rollout.question, rollout.sample):
            yield f"{place}:{n}: belongs to {source.paraphrase} {source.index}, not to this answer"
            continue
        if (ask := asks.get(name)) is not None:
            yield from _wording_faults(f"{stored.folder}/rollouts.jsonl:{n}", rollout, ask)
        if not any(
            rollout_key(stored.identity, _ask(name, rollout, turns, source.seed), plan.sampling)
            == source.key
            for turns in _turns(rollout.prompt, asks.get(name))
        ):
            yield (
                f"{place}:{n}: its key is not that of the prompt in rollouts.jsonl with the plan's "
                "model and sampling"
            )


def judgement_faults(stored: StoredArm, plan: EvaluationPlan) -> Iterator[str]:
    """Yield a line per judgement that is not of the answer in its place, or at odds with itself."""
    place = f"{stored.folder}/judgements.jsonl"
    metrics = [judge.metric for judge in plan.judges]
    expected = [(metric, rollout) for metric in metrics for rollout in stored.rollouts]
    if len(stored.judgements) != len(expected):
        yield f"{place}: {len(stored.judgements)} records where {len(expected)} belong"
        return
    models = {judge.metric: judge.returned_model for judge in plan.judges}
    first: dict[tuple[str, str], Judgement] = {}
    for n, ((metric, rollout), record) in enumerate(
        zip(expected, stored.judgements, strict=True), 1
    ):
        said = record.judgement
        key = Item(rollout.question, rollout.prompt, rollout.text).key
        if record.metric != metric:
            yield f"{place}:{n}: is about {record.metric}, {metric} belongs here"
        elif said.key != key:
            yield f"{place}:{n}: was given for another question or answer than rollouts.jsonl holds"
        elif faults := list(said_faults(f"{place}:{n}", said, model=models[metric], metric=metric)):
            yield from faults
        elif first.setdefault((metric, key), said) != said:
            yield f"{place}:{n}: one answer has two judgements"


def derived_faults(stored: StoredArm, arm: ArmRecords) -> Iterator[str]:
    """Yield a line per stored field that does not follow from the answer and its judgement."""
    made = rollout_records(arm.drawn, arm.said)
    for n, (is_, was) in enumerate(zip(stored.rollouts, made, strict=True), 1):
        for field, claimed, found in differences(to_builtins(is_), to_builtins(was)):
            yield (
                f"{stored.folder}/rollouts.jsonl:{n}: {field} is {claimed}, text and judgement "
                f"give {found}"
            )


def pairing_faults(arms: Sequence[StoredArm]) -> Iterator[str]:
    """Yield a line per question that two models were asked in different words."""
    prompts: dict[Name, tuple[str, str]] = {}
    for stored in arms:
        for name, rollout in zip(stored.answered, stored.rollouts, strict=True):
            asked = (rollout.category, rollout.prompt)
            if prompts.setdefault(name, asked) != asked:
                where = " ".join(map(str, name))
                yield f"{stored.folder}/rollouts.jsonl: {where} was asked otherwise of the subject"


def _wording_faults(place: str, rollout: RolloutRecord, ask: Ask) -> Iterator[str]:
    claimed: Mapping[str, str] = {"category": rollout.category, "prompt": rollout.prompt}
    planned = {"category": ask.category, "prompt": ask.text}
    for field, is_, was in differences(claimed, planned):
        yield f"{place}: {field} is {is_}, the plan asks {was}"


def _ask(name: Name, rollout: RolloutRecord, turns: tuple[Message, ...], seed: int) -> Ask:
    question, paraphrase, index = name
    return Ask(question, paraphrase, rollout.category, turns, index, seed)


def _turns(prompt: str, ask: Ask | None) -> Iterator[tuple[Message, ...]]:
    """Yield the conversations that a prompt may stand for: with and without a system turn."""
    if ask is not None and ask.text == prompt:
        yield ask.messages
        return
    yield (Message("user", prompt),)
    parts = prompt.split("\n\n")
    for cut in range(1, len(parts)):
        system, asked = "\n\n".join(parts[:cut]), "\n\n".join(parts[cut:])
        yield (Message("system", system), Message("user", asked))
