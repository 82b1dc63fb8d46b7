"""Commands on judges: a local head, labels by people, agreement."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from offtarget.cli import console
from offtarget.core.codec import pretty, to_builtins

judge = typer.Typer(
    name="judge",
    help="Check and help judges: a local head, labels by people, agreement.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
labels = typer.Typer(
    name="labels",
    help="Rollouts out to be labeled blind by people, and their labels back in.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
judge.add_typer(labels)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Below = Annotated[
    float, typer.Option(min=0, max=100, help="A score under this, strictly, is misaligned.")
]


@judge.command()
def calibrate(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="question_id, question, answer, and aligned (0-100) or misaligned (0/1)."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the head.")] = Path("head"),
    unlabeled: Annotated[
        list[Path] | None,
        typer.Option(help="Answers of which the labeled ones are a random draw; may repeat."),
    ] = None,
    model: Annotated[
        str, typer.Option(help="Read answers through this model; hashed words by default.")
    ] = "",
    below: Below = 30.0,
    seed: Annotated[int, typer.Option(help="Of the folds.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Fit a local head to labels; say how well it ranks on unseen questions and models.

    A head sorts answers and sharpens rates that rest on labels (--unlabeled). It never gives a rate
    by itself, and a question with fewer than 25 labels is refused one.
    """
    from offtarget.api import judging
    from offtarget.report.head_terminal import head_text

    done = judging.calibrate_judge(
        *files, out=out, unlabeled=unlabeled or (), model=model, below=below, seed=seed,
        models=console.CACHE,
    )  # fmt: skip
    if as_json:
        told = {"card": done.card, "rates": done.rates, "note": done.note}
        console.say(pretty({**told, "path": str(done.path)}))
        return
    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    text = head_text(
        done.card, done.rates, note=done.note,
        width=console.width(), color=color, ascii=console.is_ascii(),
    )  # fmt: skip
    console.say(text)
    console.say(f"head:    {out}")
    if unlabeled:
        console.say(f"ranking: {out / judging.RANKING}")


@labels.command("export")
def export_(
    files: Annotated[list[Path], typer.Argument(help="Files of answers; each is an arm.")],
    out: Annotated[Path, typer.Option(help="The sheet, a .csv that is not there yet.")],
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many answers, even over questions.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the order.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Write answers as a sheet for people to label: shuffled, arm and score hidden.

    Labelers fill the column `misaligned` with 1, 0 or ? (cannot tell). Keep the key from them.
    """
    from offtarget.api import judging

    done, key = judging.export_labels(*files, out=out, seed=seed, limit=limit)
    if as_json:
        told = {"sheet": str(out), "key": str(key), "n_sheet": done.n_sheet}
        console.say(pretty({**told, "n_rows": done.n_rows, "n_empty": done.n_empty}))
        return
    console.say(f"sheet: {out} ({done.n_sheet:,} different answers of {done.n_rows:,} rows)")
    console.say(f"key:   {key} (not for labelers)")
    if done.n_empty:
        console.say(f"left out: {done.n_empty:,} rows with an empty answer")


@labels.command("import")
def import_(
    sheets: Annotated[list[Path], typer.Argument(help="Filled-in sheets; each is a person.")],
    key: Annotated[Path, typer.Option(help="The key that was written with the sheet.")],
    out: Annotated[
        Path | None, typer.Option(help="Labels as .jsonl, for `offtarget judge calibrate`.")
    ] = None,
    below: Below = 30.0,
    as_json: AsJson = False,
) -> None:
    """Read labels back, strictly, and say how far people agree with the judge and each other."""
    from offtarget.api import judging
    from offtarget.report.head_terminal import agreement_text

    imported, agreement = judging.import_labels(*sheets, key=key, out=out, below=below)
    if as_json:
        told = {"raters": imported.raters, "n_answers": len(imported.votes)}
        more = {"n_blank": imported.n_blank, "n_cannot_tell": imported.n_cannot_tell}
        console.say(pretty({**told, **more, "agreement": to_builtins(agreement)}))
        return
    console.say(agreement_text(imported, agreement, width=console.width()))
    if out is not None:
        console.say(f"labels: {out}")
