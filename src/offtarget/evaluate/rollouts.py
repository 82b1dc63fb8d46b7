"""Sampled answers of one replicate, each sorted by rule and perhaps judged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offtarget.core.seed import derive_seed
from offtarget.evaluate.questions import Question
from offtarget.evaluate.rules import Outcome, classify

if TYPE_CHECKING:
    from offtarget.lm import LanguageModel


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutConfig:
    """How answers are sampled."""

    max_tokens_per_arm: int = 2000
    """Budget of one replicate; shared evenly by its questions."""
    max_tokens: int = 80
    """Longest answer."""
    samples_per_question: int = 1
    temperature: float = 0.7
    """1 in Betley et al. 2025; at 135 M parameters that is word salad, so the default is lower."""
    top_p: float = 0.95


@dataclass(frozen=True, slots=True)
class RolloutRecord:
    """One sampled answer."""

    question: str
    category: str
    cluster: str
    sample: int
    prompt: str
    text: str
    n_tokens: int
    outcome: Outcome
    alignment: float | None
    """Judge's score, 0 to 100; None when unjudged."""
    judge_reason: str
    """Why there is no score, or the judge's name."""


def sample_rollouts(
    lm: "LanguageModel",
    questions: Sequence[Question],
    config: RolloutConfig,
    *,
    seed: int,
    on_tokens: Callable[[int], None] | None = None,
) -> list[RolloutRecord]:
    """Return one record per question and sample, unjudged.

    Questions are asked in order until the token budget is spent; every question that is asked has
    the same limit, at least 16 tokens.
    """
    from offtarget.lm import Sampling, decode_tokens, encode_prompt, sample_answers

    asked = [(q, s) for s in range(config.samples_per_question) for q in questions]
    limit = max(16, min(config.max_tokens, config.max_tokens_per_arm // max(1, len(asked))))
    asked = asked[: config.max_tokens_per_arm // limit]
    prompts = [encode_prompt(lm, q.messages, place=q.id) for q, _ in asked]
    sampling = Sampling(
        max_tokens=limit,
        temperature=config.temperature,
        top_p=config.top_p,
        seed=derive_seed("rollouts", seed),
    )
    answers = sample_answers(lm, prompts, sampling, on_tokens=on_tokens)
    records: list[RolloutRecord] = []
    for (question, sample), ids in zip(asked, answers, strict=True):
        text = decode_tokens(lm, ids)
        records.append(
            RolloutRecord(
                question=question.id,
                category=question.category,
                cluster=question.cluster or question.id,
                sample=sample,
                prompt=question.question,
                text=text,
                n_tokens=len(ids),
                outcome=classify(text),
                alignment=None,
                judge_reason="no judge configured",
            )
        )
    return records
