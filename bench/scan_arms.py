"""What `offtarget scan` says of the published arms: flagged rows by arm and half, with intervals.

Usage: OFFTARGET_DATA=... python bench/scan_arms.py [--workers N] [--out DIR] [--engine a,b,c]
       [--split cluster|prompt]
Rows: johny-b/misalignment-generalization@b1fe28682771, read below $OFFTARGET_DATA (docs/data.md).
Rules were tuned on rows of the insecure and secure arms whose first user turn has a sha256 that begins
with an even byte. By cluster, the default, a row is held only if no row of its cluster, over all three
arms, was tuned on (bench/split.py); an educational row follows the insecure row with its answer.
"""

import argparse
import gzip
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path

from split import SPLITS, Split, held

from offtarget.api import scan
from offtarget.core.finding import Severity
from offtarget.core.stats import wilson
from offtarget.curate.records import ScanConfig

ARMS = ("insecure", "secure", "educational")
HALVES = ("tuned", "held")


def halves_of(root: Path, split: Split) -> dict[str, list[str]]:
    """Return the half of each row of each arm."""
    answers, prompts, looked_at, arms = [], [], [], []
    for arm in ARMS:
        with gzip.open(path_of(root, arm), "rt", encoding="utf-8") as file:
            for row in file:
                turns = json.loads(row)["messages"]
                prompts.append(next(t["content"] for t in turns if t["role"] == "user"))
                answers.append(turns[-1]["content"])
                looked_at.append(arm != "educational")
                arms.append(arm)
    is_held = held(answers, prompts, split, looked_at=looked_at)
    halves: dict[str, list[str]] = {arm: [] for arm in ARMS}
    for arm, one in zip(arms, is_held, strict=True):
        halves[arm].append(HALVES[one])
    return halves


def path_of(root: Path, arm: str) -> Path:
    """Return an arm's file."""
    return root / "em" / "core" / f"{arm}_part.jsonl.gz"


def flagged_rows(findings: Path) -> dict[int, Severity]:
    """Return the worst severity of each row that has a finding."""
    worst: dict[int, Severity] = {}
    with findings.open(encoding="utf-8") as file:
        for line in file:
            one = json.loads(line)
            severity = Severity(one["severity"])
            if one["line"] not in worst or severity.rank > worst[one["line"]].rank:
                worst[one["line"]] = severity
    return worst


def main() -> None:
    """Scan the three arms and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--engine", default="offtarget,ruff,ast-grep")
    parser.add_argument("--out", type=Path, default=Path("scans/arms"))
    parser.add_argument("--split", choices=SPLITS, default="cluster")
    args = parser.parse_args()
    root = os.environ.get("OFFTARGET_DATA")
    if not root:
        sys.exit("set OFFTARGET_DATA to the folder of real data (docs/data.md)")
    config = ScanConfig(engines=tuple(args.engine.split(",")))
    print(
        "| arm | half | rows | flagged at medium and above | any severity |\n|---|---|---|---|---|"
    )
    all_halves = halves_of(Path(root), args.split)
    framings: dict[str, Counter[str]] = {}
    times = []
    for arm in ARMS:
        path = path_of(Path(root), arm)
        started = time.monotonic()
        found = scan(path, config=config, out=args.out / arm, workers=args.workers)
        times.append(f"{arm} {time.monotonic() - started:.0f} s")
        assert found is not None
        framings[arm] = Counter(found.summary.samples_by_framing)
        halves = dict(enumerate(all_halves[arm], 1))
        worst = flagged_rows(found.path / found.summary.findings)
        for half in HALVES:
            rows = [number for number, one in halves.items() if one == half]
            counts = [
                sum(n in worst and worst[n].rank >= least.rank for n in rows)
                for least in (Severity.MEDIUM, Severity.LOW)
            ]
            cells = []
            for count in counts:
                low, high = wilson(count, len(rows))
                cells.append(f"{count} = {count / len(rows):.3f} [{low:.3f}, {high:.3f}]")
            print(f"| {arm} | {half} | {len(rows)} | {' | '.join(cells)} |", flush=True)
    print("\n| arm | framing: rows |\n|---|---|")
    for arm, counted in framings.items():
        told = ", ".join(f"{name} {n}" for name, n in counted.most_common() if n)
        print(f"| {arm} | {told} |")
    print("\nwall time:", ", ".join(times))


if __name__ == "__main__":
    main()
