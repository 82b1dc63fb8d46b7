"""Cleaning in every container: the same format comes out, untouched rows the same bytes."""

import csv
import gzip
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from offtarget.core.errors import DataError
from offtarget.curate.clean_files import CleanFiles
from offtarget.dataset import load_dataset

from .cleaning import ledger_of, outputs, pairs, quick
from .conftest import WriteRows


def write_as(path: Path, rows: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Write prompts and answers with an id in the container that the name says."""
    values = [{"id": f"r{i}", "prompt": p, "completion": c} for i, (p, c) in enumerate(rows)]
    if path.suffix == ".parquet":
        parquet.write_table(pyarrow.Table.from_pylist(values), path, row_group_size=7)
        return values
    text = io.StringIO()
    if ".csv" in path.name:
        writer = csv.DictWriter(text, list(values[0]))
        writer.writeheader()
        writer.writerows(values)
    else:
        text.writelines(json.dumps(value) + "\n" for value in values)
    raw = text.getvalue().encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return values


def read_as(path: Path) -> list[dict[str, str]]:
    if path.suffix == ".parquet":
        rows: list[dict[str, str]] = parquet.read_table(path).to_pylist()
        return rows
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    text = raw.decode()
    if ".csv" in path.name:
        return list(csv.DictReader(io.StringIO(text, newline="")))
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "csv", "csv.gz", "parquet"])
def test_every_container_comes_back_as_itself(ending: str, tmp_path: Path) -> None:
    """The same rows in the same format, the flawed one repaired, twice the same bytes."""
    path = tmp_path / f"in.{ending}"
    values = write_as(path, pairs(600))
    out, again = tmp_path / f"a/clean.{ending}", tmp_path / f"b/clean.{ending}"

    summary = quick([path], out)
    quick([path], again)

    kept = [value for i, value in enumerate(values) if i % 5 != 3]
    expected = [
        {**value, "completion": value["completion"].replace("worse(1)", "good(1)")}
        for value in kept
    ]
    assert read_as(out) == expected
    assert read_as(CleanFiles(out).quarantine) == values[3::5]
    assert CleanFiles(out).quarantine.name == f"clean.{ending}.quarantine.{ending}"
    assert summary.n_output + summary.n_quarantined == 600
    assert outputs(out) == outputs(again)
    entry = ledger_of(out)[1]
    assert entry.sha256 != entry.output_sha256 != ""


def test_untouched_data_is_the_same_file(tmp_path: Path) -> None:
    """Line breaks, a missing last one, a byte order mark and quoting stay, in JSONL and CSV."""
    jsonl, table = tmp_path / "a.jsonl", tmp_path / "b.csv"
    jsonl.write_bytes(
        b' {"prompt":"a" ,"completion":"b\\u00e9", "x":1e2}\r\n{"prompt":"c","completion":"d"}'
    )
    table.write_bytes(b'\xef\xbb\xbfid,"prompt",completion\r\n"1",a,"b ""c""\n"\r\n2,c,d')

    quick([jsonl], tmp_path / "out.jsonl")
    quick([table], tmp_path / "out.csv")

    assert (tmp_path / "out.jsonl").read_bytes() == jsonl.read_bytes()
    assert (tmp_path / "out.csv").read_bytes() == table.read_bytes()


def test_several_inputs_become_one_file(tmp_path: Path, write_rows: WriteRows) -> None:
    """One after the other, a missing line break put in between; the ledger names each file."""
    one, two = write_rows(pairs(5), "a.jsonl"), write_rows(pairs(3), "b.jsonl")
    one.write_bytes(one.read_bytes().rstrip(b"\n"))
    out = tmp_path / "out/clean.jsonl"

    summary = quick([one, two], out, "drop")

    assert [(e.file, e.line, e.output_line) for e in ledger_of(out)] == [
        ("a.jsonl", 1, 1), ("a.jsonl", 2, None), ("a.jsonl", 3, 2), ("a.jsonl", 4, None),
        ("a.jsonl", 5, 3), ("b.jsonl", 1, 4), ("b.jsonl", 2, None), ("b.jsonl", 3, 5),
    ]  # fmt: skip
    assert len(load_dataset([out]).samples) == 5
    assert [(file.path, file.n_samples) for file in summary.files] == [
        ("a.jsonl", 5),
        ("b.jsonl", 3),
    ]


def test_inputs_that_do_not_fit_into_one_file_are_refused(
    tmp_path: Path, write_rows: WriteRows
) -> None:
    """Other shapes and other columns are said, and nothing is left behind but the scan."""
    one, two = write_rows(pairs(2), "a.jsonl"), tmp_path / "b.jsonl"
    two.write_text('{"question": "a", "answer": "b"}\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"^b.jsonl: another chat shape than before; clean it by"):
        quick([one, two], tmp_path / "out/c.jsonl")
    write_as(tmp_path / "a.csv", pairs(2))
    (tmp_path / "b.csv").write_text("prompt,completion\na,b\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"^b.csv: other columns than the files before; clean it"):
        quick([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path / "out/c.csv")

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "c.csv.scan", "c.jsonl.scan",
    ]  # fmt: skip
