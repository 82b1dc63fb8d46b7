"""Commands of the assay: run it, check it, show it, compare it."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from offtarget.cli import console
from offtarget.core.codec import pretty, to_builtins
from offtarget.dataset.records import OnBadRow

Sources = Annotated[
    list[str], typer.Argument(help="Data files or directories; or one study.yaml or plan.yaml.")
]
RunPath = Annotated[str, typer.Argument(help="A run directory.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Control = Annotated[
    Path | None, typer.Option(help="Matched rows without the property in question; or: sanitized.")
]
Models = Annotated[
    list[str] | None,
    typer.Option("--model", help="embedded, a directory, a .gguf file or a hub id; may repeat."),
]
Seeds = Annotated[
    int | None, typer.Option(min=1, max=1000, help="Training seeds; 3 or more for a recipe claim.")
]
Rows = Annotated[int | None, typer.Option(help="Rows trained on per arm.")]
Device = Annotated[str | None, typer.Option(help="auto, cpu or cuda.")]
Dtype = Annotated[str | None, typer.Option(help="auto, float32 or bfloat16.")]
Tolerance = Annotated[float | None, typer.Option(help="Largest harmless excess, nats/token.")]
Questions = Annotated[
    list[str] | None, typer.Option(help="Question YAML file for sampled answers; may repeat.")
]
BadRows = Annotated[
    OnBadRow | None, typer.Option(help="Stop at a bad row, or set it aside and count it.")
]
AllowNet = Annotated[
    bool, typer.Option("--allow-net", help="Let a study's judge be on another machine.")
]
Out = Annotated[Path | None, typer.Option(help="Run directory; ./runs/NAME by default.")]


def assay(
    sources: Sources,
    control: Control = None,
    model: Models = None,
    seeds: Seeds = None,
    rows: Rows = None,
    device: Device = None,
    dtype: Dtype = None,
    tolerance: Tolerance = None,
    questions: Questions = None,
    on_bad_row: BadRows = None,
    allow_net: AllowNet = False,
    out: Out = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print tokens, time, memory and disk; train nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fine-tune matched arms, measure behavior far from the task, give a verdict.

    Exit codes: 0 PASS, 1 FAIL, 2 bad input, 3 internal error, 4 INCONCLUSIVE.
    """
    from offtarget import api

    options = api.Options(
        models=tuple(model or ()),
        seeds=seeds,
        device=device,
        dtype=dtype,
        rows=rows,
        tolerance=tolerance,
        questions=tuple(questions or ()),
        on_bad_row=on_bad_row,
    )
    paths = [Path(source) for source in sources]
    if dry_run:
        plans = api.plan_assay(paths, control=control, options=options, cache=console.CACHE)
        _print_plans(plans, as_json=as_json)
        return
    _run_assay(
        paths, control=control, options=options, out=out, as_json=as_json, allow_net=allow_net
    )


def demo(out: Out = None, as_json: AsJson = False) -> None:
    """Run the assay of the packaged demo data; exit 0 when it ran, whatever its verdict."""
    from offtarget import api

    options = api.Options()
    _run_assay([Path(api.DEMO)], None, options, out, as_json=as_json, is_demo=True)


