"""Ratios against peers, in one interleaved run: `python bench/run.py`.

Nothing is cached between rounds but the model's files. Exit code 0 whether targets are met or
missed: a missed target is a result.
"""

import argparse
import json
import logging
import os
import sys
import time
import warnings
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

TARGETS = {"TRL defaults": 2.5, "tuned": 1.5, "margins": 2.0, "sampling": 6.0}
"""Least ratio in units per CPU-second."""
BUSY_LOAD = 0.5
"""Above this the machine was not free at the start: threads that wait in turn burn CPU time."""


@dataclass(frozen=True, slots=True)
class Sizing:
    """How much work a round is."""

    rounds: int
    train_rows: int
    agreement_steps: int
    pairs: int
    prompts: int
    max_tokens: int
    greedy_prompts: int


FULL = Sizing(
    rounds=3, train_rows=16, agreement_steps=8, pairs=32, prompts=32, max_tokens=24,
    greedy_prompts=8,
)  # fmt: skip
QUICK = Sizing(
    rounds=1, train_rows=4, agreement_steps=2, pairs=4, prompts=8, max_tokens=8, greedy_prompts=4
)


def main() -> int:
    """Run everything, write the JSON file, print the tables."""
    options = _options()
    missing = [name for name in ("trl", "datasets") if find_spec(name) is None]
    if missing:
        print(
            f"{' and '.join(missing)} not installed: the peer cannot be measured; "
            "run: pip install 'offtarget[bench]'",
            file=sys.stderr,
        )
        return 1
    _quiet()
    from stages import run_stages

    started, load = time.perf_counter(), os.getloadavg()[0]
    if load > BUSY_LOAD:
        _say(f"load average {load:.1f}: other work is running, do not quote these numbers")
    results, text = run_stages(_sizing(options), dtype=options.dtype, targets=TARGETS, say=_say)
    results["load_average_at_start"] = load
    results["seconds"] = round(time.perf_counter() - started, 1)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(results, indent=2, default=_plain) + "\n", encoding="utf-8")
    print(text)
    print(f"\n- load average at the start: {load:.2f}")
    print(f"\n{results['seconds']:.0f} s in all; every round is in {options.out}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, help="interleaved rounds of each comparison")
    parser.add_argument("--rows", type=int, help="rows trained on in a round")
    parser.add_argument(
        "--dtype", default="auto", help="auto (what a plan takes), float32, bfloat16"
    )
    parser.add_argument("--quick", action="store_true", help="one tiny round, to see that it runs")
    parser.add_argument("--out", type=Path, default=Path("bench/results.json"))
    return parser.parse_args()


def _sizing(options: argparse.Namespace) -> Sizing:
    sizing = asdict(QUICK if options.quick else FULL)
    if options.rounds:
        sizing["rounds"] = options.rounds
    if options.rows:
        sizing["train_rows"] = options.rows
    return Sizing(**sizing)


def _quiet() -> None:
    """Keep libraries off the network and off the terminal."""
    for name in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "HF_DATASETS_OFFLINE"):
        os.environ.setdefault(name, "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    import datasets  # type: ignore[import-untyped]
    from transformers.utils import logging as hf_logging

    hf_logging.set_verbosity_error()
    hf_logging.disable_progress_bar()
    datasets.disable_progress_bars()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _plain(value: Any) -> Any:
    return asdict(value)


if __name__ == "__main__":
    sys.exit(main())
