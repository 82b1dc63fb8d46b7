"""The engines that a scan can name."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from offtarget.codescan.engine import Engine
from offtarget.codescan.engines.bandit import BanditEngine
from offtarget.codescan.engines.ruff import RuffEngine
from offtarget.codescan.engines.semgrep import SemgrepEngine
from offtarget.codescan.patterns import PatternEngine
from offtarget.codescan.python.engine import PythonEngine
from offtarget.codescan.rule import Rule
from offtarget.core.errors import ConfigError
from offtarget.curate.records import ScanConfig


def _semgrep(config: ScanConfig) -> Engine:
    if not config.rules:
        raise ConfigError("engine 'semgrep' brings no rules; name yours with --config")
    return SemgrepEngine(tuple(map(Path, config.rules)))


_MAKERS: Mapping[str, Callable[[ScanConfig], Engine]] = {
    "offtarget": lambda _: PythonEngine(),
    "ruff": lambda _: RuffEngine(),
    "ast-grep": lambda _: PatternEngine(),
    "bandit": lambda _: BanditEngine(),
    "semgrep": _semgrep,
}
BUNDLED = ("offtarget", "ruff", "ast-grep")
"""Those that need no extra."""


def make_engines(config: ScanConfig) -> Sequence[Engine]:
    """Return the engines that `config` names, in its order.

    Raises:
        ConfigError: For an unknown name, a name given twice, or rules that no engine takes.
        ResourceError: If an optional engine is not installed.
    """
    unknown = [name for name in config.engines if name not in _MAKERS]
    if unknown:
        raise ConfigError(f"engine {unknown[0]!r} is not known; choose from {', '.join(_MAKERS)}")
    if len(set(config.engines)) < len(config.engines):
        raise ConfigError(f"an engine is named twice in {','.join(config.engines)}; name it once")
    if config.rules and "semgrep" not in config.engines:
        raise ConfigError("--config is for engine 'semgrep', which is not named; add it")
    return [_MAKERS[name](config) for name in config.engines]


def bundled_rules() -> tuple[Rule, ...]:
    """Return the rules of every engine that needs no extra, sorted by id."""
    engines = make_engines(ScanConfig(engines=BUNDLED))
    return tuple(sorted((r for engine in engines for r in engine.rules), key=lambda r: r.id))
