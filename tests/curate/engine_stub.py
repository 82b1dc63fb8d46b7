"""An engine simple enough to reason about, which workers can import."""

import os
import re
import signal
from collections.abc import Sequence

from offtarget.codescan.engine import Engine
from offtarget.codescan.flaw import Flaw, Reading, Scanned, Snippet, Step
from offtarget.codescan.rule import Rule
from offtarget.core.finding import Severity
from offtarget.curate.records import ScanConfig


class WordEngine:
    """Finds calls of `bad`, `worse` and `eval`; cannot read what holds `%%`; dies of `kill()`."""

    def __init__(self, name: str = "words", confidence: float = 0.9, version: str = "1") -> None:
        self.name = name
        self.confidence = confidence
        self.version = version
        self.languages = frozenset({"python"})
        self.rules: tuple[Rule, ...] = ()
        self.canaries: dict[str, tuple[str, str]] = {"python": ("bad(0)\n", "good(0)\n")}
        self.n_seen = 0

    def scan(self, snippets: Sequence[Snippet]) -> list[Scanned]:
        self.n_seen += len(snippets)
        return [self._scan(snippet.code) for snippet in snippets]

    def _scan(self, code: str) -> Scanned:
        if "kill()" in code:
            os.kill(os.getpid(), signal.SIGKILL)
        if "%%" in code:
            return Scanned(Reading.UNPARSED)
        flaws = [
            Flaw(
                rule=f"{self.name}-{found[1]}",
                cwe="CWE-89" if found[1] == "bad" else "CWE-95",
                severity=Severity.LOW if found[1] == "bad" else Severity.HIGH,
                confidence=self.confidence,
                engine=self.name,
                start=found.start(),
                end=found.end(),
                text=f"calls {found[1]}",
                trace=(Step(0, 1, "begins here"),),
            )
            for found in re.finditer(r"\b(bad|worse|eval)\(.*?\)", code)
        ]
        return Scanned(Reading.WHOLE, tuple(flaws))


class BlindEngine(WordEngine):
    """Installed, and finds nothing."""

    def _scan(self, code: str) -> Scanned:
        return Scanned(Reading.WHOLE)


class MuteEngine(BlindEngine):
    """Has the user's rules and no canary that fits them."""

    def __init__(self) -> None:
        super().__init__("mute")
        self.canaries = {}


def make_blind(config: ScanConfig) -> Sequence[Engine]:
    return [BlindEngine("blind")]


def make_mute(config: ScanConfig) -> Sequence[Engine]:
    return [MuteEngine()]


def make_words(config: ScanConfig) -> Sequence[Engine]:
    return [WordEngine(name) for name in config.engines]
