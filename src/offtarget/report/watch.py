"""Progress of long work on a terminal: a bar with time left, or plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from offtarget.report.text import safe_text

LINE_EVERY_S = 10.0
"""Without a terminal, a line at most this often."""


class TerminalWatcher:
    """Shows what a run does; amounts are estimated seconds, corrected by the time really taken."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False, markup=False, soft_wrap=True)
        self._bar = Progress(
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:3.0f} %", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None
        self._total = self._done = 0.0
        self._started = time.monotonic()
        self._line_at = 0.0

    @contextmanager
    def running(self) -> Iterator["TerminalWatcher"]:
        """Keep the bar on screen for as long as the context lasts."""
        with self._bar:
            yield self

    def plan(self, total: float) -> None:
        """Set the amount of work and start the bar."""
        self._total, self._done = total, 0.0
        self._started = time.monotonic()
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task("", total=total)

    def stage(self, name: str) -> None:
        """Say what begins."""
        self._console.print(safe_text(name))

    def advance(self, amount: float, detail: str) -> None:
        """Move the bar; say how much time is left."""
        self._done += amount
        text = f"{self._left()} {safe_text(detail)}"
        if self._task is not None:
            self._bar.update(self._task, completed=self._done, description=text)
        now = time.monotonic()
        if not self._console.is_terminal and now - self._line_at >= LINE_EVERY_S:
            self._line_at = now
            share = self._done / self._total if self._total else 0
            self._console.print(f"{share:4.0%} {text}")

    def note(self, text: str) -> None:
        """Print one line for people."""
        self._console.print(safe_text(text))

    def _left(self) -> str:
        elapsed = time.monotonic() - self._started
        share = self._done / self._total if self._total else 0.0
        if share < 0.02 or elapsed < 2:
            return "time left: measuring;"
        left = elapsed * (1 - share) / share
        return f"about {_duration(max(0.0, left))} left;"


@contextmanager
def watching(stream: TextIO) -> Iterator[TerminalWatcher]:
    """Yield a watcher that writes to `stream`."""
    with TerminalWatcher(stream).running() as watcher:
        yield watcher


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
