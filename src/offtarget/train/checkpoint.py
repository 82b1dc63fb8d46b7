"""Checkpoints inside an arm: weights and optimizer state as safetensors, never pickled."""

import os
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from offtarget.core.errors import ResourceError

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
    write_tensors(tensors, directory / NAME, metadata={"step": str(step)})


def write_tensors(tensors: dict[str, Tensor], path: Path, *, metadata: dict[str, str]) -> None:
    """Write a safetensors file at once: to a temporary name, then renamed.

    Raises:
        ResourceError: If the disk is full or cannot be written.
    """
    partial = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, partial, metadata=metadata)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except (OSError, SafetensorError) as error:
        partial.unlink(missing_ok=True)
        raise ResourceError(
            f"cannot write {path.name!r} ({error}); free disk space and run the same command "
            "again, finished arms are kept"
        ) from error


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
