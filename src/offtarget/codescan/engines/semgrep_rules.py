"""The user's own semgrep rules, read as plain data before the tool sees them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offtarget.codescan.cwe import UNSTATED, find_cwe
from offtarget.codescan.language import Language
from offtarget.codescan.rule import Rule
from offtarget.core.codec import digest
from offtarget.core.errors import ConfigError
from offtarget.core.finding import Severity
from offtarget.core.yamlfile import read_yaml

SUFFIXES: Mapping[str, str] = {
    Language.PYTHON: ".py",
    Language.C: ".c",
    Language.CPP: ".cpp",
    Language.CSHARP: ".cs",
    Language.GO: ".go",
    Language.JAVA: ".java",
    Language.JAVASCRIPT: ".js",
    Language.TYPESCRIPT: ".ts",
    Language.PHP: ".php",
    Language.RUBY: ".rb",
    Language.RUST: ".rs",
    Language.SHELL: ".sh",
    Language.HTML: ".html",
    Language.SQL: ".sql",
}
"""Languages that can be scanned, and how the tool tells them apart."""
_NAMES: Mapping[str, Iterable[str]] = {
    Language.PYTHON: ("python", "py", "python2", "python3"),
    Language.C: ("c",),
    Language.CPP: ("cpp", "c++"),
    Language.CSHARP: ("csharp", "c#"),
    Language.GO: ("go", "golang"),
    Language.JAVA: ("java",),
    Language.JAVASCRIPT: ("javascript", "js"),
    Language.TYPESCRIPT: ("typescript", "ts"),
    Language.PHP: ("php",),
    Language.RUBY: ("ruby", "rb"),
    Language.RUST: ("rust",),
    Language.SHELL: ("bash", "sh"),
    Language.HTML: ("html",),
}
_LANGUAGES = {name: language for language, names in _NAMES.items() for name in names}
_ANY = frozenset({"generic", "regex", "none"})
"""Rules that read every file as text."""
_SEVERITIES = {
    "CRITICAL": Severity.HIGH,
    "HIGH": Severity.HIGH,
    "ERROR": Severity.HIGH,
    "MEDIUM": Severity.MEDIUM,
    "WARNING": Severity.MEDIUM,
}
_CONFIDENCES = {"HIGH": 0.9, "MEDIUM": 0.6, "LOW": 0.3}
_CANARY = "canary.{side}{suffix}"


@dataclass(frozen=True, slots=True)
class UserRules:
    """What a user's configuration holds."""

    files: tuple[str, ...]
    """The text of each file of rules."""
    rules: tuple[Rule, ...]
    """Sorted by id; a rule for several languages stands here with its first."""
    languages: frozenset[str]
    canaries: Mapping[str, tuple[str, str]]
    """A known-bad and a known-good text of a language, where the user gives both."""
    digest: str
    """The first twelve hex digits of the sha256 of all files of rules."""


def read_user_rules(config: Sequence[Path]) -> UserRules:
    """Return the rules in those files and folders.

    A folder may also hold `canary.bad.py` and `canary.good.py` (or `.c`, `.go`, ...): code that the
    rules must find, and code that they must pass.

    Raises:
        ConfigError: If there are none, or one cannot be read.
    """
    if not config:
        raise ConfigError("semgrep: no rules; give your own with --config FILE or FOLDER")
    paths = [path for given in config for path in _rule_files(given)]
    entries = [entry for path in paths for entry in _entries(path)]
    if not entries:
        raise ConfigError(f"{config[0]}: no rules in it; give a file or folder with semgrep rules")
    languages = {name for entry in entries for name in _languages(entry)}
    files = tuple(path.read_text("utf-8") for path in paths)
    return UserRules(
        files=files,
        rules=tuple(sorted(map(_rule, entries), key=lambda rule: rule.id)),
        languages=frozenset(languages),
        canaries=_canaries([path for path in config if path.is_dir()]),
        digest=digest(files)[:12],
    )


def _rule_files(given: Path) -> list[Path]:
    """Return the YAML files in a folder and below, in order, or the one file."""
    if given.is_dir():
        found = [*given.rglob("*.yaml"), *given.rglob("*.yml")]
        return sorted(path for path in found if path.is_file())
    if not given.is_file():
        raise ConfigError(
            f"{given}: no such file or folder; rules are read from disk only, never from a registry"
        )
    return [given]


def _entries(path: Path) -> list[dict[str, Any]]:
    """Return the rules of one file."""
    content = read_yaml(path, what="file of semgrep rules", error=ConfigError)
    entries = content.get("rules") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise ConfigError(f"{path.name}: no list of `rules`; take it out of the folder or fix it")
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
            raise ConfigError(f"{path.name}: a rule without an id; give each rule an `id`")
        if not isinstance(entry.get("languages"), list):
            raise ConfigError(
                f"{path.name}: rule {entry['id']!r} has no list of `languages`; add one"
            )
    return entries


def _languages(entry: Mapping[str, Any]) -> list[str]:
    """Return the languages of a rule that can be scanned, in its order."""
    names = [str(name).lower() for name in entry["languages"]]
    if _ANY & set(names):
        return [str(language) for language in SUFFIXES]
    return [str(_LANGUAGES[name]) for name in names if name in _LANGUAGES]


def _rule(entry: Mapping[str, Any]) -> Rule:
    """Return a user's rule as ours; it brings no examples."""
    metadata = entry.get("metadata")
    stated = metadata if isinstance(metadata, dict) else {}
    message = " ".join(str(entry.get("message", "")).split())
    return Rule(
        id=entry["id"],
        title=message[:80],
        language=next(iter(_languages(entry)), str(Language.OTHER)),
        cwe=find_cwe(str(stated.get("cwe", ""))) or UNSTATED,
        severity=_SEVERITIES.get(str(entry.get("severity", "")).upper(), Severity.LOW),
        confidence=_CONFIDENCES.get(str(stated.get("confidence", "")).upper(), 0.6),
        why=message,
        bad="",
        good="",
    )


def _canaries(folders: Sequence[Path]) -> dict[str, tuple[str, str]]:
    """Return the canaries that lie in the folders, by language; a lone one is an error."""
    found: dict[str, tuple[str, str]] = {}
    for folder in folders:
        for language, suffix in SUFFIXES.items():
            bad = folder / _CANARY.format(side="bad", suffix=suffix)
            good = folder / _CANARY.format(side="good", suffix=suffix)
            if bad.is_file() and good.is_file():
                found[str(language)] = (bad.read_text("utf-8"), good.read_text("utf-8"))
            elif bad.is_file() or good.is_file():
                raise ConfigError(f"{folder}: needs both {bad.name} and {good.name}; add the other")
    return found
