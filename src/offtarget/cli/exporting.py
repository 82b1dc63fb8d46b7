"""Command that writes a run for other tools."""

from pathlib import Path
from typing import Annotated

import typer

from offtarget.cli import console
from offtarget.core.codec import pretty


def export(
    run: Annotated[Path, typer.Argument(help="A run directory.")],
    format: Annotated[str, typer.Option(help="inspect: one .eval log per arm and seed.")],
    out: Annotated[Path | None, typer.Option(help="Folder; ./exports/NAME by default.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout.")
    ] = False,
) -> None:
    """Write a run's sampled answers and judgements as logs that Inspect opens.

    Look at them with: inspect view --log-dir FOLDER
    """
    from offtarget import api
    from offtarget.report.text import safe_text

    done = api.export(run, format=format, out=out)
    if as_json:
        logs = [
            {
                "path": str(log.path),
                "n_rollouts": log.n_rollouts,
                "n_questions": log.n_questions,
                "n_unjudged": log.n_unjudged,
            }
            for log in done.logs
        ]
        console.say(pretty({"folder": str(done.folder), "logs": logs}))
        return
    for log in done.logs:
        console.say(
            f"{safe_text(log.path.name)}: {log.n_rollouts} answers to {log.n_questions} questions, "
            f"{log.n_unjudged} unjudged"
        )
    console.say(f"look at them with: inspect view --log-dir {safe_text(str(done.folder))}")
