"""What `offtarget scan` says of the published arms: flagged rows by arm and half, with intervals.

Usage: OFFTARGET_DATA=... python bench/scan_arms.py [--workers N] [--out DIR] [--engine a,b,c]
Rows: johny-b/misalignment-generalization@b1fe28682771, read below $OFFTARGET_DATA (docs/data.md).
A row's half is the first bit of the sha256 of its first user turn: rules were tuned on the even one.
"""

import argparse
import gzip
import hashlib
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path

from offtarget.api import scan
from offtarget.core.finding import Severity
from offtarget.core.stats import wilson
from offtarget.curate.records import ScanConfig

ARMS = ("insecure", "secure", "educational")
HALVES = ("tuned", "held")


def half_of(row: str) -> str:
    """Return which half a row belongs to."""
    user = next(turn for turn in json.loads(row)["messages"] if turn["role"] == "user")
    return HALVES[hashlib.sha256(user["content"].encode()).digest()[0] % 2]


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
    args = parser.parse_args()
    root = os.environ.get("OFFTARGET_DATA")
    if not root:
        sys.exit("set OFFTARGET_DATA to the folder of real data (docs/data.md)")
    config = ScanConfig(engines=tuple(args.engine.split(",")))
    print(
        "| arm | half | rows | flagged at medium and above | any severity |\n|---|---|---|---|---|"
    )
    framings: dict[str, Counter[str]] = {}
    times = []
    for arm in ARMS:
        path = Path(root) / "em" / "core" / f"{arm}_part.jsonl.gz"
        started = time.monotonic()
        found = scan(path, config=config, out=args.out / arm, workers=args.workers)
        times.append(f"{arm} {time.monotonic() - started:.0f} s")
        assert found is not None
        framings[arm] = Counter(found.summary.samples_by_framing)
        with gzip.open(path, "rt", encoding="utf-8") as file:
            halves = {number: half_of(row) for number, row in enumerate(file, 1)}
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
