"""The engines and short cuts that the sanitizer's tests share."""

import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from offtarget.codescan.engine import Engine
from offtarget.codescan.engines.ruff import RuffEngine
from offtarget.codescan.flaw import Flaw, Snippet
from offtarget.codescan.python import PythonEngine
from offtarget.core.finding import Severity
from offtarget.curate.sanitize import Sanitized, sanitize_code

STAND_INS = Path(__file__).parent / "stand_ins"


@cache
def engines() -> tuple[Engine, ...]:
    """Return our own engine and ruff, made once."""
    return PythonEngine(), RuffEngine()


def flaws_of(code: str, using: Sequence[Engine] | None = None) -> tuple[Flaw, ...]:
    """Return what the engines find."""
    snippets = [Snippet("python", code)]
    return tuple(flaw for engine in using or engines() for flaw in engine.scan(snippets)[0].flaws)


def sanitized(code: str, *, gate: Severity = Severity.MEDIUM) -> Sanitized:
    """Return the code without its flaws."""
    return sanitize_code(code, flaws_of(code), engines=engines(), gate=gate)


def run(code: str, folder: Path) -> str:
    """Return what a program prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={
            "PYTHONPATH": str(STAND_INS),
            "FOLDER": str(folder),
            "API_KEY": "sk_live_4f9aZ81bXq7Lm2Tw",
            "TMPDIR": str(folder),
        },
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
