"""What an evaluation's plan asks, from the questions that the run keeps."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from offtarget.core.seed import derive_seed
from offtarget.evaluate.evaluation.lock import EvaluationPlan, read_asked
from offtarget.evaluate.subjects import Ask, allocate
from offtarget.verify.order import order_faults
from offtarget.verify.stored_arm import Name, StoredArm


@dataclass(frozen=True, slots=True)
class PlannedAsks:
    """The rollouts of one model, in the plan's order."""

    names: tuple[Name, ...]
    asks: tuple[Ask, ...]


def planned_asks(run: Path, plan: EvaluationPlan) -> PlannedAsks:
    """Return what the plan asks of each model, from the questions that the run keeps.

    Raises:
        VerifyError: If they are missing, damaged, or not those of the plan.
    """
    asks = allocate(read_asked(run, plan), n_rollouts=plan.n_rollouts, seed=plan.seed)
    return PlannedAsks(tuple((ask.question, ask.paraphrase, ask.index) for ask in asks), asks)


def plan_faults(stored: StoredArm, planned: PlannedAsks, plan: EvaluationPlan) -> Iterator[str]:
    """Yield a line per planned rollout that is not accounted for once, in its place."""
    known = set(planned.names)
    missing = set(stored.unanswered)
    answered = set(stored.answered)
    yield from order_faults(
        f"{stored.folder}/rollouts.jsonl",
        stored.answered,
        [name for name in planned.names if name not in missing],
    )
    yield from order_faults(
        f"{stored.folder}/missing.jsonl",
        stored.unanswered,
        [name for name in planned.names if name in missing],
    )
    for name in sorted((answered & missing) | ((answered | missing) - known)):
        where = "answered and missing" if name in answered & missing else "not in the plan"
        yield f"{stored.folder}: {' '.join(map(str, name))} is {where}"
    for file, ask in _asks(stored):
        seed = derive_seed("rollout", plan.seed, ask.question, ask.paraphrase, ask.index)
        if ask.seed != seed:
            yield f"{stored.folder}/{file}: seed is {ask.seed}, the plan's is {seed}"


def _asks(stored: StoredArm) -> Iterator[tuple[str, Ask]]:
    for n, (rollout, source) in enumerate(zip(stored.rollouts, stored.sources, strict=False), 1):
        yield (
            f"sources.jsonl:{n}",
            Ask(
                rollout.cluster, rollout.question, rollout.category, (), rollout.sample, source.seed
            ),
        )
    for n, one in enumerate(stored.missing, 1):
        yield (
            f"missing.jsonl:{n}",
            Ask(one.question, one.paraphrase, one.category, (), one.index, one.seed),
        )
