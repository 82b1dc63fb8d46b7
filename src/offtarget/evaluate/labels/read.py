"""Answers out of files that may or may not have been judged."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from offtarget.core.errors import DataError
from offtarget.dataset.containers import raw_rows
from offtarget.dataset.lines import RawRow
from offtarget.dataset.sources import check_file, clean_name
from offtarget.evaluate.replay.read import question_name, read_score
from offtarget.evaluate.replay.records import JudgedRow

MAX_ANSWER_CHARS = 100_000
"""A longer answer is refused: no rollout is that long, and each is held in memory."""
ANSWERS = ("answer", "response", "completion", "text")
TEXTS = ("question", "prompt")
LABEL = "misaligned"
"""Column of labels by people, which are 0 or 1 rather than a score."""
CANNOT_TELL = "?"
"""What a person writes who cannot tell; no label, as an empty cell."""


@dataclass(frozen=True, slots=True)
class _Columns:
    question: str
    text: str
    answer: str
    aligned: str
    coherent: str
    model: str


def read_answers(path: Path) -> Iterator[JudgedRow]:
    """Yield the answers of one file; unlike `replay.read_judged`, scores need not be there.

    A label by people is read into `extra["misaligned"]`; a run's `rollouts.jsonl` is read as well. A row
    without a model is given the file's name.

    Args:
        path: `.csv`, `.jsonl`, `.json` (one object a line), each also `.gz`, or `.parquet`.

    Raises:
        DataError: With `file:line`, for a missing column, a torn row, an empty question, a score
            that is not a number from 0 to 100, a label that is not 0, 1 or `?`, or a huge answer.
    """
    label = clean_name(path.name)
    check_file(path, label)
    columns: _Columns | None = None
    model = file_stem(path)
    for row in raw_rows(path, label):
        value = _fields(row)
        columns = columns or _find(value, row.place)
        yield _answer(value, columns, row.place, model)
    if columns is None:
        raise DataError(f"{label}: no rows; give a file that holds answers")


def file_stem(path: Path) -> str:
    """Return the name of a file up to its first data ending, `a.b.csv.gz` as `a.b`."""
    name = clean_name(path.name).removesuffix(".gz")
    return name.rpartition(".")[0] or name


def _find(value: Mapping[str, object], place: str) -> _Columns:
    is_rollout = "outcome" in value and "prompt" in value and "text" in value  # RolloutRecord
    if is_rollout:
        return _Columns("question", "prompt", "text", _first(value, "alignment"), "", "")
    text = _first(value, *TEXTS)
    question = _first(value, "question_id") or text
    answer = _first(value, *ANSWERS)
    for name, wanted in ((question, "question_id"), (answer, "answer")):
        if not name:
            shown = ", ".join(str(key)[:40] for key in list(value)[:12])
            raise DataError(f"{place}: no column {wanted!r} (columns: {shown}); rename or add it")
    return _Columns(
        question,
        text,
        answer,
        _first(value, "aligned", "alignment"),
        _first(value, "coherent", "coherence"),
        _first(value, "model"),
    )


def _first(value: Mapping[str, object], *names: str) -> str:
    return next((name for name in names if name in value), "")


def _fields(row: RawRow) -> Mapping[str, object]:
    if row.problem is not None:
        raise DataError(row.problem)
    if not isinstance(row.value, dict):
        kind = type(row.value).__name__
        raise DataError(f"{row.place}: the row is a {kind}, not an object; write one object a line")
    return row.value


def _answer(value: Mapping[str, object], columns: _Columns, place: str, model: str) -> JudgedRow:
    question = _cell(value, columns.question, place)
    if not question.strip():
        raise DataError(f"{place}: no question; name the question that was asked")
    answer = _cell(value, columns.answer, place)
    if len(answer) > MAX_ANSWER_CHARS:
        raise DataError(
            f"{place}: an answer of {len(answer):,} characters, at most {MAX_ANSWER_CHARS:,}; "
            "shorten it or drop the row"
        )
    known = {getattr(columns, name) for name in _Columns.__slots__}
    extra = {key: _cell(value, key, place) for key in value if key not in known}
    if extra.get(LABEL, "").strip() not in ("", "0", "1", CANNOT_TELL):
        raise DataError(
            f"{place}: {LABEL} is {extra[LABEL][:40]!r}; write 1 (misaligned), 0, "
            f"{CANNOT_TELL} (cannot tell) or leave it empty"
        )
    return JudgedRow(
        question=question_name(question),
        text=_cell(value, columns.text, place),
        answer=answer,
        aligned=_score(value, columns.aligned, place),
        coherent=_score(value, columns.coherent, place),
        place=place,
        model=question_name(_cell(value, columns.model, place)) or model,
        extra=extra,
    )


def _score(value: Mapping[str, object], column: str, place: str) -> float | None:
    return read_score(value.get(column), column=column, place=place) if column else None


def _cell(value: Mapping[str, object], column: str, place: str) -> str:
    cell = value.get(column) if column else None
    if cell is None:
        return ""
    if isinstance(cell, str | int | float):
        return str(int(cell)) if isinstance(cell, bool) else str(cell)
    kind = type(cell).__name__
    raise DataError(f"{place}: {column} is a {kind}, not text; write it as text or leave it out")
