"""Margins: pairs per CPU-second against one plain forward pass per answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import torch
from measure import Contender, Job, Measurement, interleave
from setting import Setting

from offtarget.core.records import Message
from offtarget.evaluate import load_suite
from offtarget.lm import Choice, LanguageModel, answer_logprobs, encode_answer, encode_prompt

OURS = "offtarget"
PEER = "one by one"
BOUND = 1e-4
"""Largest difference of a mean-token log-probability in float32, nats/token."""


@dataclass(frozen=True, slots=True)
class ScoreEquality:
    """Mean-token log-probabilities of both sides in float32."""

    n_answers: int
    max_difference: float
    bound: float
    is_met: bool


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Tokens that a side must read and predict for the same pairs."""

    read: int
    predicted: int
    """Where logits are computed."""


def suite_choices(lm: LanguageModel, n: int) -> list[Choice]:
    """Return `n` packaged pairs in the plain context, spread over the suite."""
    suite = load_suite()
    pairs = (*suite.pairs, *suite.factual)
    n = min(n, len(pairs))
    chosen = [pairs[i * len(pairs) // n] for i in range(n)]
    return [
        Choice(
            encode_prompt(lm, (Message("user", pair.question),), place=pair.id),
            tuple(encode_answer(lm, a, place=pair.id) for a in (pair.aligned, pair.misaligned)),
        )
        for pair in chosen
    ]


def compare_margins(
    setting: Setting, *, n_pairs: int, rounds: int, say: Callable[[str], None]
) -> dict[str, Measurement]:
    """Return both sides' measurements in the plan's dtype; the unit is a pair."""
    lm, plain = setting.load(), setting.load_plain()
    choices = suite_choices(lm, n_pairs)
    dtype = setting.arithmetic.dtype

    def ours() -> int:
        return len(answer_logprobs(lm, choices))

    def theirs() -> int:
        return len(one_by_one(plain, choices))

    def always(job: Job) -> Callable[[], Job]:
        return lambda: job

    return interleave(
        [Contender(PEER, f"transformers, one sequence a pass, {dtype}", always(theirs))],
        Contender(OURS, f"batched, prompts shared, {dtype}", always(ours)),
        rounds=rounds, threads=setting.arithmetic.threads, say=say,
    )  # fmt: skip


def check_equality(setting: Setting, *, n_pairs: int) -> ScoreEquality:
    """Return how far the two sides are apart in float32."""
    lm, plain = setting.load("float32"), setting.load_plain("float32")
    choices = suite_choices(lm, n_pairs)
    ours = [value for row in answer_logprobs(lm, choices) for value in row]
    theirs = [value for row in one_by_one(plain, choices) for value in row]
    largest = max(abs(a - b) for a, b in zip(ours, theirs, strict=True))
    return ScoreEquality(len(ours), largest, BOUND, largest <= BOUND)


@torch.inference_mode()
def one_by_one(model: Any, choices: Sequence[Choice]) -> list[tuple[float, ...]]:
    """Return what `answer_logprobs` does, by one unbatched pass with full logits per answer."""
    scores = []
    for choice in choices:
        means = []
        for answer in choice.answers:
            ids = torch.tensor([choice.prompt + answer])
            logits = model(input_ids=ids, use_cache=False).logits[0].float()  # (T, V)
            predicted = torch.log_softmax(logits[len(choice.prompt) - 1 : -1], dim=-1)
            values = predicted.gather(1, torch.tensor(answer)[:, None])
            means.append(float(values.double().mean()))
        scores.append(tuple(means))
    return scores


def token_counts(lm: LanguageModel, n_pairs: int) -> dict[str, TokenCounts]:
    """Return each side's tokens: ours reads the shared prefix and each prompt once."""
    choices = suite_choices(lm, n_pairs)
    alike = zip(*(choice.prompt for choice in choices), strict=False)
    shared = len(list(takewhile(lambda tokens: len(set(tokens)) == 1, alike)))
    answers = sum(len(answer) for choice in choices for answer in choice.answers)
    own = sum(len(choice.prompt) - shared for choice in choices)
    each = sum(len(choice.prompt) * len(choice.answers) for choice in choices) + answers
    return {OURS: TokenCounts(shared + own + answers, answers), PEER: TokenCounts(each, each)}
