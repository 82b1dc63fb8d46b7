"""What the machine can do at best: matrix products and memory reads."""

from dataclasses import dataclass

import torch
from measure import Cost, timed

SIZE = 2048
"""Side of the square product: large enough to be bound by arithmetic."""
BUFFER_BYTES = 256 * 2**20
"""Far above any last-level cache."""
REPEATS = 6


@dataclass(frozen=True, slots=True)
class Peak:
    """The best of a few tries; per CPU-second, so that other work on the machine matters less."""

    float32_gflops: float
    """GFLOP per second of wall time."""
    bfloat16_gflops: float
    read_gbs: float
    """GB per second of wall time, read once by all threads."""
    float32_gflop_per_cpu_s: float
    bfloat16_gflop_per_cpu_s: float
    read_gb_per_cpu_s: float

    def gflop_per_cpu_s(self, dtype: str) -> float:
        """Return the peak for a dtype's name."""
        return (
            self.bfloat16_gflop_per_cpu_s if dtype == "bfloat16" else self.float32_gflop_per_cpu_s
        )


def probe() -> Peak:
    """Return the machine's peaks as they are now."""
    single, half = _gemm(torch.float32), _gemm(torch.bfloat16)
    read = _read()
    return Peak(
        float32_gflops=max(cost.per_wall_s for cost in single) / 1e9,
        bfloat16_gflops=max(cost.per_wall_s for cost in half) / 1e9,
        read_gbs=max(cost.per_wall_s for cost in read) / 1e9,
        float32_gflop_per_cpu_s=max(cost.per_cpu_s for cost in single) / 1e9,
        bfloat16_gflop_per_cpu_s=max(cost.per_cpu_s for cost in half) / 1e9,
        read_gb_per_cpu_s=max(cost.per_cpu_s for cost in read) / 1e9,
    )


def best(first: Peak, last: Peak) -> Peak:
    """Return the higher of two probes in each number: the limit is what was ever reached."""
    return Peak(
        *(max(getattr(first, name), getattr(last, name)) for name in Peak.__dataclass_fields__)
    )


def _gemm(dtype: torch.dtype) -> list[Cost]:
    a = torch.randn(SIZE, SIZE).to(dtype)

    def product() -> int:
        torch.mm(a, a)
        return int(2 * SIZE**3)

    product()
    return [timed(product) for _ in range(REPEATS)]


def _read() -> list[Cost]:
    buffer = torch.ones(BUFFER_BYTES // 4)

    def read() -> int:
        for _ in range(4):
            buffer.sum()
        return 4 * BUFFER_BYTES

    read()
    return [timed(read) for _ in range(REPEATS)]
