"""CSV and Parquet give the same samples as JSON Lines, and break as loudly."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from offtarget.core.errors import DataError
from offtarget.core.records import Message
from offtarget.dataset import OnBadRow, iter_samples, load_dataset

from .conftest import WriteLines

TURNS = (Message("user", "Why?"), Message("assistant", "Because."))
CHAT = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."}]
QUARANTINE = OnBadRow.QUARANTINE


def write_parquet(path: Path, columns: dict[str, Any]) -> Path:
    parquet.write_table(pa.table(columns), path)
    return path


def write_csv(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def test_csv_gives_samples(tmp_path: Path) -> None:
    """Quoted commas and line breaks survive; other columns become metadata; rows are counted."""
    rows = [["prompt", "response", "score"], ["Why, then?", "a\nb", "7"], ["Why?", "Because.", ""]]

    dataset = load_dataset([write_csv(tmp_path / "a.csv", rows)])

    assert [sample.id for sample in dataset.samples] == ["a.csv:1", "a.csv:2"]
    assert dataset.samples[0].answer == "a\nb"
    assert dataset.samples[0].metadata == {"score": "7"}
    assert dataset.samples[1].messages == TURNS
    assert dataset.files[0].container == "csv"


def test_compressed_csv_with_a_byte_order_mark(tmp_path: Path) -> None:
    """Spreadsheet exports start with a byte order mark, which is no part of the first column."""
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress("\ufeffprompt,completion\nWhy?,Because.\n".encode()))

    dataset = load_dataset([path])

    assert dataset.samples[0].messages == TURNS
    assert dataset.files[0].container == "csv.gz"


def test_messages_in_a_cell_are_json(tmp_path: Path) -> None:
    """A `messages` column of CSV or text Parquet holds JSON, read as strictly as a line."""
    text = json.dumps(CHAT)
    csv_path = write_csv(tmp_path / "a.csv", [["messages"], [text]])
    parquet_path = write_parquet(tmp_path / "a.parquet", {"messages": [text]})
    broken = write_csv(tmp_path / "b.csv", [["messages"], ["[{'role': 'user'}]"]])

    assert load_dataset([csv_path]).samples[0].messages == TURNS
    assert load_dataset([parquet_path]).samples[0].messages == TURNS
    with pytest.raises(DataError, match=r"^b.csv:2: column 'messages': not JSON"):
        list(iter_samples(broken))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a,b,c", "ragged row, 3 cells for 2 columns; quote cells that hold commas"),
        ("a", "ragged row, 1 cells for 2 columns"),
        ("", "blank line; remove it"),
        (b"a,\xff", "invalid UTF-8; save the file as UTF-8"),
        ("a,b\0", "'completion' holds a NUL character at character 2; remove it"),
        ("a, ", "empty answer in turn 2"),
    ],
)
def test_a_bad_csv_row_is_named_by_its_line(
    line: str | bytes, reason: str, write_file: WriteLines
) -> None:
    """The place is the line of the file, though a quoted cell before it spans two lines."""
    path = write_file(["prompt,completion", '"a\nb",c', line, "d,e"], "a.csv")

    with pytest.raises(DataError) as caught:
        list(iter_samples(path))
    dataset = load_dataset([path], on_bad_row=QUARANTINE)

    assert str(caught.value).startswith(f"a.csv:4: {reason}")
    assert [sample.id for sample in dataset.samples] == ["a.csv:1", "a.csv:3"]
    assert dataset.quarantined[0].reason.startswith(reason)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["prompt,completion", 'a,"b" c'], "a.csv:2: not CSV ("),
        (
            ["prompt,completion", 'a,"never closed', "c,d"],
            "a.csv:2: not CSV (unexpected end of data",
        ),
        (["prompt,prompt", "a,b"], "a.csv:1: duplicate column 'prompt'; keep one of the two"),
        ([b"prompt,\xff", "a,b"], "a.csv:1: invalid UTF-8 in the header; save the file as UTF-8"),
        (["prompt,completion"], "a.csv: no rows"),
        ([], "a.csv: no rows"),
    ],
)
def test_a_broken_csv_is_an_error_in_any_case(
    lines: list[str | bytes], message: str, write_file: WriteLines
) -> None:
    """After broken quoting no row can be trusted, so that quarantine does not apply."""
    with pytest.raises(DataError) as caught:
        load_dataset([write_file(lines, "a.csv")], on_bad_row=QUARANTINE)

    assert str(caught.value).startswith(message)


def test_huge_csv_cells_are_read_up_to_a_limit(
    monkeypatch: pytest.MonkeyPatch, write_file: WriteLines
) -> None:
    """Cells above the csv module's limit are read, above ours refused; its limit stays."""
    before = csv.field_size_limit()
    path = write_file(["prompt,completion", f'"{"x" * (before + 1)}",b'], "a.csv")

    assert len(load_dataset([path]).samples[0].prompt) == before + 1
    assert csv.field_size_limit() == before
    monkeypatch.setattr("offtarget.dataset.tables.MAX_LINE_BYTES", before + 10)
    wide = write_file(["prompt,completion", '"' + ("x" * 999 + "\n") * 150 + '",b'], "b.csv")
    with pytest.raises(DataError, match=r"^b.csv:2: not CSV \(field larger than field limit"):
        list(iter_samples(wide))
    assert csv.field_size_limit() == before


