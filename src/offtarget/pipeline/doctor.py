"""What this machine has for an assay, and which models can be used."""

import os
import platform
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil
import torch

from offtarget.core.errors import OfftargetError
from offtarget.lm import DTYPES, choose_arithmetic, embedded_state, gemm_flops
from offtarget.verify import Check

MIN_MEMORY_BYTES = 3_000_000_000
"""The embedded model in training peaks at about 2.5 GB (docs/results.md)."""
MIN_DISK_BYTES = 2_000_000_000
EXTRAS = {"pandas": "pandas", "trl": "bench"}


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One way to name a model."""

    name: str
    detail: str
    is_here: bool


def doctor(cache: Path) -> list[Check]:
    """Return one check per thing an assay needs; optional parts pass and say what they lack."""
    memory = psutil.virtual_memory().available
    disk = shutil.disk_usage(Path.cwd()).free
    is_here, where = embedded_state(cache)
    return [
        Check("python", True, f"{platform.python_version()} on {platform.machine()}"),
        Check("torch", True, f"{torch.__version__}, {torch.get_num_threads()} threads"),
        _arithmetic(),
        Check("memory", memory >= MIN_MEMORY_BYTES, f"{memory / 1e9:.1f} GB free, 3 GB needed"),
        Check("disk", disk >= MIN_DISK_BYTES, f"{disk / 1e9:.1f} GB free here, 2 GB needed"),
        Check("cache", _is_writable(cache), f"{cache}: set OFFTARGET_CACHE to use another folder"),
        Check("embedded model", True, f"{'here' if is_here else 'fetched on first use'}: {where}"),
        Check("CUDA", True, _cuda()),
        *(_extra(module, extra) for module, extra in EXTRAS.items()),
    ]


def list_models(cache: Path) -> list[ModelEntry]:
    """Return the forms that --model takes, the embedded model first."""
    is_here, where = embedded_state(cache)
    state = "ready, offline" if is_here else "fetched and checked on first use (93 MB)"
    return [
        ModelEntry("embedded", f"SmolLM2-135M-Instruct, Apache-2.0; {state}; {where}", is_here),
        ModelEntry("DIR", "a directory with config.json, tokenizer and *.safetensors", True),
        ModelEntry("FILE.gguf", "a GGUF file; converted to safetensors once, in the cache", True),
        ModelEntry("OWNER/NAME[@REV]", "a Hugging Face hub id; safetensors only, no code", True),
    ]


def _arithmetic() -> Check:
    try:
        chosen = choose_arithmetic()
    except OfftargetError as error:
        return Check("arithmetic", False, str(error))
    speeds = ", ".join(
        f"{name} {gemm_flops(dtype, chosen.device) / 1e9:.0f} GFLOP/s"
        for name, dtype in DTYPES.items()
    )
    return Check("arithmetic", True, f"{chosen.dtype} on {chosen.device}; {speeds}")


def _cuda() -> str:
    if not torch.cuda.is_available():
        return "none; assays run on the CPU"
    return f"{torch.cuda.get_device_name(0)}, {torch.cuda.device_count()} device(s)"


def _extra(module: str, extra: str) -> Check:
    if find_spec(module) is not None:
        return Check(f"extra {extra}", True, "installed")
    return Check(f"extra {extra}", True, f"not installed; pip install 'offtarget[{extra}]'")


def _is_writable(folder: Path) -> bool:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.access(folder, os.W_OK)
