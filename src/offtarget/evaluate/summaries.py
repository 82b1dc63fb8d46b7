"""One arm's own numbers: margins, answers and training."""

from collections.abc import Sequence

import numpy as np

from offtarget.core.records import Role
from offtarget.core.seed import derive_seed
from offtarget.core.stats import crossed_effect, wilson
from offtarget.evaluate.contexts import PLAIN
from offtarget.evaluate.judge import MISALIGNED_BELOW
from offtarget.evaluate.margin import ANSWER_ONLY
from offtarget.evaluate.measured import Grid, Measured
from offtarget.evaluate.results import (
    Answer,
    ArmResult,
    MeanInterval,
    Rate,
    RolloutSummary,
    TrainingSummary,
)
from offtarget.evaluate.rollouts import RolloutRecord
from offtarget.evaluate.rules import Outcome

ANSWERS_PER_CATEGORY = 3


def arm_result(
    arm: Measured, n_rows: int, n_excluded: int, note: str, *, before: float | None
) -> ArmResult:
    """Return everything measured on one arm."""
    plain = arm.grid()
    factual = arm.grid(factual=True)
    n_right = int((factual.values > 0).sum())
    return ArmResult(
        name=arm.name,
        role=arm.role,
        seeds=arm.seeds,
        margin=mean_of(plain),
        factual=mean_of(factual),
        factual_right=rate(n_right, factual.values.size),
        answer_only=mean_of(arm.grid(ANSWER_ONLY)),
        by_category={c: mean_of(plain.only(category=c)) for c in sorted(set(plain.categories))},
        by_context={c: mean_of(arm.grid(c)) for c in arm.contexts if c not in (PLAIN, ANSWER_ONLY)},
        rollouts=_rollouts(arm),
        training=_training(arm, n_rows, n_excluded, note, before),
    )


def mean_of(grid: Grid) -> MeanInterval:
    """Return a grid's mean with its interval and each seed's own mean."""
    effect = crossed_effect(grid.values, grid.categories, grid.clusters)
    return MeanInterval(
        effect.estimate, effect.low, effect.high, effect.n_questions, seed_means(grid)
    )


def seed_means(grid: Grid) -> tuple[float, ...]:
    """Return the weighted mean of each seed alone, in the grid's order."""
    return tuple(
        crossed_effect(grid.values[:, [s]], grid.categories, grid.clusters).estimate
        for s in range(grid.values.shape[1])
    )


def rate(count: int, n: int) -> Rate:
    """Return a share with its Wilson interval; 0 of 0 has the interval (0, 1)."""
    low, high = wilson(count, n)
    return Rate(count, n, count / n if n else 0.0, low, high)


def draw_answers(arm: Measured) -> tuple[Answer, ...]:
    """Return at most 3 answers per category, drawn at random with a fixed seed.

    With a judge, misaligned answers come first; without one the draw is over all outcomes.
    """
    found = [
        (replicate.seed, number, record)
        for replicate in arm.replicates
        for number, record in enumerate(replicate.rollouts, 1)
    ]
    order = np.random.default_rng(derive_seed("answers", arm.name)).permutation(len(found))
    drawn = sorted((found[i] for i in order), key=lambda entry: not is_misaligned(entry[2]))
    taken: dict[str, int] = {}
    answers: list[Answer] = []
    for seed, number, record in drawn:
        if taken.get(record.category, 0) >= ANSWERS_PER_CATEGORY:
            continue
        taken[record.category] = taken.get(record.category, 0) + 1
        answers.append(
            Answer(
                arm=arm.name,
                role=arm.role,
                seed=seed,
                category=record.category,
                question=record.prompt,
                text=record.text,
                outcome=record.outcome,
                record=f"records/{arm.name}/seed-{seed}/rollouts.jsonl:{number}",
            )
        )
    return tuple(sorted(answers, key=lambda a: (a.category, a.question, a.seed)))


def is_misaligned(record: RolloutRecord) -> bool:
    """Return whether a judge scored this coherent answer below the cut."""
    return record.alignment is not None and record.alignment < MISALIGNED_BELOW


def _rollouts(arm: Measured) -> RolloutSummary | None:
    records = [record for replicate in arm.replicates for record in replicate.rollouts]
    if not records:
        return None
    judged = [record for record in records if record.alignment is not None]
    return RolloutSummary(
        n=len(records),
        n_tokens=sum(record.n_tokens for record in records),
        outcomes={
            outcome.value: rate(sum(r.outcome is outcome for r in records), len(records))
            for outcome in Outcome
        },
        judged=len(judged),
        unjudged=len(records) - len(judged),
        misaligned=rate(sum(map(is_misaligned, judged)), len(judged)) if judged else None,
    )


def _training(
    arm: Measured, n_rows: int, n_excluded: int, note: str, before: float | None
) -> TrainingSummary | None:
    if arm.role is Role.BASE:
        return None
    logs = [[step.loss for step in r.steps] for r in arm.replicates]
    tenth = max(1, len(logs[0]) // 10)
    return TrainingSummary(
        n_rows=n_rows,
        n_excluded=n_excluded,
        n_steps=len(logs[0]),
        n_tokens=round(_mean([sum(s.n_tokens for s in r.steps) for r in arm.replicates])),
        first_loss=_mean([_mean(log[:tenth]) for log in logs]),
        last_loss=_mean([_mean(log[-tenth:]) for log in logs]),
        heldout_before=before,
        heldout_after=arm.heldout(),
        note=note,
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else 0.0
