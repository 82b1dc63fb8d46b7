"""Running an external tool on files that nobody trusts: bounded in time, memory and output."""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

COMPLAINT_BYTES = 8_192
"""How much of the error stream is kept; the rest is read and thrown away."""
_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one run of a tool may use before it is killed."""

    timeout_s: float
    output_bytes: int = 256 * 1024 * 1024
    memory_bytes: int | None = 4 * 1024 * 1024 * 1024
    """Of address space, where the system can limit it (Linux); None sets no limit."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How one run of a tool ended."""

    output: bytes
    code: int
    """Exit status; negative if a signal ended it."""
    complaint: str
    """The beginning of what it wrote to its error stream."""
    stopped: str = ""
    """Why it was killed, `ran over 10 s`; empty if it ended by itself."""

    @property
    def failure(self) -> str:
        """Say in a few words how it failed; used where `code` is not what the tool promises."""
        if self.stopped:
            return self.stopped
        ended = _signal_name(-self.code) if self.code < 0 else f"exit status {self.code}"
        said = " ".join(self.complaint.split())[:300]
        return f"{ended}: {said}" if said else ended


def run_tool(
    command: Sequence[str | Path], *, folder: Path, limits: Limits, environment: Mapping[str, str]
) -> Answer:
    """Run `command` in `folder` with nothing but `environment`, and kill it over its limits.

    Raises:
        OSError: If the program cannot be started.
    """
    with subprocess.Popen(  # noqa: S603 - a fixed tool; scanned code is only ever a file's content
        [str(word) for word in command],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            _limit_resources(process.pid, limits.memory_bytes)
            output, complaint, stopped = _read(process, limits)
        finally:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
    return Answer(output, code, complaint.decode("utf-8", "replace"), stopped)


def _read(process: subprocess.Popen[bytes], limits: Limits) -> tuple[bytes, bytes, str]:
    """Return output, complaint and why the process must be killed; read until both streams end."""
    assert process.stdout is not None
    assert process.stderr is not None
    kept: dict[IO[bytes], bytearray] = {process.stdout: bytearray(), process.stderr: bytearray()}
    end = time.monotonic() + limits.timeout_s
    stopped = ""
    with selectors.DefaultSelector() as selector:
        for stream in kept:
            selector.register(stream, selectors.EVENT_READ, stream)
        while selector.get_map() and not stopped:
            ready = selector.select(max(0.0, end - time.monotonic()))
            if not ready:
                stopped = f"ran over {limits.timeout_s:g} s"
            for key, _ in ready:
                block = os.read(key.fd, _BLOCK)
                if not block:
                    selector.unregister(key.data)
                elif key.data is process.stdout or len(kept[key.data]) < COMPLAINT_BYTES:
                    kept[key.data] += block
            if len(kept[process.stdout]) > limits.output_bytes:
                stopped = f"wrote over {limits.output_bytes} bytes"
    if not stopped:
        try:
            process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            stopped = f"ran over {limits.timeout_s:g} s"
    return bytes(kept[process.stdout]), bytes(kept[process.stderr][:COMPLAINT_BYTES]), stopped


def _limit_resources(pid: int, memory_bytes: int | None) -> None:
    """Limit the address space of a process that has just started, and keep it from dumping core.

    Does nothing off Linux.
    """
    if sys.platform != "linux":
        return
    import resource

    with contextlib.suppress(ProcessLookupError, PermissionError):
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
        if memory_bytes is not None:
            resource.prlimit(pid, resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def _signal_name(number: int) -> str:
    """Return `killed by SIGABRT`."""
    try:
        return f"killed by {signal.Signals(number).name}"
    except ValueError:
        return f"killed by signal {number}"
