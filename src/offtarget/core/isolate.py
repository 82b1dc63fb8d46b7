"""From what happened to a block of rows to what is tried next, until the one bad row stands alone.

A shard whose worker dies is tried once more: the machine may have killed it. If it dies again, an
empty block is tried, since a tool that is missing is no row's fault. Then the block is cut in eight,
and the eighth that fails again; a row that fails twice by itself, the second time in a fresh worker,
is lost.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from offtarget.core import errors
from offtarget.core.errors import OfftargetError, ResourceError
from offtarget.core.shard_files import Done
from offtarget.core.shards import Shard, Work

MIB = 1024 * 1024
FAN = 8
"""Pieces that a failed block is cut in. Halves would kill three workers where eighths kill one."""

_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one row may cost."""

    row_timeout_s: float = 20.0
    """Processor time of one row by itself, tools included: a busy machine loses no rows."""
    next_row_timeout_s: float = 0.05
    """Added for each further row of a block."""
    wall_factor: float = 10.0
    """A block may take this many times its processor time by the clock."""
    memory_bytes: int | None = 2048 * MIB
    """Address space that a worker may add to what it holds once prepared; None for no limit."""
    start_timeout_s: float = 300.0
    """Wall time in which a worker is prepared."""

    def timeout_s(self, n_rows: int) -> float:
        """Return the processor time that a block of rows may take."""
        return self.row_timeout_s + self.next_row_timeout_s * max(0, n_rows - 1)


class Fault(StrEnum):
    """How a worker failed."""

    DIED = "died"
    TIMED_OUT = "timed out"
    MEMORY = "memory"
    RAISED = "raised"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed attempt; equal for any executor and worker count."""

    fault: Fault
    error: str = ""
    """Class name of what was raised."""
    text: str = ""

    def reason(self, limits: Limits) -> str:
        """Return what a row's record says of it."""
        if self.fault is Fault.DIED:
            return "reading this row kills the worker process"
        if self.fault is Fault.TIMED_OUT:
            return f"reading this row takes longer than {limits.row_timeout_s:g} s"
        if self.fault is Fault.MEMORY:
            return f"reading this row takes more than {(limits.memory_bytes or 0) // MIB} MiB"
        text = _ADDRESS.sub("0x", self.text.partition("\n")[0])[:200]
        return f"reading this row fails ({self.error}: {text})"

    def raise_without_rows(self) -> OfftargetError:
        """Return the error for work that fails by itself."""
        kind = getattr(errors, self.error, None)
        if isinstance(kind, type) and issubclass(kind, OfftargetError):
            return kind(self.text)
        cause = f"{self.fault}; {self.error}: {self.text}" if self.error else str(self.fault)
        return ResourceError(
            f"a worker fails before it reads any row ({cause}); check memory and the installation"
        )


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of a shard that are tried together."""

    start: int
    end: int
    attempt: int = 1

    @property
    def n_rows(self) -> int:
        """0 for the probe."""
        return self.end - self.start

    @property
    def needs_fresh_worker(self) -> bool:
        """Whether what earlier rows left in a worker must not matter."""
        return self.attempt > 1


@dataclass(slots=True)
class Isolation:
    """One shard on its way through workers that may die."""

    shard: Shard
    work: Work
    limits: Limits
    lines: dict[int, list[bytes]] = field(default_factory=dict)
    """By first row."""
    n_missing: int = field(init=False)
    n_lost: int = 0
    is_probed: bool = False
    """Whether the probe was asked for."""
    is_sound: bool = True
    """False while the probe's answer is awaited: no row is lost before the work is known to run."""

    def __post_init__(self) -> None:
        self.n_missing = len(self.shard.rows)

    def first(self) -> Piece:
        """Return the whole shard."""
        return Piece(0, len(self.shard.rows))

    def rows(self, piece: Piece) -> tuple[bytes, ...]:
        """Return the rows of a piece."""
        return self.shard.rows[piece.start : piece.end]

    def succeed(self, piece: Piece, lines: list[bytes]) -> None:
        """Keep the lines of a piece; a probe has none."""
        if piece.n_rows == 0:
            self.is_sound = True
            return
        self.lines[piece.start] = lines
        self.n_missing -= piece.n_rows

    def fail(self, piece: Piece, failure: Failure) -> list[Piece]:
        """Return the pieces to try next; none if the row that failed is now lost.

        Raises:
            OfftargetError: If the failed piece is the probe.
        """
        if piece.n_rows == 0:
            raise failure.raise_without_rows()
        is_single = piece.n_rows == 1
        if piece.attempt == 1 and (is_single or failure.fault is Fault.DIED):
            return [Piece(piece.start, piece.end, attempt=2)]
        probe: list[Piece] = []
        if not self.is_probed:
            probe = [Piece(0, 0)]
            self.is_probed, self.is_sound = True, False
        if not is_single:
            n_rows = -(-piece.n_rows // FAN)
            starts = range(piece.start, piece.end, n_rows)
            return [*probe, *(Piece(at, min(at + n_rows, piece.end)) for at in starts)]
        row = self.shard.rows[piece.start]
        self.succeed(piece, [self.work.lost(row, failure.reason(self.limits))])
        self.n_lost += 1
        return probe

    def done(self) -> Done | None:
        """Return the outcome once every row has a line."""
        if self.n_missing or not self.is_sound:
            return None
        lines = tuple(line for start in sorted(self.lines) for line in self.lines[start])
        assert len(lines) == len(self.shard.rows), "a line a row"
        return Done(self.shard.index, self.shard.sha256, lines, self.n_lost)
