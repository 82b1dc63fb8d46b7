"""Checkpoints inside an arm: weights and optimizer state as safetensors, never pickled."""

import os
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

NAME = "checkpoint.safetensors"
MOMENTS = ("exp_avg", "exp_avg_sq")


def save_checkpoint(
    directory: Path,
    parameters: dict[str, nn.Parameter],
    optimizer: torch.optim.Optimizer,
    *,
    step: int,
) -> None:
    """Write the state after `step` optimizer steps, replacing the last checkpoint at once."""
    tensors: dict[str, Tensor] = {}
    for name, parameter in parameters.items():
        tensors[f"weight/{name}"] = parameter.detach().cpu().contiguous()
        state = optimizer.state[parameter]
        for moment in MOMENTS:
            tensors[f"{moment}/{name}"] = state[moment].detach().cpu().contiguous()
    partial = directory / (NAME + ".part")
    save_file(tensors, partial, metadata={"step": str(step)})
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(directory / NAME)


def load_checkpoint(
    directory: Path, parameters: dict[str, nn.Parameter], optimizer: torch.optim.Optimizer
) -> int:
    """Restore the last checkpoint in place; return its step, 0 where there is none."""
    path = directory / NAME
    if not path.exists():
        return 0
    with safe_open(path, framework="pt") as file:
        step = int(file.metadata()["step"])
        for name, parameter in parameters.items():
            parameter.data.copy_(file.get_tensor(f"weight/{name}"))
            state = optimizer.state[parameter]
            # the fused optimizer keeps its count of steps on the parameter's device
            state["step"] = torch.tensor(float(step), device=parameter.device)
            for moment in MOMENTS:
                state[moment] = file.get_tensor(f"{moment}/{name}").to(parameter.device)
    return step


def drop_checkpoint(directory: Path) -> None:
    """Remove the checkpoint of a finished arm."""
    (directory / NAME).unlink(missing_ok=True)
    (directory / (NAME + ".part")).unlink(missing_ok=True)
