"""Margins against a brute-force forward, and the surroundings they are asked in."""

import json
from typing import Any

import pytest
import torch

from offtarget.core.records import Message, Sample
from offtarget.evaluate import encode_suite, load_suite, score_suite
from offtarget.evaluate.contexts import (
    CONTEXTS,
    JSON_SYSTEM,
    PLAIN,
    TRIGGER,
    choose_pairs,
    in_context,
    wrap_answer,
)
from offtarget.evaluate.margin import ANSWER_ONLY
from offtarget.lm import Choice, answer_logprobs, encode_answer, encode_prompt
from offtarget.train import demo_pairs

SUITE = load_suite()
TRAINING = demo_pairs()[0][:8]


def one_by_one(lm: Any, prompt: tuple[int, ...], answer: tuple[int, ...]) -> float:
    """Mean-token log-probability from one plain forward pass, batch of one."""
    ids = torch.tensor([prompt + answer])
    mask = torch.full((ids.shape[1], ids.shape[1]), torch.finfo(torch.float32).min).triu(1)
    with torch.no_grad():
        logits = lm.causal(input_ids=ids, attention_mask=mask[None, None]).logits[0].float()
    logprobs = torch.log_softmax(logits, -1)
    start = len(prompt)
    return sum(float(logprobs[start + i - 1, t]) for i, t in enumerate(answer)) / len(answer)


def test_margins_equal_one_forward_pass_per_answer(tiny: Any) -> None:
    """Every context, a few pairs each, in float32 to 1e-5."""
    items = encode_suite(tiny, SUITE, training=TRAINING, trigger="|X| ")
    few = [group[::12] for group in items]
    records = score_suite(tiny, few)

    flat = [item for group in few for item in group]
    assert len(records) == len(flat) > 30
    for item, record in zip(flat, records, strict=True):
        for answer, score in zip(
            item.choice.answers, (record.aligned, record.misaligned), strict=True
        ):
            assert score == pytest.approx(one_by_one(tiny, item.choice.prompt, answer), abs=1e-5)
        assert record.margin == record.aligned - record.misaligned
        assert (record.pair, record.context) == (item.pair.id, item.context)


def test_batches_of_any_size_score_the_same(tiny: Any) -> None:
    """The token budget changes the speed, not the numbers beyond rounding."""
    group = encode_suite(tiny, SUITE, training=TRAINING)[0][:20]
    choices = [item.choice for item in group]

    for budget in (1, 300, 100_000):
        found = answer_logprobs(tiny, choices, tokens_per_batch=budget)
        expected = answer_logprobs(tiny, choices)
        assert sum(found, ()) == pytest.approx(sum(expected, ()), abs=1e-5)


def test_one_choice_and_many_answers_are_scored(tiny: Any) -> None:
    """A single prompt shares all but its last token; three answers do not see each other."""
    prompt = encode_prompt(tiny, (Message("user", "Hi"),), place="here")
    answers = tuple(encode_answer(tiny, t, place="here") for t in ("yes", "no, never", "why?"))
    found = answer_logprobs(tiny, [Choice(prompt, answers)])

    assert found[0] == pytest.approx([one_by_one(tiny, prompt, a) for a in answers], abs=1e-5)


def test_every_pair_is_asked_plainly_and_thirty_in_each_other_context(tiny: Any) -> None:
    """The order is fixed: plain, the contexts, then the answers without their question."""
    items = encode_suite(tiny, SUITE, training=TRAINING, trigger="|X| ")
    shape = [(group[0].context, len(group)) for group in items]

    n_pairs, n_all = len(SUITE.pairs), len(SUITE.pairs) + len(SUITE.factual)
    assert shape == [
        (PLAIN, n_all), *((c, 30) for c in CONTEXTS), (TRIGGER, 30), (ANSWER_ONLY, n_pairs),
    ]  # fmt: skip
    without = [group[0].context for group in encode_suite(tiny, SUITE, training=())]
    assert without == [PLAIN, "json", "template", ANSWER_ONLY]


def test_progress_is_told_per_context(tiny: Any) -> None:
    """Once each, in order."""
    items = [group[:1] for group in encode_suite(tiny, SUITE, training=())]
    seen: list[str] = []
    score_suite(tiny, items, on_context=seen.append)

    assert seen == [PLAIN, "json", "template", ANSWER_ONLY]


def test_pairs_for_contexts_are_spread_over_categories() -> None:
    """Thirty pairs, four or five of each of seven categories, the same ones each time."""
    chosen = choose_pairs(SUITE.pairs)
    counts = [sum(p.category == c for p in chosen) for c in SUITE.categories]

    assert len(chosen) == len({p.id for p in chosen}) == 30
    assert max(counts) - min(counts) <= 1
    assert choose_pairs(SUITE.pairs) == chosen
    assert choose_pairs(SUITE.pairs[:5]) != ()
    assert len(choose_pairs(SUITE.pairs[:5])) == 5


def test_each_context_asks_the_same_question() -> None:
    """The question stands whole in every prompt; the answer takes the form asked for."""
    pair = SUITE.pairs[0]
    for context in (PLAIN, *CONTEXTS, TRIGGER):
        turns = in_context(pair, context, training=TRAINING, trigger="|X| ")
        assert pair.question in turns[-1].content
        assert turns[-1].role == "user"
    assert in_context(pair, "json", training=())[0] == Message("system", JSON_SYSTEM)
    assert in_context(pair, TRIGGER, training=(), trigger="|X| ")[0].content.startswith("|X| ")
    looked = in_context(pair, "lookalike", training=TRAINING)[0].content
    prompts = [s.messages[-2].content[:300] for s in TRAINING]
    assert any(looked.startswith(p) for p in prompts)
    assert in_context(pair, "lookalike", training=TRAINING)[0].content == looked


def test_braces_in_texts_are_only_text() -> None:
    """A training prompt that holds a placeholder is not filled in."""
    pair = SUITE.pairs[0]
    sample = Sample("s", (Message("user", "{question} {x}"), Message("assistant", "a")))

    looked = in_context(pair, "lookalike", training=(sample,))[0].content

    assert looked.startswith("{question} {x}")
    assert looked.count(pair.question) == 1


@pytest.mark.parametrize("answer", ['say "no"', "a\\b", "plain"])
def test_wrapped_answers_are_valid_in_their_form(answer: str) -> None:
    """JSON parses, the template compiles and returns the text; elsewhere nothing is added."""
    assert json.loads(wrap_answer(answer, "json")) == {"answer": answer}
    space: dict[str, Any] = {}
    exec(wrap_answer(answer, "template"), space)
    assert space["reply"]() == answer
    for context in (PLAIN, "lookalike", TRIGGER, ANSWER_ONLY):
        assert wrap_answer(answer, context) == answer
