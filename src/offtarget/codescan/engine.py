"""The protocol of an engine: a whole batch of snippets in, one answer a snippet out."""

from collections.abc import Sequence
from typing import Protocol

from offtarget.codescan.flaw import Scanned, Snippet
from offtarget.codescan.rule import Rule


class Engine(Protocol):
    """One way to find flaws. It never executes the code that it reads."""

    @property
    def name(self) -> str:
        """`offtarget`, `ruff`, `ast-grep`, `bandit`, `semgrep`."""

    @property
    def version(self) -> str:
        """Of the tool and of its rules: two runs with equal versions give equal flaws."""

    @property
    def languages(self) -> frozenset[str]:
        """Languages it reads; other snippets never reach it."""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Its rules, sorted by id; for external tools those of our own table."""

    def scan(self, snippets: Sequence[Snippet]) -> list[Scanned]:
        """Return what was found in each snippet, in order.

        Raises:
            ResourceError: If the tool is missing (with the pip command), crashes or times out.
        """
