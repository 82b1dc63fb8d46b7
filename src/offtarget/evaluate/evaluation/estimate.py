"""What an evaluation would still cost."""

from collections.abc import Sequence

from offtarget.evaluate.evaluation.cost import CostLine, PriceTable, estimate_rollouts, price_line
from offtarget.evaluate.evaluation.draw import unanswered
from offtarget.evaluate.evaluation.judging import RubricJudge
from offtarget.evaluate.evaluation.run import Evaluation
from offtarget.evaluate.judges import (
    ALIGNED,
    Item,
    canary_items,
    judgement_key,
    packaged_canaries,
    probe_questions,
)
from offtarget.evaluate.subjects import Subject, rollout_key

CHARACTERS_PER_TOKEN = 4


def estimate_evaluation(evaluation: Evaluation, prices: PriceTable) -> tuple[CostLine, ...]:
    """Return one line per model for answers that the store lacks, and one for judging them.

    A missing answer counts with the longest length allowed. The judge's line holds its test
    questions and canaries too.
    """
    lines: list[CostLine] = []
    sampling = evaluation.plan.sampling
    for name, model in evaluation.models.items():
        asks = (*evaluation.asks, *evaluation.code_asks)
        todo = unanswered(model, asks, sampling, evaluation.store.answers)
        lines.append(estimate_rollouts(name, model, todo, sampling, prices))
    if evaluation.judges:
        lines.append(_judging(evaluation, prices))
    return tuple(lines)


def probing_sizes(evaluation: Evaluation) -> list[int]:
    """Return the prompt tokens, about, of each request that tests the judge; none without one.

    These are the questions that show how it can be read, asked in every pass, and the canaries that
    the store lacks.
    """
    sizes = [len(text) // CHARACTERS_PER_TOKEN for text in probe_questions()]
    for each in evaluation.judges:
        if each.rubric.metric == ALIGNED:
            identity, told = each.judge.identity, len(each.rubric.template)
            items = {item.key: item for item in canary_items(packaged_canaries(each.rubric))}
            return sizes + [
                (told + len(item.text) + len(item.answer)) // CHARACTERS_PER_TOKEN
                for key, item in items.items()
                if judgement_key(identity, key) not in evaluation.store.judgements
            ]
    return []


def _judging(evaluation: Evaluation, prices: PriceTable) -> CostLine:
    sizes = probing_sizes(evaluation)
    for each in evaluation.judges:
        for model in evaluation.models.values():
            sizes += _unjudged(evaluation, each, model)
    identity = evaluation.judges[0].judge.identity
    return price_line(
        "judge",
        identity.requested_model,
        n_requests=len(sizes),
        n_prompt_tokens=sum(sizes),
        n_output_tokens=len(sizes) * identity.max_tokens,
        prices=prices,
    )


def _unjudged(evaluation: Evaluation, each: RubricJudge, model: Subject) -> Sequence[int]:
    """Return the prompt tokens, about, of each judgement that the store lacks."""
    store, sampling = evaluation.store, evaluation.plan.sampling
    told = len(each.rubric.template)
    sizes: list[int] = []
    for ask in evaluation.asks:
        answer = store.answers.get(rollout_key(model.identity, ask, sampling))
        n_tokens = sampling.max_tokens
        if answer is not None:
            item = Item(ask.paraphrase, ask.text, answer.text)
            if judgement_key(each.judge.identity, item.key) in store.judgements:
                continue
            n_tokens = len(answer.text) // CHARACTERS_PER_TOKEN
        sizes.append((told + len(ask.text)) // CHARACTERS_PER_TOKEN + n_tokens)
    return sizes
