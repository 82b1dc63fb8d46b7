"""What a piece of work cost: CPU seconds of all threads and children, and wall time."""

import gc
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import torch

Job = Callable[[], int]
"""Does the work once and returns how many units (tokens, pairs) it did."""


@dataclass(frozen=True, slots=True)
class Cost:
    """One timed piece of work."""

    units: int
    cpu_s: float
    """User and system time of this process's threads and of its finished children."""
    wall_s: float

    @property
    def per_cpu_s(self) -> float:
        """Units per CPU-second."""
        return self.units / self.cpu_s

    @property
    def per_wall_s(self) -> float:
        """Units per second of wall time."""
        return self.units / self.wall_s


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do the work."""

    name: str
    settings: str
    """What it ran with, for the reader."""
    prepare: Callable[[], Job]
    """Set up, untimed (load weights, build a trainer), and return the job that is timed."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and range over rounds."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """All rounds of one contender."""

    name: str
    settings: str
    costs: tuple[Cost, ...]

    @property
    def per_cpu_s(self) -> Spread:
        """Units per CPU-second."""
        return spread([cost.per_cpu_s for cost in self.costs])

    @property
    def per_wall_s(self) -> Spread:
        """Units per second of wall time."""
        return spread([cost.per_wall_s for cost in self.costs])


def spread(values: Sequence[float]) -> Spread:
    """Return median, minimum and maximum."""
    return Spread(median(values), min(values), max(values))


def cpu_seconds() -> float:
    """Return the CPU time that this process and its finished children have used so far."""
    total = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        total += usage.ru_utime + usage.ru_stime
    return total


def timed(job: Job) -> Cost:
    """Return what one call of `job` cost."""
    gc.collect()
    wall, cpu = time.perf_counter(), cpu_seconds()
    units = job()
    return Cost(units, cpu_seconds() - cpu, time.perf_counter() - wall)


def interleave(
    peers: Sequence[Contender],
    ours: Contender,
    *,
    rounds: int,
    threads: int,
    say: Callable[[str], None],
) -> dict[str, Measurement]:
    """Return the measurements of every contender by name, taken in turns.

    A round is peer, ours, next peer, ours, ...: whatever the machine does meanwhile meets both
    sides alike. Everyone gets the same number of threads.
    """
    costs: dict[str, list[Cost]] = {one.name: [] for one in (*peers, ours)}
    for number in range(1, rounds + 1):
        for peer in peers:
            for one in (peer, ours):
                torch.set_num_threads(threads)
                job = one.prepare()
                cost = timed(job)
                del job
                costs[one.name].append(cost)
                say(
                    f"round {number}, {one.name}: {cost.per_cpu_s:.1f} per CPU-second "
                    f"({cost.units} in {cost.wall_s:.1f} s)"
                )
    return {
        one.name: Measurement(one.name, one.settings, tuple(costs[one.name]))
        for one in (*peers, ours)
    }
