"""Our sampler against transformers `generate` at temperature 0 in float32: same tokens, what time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from measure import Contender, Cost, Job, interleave
from rollouts import generate, question_prompts
from setting import Setting
from table import Ratio, ratio_of

from offtarget.lm import LanguageModel, Sampling, sample_answers

OURS, SINGLE, BATCHED = "offtarget", "generate, one by one", "generate, padded batch"
BATCH_SIZE = 32
Answers = list[list[int]]


@dataclass(frozen=True, slots=True)
class Fork:
    """Where two greedy answers part, and how close the two tokens are there."""

    peer: str
    prompt: int
    position: int
    """Of the first different token, 0-based."""
    gap: float
    """Our token's logit minus the peer's, float64, over the tokens that both agree on."""
    is_ours_first: bool
    """Whether float64 takes our token."""
    is_theirs_first: bool


@dataclass(frozen=True, slots=True)
class Equality:
    """Greedy answers of the three sides."""

    n_prompts: int
    max_tokens: int
    n_tokens: int
    """Of ours, end tokens included."""
    n_same: dict[str, int]
    """Answers that equal ours token for token, by peer."""
    forks: tuple[Fork, ...]


@dataclass(frozen=True, slots=True)
class Greedy:
    """Agreement, and rounds where there were any."""

    threads: int
    equality: Equality
    ratios: tuple[Ratio, ...]
    costs: dict[str, tuple[Cost, ...]]


def measure_greedy(
    setting: Setting, *, n_prompts: int, max_tokens: int, rounds: int, say: Callable[[str], None]
) -> Greedy:
    """Return whether the sides give the same tokens, then what each costs in interleaved rounds.

    The answers that are compared are those of the first timed round, or of an untimed one.
    """
    torch.set_num_threads(setting.arithmetic.threads)
    lm, plain = setting.load(), setting.load_plain()
    prompts = question_prompts(lm, n_prompts)
    sampling = Sampling(max_tokens=max_tokens, temperature=0, top_p=1, seed=0)
    makers: dict[str, Callable[[], Answers]] = {
        OURS: lambda: sample_answers(lm, prompts, sampling, batch_size=BATCH_SIZE),
        SINGLE: lambda: [_cut(lm, generate(plain, p, max_tokens, 0)) for p in prompts],
        BATCHED: lambda: generate_padded(lm, plain, prompts, max_tokens),
    }
    told: dict[str, Answers] = {}

    def job(name: str) -> Job:
        def work() -> int:
            answers = makers[name]()
            told.setdefault(name, answers)
            return sum(min(len(answer) + 1, max_tokens) for answer in answers)

        return work

    settings = {OURS: f"batch {BATCH_SIZE}", SINGLE: "", BATCHED: f"batch {BATCH_SIZE}, by length"}
    ours, *peers = [
        Contender(name, f"{settings[name]}, float32", lambda name=name: job(name))  # type: ignore[misc]
        for name in (OURS, SINGLE, BATCHED)
    ]
    found = interleave(peers, ours, rounds=rounds, threads=setting.arithmetic.threads, say=say)
    if not rounds:
        told = {name: make() for name, make in makers.items()}
    ratios = (
        [ratio_of("greedy", "tokens", found, one.name, None) for one in peers] if rounds else []
    )
    return Greedy(
        setting.arithmetic.threads,
        _equality(plain, prompts, told, max_tokens),
        tuple(ratios),
        {name: one.costs for name, one in found.items()},
    )


@torch.inference_mode()
def generate_padded(
    lm: LanguageModel, model: Any, prompts: Sequence[tuple[int, ...]], max_tokens: int
) -> Answers:
    """Return greedy answers of Hugging Face `generate`, padded on the left, without end tokens.

    Prompts are sorted by length, so that the peer pads as little as ours does.
    """
    order = sorted(range(len(prompts)), key=lambda i: (len(prompts[i]), i))
    answers: Answers = [[] for _ in prompts]
    for start in range(0, len(order), BATCH_SIZE):
        rows = order[start : start + BATCH_SIZE]
        width = max(len(prompts[i]) for i in rows)
        ids = torch.zeros(len(rows), width, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, i in enumerate(rows):
            ids[row, width - len(prompts[i]) :] = torch.tensor(prompts[i])
            mask[row, width - len(prompts[i]) :] = 1
        out = model.generate(
            ids,
            attention_mask=mask,
            max_new_tokens=max_tokens,
            pad_token_id=model.generation_config.eos_token_id,
            do_sample=False,
        )
        for i, answer in zip(rows, out[:, width:].tolist(), strict=True):
            answers[i] = _cut(lm, answer)
    return answers


def greedy_table(found: Greedy) -> str:
    """Return agreement and ratios as Markdown."""
    same = found.equality
    lines = [
        f"{same.n_prompts} prompts, at most {same.max_tokens} tokens, {same.n_tokens} tokens in all, "
        f"float32, {found.threads} thread(s)",
        "",
    ]
    for peer, n in same.n_same.items():
        lines.append(f"- {peer}: {n} of {same.n_prompts} answers are the same token for token")
    lines += [
        f"  - {fork.peer}, prompt {fork.prompt}, token {fork.position}: logits {abs(fork.gap):.1e} "
        f"apart in float64, which takes "
        f"{'ours' if fork.is_ours_first else 'theirs' if fork.is_theirs_first else 'neither'}"
        for fork in same.forks
    ]
    if found.ratios:
        lines += ["", "| peer | peer, tokens per CPU-s | ours | ratio | by wall time |"]
        lines += ["|---|---|---|---|---|"]
    for one in found.ratios:
        rates = [sorted(cost.per_cpu_s for cost in found.costs[name]) for name in (one.peer, OURS)]
        shown = [f"{r[len(r) // 2]:.1f} ({r[0]:.1f} to {r[-1]:.1f})" for r in rates]
        lines.append(
            f"| {one.peer} | {shown[0]} | {shown[1]} "
            f"| **{one.median:.2f}x** ({one.low:.2f} to {one.high:.2f}) | {one.wall_median:.2f}x |"
        )
    return "\n".join(lines)


def _cut(lm: LanguageModel, answer: Sequence[int]) -> list[int]:
    """Return the tokens before the first end token."""
    for place, token in enumerate(answer):
        if token in lm.end_ids:
            return list(answer[:place])
    return list(answer)


def _equality(
    plain: Any, prompts: Sequence[tuple[int, ...]], told: dict[str, Answers], max_tokens: int
) -> Equality:
    ours = told[OURS]
    apart = [
        (peer, i, ours[i], told[peer][i])
        for peer in (SINGLE, BATCHED)
        for i in range(len(prompts))
        if ours[i] != told[peer][i]
    ]
    exact = plain.double() if apart else plain
    return Equality(
        len(prompts),
        max_tokens,
        sum(min(len(answer) + 1, max_tokens) for answer in ours),
        {
            peer: sum(a == b for a, b in zip(ours, told[peer], strict=True))
            for peer in (SINGLE, BATCHED)
        },
        tuple(_fork(exact, peer, i, prompts[i], a, b) for peer, i, a, b in apart),
    )


@torch.inference_mode()
def _fork(
    exact: Any, peer: str, index: int, prompt: tuple[int, ...], ours: list[int], theirs: list[int]
) -> Fork:
    """Return the first difference; an answer that ends first ends with the end token."""
    end = exact.generation_config.eos_token_id
    end = end[0] if isinstance(end, list) else end
    a, b = [*ours, end], [*theirs, end]
    place = next(i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y)
    ids = torch.tensor([[*prompt, *ours[:place]]])
    logits = exact(input_ids=ids, use_cache=False).logits[0, -1]
    best = int(logits.argmax())
    gap = float(logits[a[place]] - logits[b[place]])
    return Fork(peer, index, place, gap, best == a[place], best == b[place])
