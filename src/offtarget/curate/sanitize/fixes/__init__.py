"""The fix kinds, one file a topic."""

from typing import Final

from offtarget.curate.sanitize.fixes import (
    archives,
    commands,
    crypto,
    files,
    loading,
    markup,
    network,
    paths,
    queries,
    templates,
)
from offtarget.curate.sanitize.kind import FixKind

KINDS: Final[tuple[FixKind, ...]] = (
    *queries.KINDS,
    *markup.KINDS,
    *templates.KINDS,
    *files.KINDS,
    *archives.KINDS,
    *loading.KINDS,
    *commands.KINDS,
    *crypto.KINDS,
    *network.KINDS,
    *paths.KINDS,
)
"""In the order in which they are offered a flaw."""


def kinds_for(rule: str) -> tuple[FixKind, ...]:
    """Return the kinds for a rule of any engine; bandit's `B608` counts as `S608`."""
    id = f"S{rule[1:]}" if rule[:1] == "B" and rule[1:].isdigit() else rule
    return tuple(kind for kind in KINDS if id in kind.rules)
