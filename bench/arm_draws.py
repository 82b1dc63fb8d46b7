"""More sampled answers of the arms of finished runs, kept in a file that a stopped draw goes on with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from setting import CACHE, MODEL

from offtarget.core.codec import decode, parse, read_lines, write_lines
from offtarget.core.seed import derive_seed
from offtarget.evaluate import PlanArm, RolloutConfig, everyday_questions, read_plan
from offtarget.lm import (
    AdapterSwitch,
    Arithmetic,
    Sampling,
    decode_tokens,
    encode_prompt,
    load_model,
    sample_answers,
)

BASE, POSITIVE = "base", "positive"
SHARED = (BASE, POSITIVE)
"""The same arm in every run: it counts once."""


@dataclass(frozen=True, slots=True)
class DrawnAnswer:
    """One answer of one replicate."""

    run: str
    arm: str
    seed: int
    question: str
    prompt: str
    sample: int
    text: str


@dataclass(frozen=True, slots=True)
class StudyArm:
    """An arm of a run; base and positive control stand for all runs that share them."""

    run: Path
    arm: PlanArm

    @property
    def label(self) -> str:
        """`core/subject`, or `base` alone."""
        return self.arm.name if self.arm.name in SHARED else f"{self.run.name}/{self.arm.name}"

    def adapter(self, seed: int) -> Path | None:
        """Return where the weights of a replicate are; None for the base."""
        return None if self.arm.name == BASE else self.run / "arms" / self.arm.name / f"seed-{seed}"


def study_arms(runs: Sequence[Path]) -> list[StudyArm]:
    """Return every arm of the runs, those in `SHARED` from the first run only."""
    found: dict[str, StudyArm] = {}
    for run in runs:
        for arm in read_plan(run / "plan.yaml").arms:
            one = StudyArm(run, arm)
            found.setdefault(one.label, one)
    return list(found.values())


def read_draws(path: Path) -> list[DrawnAnswer]:
    """Return what was drawn so far."""
    if not path.is_file():
        return []
    return [
        decode(parse(text, place=f"{path.name}:{n}"), DrawnAnswer, place=f"{path.name}:{n}")
        for n, text in read_lines(path)
    ]


def draw_answers(
    runs: Sequence[Path],
    out: Path,
    *,
    per_question: int,
    seeds: Sequence[int],
    max_tokens: int,
    threads: int,
    say: Callable[[str], None],
) -> None:
    """Append answers to the everyday questions to `out`, one replicate at a time.

    Seeds are in the outer loop, so that a draw that is stopped leaves all arms alike. The base has
    no training seed and is sampled anew for each.
    """
    arithmetic = Arithmetic(device="cpu", dtype="bfloat16", threads=threads)
    lm = load_model(MODEL, arithmetic=arithmetic, cache=CACHE.expanduser())
    switch = AdapterSwitch(lm)
    config = RolloutConfig()
    asked = [(q, s) for q in everyday_questions() for s in range(per_question)]
    prompts = [encode_prompt(lm, q.messages, place=q.id) for q, _ in asked]
    done = {(one.run, one.arm, one.seed) for one in read_draws(out)}
    for seed in seeds:
        for one in study_arms(runs):
            key = (one.run.name, one.arm.name, seed)
            if key in done:
                continue
            sampling = Sampling(
                max_tokens, config.temperature, config.top_p, derive_seed("more answers", seed)
            )
            held = switch.put(one.adapter(seed), is_assay=True)
            answers = sample_answers(held, prompts, sampling)
            records = [
                DrawnAnswer(*key, q.id, q.question, s, decode_tokens(lm, ids))
                for (q, s), ids in zip(asked, answers, strict=True)
            ]
            with out.open("ab") as file:  # one write: a replicate is there whole or not at all
                file.write(write_lines(records))
            say(f"{one.label}, seed {seed}: {len(answers)} answers")
