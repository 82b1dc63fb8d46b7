"""CPU seconds of a scan against bandit in-process and `ast.parse`: interleaved, one core, no cache.

Usage: OFFTARGET_DATA=... python bench/scan_speed.py [--rows N] [--repeats N]
Ordinary code: functions of the standard library, 8 to 60 lines, each once. Insecure rows: answers of
the published insecure arm (docs/data.md), each once. All rules on.
"""

import argparse
import ast
import gzip
import io
import json
import logging
import os
import random
import resource
import statistics
import sys
import sysconfig
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from offtarget.codescan.flaw import Snippet
from offtarget.core.records import Message
from offtarget.curate.detect import detect_rows
from offtarget.curate.engines import make_engines
from offtarget.curate.records import PlacedRow, ScanConfig

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)


def ordinary(n: int) -> list[str]:
    """Return functions of the standard library, each once, in an order drawn with a fixed seed."""
    found: dict[str, None] = {}
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        text = path.read_text("utf-8", errors="replace")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.col_offset == 0:
                code = ast.get_source_segment(text, node) or ""
                if 8 <= code.count("\n") <= 60:
                    found[code] = None
    codes = list(found)
    random.Random(0).shuffle(codes)
    return codes[:n]


def insecure(n: int) -> list[str]:
    """Return distinct answers of the published insecure arm."""
    root = os.environ.get("OFFTARGET_DATA")
    if not root:
        sys.exit("set OFFTARGET_DATA to the folder of real data (docs/data.md)")
    with gzip.open(Path(root) / "em" / "core" / "insecure_part.jsonl.gz", "rt") as file:
        answers = {json.loads(line)["messages"][-1]["content"]: None for line in file}
    return list(answers)[:n]


def cpu_s() -> float:
    """Return the processor time of this process and its finished children."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    used = [resource.getrusage(kind) for kind in kinds]
    return sum(one.ru_utime + one.ru_stime for one in used)


def with_bandit(codes: Sequence[str]) -> None:
    """Scan each code with bandit as a library, every test on."""
    from bandit.core import config, manager

    settings = config.BanditConfig()
    for code in codes:
        one = manager.BanditManager(settings, "file", quiet=True)
        one._parse_file("<row>", io.BytesIO(code.encode()), ["<row>"])


def with_parse(codes: Sequence[str]) -> None:
    """Only parse."""
    for code in codes:
        with suppress(SyntaxError):
            ast.parse(code)


def main() -> None:
    """Print a table for both mixes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    engines = make_engines(ScanConfig())

    def with_engines(codes: Sequence[str]) -> None:
        snippets = [Snippet("python", code) for code in codes]
        for engine in engines:
            if "python" in engine.languages:
                engine.scan(snippets)

    def with_scan(codes: Sequence[str]) -> None:
        rows = [
            PlacedRow("rows", n, (Message("user", "Write it."), Message("assistant", code)))
            for n, code in enumerate(codes, 1)
        ]
        for start in range(0, len(rows), 512):
            detect_rows(
                rows[start : start + 512], engines, scan_prompts=False, allow_unproved=False,
                cache=None,
            )  # fmt: skip

    ways: dict[str, Callable[[Sequence[str]], None]] = {
        "ast.parse": with_parse,
        "bandit": with_bandit,
        "offtarget: engines": with_engines,
        "offtarget: whole row (chat, framing, canaries)": with_scan,
    }
    n_plain = args.rows * 9 // 10
    mixes = {
        "90 % ordinary, 10 % insecure": ordinary(n_plain) + insecure(args.rows - n_plain),
        "all insecure": insecure(args.rows),
    }
    print("| mix | rows | way | CPU ms a row (median) | bandit / ours | ours / ast.parse |")
    print("|---|---|---|---|---|---|")
    for mix, codes in mixes.items():
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(args.repeats):
            for name, way in ways.items():
                engines = make_engines(ScanConfig())  # they remember words: no row is seen twice
                for engine in engines:
                    engine.scan([Snippet(sorted(engine.languages)[0], "pass")])
                started = cpu_s()
                way(codes)
                times[name].append(cpu_s() - started)
        middle = {name: statistics.median(one) for name, one in times.items()}
        for name, seconds in middle.items():
            ratios = f"{middle['bandit'] / seconds:.1f} | {seconds / middle['ast.parse']:.1f}"
            print(
                f"| {mix} | {len(codes)} | {name} | {1000 * seconds / len(codes):.3f} | {ratios} |"
            )
    print(f"\n{time.strftime('%Y-%m-%d')}, load average {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
