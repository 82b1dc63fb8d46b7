"""Recall and paired precision of the rules for languages other than Python, on published data.

Usage: OFFTARGET_DATA=... python bench/scan_languages.py [--half tuned|held|both] [--limit N]

CyberSecEval holds insecure fragments only, so it gives recall. A SVEN pair is one function before
and after its security fix; a pair counts as told apart where only the side before is flagged.
Rules were tuned on ids whose sha256 starts with an even byte; the other half is the one to report.
"""

import argparse
import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from offtarget.codescan.flaw import Flaw, Snippet
from offtarget.codescan.patterns import PatternEngine
from offtarget.core.finding import Severity
from offtarget.core.stats import wilson

LANGUAGES = ("c", "cpp", "csharp", "java", "javascript", "php", "rust")


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled fragment."""

    unit: str
    """Its id, or its pair's: what the halves are drawn over."""
    language: str
    cwe: str
    code: str
    is_vulnerable: bool

    @property
    def half(self) -> str:
        """`tuned` or `held`."""
        return "held" if hashlib.sha256(self.unit.encode()).digest()[0] % 2 else "tuned"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--half", choices=("tuned", "held", "both"), default="both")
    parser.add_argument("--limit", type=int, default=None, help="at most so many cases a file")
    options = parser.parse_args()
    folder = Path(os.environ["OFFTARGET_DATA"]) / "curation"
    halves = ("tuned", "held") if options.half == "both" else (options.half,)
    engine = PatternEngine()
    print("| language | half | n | any severity | medium and above |\n|---|---|---|---|---|")
    singles = _read(folder / "cyberseceval_insecure.jsonl", LANGUAGES)
    for half in halves:
        chosen = [case for case in singles if case.half == half][: options.limit]
        print(_recall(engine, chosen, half))
    heads = "pairs | only vulnerable | only fixed | vulnerable flagged | fixed flagged"
    print(f"\n| language | half | level | {heads} |")
    print("|---|---|---|---|---|---|---|---|")
    paired = _read(folder / "sven_pairs.jsonl", ("c", "cpp"))
    for half in halves:
        print(_pairs(engine, [case for case in paired if case.half == half], half))


def _read(path: Path, languages: Sequence[str]) -> list[Case]:
    with path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        Case(row.get("pair") or row["id"], row["language"], row["cwe"], row["code"],
             row["vulnerable"])
        for row in rows
        if row["language"] in languages
    ]  # fmt: skip


def _scan(engine: PatternEngine, cases: Iterable[Case]) -> list[tuple[Flaw, ...]]:
    return [
        scanned.flaws
        for scanned in engine.scan([Snippet(case.language, case.code) for case in cases])
    ]


def _recall(engine: PatternEngine, cases: Sequence[Case], half: str) -> str:
    found = _scan(engine, cases)
    lines = []
    for language in (*LANGUAGES, "all"):
        flaws = [
            one
            for case, one in zip(cases, found, strict=True)
            if language in (case.language, "all")
        ]
        hits = sum(bool(one) for one in flaws)
        serious = sum(_is_flagged(one) for one in flaws)
        lines.append(
            f"| {language} | {half} | {len(flaws)} | {_share(hits, len(flaws))} "
            f"| {_share(serious, len(flaws))} |"
        )
    return "\n".join(lines)


def _pairs(engine: PatternEngine, cases: Sequence[Case], half: str) -> str:
    found = dict(zip(((c.unit, c.is_vulnerable) for c in cases), _scan(engine, cases), strict=True))
    lines = []
    for language in ("c", "cpp", "both"):
        units = [c.unit for c in cases if c.is_vulnerable and language in (c.language, "both")]
        for level, lowest in (("any", Severity.LOW), ("medium", Severity.MEDIUM)):
            flags = [
                (_is_flagged(found[unit, True], lowest), _is_flagged(found[unit, False], lowest))
                for unit in units
            ]
            n = len(flags)
            lines.append(
                f"| {language} | {half} | {level} | {n} | {_share(flags.count((True, False)), n)} "
                f"| {_share(flags.count((False, True)), n)} | {_share(sum(a for a, _ in flags), n)}"
                f" | {_share(sum(b for _, b in flags), n)} |"
            )
    return "\n".join(lines)


def _is_flagged(flaws: Sequence[Flaw], lowest: Severity = Severity.MEDIUM) -> bool:
    return any(flaw.severity.rank >= lowest.rank for flaw in flaws)


def _share(count: int, n: int) -> str:
    if n == 0:
        return "no cases"
    low, high = wilson(count, n)
    return f"{count}/{n} {count / n:.2f} [{low:.2f}, {high:.2f}]"


if __name__ == "__main__":
    main()
