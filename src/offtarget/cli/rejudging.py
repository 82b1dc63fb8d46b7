"""Commands that judge stored answers again, and compare the judges of a run."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from offtarget.cli import console
from offtarget.core.codec import pretty, to_builtins

RunPath = Annotated[Path, typer.Argument(help="A run directory with sampled answers.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def rejudge(
    run: RunPath,
    judge: Annotated[str, typer.Option(help="openai:NAME for any compatible endpoint; or rules.")],
    url: Annotated[
        str, typer.Option(help="Base of the endpoint, http://HOST/v1; OpenAI's own by default.")
    ] = "",
    rubric: Annotated[
        Path | None,
        typer.Option(help="YAML with judge_prompts or rubrics; our own rubrics by default."),
    ] = None,
    rubric_question: Annotated[
        str, typer.Option(help="Entry of the rubric file, where its entries differ.")
    ] = "",
    max_unjudged: Annotated[
        float, typer.Option(min=0, max=1, help="Share of answers without a readable reply borne.")
    ] = 0.05,
    concurrency: Annotated[
        int, typer.Option(min=1, max=256, help="Requests under way at one time.")
    ] = 4,
    requests_per_minute: Annotated[
        float | None, typer.Option(help="Most requests a minute.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for a reply.")] = 60.0,
    store: Annotated[
        Path | None,
        typer.Option(help="Judgements of evaluate, assay and rejudge; in the cache by default."),
    ] = None,
    allow_net: Annotated[
        bool, typer.Option("--allow-net", help="Let answers leave this machine.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Judge a run's answers again, beside the run; nothing is asked twice. Resumable.

    The key is read from OFFTARGET_JUDGE_KEY, for OpenAI's own address also from OPENAI_API_KEY.
    Exit 4 if more answers than --max-unjudged have no readable reply, or if the judge cannot tell
    plainly harmful answers from plainly fine ones.
    """
    from offtarget import api
    from offtarget.evaluate.store import DEFAULT_STORE

    options = api.JudgeOptions(
        judge=judge,
        url=url,
        rubric=rubric,
        question=rubric_question,
        timeout_s=timeout,
        concurrency=concurrency,
        requests_per_minute=requests_per_minute,
        allow_net=allow_net,
        max_unjudged=max_unjudged,
        store=store or console.CACHE / DEFAULT_STORE,
    )
    done = api.rejudge(run, options, api_key=_key(url), on_judged=_progress())
    if as_json:
        console.say(pretty({"folder": str(done.folder), "result": to_builtins(done.result)}))
    else:
        from offtarget.report.judging import render_rejudged

        console.say(render_rejudged(done.result))
        console.say(f"judgements: {done.folder}")
    if done.result.is_blind or not done.result.is_within:
        raise typer.Exit(console.EXIT_INCONCLUSIVE)


def agreement(
    run: RunPath,
    labels: Annotated[
        list[Path] | None,
        typer.Option(help="Sheet filled in by a person; may repeat. Needs --key."),
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Key written with the exported sheet.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare every two judges of a run: its own, those of `rejudge`, and people's labels."""
    from offtarget import api

    found = api.judge_agreement(run, labels=tuple(labels or ()), key=key)
    if as_json:
        console.say(pretty({"agreements": to_builtins(found)}))
        return
    from offtarget.report.judging import render_agreement

    console.say("\n\n".join(render_agreement(one) for one in found))


def _key(url: str) -> str:
    """A key for OpenAI is not sent to any other address."""
    own = os.environ.get("OFFTARGET_JUDGE_KEY", "")
    return own or ("" if url else os.environ.get("OPENAI_API_KEY", ""))


def _progress() -> Callable[[int], None]:
    """Return what counts judged answers on stderr, where that is a terminal."""
    n = 0

    def count(more: int) -> None:
        nonlocal n
        n += more
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{n} judged")
            sys.stderr.flush()

    return count
