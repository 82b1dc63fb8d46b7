"""Arms, adapters and the training loop."""

from offtarget.train.arms import (
    PLACEBO_SEED_OFFSET,
    POSITIVE_DOMAIN_CATEGORIES,
    Arm,
    backdoor,
    cycle_to,
    demo_pairs,
    packaged_positive,
)
from offtarget.train.batches import plan_batches
from offtarget.train.checkpoint import drop_checkpoint
from offtarget.train.config import TrainConfig
from offtarget.train.loop import Progress, StepRecord, answer_loss, heldout_loss, train_replicate
from offtarget.train.workbench import FullWorkbench, LoraWorkbench, Workbench

__all__ = [
    "PLACEBO_SEED_OFFSET",
    "POSITIVE_DOMAIN_CATEGORIES",
    "Arm",
    "FullWorkbench",
    "LoraWorkbench",
    "Progress",
    "StepRecord",
    "TrainConfig",
    "Workbench",
    "answer_loss",
    "backdoor",
    "cycle_to",
    "demo_pairs",
    "drop_checkpoint",
    "heldout_loss",
    "packaged_positive",
    "plan_batches",
    "train_replicate",
]
