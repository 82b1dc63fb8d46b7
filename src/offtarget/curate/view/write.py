"""Write the view of a scanned data set: one pass over the scan's rows and their texts."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from offtarget.core.codec import canonical, pretty
from offtarget.curate.output import explained, replacing
from offtarget.curate.records import ScanSummary
from offtarget.curate.view.cells import CellCounts
from offtarget.curate.view.groups import DUPLICATES, DuplicateRows
from offtarget.curate.view.kinds import KindCounts
from offtarget.curate.view.known_sets import KnownCounts
from offtarget.curate.view.ranking import RankedRow, Ranking
from offtarget.curate.view.recognition import SCORES, score_rows
from offtarget.curate.view.records import DatasetView, RecognitionCounts
from offtarget.curate.view.rows import ViewRow, view_rows, with_messages
from offtarget.curate.view.secrets import SecretCounts

if TYPE_CHECKING:
    from offtarget.lm import LanguageModel

VIEW = "view.json"
RANKING = "ranking.jsonl"
N_TOP = 10
"""Rows of the ranking that the view repeats."""


def write_view(
    folder: Path,
    paths: Sequence[Path],
    summary: ScanSummary,
    *,
    plain: bool = False,
    duplicates: bool = False,
    lm: "LanguageModel | None" = None,
) -> DatasetView:
    """Write view.json and, before it, ranking.jsonl beside a finished scan; return the view.

    Duplicates and a model need the data, which are then read once more. The same scan gives the
    same bytes, whoever scanned it.

    Args:
        folder: Where the scan wrote to.
        paths: What was scanned.
        summary: What the scan said.
        plain: The paths hold source files.
        duplicates: Also look for near-duplicates, and write duplicates.jsonl.
        lm: Also ask this model of every row, and write recognition.jsonl.

    Raises:
        DataError: If the data or the scan's files are not what was scanned.
        ResourceError: If the files cannot be written.
    """
    kinds, cells, ranking = KindCounts(summary.gate), CellCounts(summary.gate), Ranking()
    secrets, known = SecretCounts(), KnownCounts()
    n_read = 0
    with explained(folder):
        (folder / VIEW).unlink(missing_ok=True)
    with ExitStack() as stack:
        adders: list[Callable[[ViewRow], None]] = [kinds.add, cells.add, ranking.add]
        copies = stack.enter_context(DuplicateRows(folder)) if duplicates else None
        if copies is not None:
            adders.append(copies.add)
        rows = view_rows(folder, summary)
        for row in with_messages(rows, paths, plain=plain) if duplicates else rows:
            for add in adders:
                add(row)
            n_read += row.is_read
            secrets.add(row.place, row.secrets)
            known.add(row.known)
        found = copies.write() if copies is not None else ()
    if copies is None:
        with explained(folder):
            (folder / DUPLICATES).unlink(missing_ok=True)
    ranked = ranking.result()
    _write_ranking(folder, ranked)
    view = DatasetView(
        gate=summary.gate,
        n_rows=summary.samples,
        n_read=n_read,
        prevalence=kinds.result(summary),
        cells=cells.result(),
        duplicates=found,
        secrets=secrets.result(),
        known=known.result(),
        top=tuple(ranked[:N_TOP]),
        n_ranked=len(ranked),
        recognition=_recognition(lm, folder, paths, summary, plain=plain),
    )
    with replacing(folder / VIEW) as file, explained(folder):
        file.write(pretty(view).encode())
    return view


def _recognition(
    lm: "LanguageModel | None",
    folder: Path,
    paths: Sequence[Path],
    summary: ScanSummary,
    *,
    plain: bool,
) -> RecognitionCounts | None:
    if lm is None:
        with explained(folder):
            (folder / SCORES).unlink(missing_ok=True)
        return None
    return score_rows(lm, folder, paths, summary, plain=plain)


def _write_ranking(folder: Path, ranked: Sequence[RankedRow]) -> None:
    with replacing(folder / RANKING) as file, explained(folder):
        for row in ranked:
            file.write(canonical(row) + b"\n")