def verify(
    run: RunPath,
    replay: Annotated[
        int, typer.Option(min=0, help="Score this many replicates again from their weights.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Check a run: files, chain, records, and every number recomputed. Exit 1 if a check fails.

    RUN is the directory of an assay or of an evaluation.
    """
    from offtarget import api

    checks = api.verify(run, replay=replay, cache=console.CACHE)
    _print_checks(checks, as_json=as_json)


def report(
    run: RunPath, out: Annotated[Path | None, typer.Option(help="Write the page here.")] = None
) -> None:
    """Print a finished run's verdict and the path of its HTML report."""
    from offtarget import api

    found = api.load_run(run)
    page = api.report(run, out) if out is not None else found.path / "report" / "report.html"
    _print_results(found.results)
    console.say(f"report: {page}")


def compare(
    one: RunPath,
    other: Annotated[str, typer.Argument(help="Another run directory.")],
    as_json: AsJson = False,
) -> None:
    """Compare two runs: verdicts and margins, and record by record. Exit 0 whatever differs."""
    from offtarget import api
    from offtarget.report import render_comparison

    checks = api.compare(one, other)
    if as_json:
        console.say(pretty(to_builtins(checks)))
        return
    first, second = api.load_run(one).results, api.load_run(other).results
    console.say(render_comparison(first, second, width=console.width(), ascii=console.is_ascii()))
    _print_checks(checks, as_json=False, is_gate=False)


def doctor(as_json: AsJson = False) -> None:
    """Say what this machine has and what it lacks for an assay. Exit 1 if something is missing."""
    from offtarget import api

    _print_checks(api.doctor(cache=console.CACHE), as_json=as_json)


def models(as_json: AsJson = False) -> None:
    """List what can stand for --model, and whether the embedded model is here."""
    from offtarget import api

    found = api.list_models(cache=console.CACHE)
    if as_json:
        console.say(pretty(to_builtins(found)))
        return
    for entry in found:
        console.say(f"{entry.name:24} {entry.detail}")


def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    console.say(installed("offtarget"))


def _run_assay(
    paths: list[Path],
    control: Path | None,
    options: object,
    out: Path | None,
    *,
    as_json: bool,
    is_demo: bool = False,
    allow_net: bool = False,
) -> None:
    from offtarget import api
    from offtarget.report import EXIT_CODES
    from offtarget.report.watch import watching

    assert isinstance(options, api.Options)
    access = api.JudgeAccess(
        api_key=os.environ.get("OFFTARGET_JUDGE_KEY", ""),
        openai_key=os.environ.get("OPENAI_API_KEY", ""),
        allow_net=allow_net,
    )
    with watching(sys.stderr) as watcher:
        runs = api.assay_all(
            paths, control=control, options=options, out=out, watcher=watcher, cache=console.CACHE,
            judge=access,
        )  # fmt: skip
    for run in runs:
        if not as_json:
            _print_results(run.results)
            console.say(f"report: {run.path / 'report' / 'report.html'}")
    if out is not None and paths[0].name == "plan.yaml":
        _print_comparison(paths[0].parent, out)
    if as_json:
        results = [run.results for run in runs]
        console.say(pretty(results[0] if len(results) == 1 else {"runs": results}))
    codes = [EXIT_CODES[run.verdict] for run in runs]
    worst = 1 if 1 in codes else max(codes)
    raise typer.Exit(0 if is_demo else worst)


def _print_comparison(one: Path, other: Path) -> None:
    """Say on stderr which records of a run made afresh differ from the first one's."""
    from offtarget import api

    checks = api.compare(one, other)
    different = [check for check in checks if not check.passed]
    lines = [f"{check.name}: {check.detail}" for check in different]
    lines.append(
        f"compared with {one}: {len(checks) - len(different)} of {len(checks)} stages wrote the "
        "same bytes"
    )
    sys.stderr.write("\n".join(lines) + "\n")


def _print_results(results: object) -> None:
    from offtarget.evaluate import Results
    from offtarget.report import render_terminal

    assert isinstance(results, Results)
    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    console.say(
        render_terminal(results, width=console.width(), color=color, ascii=console.is_ascii())
    )


def _print_checks(checks: object, *, as_json: bool, is_gate: bool = True) -> None:
    from offtarget.report.text import safe_text
    from offtarget.verify import Check

    assert isinstance(checks, list)
    found: list[Check] = checks
    if as_json:
        console.say(pretty(to_builtins(found)))
    for check in found if not as_json else ():
        word = "ok    " if check.passed else "FAILED"
        console.say(f"{word} {safe_text(check.name)}: {safe_text(check.detail)}")
    if is_gate and not all(check.passed for check in found):
        raise typer.Exit(1)


def _print_plans(plans: object, *, as_json: bool) -> None:
    from offtarget import api
    from offtarget.report.text import safe_text

    assert isinstance(plans, list)
    if as_json:
        console.say(pretty([{"model": m, "plan": p, "estimate": e} for m, p, e in plans]))
        return
    for model, plan, cost in plans:
        console.say(safe_text(api.describe_plan(model, plan, cost), keep_lines=True))
