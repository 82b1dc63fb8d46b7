"""Judged results out of CSV, JSON Lines and Parquet files, one row at a time."""

import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from offtarget.core.codec import canonical
from offtarget.core.errors import DataError
from offtarget.dataset.containers import CONTAINERS, container_of, raw_rows
from offtarget.dataset.lines import READ_ERRORS, RawRow, opened
from offtarget.dataset.sources import check_file, clean_name
from offtarget.evaluate.replay.columns import Columns, find_columns
from offtarget.evaluate.replay.records import JudgedRow

MAX_SCORE = 100.0
ROUND_OFF = 1e-6
"""A score is often a mean weighted by probability: so far beyond 0 or 100 it is rounding."""
MAX_ID_CHARS = 200
"""A longer question id is cut and gets a part of its hash."""
ENDINGS = tuple(CONTAINERS)

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)


def read_judged(path: Path) -> Iterator[JudgedRow]:
    """Return the rows of one file of judged answers, read one at a time.

    Memory does not grow with their number. An empty cell, or null, is a missing score;
    nothing else but a number from 0 to 100 is taken.

    Args:
        path: `.csv`, `.jsonl`, `.json` (one object a line), each also `.gz`, or `.parquet`.

    Raises:
        DataError: With `file:line`, for a file of another ending, a missing or doubled column, a torn
            row, a row without question, and a score that is not a number from 0 to 100.
    """
    label = clean_name(path.name)
    check_file(path, label)
    return _rows(path, label)


def has_open_end(path: Path) -> bool:
    """Return whether a CSV file stops without a line break: its last number may be cut short."""
    if not (container_of(path) or "").startswith("csv"):
        return False
    last = b""
    with opened(path, clean_name(path.name)) as file:
        try:
            while block := file.read(1 << 20):
                last = block[-1:]
        except READ_ERRORS:
            return False  # the reader says where and why
    return last not in (b"\n", b"\r")


def read_score(value: object, *, column: str, place: str) -> float | None:
    """Return a score from 0 to 100, or None for an empty cell or null.

    Raises:
        DataError: For anything else: text, NaN, an infinity, true, a number out of range.
    """
    if value is None:
        return None
    if isinstance(value, str):
        value = value.strip()
        if not value:
            return None
        if not _NUMBER.fullmatch(value) or len(value) > 64:
            raise DataError(
                f"{place}: {column} is {value[:40]!r}, not a number; leave it empty where the "
                "judge gave none"
            )
        value = float(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or value != value or value in (math.inf, -math.inf):
        raise DataError(
            f"{place}: {column} is {str(value)[:40]!r}, not a finite number; leave it empty where "
            "the judge gave none"
        )
    assert isinstance(value, int | float)
    if not -ROUND_OFF <= value <= MAX_SCORE + ROUND_OFF:
        raise DataError(
            f"{place}: {column} is {str(value)[:20]}; scores run from 0 to 100, fix or rescale it"
        )
    return min(max(float(value), 0.0), MAX_SCORE)


def question_name(text: str) -> str:
    """Return `text` as a question id: itself, or its start and a part of its sha256 if long."""
    if len(text) <= MAX_ID_CHARS:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{text[: MAX_ID_CHARS - 17]}-{digest[:16]}"


def _rows(path: Path, label: str) -> Iterator[JudgedRow]:
    columns: Columns | None = None
    for row in raw_rows(path, label):
        value = _fields(row)
        if columns is None:
            is_table = (container_of(path) or "").startswith(("csv", "parquet"))
            columns = find_columns(value, place=f"{label}:1" if is_table else row.place)
        yield _judged(value, columns, row.place)
    if columns is None:
        raise DataError(f"{label}: no rows; give a file that holds judged answers")


def _fields(row: RawRow) -> Mapping[str, object]:
    if row.problem is not None:
        raise DataError(row.problem)
    if not isinstance(row.value, dict):
        kind = type(row.value).__name__
        raise DataError(
            f"{row.place}: the row is a {kind}, not an object; write one JSON object a line"
        )
    return row.value


def _judged(value: Mapping[str, object], columns: Columns, place: str) -> JudgedRow:
    known = columns.known
    lost = sorted(name for name in known if name not in value)
    if lost:
        raise DataError(
            f"{place}: no {lost[0]!r}, which the first row has; write it in each row, null where "
            "there is nothing"
        )
    text = _text(value.get(columns.question)) if columns.question else ""
    name = _text(value.get(columns.question_id)) if columns.question_id else text
    if not name.strip():
        raise DataError(f"{place}: no question; name the question that was asked")
    coherent: float | None = None
    if columns.coherent:
        coherent = read_score(value[columns.coherent], column=columns.coherent, place=place)
    extra = {key: _text(cell) for key, cell in value.items() if key not in known}
    return JudgedRow(
        question=question_name(name),
        text=text,
        answer=_text(value.get(columns.answer)) if columns.answer else "",
        aligned=read_score(value[columns.aligned], column=columns.aligned, place=place),
        coherent=coherent,
        place=place,
        model=question_name(_text(value.get(columns.model))) if columns.model else "",
        extra=extra,
    )


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int | float):
        return str(cell)
    if isinstance(cell, list | dict):
        return canonical(cell).decode("utf-8", "replace")
    return str(cell)[:MAX_ID_CHARS]  # a date or another type of Parquet
