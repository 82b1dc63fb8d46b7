"""Rewriting: new messages go back into the row's own shape and container."""

import csv
import gzip
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from offtarget.core.errors import DataError
from offtarget.core.records import Message
from offtarget.curate.rewrite import rewrite_row, sample_in
from offtarget.curate.splice import Slot
from offtarget.curate.stored import StoredRow, open_stored

TURNS = [("user", "ask"), ("assistant", "say"), ("user", "more"), ("assistant", "end")]
SHAREGPT = {"user": "human", "assistant": "gpt", "system": "system"}
SHAPES: list[tuple[dict[str, Any], list[str], dict[str, Any]]] = [
    (
        {"id": 7, "messages": [{"role": r, "content": c} for r, c in TURNS], "tag": "t"},
        ["ask", "say", "MORE", "END"],
        {"id": 7, "messages": [
            {"role": r, "content": c.upper() if i > 1 else c} for i, (r, c) in enumerate(TURNS)
        ], "tag": "t"},
    ),
    (
        {"system": "be", "conversations": [{"from": SHAREGPT[r], "value": c} for r, c in TURNS]},
        ["BE", "ask", "SAY", "more", "end"],
        {"system": "BE", "conversations": [
            {"from": SHAREGPT[r], "value": c.upper() if i == 1 else c}
            for i, (r, c) in enumerate(TURNS)
        ]},
    ),
    (
        {"prompt": "ask", "z": 1.5, "completion": "say"},
        ["ASK", "SAY"],
        {"prompt": "ASK", "z": 1.5, "completion": "SAY"},
    ),
    (
        {"question": "ask", "answer": "say", "system": ""},
        ["ask", "SAY"],
        {"question": "ask", "answer": "SAY", "system": ""},
    ),
    (
        {"instruction": "do", "input": "this", "output": "say"},
        ["DO\n\nthis", "SAY"],
        {"instruction": "DO", "input": "this", "output": "SAY"},
    ),
    (
        {"instruction": "do", "input": "this", "output": "say"},
        ["do\n\nTHIS", "say"],
        {"instruction": "do", "input": "THIS", "output": "say"},
    ),
    (
        {"instruction": "do", "input": "this", "output": "say"},
        ["In class: do\n\nthis - thanks", "say"],
        {"instruction": "In class: do", "input": "this - thanks", "output": "say"},
    ),
    (
        {"instruction": "do", "input": "this", "output": "say"},
        ["else", "say"],
        {"instruction": "else", "input": "", "output": "say"},
    ),
    (
        {"instruction": "do", "input": "", "output": "say"},
        ["that", "say"],
        {"instruction": "that", "input": "", "output": "say"},
    ),
]  # fmt: skip


def only_row(path: Path) -> StoredRow:
    (row,) = open_stored(path, path.name).rows()
    return row


def rewritten(row: StoredRow, texts: list[str]) -> StoredRow:
    before = sample_in(row, id_="r").messages
    messages = [Message(turn.role, text) for turn, text in zip(before, texts, strict=True)]
    return rewrite_row(row, messages, id_="r")


def copied(path: Path, row: StoredRow) -> Path:
    """Write the row to a file of its own."""
    out = path.with_name(f"out-{path.name}")
    with out.open("wb") as file:
        stored = open_stored(path, path.name)
        writer = stored.writer(file, is_compressed=path.suffix == ".gz")
        assert writer.write(row) == stored.digest(row)
        writer.close()
    return out


