"""The gate: whether any rule can match a piece of code, answered without looking at its tree."""

from collections.abc import Sequence

from offtarget.codescan.literals import Literals, holds_each
from offtarget.codescan.rule import Rule


class Gate:
    """Answers for many rules at once; every rule has literals."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._literals = Literals(
            text for rule in rules for group in rule.literals for text in group
        )
        self._rules = [
            (rule.id, tuple(self._literals.mask(group) for group in rule.literals))
            for rule in rules
        ]

    def open_rules(self, code: str) -> frozenset[str]:
        """Return the ids of the rules that may match: exactly those with `rule.may_match(code)`."""
        seen = self._literals.found(code)
        return frozenset([id for id, groups in self._rules if holds_each(groups, seen)])
