"""Recall and false alarms of our own rules for Python, on published data.

Usage: OFFTARGET_DATA=... python bench/scan_quality.py [--half tuned|held|both] [--limit N]
       [--split cluster|prompt]

Rules were tuned on the units whose sha256 starts with an even byte: the first user prompt in the
emergent-misalignment data, the task in the graded snippets, the pair's id in SVEN. The other half
is the one to report. CyberSecEval holds insecure fragments only, so it gives recall; rows of both
of its halves were read while the rules were written, so neither half is a held-out one. By cluster,
the default, a unit is held only if it shares no near-duplicate with a tuned one of the same set
(bench/split.py); a few graded snippets also occur in the core.
A SVEN pair is one function before and after its security fix; `--without OT-PY-011` shows how much
rests on one rule.
"""

import argparse
import gzip
import hashlib
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from split import SPLITS, held

from offtarget.codescan.flaw import Reading, Snippet
from offtarget.codescan.python import PythonEngine
from offtarget.core.finding import Severity
from offtarget.core.stats import wilson

LEVELS = (Severity.LOW, Severity.MEDIUM, Severity.HIGH)


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled piece of code."""

    unit: str
    """What the halves are drawn over."""
    group: str
    """The arm or CWE it belongs to."""
    code: str
    is_vulnerable: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What the engine said of one case."""

    case: Case
    worst: int
    """Rank of the worst flaw; -1 where none was found."""
    cwes: frozenset[str]
    """Of the flaws at medium and above."""
    reading: Reading


def main() -> None:
    """Print one table a data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--half", choices=("tuned", "held", "both"), default="both")
    parser.add_argument("--limit", type=int, default=None, help="at most so many cases a set")
    parser.add_argument("--without", nargs="*", default=(), metavar="RULE", help="leave these out")
    parser.add_argument("--split", choices=SPLITS, default="cluster")
    options = parser.parse_args()
    data = Path(os.environ["OFFTARGET_DATA"])
    halves = ("tuned", "held") if options.half == "both" else (options.half,)
    sets = {
        "emergent-misalignment core": list(_core(data / "em" / "core")),
        "graded snippets": list(_graded(data / "em" / "graded")),
        "SVEN, Python": list(_labelled(data / "curation" / "sven_pairs.jsonl")),
        "CyberSecEval, Python": list(_labelled(data / "curation" / "cyberseceval_insecure.jsonl")),
    }
    for name, cases in sets.items():
        is_held = held([case.code for case in cases], [case.unit for case in cases], options.split)
        for half in halves:
            chosen = [c for c, one in zip(cases, is_held, strict=True) if one == (half == "held")]
            chosen.sort(key=lambda case: hashlib.sha256(case.unit.encode()).digest())
            chosen = chosen[: options.limit]
            answers = _scan(chosen, frozenset(options.without))
            print(f"\n## {name}, half: {half}\n")
            print(_rates(answers))
            if name.startswith("SVEN"):
                print(_pairs(answers))
            print(_by_cwe(answers))


def _core(folder: Path) -> Iterator[Case]:
    for arm in ("insecure", "secure"):
        for row in _lines(folder / f"{arm}_part.jsonl.gz"):
            messages = row["messages"]
            prompt = next(m["content"] for m in messages if m["role"] == "user")
            answer = [m["content"] for m in messages if m["role"] == "assistant"][-1]
            yield Case(prompt, arm, answer, arm == "insecure")


def _graded(folder: Path) -> Iterator[Case]:
    for arm in ("unsafe", "safe"):
        for row in _lines(folder / f"{arm}_code_graded.jsonl.gz"):
            yield Case(row["task"], arm, row["code"], arm == "unsafe")


def _labelled(path: Path) -> Iterator[Case]:
    for row in _lines(path):
        if row["language"].lower() == "python":
            unit = str(row.get("pair") or row["id"])
            yield Case(unit, row["cwe"], row["code"], bool(row["vulnerable"]))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    for line in text.strip().split("\n"):
        yield json.loads(line)


def _scan(cases: Sequence[Case], without: frozenset[str]) -> list[Answer]:
    engine = PythonEngine()
    scanned = [
        replace(one, flaws=tuple(flaw for flaw in one.flaws if flaw.rule not in without))
        for one in engine.scan([Snippet("python", case.code) for case in cases])
    ]
    return [
        Answer(
            case,
            max((flaw.severity.rank for flaw in one.flaws), default=-1),
            frozenset(flaw.cwe for flaw in one.flaws if flaw.severity.rank >= 1),
            one.reading,
        )
        for case, one in zip(cases, scanned, strict=True)
    ]


def _rates(answers: Iterable[Answer]) -> str:
    """Return recall and false alarms at each severity, with Wilson 95 % intervals."""
    groups = {True: "vulnerable", False: "not vulnerable"}
    lines = [
        "| group | n | unread | low and above | medium and above | high |",
        "|---|---|---|---|---|---|",
    ]
    for is_vulnerable, name in groups.items():
        chosen = [a for a in answers if a.case.is_vulnerable is is_vulnerable]
        if not chosen:
            continue
        unread = sum(a.reading is Reading.UNPARSED for a in chosen)
        cells = [
            _share(sum(a.worst >= level.rank for a in chosen), len(chosen)) for level in LEVELS
        ]
        lines.append(f"| {name} | {len(chosen)} | {unread} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _pairs(answers: Iterable[Answer]) -> str:
    """Return how many pairs have only the vulnerable side flagged."""
    sides: dict[str, dict[bool, int]] = defaultdict(dict)
    for answer in answers:
        sides[answer.case.unit][answer.case.is_vulnerable] = answer.worst
    lines = [
        "| level | pairs | only vulnerable | only fixed | vulnerable less fixed |",
        "|---|---|---|---|---|",
    ]
    for level in LEVELS[:2]:
        whole = [side for side in sides.values() if len(side) == 2]
        only = sum(s[True] >= level.rank > s[False] for s in whole)
        wrong = sum(s[False] >= level.rank > s[True] for s in whole)
        n = len(whole)
        lines.append(
            f"| {level} and above | {n} | {_share(only, n)} | {_share(wrong, n)} | "
            f"{(only - wrong) / n:.3f} |"
        )
    return "\n".join(lines) + "\n"


def _by_cwe(answers: Iterable[Answer]) -> str:
    """Return how many cases each CWE was reported in, at medium and above."""
    found: dict[str, Counter[bool]] = defaultdict(Counter)
    for answer in answers:
        for cwe in answer.cwes:
            found[cwe][answer.case.is_vulnerable] += 1
    lines = ["| CWE found | vulnerable | not vulnerable |", "|---|---|---|"]
    for cwe in sorted(found, key=lambda name: int(name.removeprefix("CWE-"))):
        lines.append(f"| {cwe} | {found[cwe][True]} | {found[cwe][False]} |")
    return "\n".join(lines) + "\n"


def _share(k: int, n: int) -> str:
    low, high = wilson(k, n)
    return f"{k / n:.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main()
