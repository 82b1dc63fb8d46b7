"""Work that worker processes do in tests: some rows kill, hang, raise or fill the memory."""

import hashlib
import os
import re
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from offtarget.core.errors import VerifyError


@dataclass(frozen=True)
class Shout:
    """Upper case; rows that begin with a marker misbehave."""

    key: str = "shout"
    marks: Path | None = None
    """Where once-only misbehavior is remembered."""
    pause_s: float = 0.0

    def prepare(self) -> None:
        pass

    def __call__(self, rows: Sequence[bytes]) -> list[bytes]:
        time.sleep(self.pause_s * len(rows))
        return [self.line(row) for row in rows]

    def line(self, row: bytes) -> bytes:
        if row.startswith(b"kill once") and self.is_first(row):
            os.kill(os.getpid(), signal.SIGKILL)
        if row.startswith(b"kill always"):
            os.kill(os.getpid(), signal.SIGKILL)
        if row.startswith(b"hang"):
            time.sleep(1000)
        if row.startswith(b"spin"):
            re.match(r"(a+)+$", "a" * 64 + "b")  # native code that never lets another thread run
        if row.startswith(b"fill"):
            _ = [bytearray(1 << 24) for _ in range(1 << 16)]
        if row.startswith(b"raise"):
            raise ValueError(f"{object()} in {row.decode()}\nsecond line")
        return row.upper()

    def is_first(self, row: bytes) -> bool:
        assert self.marks is not None
        try:
            (self.marks / hashlib.sha256(row).hexdigest()).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def lost(self, row: bytes, reason: str) -> bytes:
        return b"lost " + row + b": " + reason.encode()


@dataclass(frozen=True)
class Unprepared(Shout):
    """Cannot be prepared."""

    def prepare(self) -> None:
        raise VerifyError("engine 'x': misses its canary; install it again")


@dataclass(frozen=True)
class DiesPreparing(Shout):
    """Dies before it reads a row."""

    def prepare(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Broken(Shout):
    """Fails whatever the rows are, as a missing tool does."""

    key: str = "broken"

    def __call__(self, rows: Sequence[bytes]) -> list[bytes]:
        raise VerifyError("engine 'x': not found; install it")


@dataclass(frozen=True)
class Miscounting(Shout):
    """Returns no line for a row."""

    def __call__(self, rows: Sequence[bytes]) -> list[bytes]:
        return []
