"""Hosted training: the arms of a study as fine-tuning jobs at a provider."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from offtarget.cli import console
from offtarget.core.codec import pretty

EXIT_CODES = {"complete": 0, "incomplete": 1, "running": 4}


def train(
    study: Annotated[Path, typer.Argument(help="A study.yaml with data for subject and control.")],
    model: Annotated[str, typer.Option(help="The provider's name of the base model.")] = "",
    provider: Annotated[str, typer.Option(help="openai, or what speaks like it.")] = "openai",
    epochs: Annotated[int | None, typer.Option(help="Passes over the rows.")] = None,
    seed: Annotated[
        list[int] | None, typer.Option(help="Training seed; may repeat; the study's by default.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Rows per step.")] = None,
    learning_rate_multiplier: Annotated[
        float | None, typer.Option(help="The provider's choice by default.")
    ] = None,
    suffix: Annotated[str, typer.Option(help="Part of the names of all models.")] = "",
    prices: Annotated[
        Path | None, typer.Option(help="YAML with your prices; none are built in.")
    ] = None,
    max_cost: Annotated[
        float | None, typer.Option(help="Send nothing if it may cost more than this.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run directory; ./runs/NAME-openai by default.")
    ] = None,
    allow_net: Annotated[
        bool, typer.Option("--allow-net", help="Let the data leave this machine.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the data and print the cost; send nothing.")
    ] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Submit and leave; run again to fetch the models.")
    ] = False,
    retry: Annotated[
        bool, typer.Option("--retry", help="Submit jobs that failed or were cancelled again.")
    ] = False,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Stop the jobs of this study's run.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout.")
    ] = False,
) -> None:
    """Fine-tune the arms of a study at a provider; run again to go on after a stop.

    The key is read from OPENAI_API_KEY, the address from OPENAI_BASE_URL.

    Exit codes: 0 every arm has its model, 1 some arm has none, 2 bad input, 3 internal error, 4
    jobs still run.
    """
    from offtarget import api
    from offtarget.report.watch import watching

    url, key = os.environ.get("OPENAI_BASE_URL", ""), os.environ.get("OPENAI_API_KEY", "")
    with watching(sys.stderr) as watcher:
        if cancel:
            run = api.cancel_hosted(
                study, out=out, api_key=key, allow_net=allow_net, prices=prices, say=watcher.note
            )
            _print_run(run, as_json=as_json)
            return
        options = api.HostedOptions(
            model=model, provider=provider, epochs=epochs, seeds=tuple(seed or ()),
            batch_size=batch_size, learning_rate_multiplier=learning_rate_multiplier,
            suffix=suffix, prices=prices, max_cost=max_cost,
        )  # fmt: skip
        if dry_run:
            plan, cost = api.plan_hosted(study, options=options, url=url)
            _print_plan(plan, cost, as_json=as_json)
            return
        run = api.train_hosted(
            study, options=options, out=out, url=url, api_key=key, allow_net=allow_net,
            wait=not no_wait, retry=retry, say=watcher.note,
        )  # fmt: skip
    _print_run(run, as_json=as_json)


def _print_plan(plan: object, cost: object, *, as_json: bool) -> None:
    from offtarget import api
    from offtarget.report.text import safe_text
    from offtarget.train.hosted import HostedCost, HostedPlan

    assert isinstance(plan, HostedPlan)
    assert isinstance(cost, HostedCost)
    if as_json:
        console.say(pretty({"plan": plan, "estimate": cost}))
        return
    for job in plan.jobs:
        upload = plan.upload(job.upload_sha256)
        console.say(f"{job.name:24} {upload.n_rows} rows, {upload.name}")
    for warning in plan.warnings:
        console.say(f"warning: {safe_text(warning)}")
    console.say(safe_text(api.describe_cost(cost)))
    console.say("nothing was sent")


def _print_run(run: object, *, as_json: bool) -> None:
    from offtarget import api
    from offtarget.report.text import safe_text

    assert isinstance(run, api.HostedRun)
    result = run.result
    if as_json:
        console.say(pretty(result))
        raise typer.Exit(EXIT_CODES[result.state])
    for arm in result.arms:
        told = arm.subject or arm.error or arm.job_id
        console.say(safe_text(f"{f'{arm.arm}/seed-{arm.seed}':24} {arm.status:17} {told}"))
    for warning in result.warnings:
        console.say(safe_text(f"warning: {warning.text}"))
    if result.spent is not None:
        console.say(
            safe_text(
                f"spent: {result.spent:,.2f} {result.estimate.currency} for "
                f"{result.trained_tokens:,} tokens"
            )
        )
    console.say(f"result: {run.path / 'arms.json'}")
    raise typer.Exit(EXIT_CODES[result.state])
