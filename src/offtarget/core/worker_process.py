"""One worker process, seen from outside: the pipe to it, its time, and its end."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from socket import socketpair
from typing import TypeAlias

import psutil

from offtarget.core import worker
from offtarget.core.errors import ResourceError
from offtarget.core.isolate import Failure, Fault, Isolation, Limits, Piece
from offtarget.core.shards import Work

MIN_LOOK_S = 0.05
"""Between two looks at a worker's processor time."""
_BOOT = (
    "import json, sys; path, pipe, lifeline = json.loads(sys.argv[1]); sys.path[:] = path; "
    "from offtarget.core.worker import serve; serve(pipe, lifeline)"
)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A piece on its way to a worker."""

    isolation: Isolation
    piece: Piece


Outcome: TypeAlias = list[bytes] | Failure


class WorkerProcess:
    """One process and the pipe to it. It may be dead; then reading from the pipe says so."""

    def __init__(self, work: Work, limits: Limits) -> None:
        self.limits = limits
        self.ticket: Ticket | None = None
        self.is_ready = False
        self.is_used = False
        self.cpu_limit_s = self.last_deadline = 0.0
        ours, theirs = socketpair()
        lifeline, self._lifeline = os.pipe()
        root = str(Path(__file__).parents[2])
        path = [*(entry for entry in sys.path if entry), root]  # never the folder we stand in
        with theirs:
            try:
                self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                    [sys.executable, "-P", "-c", _BOOT,
                     json.dumps([path, theirs.fileno(), lifeline])],
                    pass_fds=(theirs.fileno(), lifeline),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,  # it is ended with the tools that it has started
                )  # fmt: skip
            except OSError as error:
                raise ResourceError(
                    f"cannot start a worker ({error.strerror}); use fewer workers"
                ) from error
            finally:
                os.close(lifeline)
        self.pipe = Connection(ours.detach())
        self.deadline = time.monotonic() + limits.start_timeout_s
        with suppress(OSError):  # a dead worker is noticed when its answer is awaited
            self.pipe.send((work, limits.memory_bytes))

    def give(self, ticket: Ticket) -> None:
        """Hand over a piece, at once or when the worker is ready."""
        self.ticket = ticket
        if self.is_ready:
            self._send()

    def take(self) -> Outcome | None:
        """Return the awaited answer, or None if the worker has only become ready.

        Raises:
            OfftargetError: If the work cannot be prepared.
        """
        try:
            word, content = self.pipe.recv()
        except (EOFError, OSError):
            return Failure(Fault.DIED)
        if word == worker.READY:
            self.is_ready = True
            self.deadline = float("inf")
            if self.ticket is not None:
                self._send()
            return None
        if word == worker.LINES:
            lines: list[bytes] = content
            return lines
        if word == worker.MEMORY:
            return Failure(Fault.MEMORY)
        failure = Failure(Fault.RAISED, *content)
        if word == worker.BROKEN:
            raise failure.raise_without_rows()
        return failure

    def is_over_time(self) -> bool:
        """Return whether the worker has used up its time; if not, its deadline may have moved."""
        now = time.monotonic()
        if self.is_ready and self.deadline <= now < self.last_deadline:
            missing_s = self.cpu_limit_s - _cpu_s(self.process.pid)
            if missing_s > 0:
                self.deadline = min(now + max(missing_s, MIN_LOOK_S), self.last_deadline)
        return self.deadline <= now

    def end(self) -> None:
        """Kill the process and what it has started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self.pipe.close()
        os.close(self._lifeline)

    def _send(self) -> None:
        assert self.ticket is not None, "given before it is sent"
        self.is_used = True
        self.cpu_limit_s = self.limits.timeout_s(self.ticket.piece.n_rows)
        self.deadline = time.monotonic() + self.cpu_limit_s
        self.last_deadline = time.monotonic() + self.cpu_limit_s * self.limits.wall_factor
        self.cpu_limit_s += _cpu_s(self.process.pid)
        with suppress(OSError):
            self.pipe.send(self.ticket.isolation.rows(self.ticket.piece))


def _cpu_s(pid: int) -> float:
    """Return the processor time of a process and of all that it has started, in seconds."""
    total = 0.0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        times = process.cpu_times()
        total = times.user + times.system + times.children_user + times.children_system
        for child in process.children(recursive=True):
            with suppress(psutil.Error):
                total += sum(child.cpu_times()[:2])
    return total
