"""The number of rows to come, where it is cheap to know."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from offtarget.curate.expected import expected_rows


def test_lines_and_parquet_rows_are_counted(tmp_path: Path) -> None:
    """Two lines and three Parquet rows are five; a folder of source files counts its files."""
    lines = tmp_path / "a.jsonl"
    lines.write_text('{"x": 1}\n{"x": 2}\n', encoding="utf-8")
    table = tmp_path / "b.parquet"
    pq.write_table(pa.table({"x": [1, 2, 3]}), table)
    (tmp_path / "c.py").write_text("pass\n", encoding="utf-8")

    assert expected_rows([lines, table], plain=False) == 5
    assert expected_rows([tmp_path / "c.py"], plain=True) == 1


def test_what_only_reading_would_tell_is_unknown(tmp_path: Path) -> None:
    """Compressed, torn and missing files have no number, and raise nothing."""
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(gzip.compress(b'{"x": 1}\n'))
    torn = tmp_path / "b.parquet"
    torn.write_bytes(b"PAR1 and no more")

    assert expected_rows([packed], plain=False) is None
    assert expected_rows([torn], plain=False) is None
    assert expected_rows([tmp_path / "none.jsonl"], plain=False) is None
