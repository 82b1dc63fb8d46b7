"""What a run will cost: tokens, time, memory and disk, from the plan and a short probe."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from offtarget.evaluate import Plan, PlanArm
from offtarget.evaluate.contexts import CONTEXTS, N_CONTEXT_PAIRS
from offtarget.lm import DTYPES, Arithmetic, gemm_flops

TRAIN_EFFICIENCY = 0.40
SCORE_EFFICIENCY = 0.25
"""Shares of the measured matrix-product speed that training and scoring reach (docs/results.md)."""
CHARACTERS_PER_TOKEN = 4
TOKENS_PER_PAIR = 110
TOKENS_PER_CONTEXT_PAIR = 210


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens per second on this machine, estimated."""

    train: float
    score: float
    sample: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What `--dry-run` prints."""

    n_arms: int
    n_replicates: int
    train_tokens: int
    score_tokens: int
    sample_tokens: int
    seconds: float
    memory_bytes: int
    disk_bytes: int


def probe_speed(arithmetic: Arithmetic, n_parameters: int) -> Speed:
    """Return the machine's speed for a model of this size, from one matrix product."""
    flops = gemm_flops(DTYPES[arithmetic.dtype], arithmetic.device)
    return Speed(
        train=TRAIN_EFFICIENCY * flops / (6 * n_parameters),
        score=SCORE_EFFICIENCY * flops / (2 * n_parameters),
        sample=SCORE_EFFICIENCY * flops / (2 * n_parameters) / 3,
    )


def score_tokens(plan: Plan, n_pairs: int) -> int:
    """Return roughly how many tokens one replicate's margins read."""
    n_contexts = len(CONTEXTS) + bool(plan.trigger)
    return int(
        n_pairs * TOKENS_PER_PAIR * 1.7 + n_contexts * N_CONTEXT_PAIRS * TOKENS_PER_CONTEXT_PAIR
    )


def sample_tokens(plan: Plan) -> int:
    """Return how many tokens one replicate samples at most."""
    return plan.rollouts.max_tokens_per_arm if plan.rollouts else 0


def arm_tokens(plan: Plan, arm: PlanArm, run: Path) -> int:
    """Return about how many tokens one replicate of `arm` reads in training."""
    return _characters(run / f"data/{arm.name}.jsonl") * plan.train.epochs // CHARACTERS_PER_TOKEN


@cache
def _characters(path: Path) -> int:
    return path.stat().st_size


def replicates(plan: Plan) -> list[tuple[PlanArm, int]]:
    """Return every (arm, seed) of the plan in the order they are worked on."""
    return [(arm, seed) for arm in plan.arms for seed in arm.seeds]


def estimate(
    plan: Plan, *, tokens_by_arm: dict[str, int], n_pairs: int, n_parameters: int, speed: Speed
) -> Estimate:
    """Return the cost of a plan.

    Args:
        plan: The plan.
        tokens_by_arm: Tokens that one replicate of each trained arm reads.
        n_pairs: Pairs in the suite.
        n_parameters: Of the base model.
        speed: As probed.
    """
    todo = replicates(plan)
    train = sum(tokens_by_arm.get(arm.name, 0) for arm, _ in todo if arm.is_trained)
    score = len(todo) * score_tokens(plan, n_pairs)
    sampled = len(todo) * sample_tokens(plan)
    width = 2 if plan.arithmetic.dtype == "bfloat16" else 4
    trained = (
        n_parameters if plan.train.method == "full" else _adapter_parameters(plan, n_parameters)
    )
    n_trained = sum(arm.is_trained for arm, _ in todo)
    return Estimate(
        n_arms=len(plan.arms),
        n_replicates=len(todo),
        train_tokens=train,
        score_tokens=score,
        sample_tokens=sampled,
        seconds=train / speed.train + score / speed.score + sampled / speed.sample,
        memory_bytes=int(n_parameters * width + trained * 16 + 1.2e9),
        disk_bytes=trained * 4 * (n_trained + 3) + 20_000_000,
    )


def _adapter_parameters(plan: Plan, n_parameters: int) -> int:
    """Rank r on all linear layers of a model of width w: about 0.0023 r of its parameters."""
    share = 0.0023 * plan.train.rank * len(plan.train.targets) / 7
    return int(n_parameters * min(1.0, share))
