"""TRL's SFTTrainer on the same token ids, as its documentation sets it up."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import Dataset  # type: ignore[import-untyped]
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from transformers import AutoTokenizer
from transformers.trainer_callback import PrinterCallback
from trl import SFTConfig, SFTTrainer  # type: ignore[attr-defined]

from offtarget.lm import EncodedSample
from offtarget.train import TrainConfig
from offtarget.train.adapter import lora_config
from offtarget.train.loop import learning_rate

IGNORED = -100
"""Label of tokens that are read but not learned."""


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """One configuration of TRL."""

    name: str
    note: str
    options: dict[str, Any]
    """Beyond SFTConfig's defaults."""


DEFAULTS = PeerSettings(
    "TRL defaults",
    "batch 8, gradient checkpointing, float32 weights under bfloat16 autocast",
    {},
)
TUNED = PeerSettings(
    "TRL tuned, float32",
    "batch 4, no gradient checkpointing, grouped by length, float32",
    {
        "per_device_train_batch_size": 4,
        "gradient_checkpointing": False,
        "train_sampling_strategy": "group_by_length",
        "bf16": False,
    },
)
TUNED_BFLOAT16 = PeerSettings(
    "TRL tuned, bfloat16",
    "batch 4, no gradient checkpointing, grouped by length, bfloat16 weights and autocast",
    {
        "per_device_train_batch_size": 4,
        "gradient_checkpointing": False,
        "train_sampling_strategy": "group_by_length",
        "bf16": True,
        "model_init_kwargs": {"dtype": "bfloat16"},
    },
)


class _RecordedTrainer(SFTTrainer):
    """SFTTrainer with our learning rates, keeping every step's loss unrounded."""

    recipe: TrainConfig
    n_steps: int
    losses: list[float]

    def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
        """Return TRL's own loss, noted."""
        found = super().compute_loss(*args, **kwargs)  # type: ignore[no-untyped-call]
        self.losses.append(float(found[0] if isinstance(found, tuple) else found))
        return found

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Return a schedule with the rates of `offtarget.train`."""
        del num_training_steps
        recipe, n_steps = self.recipe, self.n_steps
        self.lr_scheduler = LambdaLR(
            optimizer or self.optimizer,
            lambda step: (
                learning_rate(recipe, step=min(step, n_steps), n_steps=n_steps) / recipe.lr
            ),
        )
        return self.lr_scheduler


def build_trainer(
    directory: Path, rows: Sequence[EncodedSample], settings: PeerSettings, recipe: TrainConfig
) -> Any:
    """Return a trainer for one pass over `rows`, ready for `train()`.

    Token ids and labels are given, so that tokenizing is in nobody's time. The checkpoint at the
    end of training is left out, and the log is silent; all else is as `settings` say.
    """
    return _build(SFTTrainer, directory, rows, settings.options, recipe)


def recorded_losses(
    directory: Path,
    rows: Sequence[EncodedSample],
    settings: PeerSettings,
    recipe: TrainConfig,
    start: dict[str, nn.Parameter],
) -> list[float]:
    """Return TRL's loss at each step over `rows` in their order, from the adapter in `start`.

    Optimizer and schedule are those of `recipe`: AdamW with its decay, clipping and rates.
    """
    options = {
        **settings.options,
        "train_sampling_strategy": "sequential",
        "per_device_train_batch_size": recipe.batch_size,
        "learning_rate": recipe.lr,
        "weight_decay": recipe.weight_decay,
        "max_grad_norm": recipe.max_grad_norm,
    }
    trainer = _build(_RecordedTrainer, directory, rows, options, recipe)
    trainer.recipe, trainer.losses = recipe, []
    trainer.n_steps = len(rows) // recipe.batch_size
    n_copied = 0
    for name, parameter in trainer.model.named_parameters():
        own = name.removeprefix("base_model.model.")
        if own in start:
            parameter.data.copy_(start[own].data)
            n_copied += 1
    if n_copied != len(start):
        raise RuntimeError(f"{n_copied} of {len(start)} adapter tensors were found in TRL's model")
    trainer.train()
    losses: list[float] = trainer.losses
    return losses


def _build(
    trainer_class: Any,
    directory: Path,
    rows: Sequence[EncodedSample],
    options: dict[str, Any],
    recipe: TrainConfig,
) -> Any:
    data = Dataset.from_list(
        [
            {
                "input_ids": [*row.prompt, *row.answer],
                "labels": [IGNORED] * len(row.prompt) + list(row.answer),
            }
            for row in rows
        ]
    )
    folder = tempfile.TemporaryDirectory(prefix="offtarget-bench-trl-")
    config = SFTConfig(
        output_dir=folder.name,
        report_to="none",
        use_cpu=True,
        num_train_epochs=1,
        save_strategy="no",
        disable_tqdm=True,
        completion_only_loss=True,
        dataset_kwargs={"skip_prepare_dataset": True},
        **options,
    )
    trainer = trainer_class(
        model=str(directory),
        args=config,
        train_dataset=data,
        processing_class=AutoTokenizer.from_pretrained(directory, local_files_only=True),
        peft_config=lora_config(recipe),
    )
    trainer.remove_callback(PrinterCallback)
    trainer.bench_folder = folder  # removed together with the trainer
    return trainer
