"""The table of checks: each takes a site and the value that the rule file gives it."""

from collections.abc import Callable

from offtarget.codescan.patterns.site import Site

Check = Callable[[Site, str], bool]

CHECKS: dict[str, Check] = {}
"""By the id that rule files use."""


def check(name: str) -> Callable[[Check], Check]:
    """Register a check under `name`."""

    def register(function: Check) -> Check:
        CHECKS[name] = function
        return function

    return register
