"""Shards done by Ray core tasks, on a cluster that may lose nodes at any time.

A task does one shard with a worker process of its own, kept for the next shard that lands in the same
Ray process. Rows that kill, hang or fill the memory are so isolated where they are read, by the same
code and in the same words as on one machine; Ray itself only repeats the tasks of lost nodes.
"""

import importlib
import sys
from collections.abc import Generator, Iterable
from contextlib import suppress
from typing import Any

from offtarget.core.errors import OfftargetError, ResourceError
from offtarget.core.isolate import Limits
from offtarget.core.shard_files import Done
from offtarget.core.shards import Shard, Work

MAX_RETRIES = 20
"""Nodes and Ray processes that one shard may lose."""
WAITING_PER_CPU = 2
"""Shards handed to the cluster for each of its processors: one is done, one waits there."""

_local: dict[str, Any] = {}
"""In a Ray process: the executor kept between its tasks, by limits."""


class RayExecutor:
    """Runs shards on the Ray cluster at `address`; a new local one where no address is given."""

    def __init__(self, *, address: str | None = None, limits: Limits | None = None) -> None:
        """Connect, unless this process is connected already.

        Raises:
            ResourceError: If Ray is not installed or the cluster does not answer.
        """
        self.limits = limits or Limits()
        self._ray = _import_ray()
        if not self._ray.is_initialized():
            try:
                self._ray.init(
                    address=address,
                    log_to_driver=False,
                    logging_level="ERROR",
                    runtime_env={"env_vars": {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}},
                )
            except (ConnectionError, RuntimeError, ValueError) as error:
                raise ResourceError(
                    f"no Ray cluster at {address or 'this machine'!r} ({error}); start one with "
                    "'ray start --head' or use --executor local"
                ) from error

    def map(self, shards: Iterable[Shard], work: Work) -> Generator[Done, None, None]:
        """See `Executor.map`; two shards for each processor of the cluster are under way."""
        ray = self._ray
        task = ray.remote(num_cpus=1, max_retries=MAX_RETRIES)(_do)
        there = ray.put(work)
        source = iter(shards)
        open_: list[Any] = []
        try:
            while True:
                n_wanted = WAITING_PER_CPU * max(1, int(ray.cluster_resources().get("CPU", 1)))
                while len(open_) < n_wanted and (shard := next(source, None)) is not None:
                    open_.append(task.remote(shard, there, self.limits))
                if not open_:
                    return
                finished, open_ = ray.wait(open_, num_returns=1)
                yield self._taken(finished[0])
        finally:
            for reference in open_:
                with suppress(ray.exceptions.RayError):
                    ray.cancel(reference)

    def close(self) -> None:
        """Leave the cluster."""
        self._ray.shutdown()

    def _taken(self, reference: Any) -> Done:
        try:
            done: Done = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, OfftargetError):
                raise error.cause from error
            raise
        except self._ray.exceptions.RayError as error:
            raise ResourceError(
                f"the Ray cluster lost a shard {MAX_RETRIES} times ({type(error).__name__}); check "
                "its nodes and run the same command again, finished shards are kept"
            ) from error
        return done


def _do(shard: Shard, work: Work, limits: Limits) -> Done:
    """Do one shard inside a Ray process."""
    from offtarget.core.workers import LocalExecutor

    executor = _local.get(repr(limits))
    if executor is None:
        executor = _local[repr(limits)] = LocalExecutor(1, limits=limits)
    (done,) = executor.map([shard], work)
    return done


def _import_ray() -> Any:
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise ResourceError(
            f"Ray is not installed for {sys.executable}; run: pip install 'offtarget[ray]'"
        ) from error
