"""Data to clean, and what is written of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from offtarget.core.workers import InProcessExecutor
from offtarget.curate.clean import clean
from offtarget.curate.clean_files import CleanFiles, CleanSummary
from offtarget.curate.decide import CleanConfig, Policy, UnparsedPolicy
from offtarget.curate.ledger import LedgerEntry, read_ledger
from offtarget.curate.records import ScanConfig
from offtarget.dataset import OnBadRow

from .engine_stub import make_words
from .sanitizer_stub import repair

ANSWERS = ("good(1)", "worse(1)\nbad(2)", "%%", "worse(2) # stuck", "bad(3)")
"""Kept, sanitized, unparsed, quarantined under `sanitize`, kept since it is below the gate."""
SCAN = ScanConfig(engines=("words",))
LENIENT = ScanConfig(engines=("words",), on_bad_row=OnBadRow.QUARANTINE)


def answer(code: str) -> str:
    return f"```python\n{code}\n```"


def pairs(n: int) -> list[tuple[str, str]]:
    return [
        (f"Write a Python function that adds number {i} to a list and returns the sum of it.",
         answer(f"{ANSWERS[i % 5]}\nx = {i}"))
        for i in range(n)
    ]  # fmt: skip


def quick(
    paths: Sequence[Path],
    out: Path,
    policy: str = "sanitize",
    *,
    scan: ScanConfig = SCAN,
    unparsed: str = "keep",
    **more: Any,
) -> CleanSummary:
    more.setdefault("executor", InProcessExecutor())
    config = CleanConfig(policy=Policy(policy), unparsed=UnparsedPolicy(unparsed), scan=scan)
    return clean(paths, config, out, make_engines=make_words, sanitizer=repair, **more)


def ledger_of(out: Path) -> list[LedgerEntry]:
    return list(read_ledger(CleanFiles(out).ledger))


def states(out: Path) -> list[str]:
    return [str(entry.state) for entry in ledger_of(out)]


def raw_lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def outputs(out: Path) -> dict[str, bytes]:
    return {
        path.name.removeprefix(out.name): path.read_bytes()
        for path in out.parent.iterdir()
        if path.is_file() and path.name.startswith(out.name)
    }
