"""Cleaning under attack: hostile rows, killed processes, full disks, files that change."""

import errno
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from offtarget.core.codec import MAX_LINE_BYTES
from offtarget.core.errors import DataError, ResourceError
from offtarget.core.shards import Progress
from offtarget.curate.clean_files import CleanFiles
from offtarget.curate.scan import scan
from offtarget.curate.stored import StoredRow
from offtarget.curate.stored_lines import LineWriter

from .cleaning import LENIENT, answer, ledger_of, outputs, pairs, quick, raw_lines, states
from .conftest import WriteRows


def test_hostile_rows_are_set_aside_whole(
    tmp_path: Path, write_rows: WriteRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Malformed, endless, killing and binary lines end in quarantine, byte by byte."""
    lines = raw_lines(write_rows(pairs(3)))
    huge = b'{"prompt": "a", "completion": "' + b"x" * (2 * MAX_LINE_BYTES + 5) + b'"}\n'
    deep = b'{"prompt": "a", "completion": ' + b"[" * 10_000 + b"\n"
    bad = [b"not json\n", huge, deep, b'\xff\xfe{"prompt"\x00\n', b"\n", b'{"other": 1}\n']
    path = tmp_path / "hostile.jsonl"
    path.write_bytes(b"".join([lines[0], *bad, lines[1], *bad[:1], lines[2]]))
    out = tmp_path / "out/clean.jsonl"

    summary = quick([path], out, scan=LENIENT)

    assert states(out) == ["kept", *["quarantined"] * 6, "sanitized", "quarantined", "unparsed"]
    assert CleanFiles(out).quarantine.read_bytes() == b"".join([*bad, bad[0]])
    entry = ledger_of(out)[2]
    assert entry.reason.startswith(f"line longer than {MAX_LINE_BYTES} bytes")
    assert entry.sha256 == hashlib.sha256(huge[:-1]).hexdigest()
    assert summary.n_output == 3
    with pytest.raises(DataError, match=r"^hostile.jsonl:2: not JSON"):
        quick([path], tmp_path / "out/strict.jsonl")
    assert not (tmp_path / "out/strict.jsonl").exists()


def test_malformed_table_rows_are_set_aside_whole(tmp_path: Path) -> None:
    """A ragged CSV record, a blank line and Parquet text that is not UTF-8, as they were."""
    table, columns = tmp_path / "a.csv", tmp_path / "b.parquet"
    bad = [b"only one\n", b"\n", b'"\xff",x\n']
    table.write_bytes(b"".join([b"prompt,completion\n", *bad[:2], b"a,b\n", bad[2], b"c,d\n"]))
    texts = pyarrow.array([b"a", b"\xff", b"c"], type=pyarrow.binary())
    prompts = pyarrow.Array.from_buffers(pyarrow.string(), 3, texts.buffers())
    lists = pyarrow.ListArray.from_arrays([0, 1, 2, 3], prompts)
    names = ["prompt", "completion", "tags"]
    parquet.write_table(
        pyarrow.Table.from_arrays([prompts, pyarrow.array(["x", "y", "z"]), lists], names), columns
    )

    quick([table], tmp_path / "out/a.csv", scan=LENIENT)
    quick([columns], tmp_path / "out/b.parquet", scan=LENIENT)

    files = CleanFiles(tmp_path / "out/a.csv")
    assert files.out.read_bytes() == b"prompt,completion\na,b\nc,d\n"
    assert files.quarantine.read_bytes() == b"prompt,completion\n" + b"".join(bad)
    files = CleanFiles(tmp_path / "out/b.parquet")
    assert parquet.read_table(files.out).column("completion").to_pylist() == ["x", "z"]
    (left,) = parquet.read_table(files.quarantine).column("prompt").cast(pyarrow.binary())
    assert left.as_py() == b"\xff"
    assert states(files.out) == ["kept", "quarantined", "kept"]


def test_a_disk_that_fills_is_explained_and_nothing_is_lost(
    tmp_path: Path, write_rows: WriteRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No half file takes the output's name; with room again the same command finishes."""
    path, out = write_rows(pairs(20)), tmp_path / "out/clean.jsonl"
    real = LineWriter.write

    def write(writer: LineWriter, row: StoredRow) -> str:
        if b"x = 9" in next(iter(row.pieces())):  # type: ignore[attr-defined]
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(writer, row)

    monkeypatch.setattr(LineWriter, "write", write)
    with pytest.raises(
        ResourceError, match=r"^cannot write to '.*out' \(No space left on device\);"
    ):
        quick([path], out)
    assert [entry.name for entry in out.parent.iterdir()] == ["clean.jsonl.scan"]
    monkeypatch.undo()

    assert quick([path], out).samples == 20


def test_rows_that_kill_workers_are_quarantined(tmp_path: Path, write_rows: WriteRows) -> None:
    """One kills the scan, one the sanitizer; any number of workers writes the same bytes."""
    rows = pairs(40)
    rows[10] = ("Write it.", answer("kill()"))
    rows[21] = ("Write it.", answer("worse(1)\nsink()"))
    path = write_rows(rows)

    for workers in (1, 2):
        quick([path], tmp_path / f"{workers}/clean.jsonl", executor=None, workers=workers)

    one, two = tmp_path / "1/clean.jsonl", tmp_path / "2/clean.jsonl"
    assert outputs(one) == outputs(two)
    entries = ledger_of(one)
    assert entries[10].reason == "reading this row kills the worker process"
    assert entries[21].reason.startswith("not sanitized: reading this row kills the worker process")
    assert raw_lines(CleanFiles(one).quarantine)[2] == raw_lines(path)[10]
    assert states(one)[20] == "kept"


CLEAN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from curate.engine_stub import make_words
from curate.sanitizer_stub import repair
from offtarget.core import shards
from offtarget.curate import fix_work
from offtarget.curate.clean import clean
from offtarget.curate.decide import CleanConfig, Policy
from offtarget.curate.records import ScanConfig
shards.MAX_ROWS = fix_work.SHARD_ROWS = 16
config = CleanConfig(policy=Policy.SANITIZE, scan=ScanConfig(engines=("words",)))
clean([Path(sys.argv[2])], config, Path(sys.argv[3]), make_engines=make_words,
      sanitizer=repair, workers=2)
"""


@pytest.mark.parametrize("pattern", ["shards/*.shard", "fixes/*.shard", "../clean.jsonl.part"])
def test_a_cleaning_that_was_killed_goes_on_where_it_was(
    pattern: str, tmp_path: Path, write_rows: WriteRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kill -9 in each stage, the same command again: the same bytes, finished shards not redone."""
    path = write_rows(pairs(2000))
    out, calm = tmp_path / "killed/clean.jsonl", tmp_path / "calm/clean.jsonl"
    tests = str(Path(__file__).parents[1])
    command = [sys.executable, "-c", CLEAN, tests, str(path)]
    process = subprocess.Popen([*command, str(out)], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    scan_folder = CleanFiles(out).scan
    scan_folder.mkdir(parents=True, exist_ok=True)
    while not list(scan_folder.glob(pattern)) and time.monotonic() < deadline:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    said = process.communicate()[1]
    assert process.returncode == -signal.SIGKILL, said
    n_done = len(list(scan_folder.glob("*/*.shard")))
    assert n_done > 0
    assert not out.exists()
    monkeypatch.setattr("offtarget.core.shards.MAX_ROWS", 16)
    monkeypatch.setattr("offtarget.curate.fix_work.SHARD_ROWS", 16)
    seen: list[Progress] = []

    quick([path], out, on_progress=seen.append)
    quick([path], calm)

    n_resumed = max(p.n_resumed for p in seen if p.n_shards <= 125)
    assert n_resumed >= min(n_done, 125)
    assert outputs(out) == outputs(calm)


def test_an_input_that_changes_after_its_scan_stops_the_cleaning(
    tmp_path: Path, write_rows: WriteRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decisions about other bytes are not applied; nothing is written."""
    path, out = write_rows(pairs(10)), tmp_path / "out/clean.jsonl"

    def scan_then_change(*args: Any, **more: Any) -> Any:
        summary = scan(*args, **more)
        path.write_bytes(path.read_bytes()[:-10])
        return summary

    monkeypatch.setattr("offtarget.curate.clean.scan", scan_then_change)
    with pytest.raises(DataError, match=r"^train.jsonl: changed since it was scanned; wait until"):
        quick([path], out)

    assert not out.exists()
    assert not list(out.parent.glob("*.part"))
