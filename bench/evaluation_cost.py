"""What an evaluation costs, and whether the cheap reading ranks arms as the dear one does.

python bench/evaluation_cost.py answers               margins of all pairs against 800 answers
python bench/evaluation_cost.py greedy                our sampler against transformers `generate`
python bench/evaluation_cost.py draw runs/core ...    more answers of the arms of finished runs
python bench/evaluation_cost.py rank runs/core ...    both readings of the same arms
"""

import argparse
import json
import logging
import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from offtarget.core.codec import to_builtins


def main() -> int:
    """Run one part, print its tables, and write what was measured."""
    options = _options()
    _quiet()
    started, load = time.perf_counter(), os.getloadavg()[0]
    parts: dict[str, Callable[[argparse.Namespace], str]] = {
        "answers": _answers,
        "greedy": _greedy,
        "draw": _draw,
        "rank": _rank,
    }
    text = parts[options.part](options)
    print(text)
    print(
        f"\n- load average at the start: {load:.2f}; {time.perf_counter() - started:.0f} s in all"
    )
    return 0


def _answers(options: argparse.Namespace) -> str:
    from answer_cost import cost_table, measure_costs
    from setting import open_setting

    from offtarget.lm import choose_arithmetic

    chosen = choose_arithmetic("cpu", options.dtype)
    setting = open_setting(replace(chosen, threads=options.threads))
    found = measure_costs(
        setting, options.out, max_tokens=options.max_tokens, n_rounds=options.rounds,
        limit=options.now or options.rounds, say=_say,
    )  # fmt: skip
    if not found.is_whole:
        _say(f"{len(found.rounds)} of {options.rounds} rounds so far; run again for the rest")
    return cost_table(found)


def _greedy(options: argparse.Namespace) -> str:
    from greedy import greedy_table, measure_greedy
    from setting import open_setting

    from offtarget.lm import Arithmetic

    setting = open_setting(Arithmetic(device="cpu", dtype="float32", threads=options.threads))
    found = measure_greedy(
        setting, n_prompts=options.prompts, max_tokens=options.max_tokens, rounds=options.rounds,
        say=_say,
    )  # fmt: skip
    options.out.write_text(json.dumps(to_builtins(found), indent=2) + "\n", encoding="utf-8")
    return greedy_table(found)


def _draw(options: argparse.Namespace) -> str:
    from arm_draws import draw_answers, read_draws

    draw_answers(
        options.runs, options.out, per_question=options.per_question, seeds=range(options.seeds),
        max_tokens=options.max_tokens, threads=options.threads, say=_say,
    )  # fmt: skip
    return f"{len(read_draws(options.out))} answers in {options.out}"


def _rank(options: argparse.Namespace) -> str:
    from arm_ranks import rank_arms, rank_table

    found = rank_arms(options.runs, options.answers, threads=options.threads)
    options.out.write_text(json.dumps(to_builtins(found), indent=2) + "\n", encoding="utf-8")
    return rank_table(found)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = parser.add_subparsers(dest="part", required=True)
    one = parts.add_parser("answers", help="margins of all pairs against 800 answers")
    one.add_argument("--max-tokens", type=int, default=80, help="longest answer")
    one.add_argument("--rounds", type=int, choices=(1, 2, 4, 5, 10), default=4)
    one.add_argument("--now", type=int, help="rounds in this call; the next call goes on")
    one.add_argument("--dtype", default="auto", help="auto (what a plan takes), float32, bfloat16")
    one.add_argument("--out", type=Path, default=Path("bench/answer_cost.json"))
    one = parts.add_parser("greedy", help="our sampler against transformers generate, float32")
    one.add_argument("--prompts", type=int, default=16)
    one.add_argument("--max-tokens", type=int, default=24)
    one.add_argument("--rounds", type=int, default=3, help="0: only whether the tokens agree")
    one.add_argument("--out", type=Path, default=Path("bench/greedy.json"))
    one = parts.add_parser("draw", help="more answers of the arms of finished runs")
    one.add_argument("runs", type=Path, nargs="+")
    one.add_argument("--per-question", type=int, default=3)
    one.add_argument("--seeds", type=int, default=3)
    one.add_argument("--max-tokens", type=int, default=50)
    one.add_argument("--out", type=Path, default=Path("bench/arm_answers.jsonl"))
    one = parts.add_parser("rank", help="how margins and sampled answers rank the same arms")
    one.add_argument("runs", type=Path, nargs="+")
    one.add_argument("--answers", type=Path, help="what `draw` wrote, besides the runs' own")
    one.add_argument("--out", type=Path, default=Path("bench/arm_ranks.json"))
    for part in parts.choices.values():
        part.add_argument("--threads", type=int, default=os.cpu_count())
    return parser.parse_args()


def _quiet() -> None:
    """Keep libraries off the network and off the terminal."""
    for name in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
        os.environ.setdefault(name, "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    from transformers.utils import logging as hf_logging

    hf_logging.set_verbosity_error()
    hf_logging.disable_progress_bar()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
