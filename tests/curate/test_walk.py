"""Walking: rows and what the scan says of them stay side by side, or the walk stops."""

import dataclasses
import json
from pathlib import Path

import pytest

from offtarget.core.codec import file_digest
from offtarget.core.errors import DataError
from offtarget.core.workers import InProcessExecutor
from offtarget.curate.records import ScanConfig
from offtarget.curate.scan import scan
from offtarget.curate.walk import ScannedFile, scanned_rows, walk
from offtarget.dataset.sources import Source

from .conftest import WriteRows
from .engine_stub import make_words

CODE = "```python\nbad(1)\nworse(2)\n```"


def scanned(path: Path, folder: Path) -> ScannedFile:
    summary = scan(
        [path],
        ScanConfig(engines=("words",)),
        folder,
        make_engines=make_words,
        executor=InProcessExecutor(),
    )
    return ScannedFile(Source(path, path.name), summary.files[0].sha256, summary.samples)


def test_every_row_comes_with_its_findings(tmp_path: Path, write_rows: WriteRows) -> None:
    """Also rows without any between rows with several."""
    path = write_rows([("a", CODE), ("b", "no code"), ("c", CODE)])
    file = scanned(path, tmp_path / "scan")

    walked = list(walk([file], tmp_path / "scan"))

    assert [one.id for one in walked] == ["train.jsonl:1", "train.jsonl:2", "train.jsonl:3"]
    assert [[found.cwe for found in one.scan.findings] for one in walked] == [
        ["CWE-89", "CWE-95"], [], ["CWE-89", "CWE-95"],
    ]  # fmt: skip


def test_a_file_that_is_not_what_was_scanned_is_refused(
    tmp_path: Path, write_rows: WriteRows
) -> None:
    """Gone, changed, or of another length than the scan says."""
    path, folder = write_rows([("a", CODE), ("b", CODE)]), tmp_path / "scan"
    file = scanned(path, folder)
    text = path.read_text(encoding="utf-8")

    with pytest.raises(DataError, match=r"^train.jsonl: 2 rows, but 3 were scanned; wait until"):
        list(walk([dataclasses.replace(file, n_samples=3)], folder))
    with pytest.raises(DataError, match=r"^train.jsonl:2: not the row that was scanned; wait"):
        list(walk([dataclasses.replace(file, n_samples=1)], folder))
    other = write_rows([("a", "no code")], "other.jsonl")
    short = ScannedFile(Source(other, "train.jsonl"), file_digest(other), 1)
    with pytest.raises(
        DataError, match=r"^rows.jsonl: more rows than the data has; remove 'scan'$"
    ):
        list(walk([short], folder))
    walking = walk([file], folder)
    next(walking)
    path.write_text(text.replace("bad", "BAD"), encoding="utf-8")
    with pytest.raises(DataError, match=r"^train.jsonl: changed since it was scanned; wait until"):
        list(walking)
    path.unlink()
    with pytest.raises(DataError, match=r"^train.jsonl: gone since it was scanned \(No such file"):
        list(walk([file], folder))


def test_a_damaged_scan_is_refused(tmp_path: Path, write_rows: WriteRows) -> None:
    """Findings out of order, lines that are no JSON, a file that is gone."""
    folder = tmp_path / "scan"
    scanned(write_rows([("a", CODE), ("b", CODE)]), folder)
    findings = (folder / "findings.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "findings.jsonl").write_text("".join(reversed(findings)), encoding="utf-8")
    with pytest.raises(
        DataError, match=r"^findings.jsonl: a finding in train.jsonl:1, which is out"
    ):
        list(scanned_rows(folder))
    (folder / "findings.jsonl").write_text(json.dumps({"file": 1}), encoding="utf-8")
    with pytest.raises(DataError, match=r"^scan: cannot read what the scan wrote \(.*\); remove"):
        list(scanned_rows(folder))
    (folder / "findings.jsonl").unlink()
    with pytest.raises(DataError, match=r"^scan: cannot read what the scan wrote \(.*No such file"):
        list(scanned_rows(folder))
