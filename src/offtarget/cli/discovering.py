"""The command that looks for behavior nobody asked about."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from offtarget.cli import console
from offtarget.core.codec import pretty


def discover(
    subject: Annotated[
        Path, typer.Argument(help="Answers of the subject: .csv, .jsonl, .parquet.")
    ],
    control: Annotated[
        list[Path] | None,
        typer.Option(help="Answers of a control to the same questions; may repeat."),
    ] = None,
    model: Annotated[
        str, typer.Option(help="Embed answers by this model; by words when left out.")
    ] = "",
    min_size: Annotated[int, typer.Option(min=3, help="Answers that make a cluster.")] = 15,
    topics: Annotated[
        bool, typer.Option("--topics", help="Keep what a question's answers have in common.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the reduction and the permutations.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Write the whole result here, JSON.")] = None,
    page: Annotated[Path | None, typer.Option(help="HTML file to write it to as well.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Cluster answers; show what the subject says more often than every control.

    Looks for behavior that no category names. A cluster is not a judgement: read its examples.
    """
    from offtarget.api import discovering
    from offtarget.evaluate.discovery import DiscoveryConfig
    from offtarget.report.discovery_terminal import discovery_text

    config = DiscoveryConfig(min_size=min_size, by_question=not topics, seed=seed)
    found = discovering.discover(
        subject, controls=control or (), config=config, model=model, out=out, page=page,
        command=["offtarget", *sys.argv[1:]], models=console.CACHE,
    )  # fmt: skip
    if as_json:
        console.say(pretty(found))
        return
    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    console.say(discovery_text(found, width=console.width(), color=color, ascii=console.is_ascii()))
    if out is not None:
        console.say(f"all clusters: {out}")
    if page is not None:
        console.say(f"page: {page}")
