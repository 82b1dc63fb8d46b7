"""Rule files: what a rule declares, how it is matched, and how strictly that is read."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from offtarget.codescan.patterns.analyses import ANALYSES
from offtarget.codescan.patterns.checks import CHECKS
from offtarget.codescan.rule import Rule
from offtarget.core.codec import decode
from offtarget.core.errors import ConfigError
from offtarget.core.finding import Severity
from offtarget.core.yamlfile import read_yaml

_ID = re.compile(r"OT-(?:C|CPP|CS|GO|JAVA|JS|PHP|RB|RS)-\d{3}")
_NESTED = re.compile(r"[+*}]\)[+*{]")
_WITH_REGEX = frozenset({"text", "value", "from"})
_REGEX = frozenset({"seen", "unseen", "anywhere", "nowhere", "near"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleEntry:
    """One rule as it stands in a YAML file."""

    id: str
    title: str
    cwe: str
    severity: Severity
    confidence: float
    why: str
    bad: str
    good: str
    literals: list[list[str]]
    calls: str | None = None
    """Regex of the callee, `a.b.c`, anchored at its end and at a dot."""
    assigns: str | None = None
    """Regex searched in the target of assignments."""
    match: dict[str, Any] | None = None
    """An ast-grep rule object."""
    finds: str | None = None
    """The id of an analysis."""
    where: list[dict[str, Any]] = field(default_factory=list)
    """Checks that must all hold: `{built: 0}`; `not` and `any` nest."""
    text: str | None = None
    """Regex for code whose tree is mostly errors."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A check with its value, or `not`/`any`/`all` of others."""

    name: str
    value: str = ""
    parts: tuple["Condition", ...] = ()


@dataclass(frozen=True, slots=True)
class PatternRule:
    """A rule ready to run; exactly one matcher is set."""

    rule: Rule
    calls: re.Pattern[str] | None
    assigns: re.Pattern[str] | None
    match: dict[str, Any] | None
    finds: str | None
    where: tuple[Condition, ...]
    text: re.Pattern[str] | None


def read_rules(path: Path) -> tuple[PatternRule, ...]:
    """Return the rules in one file, in its order; the language is the file's name.

    Raises:
        ConfigError: For unknown keys, checks or analyses, a bad regex or a doubled id.
    """
    data = read_yaml(path, what="rule file", error=ConfigError, is_ours=True)
    if not isinstance(data, list):
        raise ConfigError(f"{path.name}: not a list of rules; start each with '- id:'")
    rules: list[PatternRule] = []
    seen: set[str] = set()
    for index, item in enumerate(data):
        place = f"{path.name}[{index}]"
        entry = decode(item, RuleEntry, place=place)
        place = f"{path.name}: {entry.id}"
        if not _ID.fullmatch(entry.id) or entry.id in seen:
            raise ConfigError(f"{place}: not a new id like OT-C-001; number each rule once")
        seen.add(entry.id)
        rules.append(_rule(entry, path.stem, place))
    return tuple(rules)


def _rule(entry: RuleEntry, language: str, place: str) -> PatternRule:
    matchers = [entry.calls, entry.assigns, entry.match, entry.finds]
    if sum(one is not None for one in matchers) != 1:
        raise ConfigError(f"{place}: give exactly one of calls, assigns, match and finds")
    if entry.finds is not None and entry.finds not in ANALYSES:
        raise ConfigError(f"{place}: no analysis {entry.finds!r}; known: {', '.join(ANALYSES)}")
    if not 0.0 <= entry.confidence <= 1.0 or not re.fullmatch(r"CWE-\d+", entry.cwe):
        raise ConfigError(f"{place}: confidence or cwe out of form; write 0.8 and CWE-89")
    if not entry.literals or not all(group and all(group) for group in entry.literals):
        raise ConfigError(f"{place}: empty literals; name texts without which it cannot match")
    rule = Rule(
        id=entry.id, title=entry.title, language=language, cwe=entry.cwe, severity=entry.severity,
        confidence=entry.confidence, why=entry.why, bad=entry.bad, good=entry.good,
        literals=tuple(tuple(group) for group in entry.literals),
    )  # fmt: skip
    calls = None if entry.calls is None else rf"(?:^|[.\s])(?:{entry.calls})$"
    return PatternRule(
        rule=rule,
        calls=_regex(calls, place),
        assigns=_regex(entry.assigns, place),
        match=entry.match,
        finds=entry.finds,
        where=tuple(_condition(item, place) for item in entry.where),
        text=_regex(entry.text, place),
    )


def _condition(item: dict[str, Any], place: str) -> Condition:
    if len(item) != 1:
        raise ConfigError(f"{place}: check {item!r} needs exactly one key; make a list item each")
    ((name, value),) = item.items()
    if name in ("not", "any", "all"):
        inner = value if isinstance(value, list) else [value]
        return Condition(name, parts=tuple(_condition(one, place) for one in inner))
    if name not in CHECKS:
        raise ConfigError(f"{place}: unknown check {name!r}; known: {', '.join(sorted(CHECKS))}")
    text = str(value)
    if name in _WITH_REGEX:
        _regex(text.partition(": ")[2] or "(", place)
    elif name in _REGEX:
        _regex(text, place)
    return Condition(name, text)


def _regex(pattern: str | None, place: str) -> re.Pattern[str] | None:
    if pattern is None:
        return None
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ConfigError(f"{place}: bad regex {pattern!r} ({error}); correct it") from error
    if _NESTED.search(pattern):
        raise ConfigError(f"{place}: nested repeats in {pattern!r}; they can stall a scan")
    return compiled
