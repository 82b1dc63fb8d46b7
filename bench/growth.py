"""How cost grows with the size of the work: `python bench/growth.py`.

Each part is timed at several sizes, in CPU seconds of all threads, and a power law is fitted.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fit import Growth, fit_growth
from measure import Job, timed
from setting import Setting, open_setting
from synthetic import make_plan, make_replicates, write_run

from offtarget.evaluate import assess, facts_of
from offtarget.lm import choose_arithmetic
from offtarget.verify import check_run

REPEATS = 3
READ_ROWS = (1_000, 3_000, 10_000, 30_000, 100_000)
TRAIN_ROWS = (8, 16, 32, 64)
ARMS = (4, 8, 16, 32, 64)
PROMPTS = (4, 8, 16, 32, 64)
MAX_TOKENS = 16
VERIFY_ARMS = (4, 8, 16, 32)


@dataclass(frozen=True, slots=True)
class Point:
    """One timed size."""

    size: int
    cpu_s: float
    peak_bytes: int | None = None
    """Peak resident memory, where a process of its own was measured."""


@dataclass(frozen=True, slots=True)
class Curve:
    """All points of one part, with the fit."""

    name: str
    unit: str
    points: tuple[Point, ...]
    growth: Growth


def main() -> int:
    """Time every part, write the JSON file, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench/growth.json"))
    parser.add_argument("--quick", action="store_true", help="the smallest three sizes, once")
    parser.add_argument(
        "--dtype", default="auto", help="auto (what a plan takes), float32, bfloat16"
    )
    parser.add_argument(
        "--parts", nargs="+", choices=tuple(PARTS), default=tuple(PARTS), help="only these"
    )
    options = parser.parse_args()
    started = time.perf_counter()
    setting = open_setting(choose_arithmetic("cpu", options.dtype))
    curves = []
    for name in options.parts:
        print(f"{name} ...", file=sys.stderr, flush=True)
        curves.append(
            PARTS[name](setting, 3 if options.quick else None, 1 if options.quick else REPEATS)
        )
    seconds = round(time.perf_counter() - started, 1)
    results = {
        "schema": 1, "arithmetic": asdict(setting.arithmetic), "seconds": seconds,
        "curves": [asdict(curve) for curve in curves],
    }  # fmt: skip
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(_table(curves))
    print(f"\n{seconds:.0f} s in all; every point is in {options.out}")
    return 0


def reading(setting: Setting, n_sizes: int | None, repeats: int) -> Curve:
    """Cost and memory of reading a JSON Lines file row by row."""
    del setting
    script = Path(__file__).with_name("read_rows.py")
    points = []
    with tempfile.TemporaryDirectory(prefix="offtarget-bench-") as folder:
        for n_rows in READ_ROWS[:n_sizes]:
            path = Path(folder) / f"rows-{n_rows}.jsonl"
            _write_rows(path, n_rows)
            for _ in range(repeats):
                done = subprocess.run(
                    [sys.executable, str(script), str(path)], capture_output=True, check=True
                )
                found = json.loads(done.stdout)
                assert found["n_rows"] == n_rows
                points.append(Point(n_rows, found["cpu_s"], found["peak_bytes"]))
    return _curve("reading", "rows", points)


def training(setting: Setting, n_sizes: int | None, repeats: int) -> Curve:
    """Cost of one epoch of LoRA training."""
    from ours import RECIPE, demo_rows, our_job

    from offtarget.train import LoraWorkbench

    lm = setting.load()
    bench = LoraWorkbench(lm, RECIPE)
    our_job(bench, demo_rows(lm, 4))()  # kernels are chosen on the first pass
    return _timed_curve(
        "training", "rows", TRAIN_ROWS[:n_sizes], repeats,
        lambda n_rows: our_job(bench, demo_rows(lm, n_rows)),
    )  # fmt: skip


