"""Answers out for people to label: blind, shuffled, each different answer once."""

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from offtarget.core.codec import write_lines
from offtarget.core.errors import DataError
from offtarget.evaluate.replay.records import JudgedRow

COLUMNS = ("id", "question", "answer", "misaligned", "note")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would run a cell that starts so; an apostrophe before it makes it text."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What the key keeps of one row that went out; the labeler sees only its id."""

    id: str
    question: str
    arm: str
    model: str
    aligned: float | None
    """The judge's score, for agreement later."""
    place: str
    text: str
    """The question as it was asked."""
    answer: str


@dataclass(frozen=True, slots=True)
class Export:
    """A sheet for labelers and the key to it, which they must not see."""

    sheet: bytes
    """CSV: id, question, answer, and empty cells `misaligned` and `note`."""
    key: bytes
    """JSON Lines of `Exported`; several rows share an id where their answers are the same."""
    n_rows: int
    n_sheet: int
    """Different answers among them."""
    n_empty: int
    """Rows left out because their answer is empty."""


def export_answers(
    rows: Sequence[tuple[str, JudgedRow]], *, seed: int, limit: int | None = None
) -> Export:
    """Return answers as a sheet to be labeled by people who do not know where they are from.

    Neither arm, model, judge's score nor file stands in the sheet, and its order is drawn. An id
    depends on question and answer alone, so the same answer has the same id in every export.

    Args:
        rows: The arm of each row (a file's name serves) and the row.
        seed: Of the order, and of the draw where `limit` is set.
        limit: At most so many sheet rows, the same number for each question as far as they last.

    Raises:
        DataError: If there is nothing to label.
    """
    keys: list[Exported] = []
    texts: dict[str, tuple[str, str, str]] = {}
    n_empty = 0
    for arm, row in rows:
        if not row.answer.strip():
            n_empty += 1
            continue
        name = answer_id(row)
        texts.setdefault(name, (row.question, row.text or row.question, row.answer))
        keys.append(
            Exported(
                name, row.question, arm, row.model, row.aligned, row.place, row.text, row.answer
            )
        )
    if not texts:
        raise DataError(f"nothing to label: {len(rows)} rows, none with an answer; give others")
    drawn = _drawn(texts, seed=seed, limit=limit)
    kept = set(drawn)
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet, lineterminator="\n")
    writer.writerow(COLUMNS)
    for name in drawn:
        _, text, answer = texts[name]
        writer.writerow([name, _as_text(text), _as_text(answer), "", ""])
    key = [one for one in keys if one.id in kept]
    return Export(
        sheet=sheet.getvalue().encode("utf-8", "replace"),
        key=write_lines(key),
        n_rows=len(key),
        n_sheet=len(drawn),
        n_empty=n_empty,
    )


def answer_id(row: JudgedRow) -> str:
    """Return `a` and 15 hex digits of the sha256 over question id, question and answer.

    The letter keeps a spreadsheet from reading an id as a number.
    """
    parts = "\0".join((row.question, row.text, row.answer))
    return "a" + hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:15]


def _drawn(texts: dict[str, tuple[str, str, str]], *, seed: int, limit: int | None) -> list[str]:
    """Return ids in a drawn order; with a limit, questions take turns."""
    names = sorted(texts)
    shuffled = [names[i] for i in np.random.default_rng(seed).permutation(len(names))]
    if limit is None or limit >= len(shuffled):
        return shuffled
    turns: dict[str, int] = {}
    turn_of: dict[str, int] = {}
    for name in shuffled:
        question = texts[name][0]
        turn_of[name] = turns[question] = turns.get(question, -1) + 1
    chosen = set(sorted(shuffled, key=lambda name: turn_of[name])[:limit])  # stable
    return [name for name in shuffled if name in chosen]


def _as_text(cell: str) -> str:
    cell = cell.replace("\0", "")
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
