"""Commands of evaluation: ask a model, or count other people's judged answers again."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from offtarget.cli import console
from offtarget.cli import live_evaluation as live
from offtarget.cli.options import given_options
from offtarget.core.codec import pretty
from offtarget.core.errors import ConfigError

REPLAYED = frozenset(
    {"sources", "replay", "control", "page", "tolerance", "max_unjudged", "as_json"}
)
"""What goes with --replay; every other option is about asking a model or a judge."""
ONLY_REPLAYED = ("control", "page")


def evaluate(
    ctx: typer.Context,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            help="MODEL: embedded, a directory, a .gguf file, a hub id or openai:NAME. "
            "With --replay: more files of judged answers."
        ),
    ] = None,
    replay: Annotated[
        list[Path] | None,
        typer.Option(help="Judged answers (.csv, .jsonl, .parquet, .eval) to count again."),
    ] = None,
    control: Annotated[
        Path | None, typer.Option(help="Judged answers of a matched model to the same questions.")
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="With --replay: HTML file to write the results to as well.")
    ] = None,
    adapter: live.Adapter = None,
    base: live.Base = "",
    suite: live.SuiteNames = "everyday",
    pairs: live.PairsName = "",
    questions: live.QuestionFiles = None,
    training: live.Training = None,
    trigger: live.Trigger = "",
    exclude: live.Exclude = "",
    rollouts: live.Rollouts = 20,
    code: live.Code = 1,
    max_tokens: live.MaxTokens = 600,
    temperature: live.Temperature = 1.0,
    top_p: live.TopP = 1.0,
    seed: live.Seed = 0,
    judge: live.JudgeName = "",
    judge_url: live.JudgeUrl = "",
    rubric: live.RubricFile = None,
    url: live.Url = "",
    tolerance: live.ToleranceRate = None,
    max_unjudged: live.MaxUnjudged = 0.05,
    prices: live.Prices = None,
    store: live.StoreFolder = None,
    timeout: live.Timeout = 60.0,
    retries: live.Retries = 6,
    concurrency: live.Concurrency = 4,
    requests_per_minute: live.RequestLimit = None,
    tokens_per_minute: live.TokenLimit = None,
    allow_net: live.AllowNet = False,
    device: live.Device = "auto",
    dtype: live.Dtype = "auto",
    deviate: live.Deviate = "",
    out: live.Out = None,
    dry_run: live.DryRun = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Ask a model and judge its answers, or count judged answers again with --replay.

    Exit codes: 0 counted, 1 above --tolerance, 2 bad input, 4 inconclusive: no rate, a judge that
    cannot see, too much that is not judged, or a tolerance inside the interval.
    """
    from offtarget import api

    given = given_options(ctx)
    if not replay:
        if not sources or len(sources) > 1:
            raise ConfigError(
                f"{len(sources or ())} models to evaluate; name one MODEL, or judged answers with "
                "--replay FILE"
            )
        if any(name in given for name in ONLY_REPLAYED):
            raise ConfigError(
                "--control and --page belong to --replay; the control of a model is --base, its "
                "page is in --out"
            )
        from offtarget.api.evaluation_options import EvaluationOptions
        from offtarget.evaluate.subjects import AnswerSampling

        default_url = os.environ.get("OPENAI_BASE_URL", "")
        options = EvaluationOptions(
            adapter=adapter,
            base=base,
            suites=_names(suite),
            pairs=pairs,
            questions=tuple(questions or ()),
            training=training,
            trigger=trigger,
            exclude=_names(exclude),
            rollouts=rollouts,
            code=code,
            sampling=AnswerSampling(max_tokens=max_tokens, temperature=temperature, top_p=top_p),
            seed=seed,
            judge=judge,
            judge_url=(judge_url or default_url) if judge else judge_url,
            rubric=rubric,
            url=url or default_url,
            tolerance=tolerance,
            max_unjudged=max_unjudged,
            prices=prices,
            store=store,
            timeout_s=timeout,
            max_retries=retries,
            concurrency=concurrency,
            requests_per_minute=requests_per_minute,
            tokens_per_minute=tokens_per_minute,
            allow_net=allow_net,
            device=device,
            dtype=dtype,
            deviate=deviate,
        )
        live.run_live(sources[0], options, out=out, as_json=as_json, dry_run=dry_run)
        return
    idle = [written for name, written in given.items() if name not in REPLAYED]
    if idle:
        raise ConfigError(
            f"{', '.join(idle)} with --replay: judged answers are counted again and nothing is asked; "
            f"leave {'it' if len(idle) == 1 else 'them'} out, or name one MODEL instead of --replay"
        )
    found = api.replay(
        *replay, *(sources or ()), control=control, tolerance=tolerance,
        max_unjudged=max_unjudged if "max_unjudged" in given else None,
    )  # fmt: skip
    if page is not None:
        from offtarget.api.evaluation_page import write_replay_page

        write_replay_page(found, page, command=["offtarget", *sys.argv[1:]])
    _show(found, as_json=as_json)
    raise typer.Exit(found.exit_code)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _show(found: object, *, as_json: bool) -> None:
    from offtarget.api.evaluation import Replay
    from offtarget.report.gate_words import gate_lines
    from offtarget.report.replay_terminal import replay_text

    assert isinstance(found, Replay)
    if as_json:
        console.say(pretty(found.record))
        return
    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    text = replay_text(
        found.analyses, found.control, found.contrasts,
        width=console.width(), color=color, ascii=console.is_ascii(),
    )  # fmt: skip
    lines = gate_lines(
        found.gates,
        tolerance=found.tolerance,
        against="control" if found.control is not None else "",
        width=console.width(),
        ascii=console.is_ascii(),
    )
    console.say("\n".join([text, *lines]) if lines else text)