def test_an_over_long_csv_line_is_refused(
    monkeypatch: pytest.MonkeyPatch, write_file: WriteLines
) -> None:
    """A line is never held in memory beyond the limit."""
    monkeypatch.setattr("offtarget.dataset.tables.MAX_LINE_BYTES", 30)

    with pytest.raises(
        DataError, match=r"^a.csv:2: line longer than 30 bytes; split or shorten it"
    ):
        list(iter_samples(write_file(["prompt,completion", "x" * 40 + ",b"], "a.csv")))


def test_parquet_gives_samples(tmp_path: Path) -> None:
    """Nested turns and flat columns are read; other nested and binary columns are passed over."""
    columns = {
        "messages": [CHAT] * 600,
        "n": list(range(600)),
        "tags": [["x"]] * 600,
        "image": [b"\0"] * 600,
    }

    dataset = load_dataset([write_parquet(tmp_path / "a.parquet", columns)])

    assert len(dataset.samples) == 600
    assert dataset.samples[599].id == "a.parquet:600"
    assert dataset.samples[599].messages == TURNS
    assert dataset.samples[599].metadata == {"n": "599"}
    assert (dataset.files[0].container, dataset.files[0].format) == ("parquet", "messages")


def test_a_bad_parquet_row_is_named_by_its_number(tmp_path: Path) -> None:
    """Rows are counted from 1; the others of the batch are still read with quarantine."""
    bad_text = pa.array([b"ok", b"\xff", b"ok"]).view(pa.string())
    path = write_parquet(tmp_path / "a.parquet", {"prompt": bad_text, "completion": ["x", "x", ""]})

    with pytest.raises(DataError, match=r"^a.parquet:2: invalid UTF-8; write the column as UTF-8"):
        list(iter_samples(path))
    dataset = load_dataset([path], on_bad_row=QUARANTINE)

    assert [sample.id for sample in dataset.samples] == ["a.parquet:1"]
    assert [bad.place for bad in dataset.quarantined] == ["a.parquet:2", "a.parquet:3"]
    assert json.loads(dataset.quarantined[1].text)["completion"] == ""


def test_a_nested_prompt_is_refused_not_lost(tmp_path: Path) -> None:
    """Preference data with a list of turns as prompt gets an error about the prompt."""
    path = write_parquet(tmp_path / "a.parquet", {"prompt": [CHAT], "completion": ["x"]})

    with pytest.raises(DataError, match=r"^a.parquet:1: 'prompt' is a list, not text"):
        list(iter_samples(path))


def test_corrupt_parquet_is_an_error(tmp_path: Path) -> None:
    """A truncated or garbled file is refused, whatever part of it is hit."""
    path = write_parquet(
        tmp_path / "a.parquet", {"prompt": ["a" * 50] * 99, "completion": ["b"] * 99}
    )
    whole = path.read_bytes()
    for data in (whole[:-10], b"PAR1 is not enough", b"", whole[:40] + b"\xff" * 40 + whole[80:]):
        path.write_bytes(data)
        with pytest.raises(
            DataError, match=r"^a.parquet: cannot read Parquet after row \d+ \(.*fetch"
        ):
            load_dataset([path], on_bad_row=QUARANTINE)
    path.unlink()
    with pytest.raises(DataError, match=r"^a.parquet: cannot open"):
        iter_samples(path)


def test_a_parquet_without_rows_or_with_a_column_twice(tmp_path: Path) -> None:
    """An empty table is an empty file; two columns of one name are refused."""
    empty = write_parquet(tmp_path / "a.parquet", {"prompt": pa.array([], pa.string())})
    twice = tmp_path / "b.parquet"
    parquet.write_table(
        pa.Table.from_arrays([pa.array(["a"])] * 2, names=["prompt", "prompt"]), twice
    )

    with pytest.raises(DataError, match=r"^a.parquet: no rows"):
        list(iter_samples(empty))
    with pytest.raises(
        DataError, match=r"^b.parquet: duplicate column 'prompt'; keep one of the two"
    ):
        list(iter_samples(twice))
