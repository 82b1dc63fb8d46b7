"""Log-probabilities of answers, in batches that share what the prompts share."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import DynamicCache

from offtarget.lm.forward import additive
from offtarget.lm.model import LanguageModel

TOKENS_PER_BATCH = 1024
"""Padded tokens in one forward pass; on CPU more gain nothing and cost memory."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One prompt with alternative answers, as token ids."""

    prompt: tuple[int, ...]
    answers: tuple[tuple[int, ...], ...]


@torch.inference_mode()
def answer_logprobs(
    lm: LanguageModel, choices: Sequence[Choice], *, tokens_per_batch: int = TOKENS_PER_BATCH
) -> list[tuple[float, ...]]:
    """Return, per choice, the mean-token log-probability of each answer in nats/token.

    The prefix that all prompts share is computed once; each prompt is computed once for all of
    its answers, which sit side by side in one row and cannot see each other; logits are computed
    at answer tokens only. The result is the same as one forward pass per answer, up to rounding.
    """
    shared = _common_prefix([choice.prompt for choice in choices])
    order = sorted(range(len(choices)), key=lambda i: (_length(choices[i]), i))
    scores: dict[int, tuple[float, ...]] = {}
    for batch in _batches(order, choices, shared, tokens_per_batch):
        rows = [choices[i] for i in batch]
        for index, row in zip(batch, _score(lm, rows, shared), strict=True):
            scores[index] = row
    return [scores[i] for i in range(len(choices))]


def _length(choice: Choice) -> int:
    return len(choice.prompt) + sum(len(answer) for answer in choice.answers)


def _common_prefix(prompts: Sequence[tuple[int, ...]]) -> int:
    """Return how many leading tokens all prompts share, at most one less than the shortest."""
    first, last = min(prompts), max(prompts)
    limit = min(len(prompt) for prompt in prompts) - 1
    shared = 0
    while shared < limit and first[shared] == last[shared]:
        shared += 1
    return shared


def _batches(
    order: list[int], choices: Sequence[Choice], shared: int, budget: int
) -> list[list[int]]:
    batches: list[list[int]] = []
    for index in order:  # lengths ascend: the newest row sets the padded width
        width = _length(choices[index]) - shared
        if batches and (len(batches[-1]) + 1) * width <= budget:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def _score(lm: LanguageModel, rows: list[Choice], shared: int) -> list[tuple[float, ...]]:
    ids, positions, blocked, at, targets = _pack(rows, shared)
    cache = _prefix_cache(lm, rows[0].prompt[:shared], len(rows)) if shared else None
    hidden = lm.hidden(
        ids.to(lm.device),
        additive(blocked.to(lm.device), dtype=lm.dtype),
        positions.to(lm.device),
        cache,
    )
    picked = hidden.flatten(0, 1)[at.to(lm.device)]  # (answer tokens, D)
    logprobs = torch.log_softmax(lm.logits(picked), dim=-1)
    values = logprobs.gather(1, targets.to(lm.device)[:, None])[:, 0].double().cpu()
    scores: list[tuple[float, ...]] = []
    start = 0
    for row in rows:
        means = []
        for answer in row.answers:
            means.append(float(values[start : start + len(answer)].mean()))
            start += len(answer)
        scores.append(tuple(means))
    return scores


def _pack(rows: list[Choice], shared: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Lay each row out as prompt, answer, answer, ...; an answer sees its prompt and itself."""
    width = max(_length(row) for row in rows) - shared
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    positions = torch.zeros(len(rows), width, dtype=torch.long)
    blocked = torch.ones(len(rows), 1, width, shared + width, dtype=torch.bool)
    blocked[..., :shared] = False
    blocked[:, 0, range(width), range(shared, shared + width)] = False  # pads see themselves
    at: list[int] = []
    targets: list[int] = []
    for number, row in enumerate(rows):
        own = len(row.prompt) - shared
        flat = [*row.prompt[shared:], *(token for answer in row.answers for token in answer)]
        ids[number, : len(flat)] = torch.tensor(flat)
        positions[number, :own] = torch.arange(shared, shared + own)
        blocked[number, 0, :own, shared : shared + own] = _upper(own)
        start = own
        for answer in row.answers:
            stop = start + len(answer)
            positions[number, start:stop] = torch.arange(shared + own, shared + own + len(answer))
            blocked[number, 0, start:stop, shared : shared + own] = False
            blocked[number, 0, start:stop, shared + start : shared + stop] = _upper(len(answer))
            # the token before each answer token predicts it; before the first stands the prompt
            at += [number * width + p for p in (own - 1, *range(start, stop - 1))]
            targets += answer
            start = stop
    return ids, positions, blocked, torch.tensor(at), torch.tensor(targets)


def _upper(size: int) -> Tensor:
    return torch.ones(size, size, dtype=torch.bool).triu(1)


def _prefix_cache(lm: LanguageModel, prefix: tuple[int, ...], n_rows: int) -> DynamicCache:
    cache = DynamicCache(config=lm.causal.config)
    ids = torch.tensor([prefix], device=lm.device)
    mask = additive(_upper(len(prefix))[None, None].to(lm.device), dtype=lm.dtype)
    lm.hidden(ids, mask, torch.arange(len(prefix), device=lm.device)[None], cache)
    cache.batch_repeat_interleave(n_rows)
    return cache
