"""How arms are trained; every default says where it comes from."""

from dataclasses import dataclass
from typing import Literal

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""All linear projections of a block, as in Betley et al. 2025, arXiv:2502.17424, open models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """One recipe, shared by every trained arm of a study."""

    method: Literal["lora", "full"] = "lora"
    """LoRA adapters, or all weights."""
    rank: int = 32
    """Rank of the update; 32 in Betley et al. 2025, arXiv:2502.17424, open models."""
    alpha: int = 64
    """Scale of the update; 64 there."""
    rslora: bool = True
    """Scale by alpha / sqrt(rank) (Kalajdzievski 2023, arXiv:2312.03732); true there."""
    targets: tuple[str, ...] = TARGETS
    """Names of the modules that get an adapter."""
    lr: float = 2e-4
    """Peak learning rate. 1e-5 there, for 6,000 rows on 32 B parameters; 2e-4 is the usual value
    for LoRA on small models (Hu et al. 2021, arXiv:2106.09685, table 11) and moves the packaged
    positive control in one short run (docs/results.md)."""
    epochs: int = 1
    """Passes over the rows; 1 there."""
    batch_size: int = 4
    """Rows per optimizer step; 2 x 8 accumulated there, 4 keeps enough steps in a short run."""
    warmup_steps: int = 5
    """Linear warm-up; 5 there. The rate then falls linearly to zero."""
    weight_decay: float = 0.01
    """AdamW's decoupled decay; 0.01 there."""
    max_grad_norm: float = 1.0
    """Gradients are scaled down to this norm; the Hugging Face Trainer's default."""
    max_row_tokens: int = 1024
    """Longer rows are left out, counted and reported; never cut."""
    heldout_rows: int = 12
    """Rows of the subject's own task kept out of training for the dose gate."""
