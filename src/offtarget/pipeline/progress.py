"""What long work tells whoever is watching."""

from typing import Protocol


class Watcher(Protocol):
    """Receives progress; amounts are estimated seconds of work on this machine."""

    def plan(self, total: float) -> None:
        """Announce how much work the run holds."""

    def stage(self, name: str) -> None:
        """Say what begins."""

    def advance(self, amount: float, detail: str) -> None:
        """Report work done and a short text about it."""

    def note(self, text: str) -> None:
        """Pass on one line for people."""


class Silent:
    """A watcher that ignores everything; for libraries and tests."""

    def plan(self, total: float) -> None:
        """Ignore."""

    def stage(self, name: str) -> None:
        """Ignore."""

    def advance(self, amount: float, detail: str) -> None:
        """Ignore."""

    def note(self, text: str) -> None:
        """Ignore."""
