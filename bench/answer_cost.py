"""What 800 sampled answers cost, and what the margins of all pairs cost, on the same model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from measure import Cost, Spread, spread, timed
from setting import Setting

from offtarget.core.codec import decode, parse, pretty
from offtarget.core.records import Message
from offtarget.core.seed import derive_seed
from offtarget.evaluate import RolloutConfig, everyday_questions, packaged_suite
from offtarget.lm import (
    Arithmetic,
    Choice,
    LanguageModel,
    Sampling,
    answer_logprobs,
    encode_answer,
    encode_prompt,
    sample_answers,
)

SUITES = ("offtarget-1", "offtarget-2")
N_QUESTIONS = 8
"""As many as the published free-form questions (Betley et al. 2025), 100 answers to each."""
N_ANSWERS = 800


@dataclass(frozen=True, slots=True)
class Terms:
    """What every round must have in common to be one measurement."""

    model_sha256: str
    arithmetic: Arithmetic
    questions: tuple[str, ...]
    n_answers: int
    """In all rounds together."""
    max_tokens: int
    temperature: float
    top_p: float
    n_rounds: int


@dataclass(frozen=True, slots=True)
class Round:
    """One turn: the first suite, a part of the answers, the second suite."""

    margins: dict[str, Cost]
    """By suite; the unit is a pair."""
    answers: Cost
    """The unit is an answer."""
    n_tokens: int


@dataclass(frozen=True, slots=True)
class Costs:
    """All rounds measured so far."""

    terms: Terms
    rounds: tuple[Round, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether all answers were sampled."""
        return len(self.rounds) == self.terms.n_rounds


@dataclass(frozen=True, slots=True)
class CostRatio:
    """All answers over one pass of margins."""

    suite: str
    n_pairs: int
    margins_s: Spread
    """CPU seconds of a pass."""
    answers_s: float
    """CPU seconds of all answers: a sum of what was measured."""
    ratio: Spread
    """All answers over the median, the slowest and the fastest pass."""
    wall_ratio: float


def measure_costs(
    setting: Setting,
    out: Path,
    *,
    max_tokens: int,
    n_rounds: int,
    limit: int,
    say: Callable[[str], None],
) -> Costs:
    """Return the rounds in `out` with up to `limit` new ones, each written as it ends.

    Each round asks the same questions for its share of the answers. A row's random numbers depend
    on question and index alone, so the parts together are the answers that one call would give.
    """
    lm = setting.load()
    torch.set_num_threads(setting.arithmetic.threads)
    questions = everyday_questions()[:: len(everyday_questions()) // N_QUESTIONS]
    config = RolloutConfig()
    terms = Terms(
        lm.identity.sha256, setting.arithmetic, tuple(q.id for q in questions), N_ANSWERS,
        max_tokens, config.temperature, config.top_p, n_rounds,
    )  # fmt: skip
    found = _kept(out, terms)
    choices = {name: suite_choices(lm, name) for name in SUITES}
    each = N_ANSWERS // len(questions) // n_rounds  # of a question in a round
    sampling = Sampling(max_tokens, config.temperature, config.top_p, 0)
    for number in range(len(found.rounds), min(n_rounds, len(found.rounds) + limit)):
        rows = [(q, i) for q in questions for i in range(number * each, (number + 1) * each)]
        prompts = [encode_prompt(lm, q.messages, place=q.id) for q, _ in rows]
        seeds = [derive_seed("cost of answers", q.id, i) for q, i in rows]
        tokens: list[int] = []
        margins = {SUITES[0]: _margins(lm, choices[SUITES[0]])}
        answers = timed(lambda: _answers(lm, prompts, sampling, seeds, tokens))  # noqa: B023
        margins[SUITES[1]] = _margins(lm, choices[SUITES[1]])
        found = Costs(terms, (*found.rounds, Round(margins, answers, sum(tokens))))
        out.write_text(pretty(found), encoding="utf-8")
        say(
            f"round {number + 1} of {n_rounds}: {answers.units} answers in {answers.cpu_s:.1f} CPU-s, "
            + ", ".join(f"{name} in {cost.cpu_s:.1f}" for name, cost in margins.items())
        )
    return found


def ratios_of(found: Costs) -> list[CostRatio]:
    """Return the ratio for each suite, over the answers that were sampled."""
    cpu = sum(one.answers.cpu_s for one in found.rounds)
    wall = sum(one.answers.wall_s for one in found.rounds)
    ratios = []
    for name in SUITES:
        passes = [one.margins[name] for one in found.rounds]
        margins = spread([cost.cpu_s for cost in passes])
        ratios.append(
            CostRatio(
                name, passes[0].units, margins, cpu,
                Spread(cpu / margins.median, cpu / margins.high, cpu / margins.low),
                wall / spread([cost.wall_s for cost in passes]).median,
            )
        )  # fmt: skip
    return ratios


def cost_table(found: Costs) -> str:
    """Return the ratios as Markdown, with what was sampled."""
    terms = found.terms
    n = sum(one.answers.units for one in found.rounds)
    tokens = sum(one.n_tokens for one in found.rounds)
    lines = [
        f"{n} of {terms.n_answers} answers to {len(terms.questions)} questions, at most "
        f"{terms.max_tokens} tokens ({tokens / n:.1f} on average), {terms.arithmetic.dtype}, "
        f"{terms.arithmetic.threads} thread(s)",
        "",
        "| pairs | margins, CPU-s a pass | answers, CPU-s in all | ratio | ratio by wall time |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.suite}: {one.n_pairs} | {one.margins_s.median:.1f} ({one.margins_s.low:.1f} to "
        f"{one.margins_s.high:.1f}) | {one.answers_s:.0f} | **{one.ratio.median:.1f}x** "
        f"({one.ratio.low:.1f} to {one.ratio.high:.1f}) | {one.wall_ratio:.1f}x |"
        for one in ratios_of(found)
    ]
    return "\n".join(lines)


def suite_choices(lm: LanguageModel, name: str) -> list[Choice]:
    """Return all harm and factual pairs of a packaged suite in the plain context."""
    suite = packaged_suite(name)
    return [
        Choice(
            encode_prompt(lm, (Message("user", pair.question),), place=pair.id),
            tuple(encode_answer(lm, a, place=pair.id) for a in (pair.aligned, pair.misaligned)),
        )
        for pair in (*suite.pairs, *suite.factual)
    ]


def _margins(lm: LanguageModel, choices: Sequence[Choice]) -> Cost:
    return timed(lambda: len(answer_logprobs(lm, choices)))


def _answers(
    lm: LanguageModel,
    prompts: Sequence[tuple[int, ...]],
    sampling: Sampling,
    seeds: Sequence[int],
    tokens: list[int],
) -> int:
    answers = sample_answers(lm, prompts, sampling, seeds=seeds)
    tokens += [len(answer) for answer in answers]
    return len(answers)


def _kept(out: Path, terms: Terms) -> Costs:
    """Return the rounds that an earlier call left in `out`."""
    if not out.is_file():
        return Costs(terms)
    place = out.name
    kept = decode(parse(out.read_text("utf-8"), place=place), Costs, place=place)
    if kept.terms != terms:
        raise SystemExit(f"{out}: measured under other terms; give another --out")
    return kept
