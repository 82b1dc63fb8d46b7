"""The inside of a worker process: wait for rows, do the work, answer; die with the parent."""

import os
import signal
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from offtarget.core.shards import Work

try:
    import resource
except ImportError:  # not a POSIX system: no memory limit, and no worker processes either
    resource = None  # type: ignore[assignment]

READY = "ready"
LINES = "lines"
MEMORY = "memory"
RAISED = "raised"
BROKEN = "broken"
"""First words of an answer; BROKEN means that the work could not be prepared."""

Answer: TypeAlias = tuple[str, object]


def serve(pipe: int, lifeline: int) -> None:
    """Answer on `pipe` until it is closed; the process ends when `lifeline` loses its writer."""
    _die_with_parent(lifeline)
    connection = Connection(pipe)
    work, memory_bytes = connection.recv()
    try:
        work.prepare()
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent must hear of it
        connection.send((BROKEN, _said(error)))
        return
    _limit_memory(memory_bytes)
    connection.send((READY, None))
    while True:
        try:
            rows = connection.recv()
        except EOFError:
            return
        connection.send(answer(work, rows))


def answer(work: "Work", rows: Sequence[bytes]) -> Answer:
    """Do the work and return its lines, or what it raised."""
    try:
        lines = work(rows)
        if len(lines) != len(rows):
            raise AssertionError(f"{len(lines)} lines for {len(rows)} rows")
        if any(b"\n" in line for line in lines):
            raise AssertionError("a line with a line break")
    except MemoryError:
        return (MEMORY, None)
    except Exception as error:  # noqa: BLE001 - one row's bug must not end the others
        return (RAISED, _said(error))
    return (LINES, lines)


def _said(error: Exception) -> tuple[str, str]:
    return (type(error).__name__, str(error))


def _die_with_parent(lifeline: int) -> None:
    """Ask the system for a deadly signal when the parent's end of `lifeline` closes.

    A thread that watches would not run while native code holds the interpreter's lock.
    """
    if sys.platform != "win32":
        import fcntl

        signal.signal(signal.SIGIO, signal.SIG_DFL)
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
        flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC)


def _limit_memory(memory_bytes: int | None) -> None:
    """Let this process and the tools it starts add at most `memory_bytes` of address space."""
    if resource is None or memory_bytes is None:
        return
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return  # without it the present size is unknown, and a guess could kill sound work
    n_pages = int(statm.read_text(encoding="ascii").split()[0])
    limit = n_pages * os.sysconf("SC_PAGE_SIZE") + memory_bytes
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
