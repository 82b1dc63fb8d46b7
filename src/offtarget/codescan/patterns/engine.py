"""The ast-grep engine: our own rules for every language but Python."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path

from offtarget.codescan.flaw import Flaw, Reading, Scanned, Snippet
from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.grammar import GRAMMARS
from offtarget.codescan.patterns.matching import matches
from offtarget.codescan.patterns.parsing import Parsed, parse
from offtarget.codescan.patterns.rulefile import PatternRule, read_rules
from offtarget.codescan.patterns.source import Stretch, WorkLimitError
from offtarget.codescan.rule import Rule
from offtarget.core.codec import digest, file_digest

NAME = "ast-grep"
FILES = ("c", "cpp", "csharp", "go", "java", "javascript", "php", "ruby", "rust")
"""Rule files; C's also apply to C++, and JavaScript's to TypeScript."""
TOLERATED = 0.5
"""Share of a tree inside errors above which text patterns are tried as well."""
MAX_TEXT_MATCHES = 20


class PatternEngine:
    """Finds flaws with syntax patterns, data flow by name, and missing-check analyses."""

    def __init__(self, rules: Path | None = None) -> None:
        """Use the rule files in the folder `rules`; by default those of this package."""
        self._folder = rules
        self._by_language: dict[str, tuple[PatternRule, ...]] = {}

    @property
    def name(self) -> str:
        """`ast-grep`."""
        return NAME

    @cached_property
    def version(self) -> str:
        """Of ast-grep-py and of this package, and a hash of the rule files."""
        ours = version("offtarget")
        return f"{version('ast-grep-py')}+{ours}+{digest(self._digests)[:12]}"

    @property
    def languages(self) -> frozenset[str]:
        """Every language with a grammar."""
        return frozenset(GRAMMARS)

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule, sorted by id."""
        return tuple(sorted((one.rule for one in self._all), key=lambda rule: rule.id))

    @cached_property
    def _by_file(self) -> dict[str, tuple[PatternRule, ...]]:
        if self._folder is None:
            return _packaged_rules()
        return {path.stem: read_rules(path) for path in self._own_files()}

    @cached_property
    def _digests(self) -> list[str]:
        if self._folder is None:
            with _packaged_files() as paths:
                return [file_digest(path) for path in paths]
        return [file_digest(path) for path in self._own_files()]

    def _own_files(self) -> list[Path]:
        assert self._folder is not None, "asked only for a folder that was given"
        return sorted(self._folder.glob("*.yaml"))

    @property
    def _all(self) -> list[PatternRule]:
        return [rule for rules in self._by_file.values() for rule in rules]

    def _rules_for(self, language: str) -> tuple[PatternRule, ...]:
        if language not in self._by_language:
            self._by_language[language] = self._gathered(language)
        return self._by_language[language]

    def _gathered(self, language: str) -> tuple[PatternRule, ...]:
        own = {"cpp": ("c", "cpp"), "typescript": ("javascript",)}.get(language, (language,))
        return tuple(rule for name in own for rule in self._by_file.get(name, ()))

    def scan(self, snippets: Sequence[Snippet]) -> list[Scanned]:
        """Return what was found in each snippet, in order."""
        return [self._scan(snippet) for snippet in snippets]

    def _scan(self, snippet: Snippet) -> Scanned:
        rules = self._rules_for(snippet.language)
        able = _able(rules, snippet.code)
        if not able:  # nothing to look for, so it was not parsed
            return Scanned(Reading.TOLERANT)
        try:
            return self._read(snippet, able)
        except (RecursionError, MemoryError):
            return Scanned(Reading.UNPARSED)

    def _read(self, snippet: Snippet, rules: Sequence[PatternRule]) -> Scanned:
        parsed = parse(snippet.code, snippet.language)
        if parsed is None:
            return Scanned(Reading.PATTERNS, _sorted(_by_text(snippet.code, rules)))
        flaws, is_complete = _by_tree(parsed, rules)
        reading = Reading.REPAIRED if parsed.shift else Reading.WHOLE
        reading = Reading.TOLERANT if parsed.error_rate > 0 else reading
        if parsed.error_rate > TOLERATED or not is_complete:
            reading = Reading.PATTERNS
            known = {flaw.rule for flaw in flaws}
            rest = [one for one in rules if one.rule.id not in known]
            flaws += _by_text(snippet.code, rest)
        return Scanned(reading, _sorted(flaws))


def _able(rules: Sequence[PatternRule], code: str) -> list[PatternRule]:
    """Return the rules whose `may_match` is true; written out, since it runs most often of all."""
    found: list[PatternRule] = []
    for one in rules:
        for group in one.rule.literals:
            for text in group:
                if text in code:
                    break
            else:
                break
        else:
            found.append(one)
    return found


@cache
def _packaged_rules() -> dict[str, tuple[PatternRule, ...]]:
    """Return the rules of this package; they take half a second to read, so once a process."""
    with _packaged_files() as paths:
        return {path.stem: read_rules(path) for path in paths}


@contextmanager
def _packaged_files() -> Iterator[list[Path]]:
    with as_file(files("offtarget.codescan").joinpath("data", "rules")) as folder:
        yield [folder / f"{name}.yaml" for name in FILES]


def _by_tree(parsed: Parsed, rules: Sequence[PatternRule]) -> tuple[list[Flaw], bool]:
    """Return the flaws, and whether every rule came to its end."""
    flow = Flow(parsed.source)
    found: list[Flaw] = []
    try:
        for one in rules:
            for at in matches(one, parsed.source, flow):
                place = _shifted(at, parsed.shift)
                found.append(_flaw(one.rule, place, one.rule.confidence))
    except WorkLimitError:
        return found, False
    return found, True


def _shifted(at: Stretch, shift: int) -> Stretch:
    return Stretch(max(0, at.start - shift), max(0, at.end - shift))


def _by_text(code: str, rules: Sequence[PatternRule]) -> list[Flaw]:
    found: list[Flaw] = []
    for one in rules:
        if one.text is None:
            continue
        for count, match in enumerate(one.text.finditer(code)):
            if count == MAX_TEXT_MATCHES:
                break
            at = Stretch(match.start(), match.end())
            found.append(_flaw(one.rule, at, one.rule.confidence * 0.5))
    return found


def _flaw(rule: Rule, at: Stretch, confidence: float) -> Flaw:
    return Flaw(
        rule=rule.id, cwe=rule.cwe, severity=rule.severity, confidence=confidence, engine=NAME,
        start=at.start, end=at.end, text=rule.title + ".",
    )  # fmt: skip


def _sorted(flaws: Sequence[Flaw]) -> tuple[Flaw, ...]:
    unique = {(flaw.start, flaw.end, flaw.rule): flaw for flaw in flaws}
    return tuple(unique[key] for key in sorted(unique))