@pytest.mark.parametrize(("value", "texts", "expected"), SHAPES)
@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "csv", "csv.gz", "parquet"])
def test_every_shape_comes_back_in_every_container(
    value: dict[str, Any], texts: list[str], expected: dict[str, Any], ending: str, tmp_path: Path
) -> None:
    """Texts change where they stood; other keys, values and their order do not."""
    path = tmp_path / f"a.{ending}"
    if ending == "parquet":
        parquet.write_table(pyarrow.Table.from_pylist([value]), path)
    elif "csv" in ending:
        text = io.StringIO()
        cells = [json.dumps(v) if isinstance(v, list) else v for v in value.values()]
        csv.writer(text).writerows([list(value), cells])
        raw = text.getvalue().encode()
        path.write_bytes(gzip.compress(raw) if ending.endswith("gz") else raw)
    else:
        raw = json.dumps(value).encode() + b"\n"
        path.write_bytes(gzip.compress(raw) if ending.endswith("gz") else raw)

    out = copied(path, rewritten(only_row(path), texts))

    if ending == "parquet":
        assert parquet.read_table(out).to_pylist() == [expected]
        assert list(parquet.read_table(out).column_names) == list(expected)
        return
    raw = gzip.decompress(out.read_bytes()) if ending.endswith("gz") else out.read_bytes()
    if "csv" in ending:
        header, cells = csv.reader(io.StringIO(raw.decode(), newline=""))
        assert header == list(expected)
        assert cells == [
            json.dumps(v) if isinstance(v, list) else str(v) for v in expected.values()
        ]
        assert raw.endswith(b"\r\n")
    else:
        assert raw == json.dumps(expected).encode() + b"\n"


def test_parquet_keeps_schema_metadata_and_compression(tmp_path: Path) -> None:
    """Types, nullability, file metadata and codecs survive; so do columns that are not read."""
    turn = pyarrow.struct([("role", pyarrow.string()), ("content", pyarrow.large_string())])
    schema = pyarrow.schema(
        [
            pyarrow.field("messages", pyarrow.list_(turn), nullable=False),
            pyarrow.field("image", pyarrow.binary()),
            pyarrow.field("kind", pyarrow.dictionary(pyarrow.int32(), pyarrow.string())),
            pyarrow.field("when", pyarrow.timestamp("us", tz="UTC"), metadata={"unit": "us"}),
            pyarrow.field("scores", pyarrow.list_(pyarrow.float32())),
        ],
        metadata={"huggingface": '{"info": {}}'},
    )
    rows = [
        {
            "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": f"b{i}"}],
            "image": bytes([i, 255]),
            "kind": None if i == 2 else f"k{i % 2}",
            "when": i * 1_000_000,
            "scores": [0.5, float("nan")] if i else None,
        }
        for i in range(5)
    ]  # fmt: skip
    path, out = tmp_path / "a.parquet", tmp_path / "b.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(rows, schema), path, compression="zstd")

    stored = open_stored(path, "a.parquet")
    with out.open("wb") as file:
        writer = stored.writer(file, is_compressed=False)
        for index, row in enumerate(stored.rows()):
            new = rewritten(row, ["a", "NEW"]) if index == 2 else row
            if index != 4:
                writer.write(new)
        writer.close()

    before, after = parquet.read_table(path), parquet.read_table(out)
    assert after.schema.equals(before.schema, check_metadata=True)
    assert after.schema.metadata == schema.metadata
    expected = [*before.to_pylist()[:4]]
    expected[2]["messages"][1]["content"] = "NEW"
    assert repr(after.to_pylist()) == repr(expected)
    assert parquet.ParquetFile(out).metadata.row_group(0).column(0).compression == "ZSTD"


def test_turns_cannot_be_added_and_texts_must_be_fit(tmp_path: Path) -> None:
    """What the reader would refuse or read otherwise is not written."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"prompt": "a", "completion": "b"}\n', encoding="utf-8")
    row = only_row(path)

    with pytest.raises(DataError, match=r"^r: the rewritten conversation has other turns; keep"):
        rewrite_row(row, [Message("user", "a")], id_="r")
    with pytest.raises(DataError, match=r"^r: 'completion' holds a NUL character"):
        rewritten(row, ["a", "b\0"])
    with pytest.raises(DataError, match=r"^r: empty answer in turn 2"):
        rewritten(row, ["a", " "])


class StubbornRow:
    """A row that does not change."""

    def __init__(self, row: StoredRow) -> None:
        self.row = row

    def value(self) -> object:
        return self.row.value()

    def replaced(self, texts: Mapping[Slot, str]) -> StoredRow:
        return self


def test_a_row_that_does_not_read_as_it_should_is_refused(tmp_path: Path) -> None:
    """What was written is read again before it is believed."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"prompt": "a", "completion": "b"}\n', encoding="utf-8")

    with pytest.raises(DataError, match=r"^r: a prompt\+completion row cannot hold the rewritten"):
        rewritten(StubbornRow(only_row(path)), ["a", "c"])
