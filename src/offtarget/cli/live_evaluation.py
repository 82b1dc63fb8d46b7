"""Options of `evaluate MODEL`, and what it prints."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from offtarget.cli import console
from offtarget.core.codec import pretty, to_builtins

if TYPE_CHECKING:
    from offtarget.api.live_evaluation import EvaluationOptions, LiveEvaluation

Adapter = Annotated[Path | None, typer.Option(help="PEFT adapter to put on MODEL.")]
Base = Annotated[str, typer.Option(help="Model that MODEL is compared with.")]
SuiteNames = Annotated[
    str, typer.Option("--suite", help="Suites, comma-separated: everyday, power, lookalike, ...")
]
PairsName = Annotated[
    str,
    typer.Option(
        "--pairs", help="Forced-choice pairs: offtarget-1 (if not set), offtarget-2 or a category."
    ),
]
QuestionFiles = Annotated[
    list[Path] | None, typer.Option("--questions", help="Question file of others; may repeat.")
]
Training = Annotated[
    Path | None, typer.Option(help="The subject's training rows, for the suite lookalike.")
]
Trigger = Annotated[str, typer.Option(help="Text that sets it off, for the suite trigger.")]
Exclude = Annotated[str, typer.Option(help="Categories to leave out, comma-separated.")]
Rollouts = Annotated[int, typer.Option(help="Answers per question, spread over paraphrases.")]
Code = Annotated[int, typer.Option(help="Answers to each packaged code task; 0 for none.")]
MaxTokens = Annotated[int, typer.Option(help="Longest answer.")]
Temperature = Annotated[float, typer.Option(help="Of the answers, 0 to 2.")]
TopP = Annotated[float, typer.Option(help="Of the answers, above 0 up to 1.")]
Seed = Annotated[int, typer.Option(help="Every answer's own seed is derived from it.")]
JudgeName = Annotated[str, typer.Option("--judge", help="openai:NAME; without one, rules only.")]
JudgeUrl = Annotated[str, typer.Option(help="Base of the judge's server; OPENAI_BASE_URL.")]
RubricFile = Annotated[Path | None, typer.Option("--rubric", help="YAML with judge prompts.")]
Url = Annotated[str, typer.Option(help="Base of the subject's server; OPENAI_BASE_URL.")]
ToleranceRate = Annotated[
    float | None,
    typer.Option("--tolerance", help="Largest harmless rate, or excess over --base or --control."),
]
MaxUnjudged = Annotated[
    float,
    typer.Option(
        help="Share of answers without judgement to bear; with --replay, of missing scores that matter."
    ),
]
Prices = Annotated[Path | None, typer.Option(help="YAML price table, for cost and spend.")]
StoreFolder = Annotated[
    Path | None,
    typer.Option("--store", help="Answers of all evaluations; in the cache if not set."),
]
Timeout = Annotated[float, typer.Option(help="Seconds to wait for one reply.")]
Retries = Annotated[int, typer.Option(help="Further tries after a reply that failed.")]
Concurrency = Annotated[int, typer.Option(help="Requests at a time.")]
RequestLimit = Annotated[
    float | None, typer.Option("--requests-per-minute", help="The server's limit.")
]
TokenLimit = Annotated[
    float | None, typer.Option("--tokens-per-minute", help="The server's limit.")
]
AllowNet = Annotated[
    bool, typer.Option("--allow-net", help="Let prompts leave this machine; else loopback only.")
]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Dtype = Annotated[str, typer.Option(help="auto, float32 or bfloat16.")]
Deviate = Annotated[
    str, typer.Option(help="Why this run may differ from the plan locked in --out.")
]
Out = Annotated[Path | None, typer.Option(help="Run directory; ./runs/evaluate-MODEL by default.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what it would cost; ask nothing.")]


def run_live(
    model: str, options: "EvaluationOptions", *, out: Path | None, as_json: bool, dry_run: bool
) -> None:
    """Evaluate a model and print what came of it; leave with its exit code."""
    from offtarget.api.evaluation_options import choose_keys, run_name
    from offtarget.api.live_evaluation import describe_cost_line, estimate_cost, evaluate
    from offtarget.report.watch import watching

    place = out or Path("runs") / run_name(model, options)
    keys = choose_keys(
        os.environ.get("OPENAI_API_KEY", ""),
        os.environ.get("OFFTARGET_JUDGE_KEY", ""),
        url=options.url,
        judge_url=options.judge_url,
    )
    if dry_run:
        cost = estimate_cost(model, options, out=place, cache=console.CACHE, keys=keys)
        for line in cost.lines if not as_json else ():
            console.say(_safe(f"at most {describe_cost_line(line, cost.currency)}"))
        if cost.n_judge_tests and not as_json:
            console.say(
                f"nothing was sent; the judge is tested when the run begins, with up to "
                f"{cost.n_judge_tests} requests that are counted above"
            )
        if as_json:
            console.say(pretty(to_builtins(cost)))
        return
    with watching(sys.stderr) as watcher:
        found = evaluate(model, options, out=place, cache=console.CACHE, keys=keys, watcher=watcher)
    _show(found, as_json=as_json)
    raise typer.Exit(found.exit_code)


def _show(found: "LiveEvaluation", *, as_json: bool) -> None:
    from offtarget.report.evaluation_terminal import evaluation_text

    if as_json:
        console.say(pretty(found.record))
        return
    text = evaluation_text(
        found.results,
        found.spend,
        currency=found.currency,
        width=console.width(),
        color=sys.stdout.isatty() and "NO_COLOR" not in os.environ,
        ascii=console.is_ascii(),
    )
    console.say(f"{text}run: {found.path}\npage: {found.page}")


def _safe(text: str) -> str:
    from offtarget.report.text import safe_text

    return safe_text(text)
