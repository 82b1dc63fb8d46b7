"""Sampling: tokens per CPU-second against Hugging Face `generate`, one prompt at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from measure import Contender, Job, Measurement, interleave
from setting import Setting

from offtarget.core.records import Message
from offtarget.evaluate import RolloutConfig, everyday_questions, load_suite
from offtarget.lm import LanguageModel, Sampling, encode_prompt, sample_answers

OURS = "offtarget"
PEER = "generate"
BATCH_SIZE = 32
TEMPERATURE, TOP_P = RolloutConfig().temperature, RolloutConfig().top_p


@dataclass(frozen=True, slots=True)
class GreedyEquality:
    """Greedy answers of both sides in float32."""

    n_prompts: int
    n_tokens: int
    n_different: int
    """Answers that are not the same token for token."""
    is_met: bool


@dataclass(frozen=True, slots=True)
class DecodeSteps:
    """Passes over the weights that one round took."""

    ours: int
    theirs: int


def question_prompts(lm: LanguageModel, n: int) -> list[tuple[int, ...]]:
    """Return `n` prompts: the packaged everyday questions, then those of the suite."""
    asked = [(q.id, q.messages) for q in everyday_questions()]
    asked += [(pair.id, (Message("user", pair.question),)) for pair in load_suite().pairs]
    return [encode_prompt(lm, messages, place=id_) for id_, messages in asked[:n]]


def compare_sampling(
    setting: Setting, *, n_prompts: int, max_tokens: int, rounds: int, say: Callable[[str], None]
) -> tuple[dict[str, Measurement], DecodeSteps]:
    """Return both sides' measurements in the plan's dtype; the unit is a sampled token.

    Both sides stop a row at its end token or at `max_tokens`, and neither has a least length.
    """
    lm, plain = setting.load(), setting.load_plain()
    prompts = question_prompts(lm, n_prompts)
    dtype = setting.arithmetic.dtype
    steps = {OURS: 0, PEER: 0}

    def ours() -> int:
        passes: list[int] = []
        sampling = Sampling(max_tokens=max_tokens, temperature=TEMPERATURE, top_p=TOP_P, seed=0)
        answers = sample_answers(
            lm, prompts, sampling, batch_size=BATCH_SIZE, on_tokens=passes.append
        )
        steps[OURS] = len(passes)
        return sum(min(len(answer) + 1, max_tokens) for answer in answers)

    def theirs() -> int:
        torch.manual_seed(0)
        answers = [generate(plain, prompt, max_tokens, TEMPERATURE) for prompt in prompts]
        steps[PEER] = sum(len(answer) for answer in answers)
        return steps[PEER]

    def always(job: Job) -> Callable[[], Job]:
        return lambda: job

    found = interleave(
        [Contender(PEER, f"transformers generate, one by one, {dtype}", always(theirs))],
        Contender(OURS, f"batch {BATCH_SIZE}, {dtype}", always(ours)),
        rounds=rounds, threads=setting.arithmetic.threads, say=say,
    )  # fmt: skip
    return found, DecodeSteps(steps[OURS], steps[PEER])


def check_greedy(setting: Setting, *, n_prompts: int, max_tokens: int) -> GreedyEquality:
    """Return whether both sides pick the same tokens at temperature 0 in float32."""
    lm, plain = setting.load("float32"), setting.load_plain("float32")
    prompts = question_prompts(lm, n_prompts)
    sampling = Sampling(max_tokens=max_tokens, temperature=0, top_p=1, seed=0)
    ours = sample_answers(lm, prompts, sampling, batch_size=BATCH_SIZE)
    theirs = [
        [token for token in generate(plain, prompt, max_tokens, 0) if token not in lm.end_ids]
        for prompt in prompts
    ]
    n_different = sum(a != b for a, b in zip(ours, theirs, strict=True))
    n_tokens = sum(len(answer) for answer in ours)
    return GreedyEquality(len(prompts), n_tokens, n_different, n_different == 0)


@torch.inference_mode()
def generate(model: Any, prompt: Sequence[int], max_tokens: int, temperature: float) -> list[int]:
    """Return one answer of Hugging Face `generate`, its end token included."""
    ids = torch.tensor([list(prompt)])
    sampled = {"do_sample": True, "temperature": temperature, "top_p": TOP_P, "top_k": 0}
    out = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=max_tokens,
        pad_token_id=model.generation_config.eos_token_id,
        **(sampled if temperature else {"do_sample": False}),
    )
    tokens: list[int] = out[0, len(prompt) :].tolist()
    return tokens
