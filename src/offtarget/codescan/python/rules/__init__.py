"""The rules for Python, by topic."""

from typing import Final

from offtarget.codescan.python.rules import (
    commands,
    crypto,
    data,
    database,
    files,
    network,
    options,
    pages,
    paths,
    patterns,
    secrets,
    templates,
    web,
)
from offtarget.codescan.python.walk import Checks
from offtarget.codescan.rule import Rule

_TOPICS: Final = (
    database,
    commands,
    options,
    paths,
    files,
    pages,
    web,
    templates,
    data,
    network,
    crypto,
    secrets,
    patterns,
)

RULES: Final[tuple[Rule, ...]] = tuple(
    sorted((rule for topic in _TOPICS for rule in topic.RULES), key=lambda rule: rule.id)
)


def all_checks() -> Checks:
    """Return the checks of every rule, by what they want to see."""
    checks = Checks()
    for topic in _TOPICS:
        topic.register(checks)
    return checks
