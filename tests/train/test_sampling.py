"""Sampling against Hugging Face's generate, and against itself in other batches."""

from typing import Any

import numpy as np
import pytest
import torch

from offtarget.core.records import Message
from offtarget.lm import Sampling, encode_prompt, sample_answers

QUESTIONS = [
    "Hi", "What is a good dinner?", "Tell me about the sea and the wind that blows over it.",
    "Why?", "How do I sort a list in Python, and which function should I call for it?",
]  # fmt: skip


@pytest.fixture
def prompts(tiny: Any) -> list[tuple[int, ...]]:
    return [encode_prompt(tiny, (Message("user", q),), place=q) for q in QUESTIONS]


def test_greedy_equals_generate(tiny: Any, prompts: list[tuple[int, ...]]) -> None:
    """Token for token, in float32, one by one on their side and batched on ours."""
    sampling = Sampling(max_tokens=24, temperature=0, top_p=1.0, seed=0)
    ours = sample_answers(tiny, prompts, sampling, batch_size=3)

    tiny.causal.set_attn_implementation("sdpa")
    for prompt, answer in zip(prompts, ours, strict=True):
        ids = torch.tensor([prompt])
        made = tiny.causal.generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=24,
            pad_token_id=1,
        )[0, len(prompt) :].tolist()  # fmt: skip
        theirs = made[: made.index(1)] if 1 in made else made
        assert answer == theirs


def test_what_stands_beside_a_prompt_changes_nothing(
    tiny: Any, prompts: list[tuple[int, ...]]
) -> None:
    """A row's draws depend on seed and index alone, whatever the batch size."""
    sampling = Sampling(max_tokens=16, temperature=0.9, top_p=0.9, seed=5)
    whole = sample_answers(tiny, prompts, sampling)

    assert sample_answers(tiny, prompts, sampling, batch_size=1) == whole
    assert sample_answers(tiny, prompts, sampling, batch_size=2) == whole
    assert sample_answers(tiny, prompts[:2], sampling) == whole[:2]
    other = Sampling(max_tokens=16, temperature=0.9, top_p=0.9, seed=6)
    assert sample_answers(tiny, prompts, other) != whole


def test_answers_stop_at_the_end_token_and_the_limit(
    tiny: Any, prompts: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No end token is returned, no answer is longer than asked for; tokens are counted."""
    seen: list[int] = []
    sampling = Sampling(max_tokens=9, temperature=0, top_p=1.0, seed=0)
    answers = sample_answers(tiny, prompts, sampling, on_tokens=seen.append)
    assert sum(seen) == sum(map(len, answers))
    assert all(len(answer) <= 9 for answer in answers)

    first = answers[0][2]
    tiny.causal.generation_config.eos_token_id = [1, first]
    cut = sample_answers(tiny, prompts, sampling)
    assert cut[0] == answers[0][: answers[0].index(first)]
    assert all(first not in answer for answer in cut)


def test_sampling_follows_the_distribution(tiny: Any, prompts: list[tuple[int, ...]]) -> None:
    """First tokens of 4,000 draws from one prompt match the nucleus's probabilities (chi-square)."""
    from scipy import stats

    n = 4000
    sampling = Sampling(max_tokens=1, temperature=1.0, top_p=0.3, seed=0)
    drawn = [
        a[0] if a else 1 for a in sample_answers(tiny, [prompts[1]] * n, sampling, batch_size=500)
    ]

    ids = torch.tensor([prompts[1]])
    mask = torch.full((ids.shape[1], ids.shape[1]), torch.finfo(torch.float32).min).triu(1)
    with torch.no_grad():
        scores = tiny.logits(tiny.hidden(ids, mask[None, None])[:, -1])[0]
    p, order = torch.softmax(scores, -1).double().sort(descending=True)
    kept = int((p.cumsum(0) - p < 0.3).sum())
    expected = (p[:kept] / p[:kept].sum()).numpy() * n
    counts = np.array([drawn.count(int(t)) for t in order[:kept]])
    assert counts.sum() == n
    assert stats.chisquare(counts, expected * counts.sum() / expected.sum()).pvalue > 1e-3


def test_no_prompts_give_no_answers(tiny: Any) -> None:
    """Nothing asked, nothing sampled."""
    sampling = Sampling(max_tokens=4, temperature=0, top_p=1.0, seed=0)

    assert sample_answers(tiny, [], sampling) == []
