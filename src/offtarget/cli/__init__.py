"""The command line: parse, call the API, render, exit code. No logic."""

import os
import sys
import warnings

import typer

from offtarget.cli import (
    assay,
    console,
    curation,
    discovering,
    evaluation,
    exporting,
    judging,
    rejudging,
    training,
)

app = typer.Typer(
    name="offtarget",
    help="The off-target assay for fine-tuning: does narrow training make a model broadly misaligned?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for command in (
    assay.assay,
    assay.demo,
    assay.verify,
    assay.report,
    assay.compare,
    assay.doctor,
    assay.models,
    curation.scan,
    curation.clean,
    curation.explain_rule,
    evaluation.evaluate,
    discovering.discover,
    exporting.export,
    rejudging.rejudge,
    training.train,
    assay.version,
):
    app.command()(command)
judging.judge.command()(rejudging.agreement)
app.add_typer(judging.judge)


def main() -> None:
    """Run the command line; turn errors into one line and an exit code."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # deterministic CUDA products
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TQDM_DISABLE", "1")
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
    sys.exit(console.guard(lambda: app(standalone_mode=False)))