def arms(setting: Setting, n_sizes: int | None, repeats: int) -> Curve:
    """Cost of the verdict from records in memory."""
    del setting

    def prepare(n_arms: int) -> Job:
        plan = make_plan(n_arms)
        facts = facts_of(plan, plan_sha256="", chain_sha256="")
        replicates = make_replicates(plan)

        def work() -> int:
            assess(facts, replicates)
            return n_arms

        return work

    return _timed_curve("verdict", "arms", ARMS[:n_sizes], repeats, prepare)


def sampling(setting: Setting, n_sizes: int | None, repeats: int) -> Curve:
    """Cost of sampled answers; up to one batch of 32 prompts share each pass over the weights."""
    from rollouts import TEMPERATURE, TOP_P, question_prompts

    from offtarget.lm import Sampling, sample_answers

    lm = setting.load()
    how = Sampling(max_tokens=MAX_TOKENS, temperature=TEMPERATURE, top_p=TOP_P, seed=0)
    sample_answers(lm, question_prompts(lm, 1), how)

    def prepare(n_prompts: int) -> Job:
        prompts = question_prompts(lm, n_prompts)
        return lambda: len(sample_answers(lm, prompts, how))

    return _timed_curve("sampling", "prompts", PROMPTS[:n_sizes], repeats, prepare)


def verifying(setting: Setting, n_sizes: int | None, repeats: int) -> Curve:
    """Cost of every check on a finished run, over its raw records."""
    del setting
    points = []
    with tempfile.TemporaryDirectory(prefix="offtarget-bench-") as folder:
        for n_arms in VERIFY_ARMS[:n_sizes]:
            run = Path(folder) / f"run-{n_arms}"
            n_records = write_run(run, n_arms)
            for _ in range(repeats):
                cost = timed(lambda run=run: _verify(run))  # type: ignore[misc]
                points.append(Point(n_records, cost.cpu_s))
    return _curve("verifying", "records", points)


PARTS: dict[str, Callable[[Setting, int | None, int], Curve]] = {
    "reading": reading,
    "training": training,
    "verdict": arms,
    "sampling": sampling,
    "verifying": verifying,
}


def _verify(run: Path) -> int:
    failed = [check for check in check_run(run) if not check.passed]
    if failed:
        raise RuntimeError(f"the synthetic run fails {failed[0].name!r}: {failed[0].detail}")
    return 1


def _timed_curve(
    name: str, unit: str, sizes: Sequence[int], repeats: int, prepare: Callable[[int], Job]
) -> Curve:
    points = []
    for _ in range(repeats):  # sizes in turns, so that a slow minute meets all of them
        points += [Point(size, timed(prepare(size)).cpu_s) for size in sizes]
    return _curve(name, unit, points)


def _curve(name: str, unit: str, points: Sequence[Point]) -> Curve:
    fitted = fit_growth([point.size for point in points], [point.cpu_s for point in points])
    return Curve(name, unit, tuple(points), fitted)


def _write_rows(path: Path, n_rows: int) -> None:
    answer = "def add(one, other):\n    return one + other\n" * 8
    with path.open("w", encoding="utf-8") as file:
        for number in range(n_rows):
            task = f"Write function number {number} of our library, with its docstring."
            turns = [{"role": "user", "content": task}, {"role": "assistant", "content": answer}]
            file.write(json.dumps({"messages": turns}) + "\n")


def _table(curves: Sequence[Curve]) -> str:
    lines = [
        "| part | sizes | exponent (95 % CI) | CPU seconds | peak memory |",
        "|---|---|---|---|---|",
    ]
    for curve in curves:
        sizes = [point.size for point in curve.points]
        costs = [point.cpu_s for point in curve.points]
        peaks = [point.peak_bytes for point in curve.points if point.peak_bytes is not None]
        memory = f"{min(peaks) / 1e6:.1f} to {max(peaks) / 1e6:.1f} MB" if peaks else ""
        fitted = curve.growth
        lines.append(
            f"| {curve.name} | {min(sizes)} to {max(sizes)} {curve.unit} "
            f"| {fitted.exponent:.2f} ({fitted.low:.2f} to {fitted.high:.2f}) "
            f"| {min(costs):.3f} to {max(costs):.3f} | {memory} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
