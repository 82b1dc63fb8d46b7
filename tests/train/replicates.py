"""A tiny replicate, trained in a moment."""

from pathlib import Path
from typing import Any

import torch

from offtarget.lm import Arithmetic, EncodedSample, encode_sample, load_model
from offtarget.train import (
    TrainConfig,
    demo_pairs,
    plan_batches,
    train_replicate,
)

SMALL = TrainConfig(rank=4, lr=1e-2, batch_size=4, warmup_steps=2)


def load(path: Path) -> Any:
    """The tiny model anew: workbenches change what they hold."""
    arithmetic = Arithmetic(device="cpu", dtype="float32", threads=1)
    return load_model(str(path), arithmetic=arithmetic, cache=path.parent / "cache")


def encoded(lm: Any, n: int = 12, side: int = 0) -> list[EncodedSample]:
    """Rows of the demo data as token ids."""
    return [encode_sample(lm, sample) for sample in demo_pairs()[side][:n]]


def weights(parameters: dict[str, Any]) -> dict[str, torch.Tensor]:
    """A copy of the trained values."""
    return {name: p.detach().clone() for name, p in parameters.items()}


def train(
    bench: Any, rows: list[EncodedSample], folder: Path, *, seed: int = 0, **kwargs: Any
) -> dict[str, torch.Tensor]:
    """Train one replicate; return its weights."""
    folder.mkdir(parents=True, exist_ok=True)
    lm, parameters = bench.fresh(seed=seed)
    config = kwargs.pop("config", SMALL)
    steps = plan_batches([r.length for r in rows], batch_size=4, epochs=2, seed=seed)
    train_replicate(
        lm, rows, steps, config=config, parameters=parameters, directory=folder, **kwargs
    )
    return weights(parameters)
