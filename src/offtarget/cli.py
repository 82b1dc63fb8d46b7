"""The command line: parse, call the API, render, exit code. No logic."""

import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from offtarget.core.codec import pretty, to_builtins
from offtarget.core.errors import OfftargetError
from offtarget.dataset.records import OnBadRow

EXIT_BAD_INPUT = 2
EXIT_INTERNAL = 3
EXIT_STOPPED = 130
STOPPED = "stopped; run the same command again to go on from here"
USAGE_ERROR: type[Exception] = next(
    one for one in typer.BadParameter.__mro__ if one.__name__ == "ClickException"
)
"""Base of what a wrong command line raises; typer brings its own copy of click."""
CACHE = Path(os.environ.get("OFFTARGET_CACHE", "~/.cache/offtarget")).expanduser()

app = typer.Typer(
    name="offtarget",
    help="The off-target assay for fine-tuning: does narrow training make a model broadly misaligned?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Sources = Annotated[
    list[str], typer.Argument(help="Data files or directories; or one study.yaml or plan.yaml.")
]
RunPath = Annotated[str, typer.Argument(help="A run directory.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Control = Annotated[
    Path | None, typer.Option(help="Matched rows without the property in question.")
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
Out = Annotated[Path | None, typer.Option(help="Run directory; ./runs/NAME by default.")]


@app.command()
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
        plans = api.plan_assay(paths, control=control, options=options, cache=CACHE)
        _print_plans(plans, as_json=as_json)
        return
    _run_assay(paths, control=control, options=options, out=out, as_json=as_json)


@app.command()
def demo(out: Out = None, as_json: AsJson = False) -> None:
    """Run the assay of the packaged demo data; exit 0 when it ran, whatever its verdict."""
    from offtarget import api

    options = api.Options()
    _run_assay([Path(api.DEMO)], None, options, out, as_json=as_json, is_demo=True)


@app.command()
def verify(
    run: RunPath,
    replay: Annotated[
        int, typer.Option(min=0, help="Score this many replicates again from their weights.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Check a run: files, chain, records, and every number recomputed. Exit 1 if a check fails."""
    from offtarget import api

    checks = api.verify(run, replay=replay, cache=CACHE)
    _print_checks(checks, as_json=as_json)


@app.command()
def report(
    run: RunPath, out: Annotated[Path | None, typer.Option(help="Write the page here.")] = None
) -> None:
    """Print a finished run's verdict and the path of its HTML report."""
    from offtarget import api

    found = api.load_run(run)
    page = api.report(run, out) if out is not None else found.path / "report" / "report.html"
    _print_results(found.results)
    _say(f"report: {page}")


@app.command()
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
        _say(pretty(to_builtins(checks)))
        return
    first, second = api.load_run(one).results, api.load_run(other).results
    _say(render_comparison(first, second, width=_width(), ascii=_is_ascii()))
    _print_checks(checks, as_json=False, is_gate=False)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Say what this machine has and what it lacks for an assay. Exit 1 if something is missing."""
    from offtarget import api

    _print_checks(api.doctor(cache=CACHE), as_json=as_json)


@app.command()
def models(as_json: AsJson = False) -> None:
    """List what can stand for --model, and whether the embedded model is here."""
    from offtarget import api

    found = api.list_models(cache=CACHE)
    if as_json:
        _say(pretty(to_builtins(found)))
        return
    for entry in found:
        _say(f"{entry.name:24} {entry.detail}")


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    _say(installed("offtarget"))


def main() -> None:
    """Run the command line; turn errors into one line and an exit code."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # deterministic CUDA products
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TQDM_DISABLE", "1")
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
    sys.exit(guard(lambda: app(standalone_mode=False)))


def guard(run: Callable[[], object]) -> int:
    """Call `run`; return its exit code, having printed any error as one line."""
    from offtarget.report.text import safe_text

    try:
        code = run()
    except OfftargetError as error:
        return _fail(safe_text(str(error)), EXIT_BAD_INPUT)
    except typer.Exit as stop:
        return int(stop.exit_code)
    except USAGE_ERROR as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            sys.stderr.write(f"{error}\n")
            return EXIT_BAD_INPUT
        told = getattr(error, "format_message", error.__str__)()  # names the option
        text = " ".join(told.split()).rstrip(".")
        return _fail(f"{safe_text(text)}; see offtarget --help", EXIT_BAD_INPUT)
    except (typer.Abort, KeyboardInterrupt):
        return _fail(STOPPED, EXIT_STOPPED)
    except MemoryError:
        return _fail(
            "out of memory; use a smaller model, train.batch_size or --rows, and run again",
            EXIT_BAD_INPUT,
        )
    except BrokenPipeError:
        return 0
    except Exception as error:
        if os.environ.get("OFFTARGET_TRACEBACK"):
            raise
        return _fail(
            f"internal error: {type(error).__name__}: {safe_text(str(error))[:500]}; "
            "set OFFTARGET_TRACEBACK=1 for the trace and report it as an issue",
            EXIT_INTERNAL,
        )
    if code == EXIT_STOPPED:  # typer turns Ctrl-C into this code
        return _fail(STOPPED, EXIT_STOPPED)
    return code if isinstance(code, int) else 0


def _run_assay(
    paths: list[Path],
    control: Path | None,
    options: object,
    out: Path | None,
    *,
    as_json: bool,
    is_demo: bool = False,
) -> None:
    from offtarget import api
    from offtarget.report import EXIT_CODES
    from offtarget.report.watch import watching

    assert isinstance(options, api.Options)
    with watching(sys.stderr) as watcher:
        runs = api.assay_all(
            paths, control=control, options=options, out=out, watcher=watcher, cache=CACHE,
            api_key=os.environ.get("OFFTARGET_JUDGE_KEY", ""),
        )  # fmt: skip
    for run in runs:
        if not as_json:
            _print_results(run.results)
            _say(f"report: {run.path / 'report' / 'report.html'}")
    if out is not None and paths[0].name == "plan.yaml":
        _print_comparison(paths[0].parent, out)
    if as_json:
        results = [run.results for run in runs]
        _say(pretty(results[0] if len(results) == 1 else {"runs": results}))
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
    _say(render_terminal(results, width=_width(), color=color, ascii=_is_ascii()))


def _print_checks(checks: object, *, as_json: bool, is_gate: bool = True) -> None:
    from offtarget.report.text import safe_text
    from offtarget.verify import Check

    assert isinstance(checks, list)
    found: list[Check] = checks
    if as_json:
        _say(pretty(to_builtins(found)))
    for check in found if not as_json else ():
        word = "ok    " if check.passed else "FAILED"
        _say(f"{word} {safe_text(check.name)}: {safe_text(check.detail)}")
    if is_gate and not all(check.passed for check in found):
        raise typer.Exit(1)


def _print_plans(plans: object, *, as_json: bool) -> None:
    from offtarget import api
    from offtarget.report.text import safe_text

    assert isinstance(plans, list)
    if as_json:
        _say(pretty([{"model": m, "plan": p, "estimate": e} for m, p, e in plans]))
        return
    for model, plan, cost in plans:
        _say(safe_text(api.describe_plan(model, plan, cost), keep_lines=True))


def _is_ascii() -> bool:
    return "utf" not in (sys.stdout.encoding or "").lower()


def _width() -> int:
    import shutil

    return max(60, min(120, shutil.get_terminal_size((100, 24)).columns))


def _fail(message: str, code: int) -> int:
    sys.stderr.write(f"offtarget: {message}\n")
    return code


def _say(text: str) -> None:
    stream = sys.stdout
    data = text.rstrip("\n") + "\n"
    stream.write(
        data.encode(stream.encoding or "utf-8", "replace").decode(stream.encoding or "utf-8")
    )


if __name__ == "__main__":
    main()
