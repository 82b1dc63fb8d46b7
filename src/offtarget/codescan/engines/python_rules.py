"""Our own table of the S rules, which ruff and bandit share under the numbers of flake8-bandit."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from offtarget.codescan.cwe import cwe
from offtarget.codescan.language import Language
from offtarget.codescan.literals import Literals, holds_each
from offtarget.codescan.rule import Rule
from offtarget.core.codec import digest, file_digest
from offtarget.core.errors import DataError
from offtarget.core.finding import Severity
from offtarget.core.yamlfile import read_yaml

_DATA = Path(__file__).parents[1] / "data"
_RUFF = _DATA / "ruff_rules.yaml"
_BANDIT = _DATA / "bandit_rules.yaml"


@dataclass(frozen=True, slots=True)
class TableRule:
    """A rule of the table and what only external tools need."""

    rule: Rule
    folded: tuple[tuple[str, ...], ...]
    """A gate like `Rule.literals`, in lower case, for code in lower case."""
    confirm: re.Pattern[str] | None
    """What lower-case code must also hold that has these words; None for nothing more."""
    quiet: str
    """A message that holds this text makes the finding low; empty for none."""


@cache
def ruff_rules() -> tuple[TableRule, ...]:
    """Return ruff's S rules, sorted by id."""
    return _read(_RUFF)


@cache
def bandit_rules() -> tuple[Rule, ...]:
    """Return bandit's rules, sorted by id: `B608` is ruff's `S608`, and a few more."""
    shared = (replace(entry.rule, id="B" + entry.rule.id[1:]) for entry in ruff_rules())
    rules = {rule.id: rule for rule in shared} | {
        entry.rule.id: entry.rule for entry in _read(_BANDIT)
    }
    return tuple(rules[id] for id in sorted(rules))


@cache
def ruff_digest() -> str:
    """Return the first twelve hex digits of the sha256 of ruff's table."""
    return file_digest(_RUFF)[:12]


@cache
def bandit_digest() -> str:
    """Return the first twelve hex digits of the sha256 of the tables that bandit's rules need."""
    return digest([file_digest(_RUFF), file_digest(_BANDIT)])[:12]


class Gate:
    """Whether any of some rules can match a text, by the words that they need.

    An escape inside a string (`"\\x53ELECT"`) hides a word from the gate.
    """

    def __init__(self, rules: Iterable[TableRule]) -> None:
        entries = list(rules)
        literals = Literals(w for e in entries for group in e.rule.literals for w in group)
        folded = Literals(w for e in entries for group in e.folded for w in group)
        self._literals, self._folded = literals, folded
        self._rules = [
            (
                tuple(literals.mask(group) for group in entry.rule.literals),
                tuple(folded.mask(group) for group in entry.folded),
                entry.confirm,
            )
            for entry in entries
        ]

    def may_match(self, code: str) -> bool:
        """Return whether any rule may match; False means that all are silent."""
        lower = code.lower()
        seen, seen_folded = self._literals.found(code), self._folded.found(lower)
        for groups, folded, confirm in self._rules:
            if (
                holds_each(groups, seen)
                and holds_each(folded, seen_folded)
                and (confirm is None or confirm.search(lower))
            ):
                return True
        return False


def _read(path: Path) -> tuple[TableRule, ...]:
    """Return the rules of one table, sorted by id."""
    entries = read_yaml(path, what="table of rules", error=DataError, is_ours=True)
    rules = [
        TableRule(
            rule=Rule(
                id=id,
                title=entry["title"],
                language=Language.PYTHON,
                cwe=cwe(entry["cwe"]).id,
                severity=Severity(entry["severity"]),
                confidence=entry["confidence"],
                why=entry["why"],
                bad=entry["bad"],
                good=entry["good"],
                literals=_groups(entry.get("literals", ())),
            ),
            folded=_groups(entry.get("folded", ())),
            confirm=re.compile(entry["confirm"]) if "confirm" in entry else None,
            quiet=entry.get("quiet", ""),
        )
        for id, entry in entries.items()
    ]
    return tuple(sorted(rules, key=lambda entry: entry.rule.id))


def _groups(groups: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """Return lists of lists as tuples."""
    return tuple(tuple(group) for group in groups)
