"""Shards done by processes of this machine, any of which may be killed at any time."""

import os
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any, Self

from offtarget.core import worker
from offtarget.core.errors import ConfigError, ResourceError
from offtarget.core.isolate import Failure, Fault, Isolation, Limits
from offtarget.core.shard_files import Done
from offtarget.core.shards import Shard, Work
from offtarget.core.worker_process import Outcome, Ticket, WorkerProcess

MAX_START_DEATHS = 5
"""Workers that die one after the other while they start."""


class LocalExecutor:
    """Worker processes that are kept between calls; close it, or use it in a `with` block."""

    def __init__(self, workers: int, *, limits: Limits | None = None) -> None:
        if workers < 1:
            raise ConfigError(f"{workers} workers; use at least 1")
        if os.name != "posix":
            raise ResourceError("worker processes need Linux or macOS; scan in one process instead")
        self.limits = limits or Limits()
        self._slots: list[WorkerProcess | None] = [None] * workers
        self._key = ""
        self._n_start_deaths = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all workers."""
        for slot, process in enumerate(self._slots):
            self._slots[slot] = None
            if process is not None:
                process.end()

    def map(self, shards: Iterable[Shard], work: Work) -> Generator[Done, None, None]:
        """See `Executor.map`; up to twice as many shards as workers are held at a time."""
        if work.key != self._key:
            self.close()
            self._key = work.key
        source = iter(shards)
        waiting: deque[Ticket] = deque()
        is_whole = False
        try:
            while not is_whole:
                self._read_ahead(source, waiting, work)
                self._hand_out(waiting, work)
                self._read_ahead(source, waiting, work)
                for ticket, outcome in self._outcomes():
                    if (done := _settle(ticket, outcome, waiting)) is not None:
                        yield done
                is_whole = not waiting and not any(s is not None and s.ticket for s in self._slots)
        finally:
            if not is_whole:
                self.close()  # answers to abandoned questions must not reach the next call

    def _read_ahead(self, source: Iterator[Shard], waiting: deque[Ticket], work: Work) -> None:
        while len(waiting) < len(self._slots):
            shard = next(source, None)
            if shard is None:
                return
            isolation = Isolation(shard, work, self.limits)
            waiting.append(Ticket(isolation, isolation.first()))

    def _hand_out(self, waiting: deque[Ticket], work: Work) -> None:
        for slot, process in enumerate(self._slots):
            if not waiting:
                return
            if process is not None and process.ticket is not None:
                continue
            ticket = waiting.popleft()
            if process is not None and process.is_used and ticket.piece.needs_fresh_worker:
                process.end()
                process = None
            if process is None:
                process = self._slots[slot] = WorkerProcess(work, self.limits)
            process.give(ticket)

    def _outcomes(self) -> list[tuple[Ticket, Outcome]]:
        """Wait until a worker answers, dies or runs out of time."""
        busy = {p.pipe: slot for slot, p in enumerate(self._slots) if p is not None and p.ticket}
        if not busy:
            return []
        deadline = min(p.deadline for p in self._slots if p is not None and p.ticket)
        answered: list[Any] = wait(list(busy), timeout=max(0.0, deadline - time.monotonic()))
        slots = [busy[pipe] for pipe in answered] or list(busy.values())
        outcomes = (self._outcome(slot, has_answered=bool(answered)) for slot in slots)
        return [outcome for outcome in outcomes if outcome is not None]

    def _outcome(self, slot: int, *, has_answered: bool) -> tuple[Ticket, Outcome] | None:
        process = self._slots[slot]
        assert process is not None, "only busy workers are asked"
        assert process.ticket is not None, "only busy workers are asked"
        outcome: Outcome | None
        if has_answered:
            outcome = process.take()
        elif not process.is_over_time():
            return None
        elif not process.is_ready:
            raise ResourceError(
                f"a worker was not ready after {self.limits.start_timeout_s:g} s; use fewer workers"
            )
        else:
            outcome = Failure(Fault.TIMED_OUT)
        if outcome is None:
            self._n_start_deaths = 0
            return None
        ticket, process.ticket = process.ticket, None
        process.deadline = float("inf")
        if isinstance(outcome, Failure) and outcome.fault is not Fault.RAISED:
            process.end()
            self._slots[slot] = None
            if not process.is_ready:
                self._restart(slot, ticket)
                return None
        return ticket, outcome

    def _restart(self, slot: int, ticket: Ticket) -> None:
        """Start again for a worker killed before it read a row: that is no row's fault."""
        self._n_start_deaths += 1
        if self._n_start_deaths == MAX_START_DEATHS:
            raise ResourceError(
                f"{MAX_START_DEATHS} workers died while they started; check memory and installation"
            )
        process = self._slots[slot] = WorkerProcess(ticket.isolation.work, self.limits)
        process.give(ticket)


class InProcessExecutor:
    """Shards done in this process, one after the other: no isolation, no time or memory limit."""

    def __init__(self, *, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()

    def map(self, shards: Iterable[Shard], work: Work) -> Generator[Done, None, None]:
        """See `Executor.map`; a row that raises is isolated as in a worker, one that kills is not."""
        work.prepare()
        for shard in shards:
            isolation = Isolation(shard, work, self.limits)
            waiting = deque([Ticket(isolation, isolation.first())])
            while waiting:
                ticket = waiting.popleft()
                word, content = worker.answer(work, isolation.rows(ticket.piece))
                outcome: Any = content
                if word == worker.RAISED:
                    outcome = Failure(Fault.RAISED, *outcome)
                elif word == worker.MEMORY:
                    outcome = Failure(Fault.MEMORY)
                if (done := _settle(ticket, outcome, waiting)) is not None:
                    yield done


def _settle(ticket: Ticket, outcome: Outcome, waiting: deque[Ticket]) -> Done | None:
    """Record an outcome; put what must be tried next in front. Return the shard once it is done."""
    isolation = ticket.isolation
    if isinstance(outcome, Failure):
        pieces = isolation.fail(ticket.piece, outcome)
        waiting.extendleft(Ticket(isolation, piece) for piece in reversed(pieces))
    else:
        isolation.succeed(ticket.piece, outcome)
    return isolation.done()
