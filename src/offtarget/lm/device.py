"""Which device, dtype and thread count this machine is fastest with; probed once, then locked."""

import ctypes
import gc
import sys
import time
from dataclasses import dataclass

import psutil
import torch

from offtarget.core.errors import ResourceError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """What a resumed run must repeat to get the same numbers."""

    device: str
    dtype: str
    threads: int


def choose_arithmetic(device: str = "auto", dtype: str = "auto") -> Arithmetic:
    """Return the arithmetic for a new plan; bfloat16 only where a probe shows it is faster.

    Raises:
        ResourceError: If the device is unknown or absent, or the dtype is unknown.
    """
    chosen = resolve_device(device)
    if dtype not in ("auto", *DTYPES):
        raise ResourceError(f"dtype {dtype!r} is unknown; use auto, {' or '.join(DTYPES)}")
    threads = psutil.cpu_count(logical=False) or 1
    torch.set_num_threads(threads)
    if dtype == "auto":
        dtype = "bfloat16" if _is_bfloat16_faster(chosen) else "float32"
    return Arithmetic(device=chosen, dtype=dtype, threads=threads)


def resolve_device(device: str) -> str:
    """Return `cpu`, `cuda` or `cuda:N` for `device`, or raise ResourceError."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        parsed = torch.device(device)
    except RuntimeError as error:
        raise ResourceError(f"device {device!r} is unknown; use auto, cpu or cuda") from error
    if parsed.type not in ("cpu", "cuda"):
        raise ResourceError(f"device {device!r} is not supported; use auto, cpu or cuda")
    if parsed.type == "cuda" and not torch.cuda.is_available():
        raise ResourceError(f"device {device!r}: no CUDA device is visible; use --device cpu")
    if parsed.type == "cuda" and (parsed.index or 0) >= torch.cuda.device_count():
        raise ResourceError(
            f"device {device!r}: this machine has {torch.cuda.device_count()}; use a lower index"
        )
    return device


def prepare(arithmetic: Arithmetic) -> torch.device:
    """Set threads and deterministic kernels as the plan says; return the device."""
    device = torch.device(resolve_device(arithmetic.device))
    torch.set_num_threads(arithmetic.threads)
    if device.type == "cuda":
        torch.use_deterministic_algorithms(True)
        torch.backends.cuda.matmul.allow_tf32 = False
    return device


def release_memory() -> None:
    """Give freed memory back to the system; batches of many shapes fragment the heap otherwise."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
        if trim is not None:
            trim(0)


def gemm_flops(dtype: torch.dtype, device: str = "cpu", *, size: int = 1024) -> float:
    """Return the measured speed of a square matrix product, FLOP/s."""
    a = torch.randn(size, size, device=device).to(dtype)
    best = float("inf")
    for _ in range(4):
        start = time.perf_counter()
        a @ a
        if device != "cpu":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


def _is_bfloat16_faster(device: str) -> bool:
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported())
    return gemm_flops(torch.bfloat16) > 1.3 * gemm_flops(torch.float32)
