"""The table of analyses: each reads one source and yields where a flaw stands."""

from collections.abc import Callable, Iterator

from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.source import Source, Stretch

Analysis = Callable[[Source, Flow], Iterator[Stretch]]

ANALYSES: dict[str, Analysis] = {}
"""By the id that rule files use."""


def analysis(name: str) -> Callable[[Analysis], Analysis]:
    """Register an analysis under `name`."""

    def register(function: Analysis) -> Analysis:
        ANALYSES[name] = function
        return function

    return register
