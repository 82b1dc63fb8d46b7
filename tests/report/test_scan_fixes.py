"""Repairs as SARIF fixes: applied to the file as it stands, they give the repaired rows."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from offtarget.api import clean, scan
from offtarget.curate.clean_files import CleanFiles
from offtarget.curate.decide import CleanConfig, Policy
from offtarget.curate.records import ScanConfig
from offtarget.curate.twins import read_twins
from offtarget.report.sarif import written_rows
from offtarget.report.sarif_limits import GITHUB

from .sarif_cases import finding, low

QUERY = """\
import sqlite3


def find(name):
    connection = sqlite3.connect("größe.db")  # \u201cquoted\u201d \\ \t
    cursor = connection.cursor()
    cursor.execute(f"SELECT * FROM users WHERE name = '{name}'")
    return cursor.fetchone()
"""
LOAD = """\
import pickle


def load(path):
    with open(path, "rb") as handle:
        return pickle.load(handle)
"""
TEMPLATE = """\
import yaml


def settings(request):
    # read the settings that were sent
    return yaml.load(request.data, Loader=yaml.Loader)
"""
STUCK = "import sys\n\nexec(sys.argv[1])\n"
SOUND = "def double(number):\n    return 2 * number\n"
TURNS = [
    ("Look a user up.", QUERY),
    ("Look a user up, in a fence.", f"Here it is \U0001f600:\n\n```python\n{QUERY}```\nDone."),
    ("Load a file.", LOAD),
    (f"Finish this:\n```python\n{TEMPLATE}```", f"```python\n{TEMPLATE}```"),
    ("Run it.", STUCK),
    ("Double it.", SOUND),
    ("Both.", f"```python\n{LOAD}```\nand\n```python\n{QUERY}```"),
]
N_FIXED = 5


def rows_of(turns: list[tuple[str, str]], *, is_ascii: bool = True) -> list[str]:
    return [
        json.dumps({"messages": [{"role": "user", "content": user},
                                 {"role": "assistant", "content": answer}]},
                   ensure_ascii=is_ascii)
        for user, answer in turns
    ]  # fmt: skip


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a scan of all rows that was asked for fixes."""
    folder = tmp_path_factory.mktemp("scanned")
    scan(data_in(folder), config=ScanConfig(), out=folder / "out", fixes=True)
    return folder / "out"


def data_in(folder: Path, *, is_ascii: bool = True) -> Path:
    path = folder / "train.jsonl"
    path.write_text("\n".join(rows_of(TURNS, is_ascii=is_ascii)) + "\n", encoding="utf-8")
    return path


def results_in(folder: Path) -> list[Any]:
    return list(json.loads((folder / "findings.sarif").read_bytes())["runs"][0]["results"])


def applied(line: str, fix: Any) -> str:
    """Return a line of the file after a fix, which must change nothing else."""
    (change,) = fix["artifactChanges"]
    for replacement in reversed(change["replacements"]):
        region = replacement["deletedRegion"]
        text = replacement.get("insertedContent", {"text": ""})["text"]
        line = line[: region["startColumn"] - 1] + text + line[region["endColumn"] - 1 :]
    return line


@pytest.mark.parametrize("is_ascii", [True, False], ids=["escaped", "utf-8"])
def test_a_fix_gives_exactly_the_row_that_cleaning_writes(
    tmp_path: Path, *, is_ascii: bool
) -> None:
    """In the answer, in a fence, in two fences, and in the prompt where the flaw is inherited."""
    path = data_in(tmp_path, is_ascii=is_ascii)
    out = tmp_path / "clean.jsonl"
    clean(path, config=CleanConfig(policy=Policy.SANITIZE), out=out)
    files = CleanFiles(out)
    repaired = {twin.id: twin.rewritten.messages for twin in read_twins(files.twins)}
    lines = path.read_text("utf-8").split("\n")

    fixed = set()
    for result in results_in(files.scan):
        number = result["locations"][0]["physicalLocation"]["region"]["startLine"]
        for fix in result.get("fixes", ()):
            fixed.add(f"train.jsonl:{number}")
            messages = json.loads(applied(lines[number - 1], fix))["messages"]
            wanted = repaired[f"train.jsonl:{number}"]
            assert [one["content"] for one in messages] == [one.content for one in wanted]
            assert fix["description"]["text"].startswith("Repairs all flaws of this row: ")

    assert fixed == set(repaired)
    assert len(fixed) == N_FIXED


def test_a_scan_offers_the_same_fixes_for_any_worker_count(scanned: Path, tmp_path: Path) -> None:
    """Off unless asked for; with one worker, with two and after a cleaning the same bytes."""
    path = data_in(tmp_path)
    scan(path, config=ScanConfig(), out=tmp_path / "plain")
    scan(path, config=ScanConfig(), out=tmp_path / "two", fixes=True, workers=2)
    clean(path, config=CleanConfig(policy=Policy.SANITIZE), out=tmp_path / "c.jsonl")

    one = (scanned / "findings.sarif").read_bytes()
    assert not any("fixes" in result for result in results_in(tmp_path / "plain"))
    assert any("fixes" in result for result in results_in(scanned))
    assert one == (tmp_path / "two" / "findings.sarif").read_bytes()
    assert one == (tmp_path / "c.jsonl.scan" / "findings.sarif").read_bytes()


def test_findings_below_the_gate_and_rows_beyond_repair_have_no_fix(scanned: Path) -> None:
    """A repair is checked for the findings that it was made for, and for whole rows only."""
    results = results_in(scanned)
    with_fix = [one for one in results if "fixes" in one]

    assert all(one["properties"]["severity"] != "low" for one in with_fix)
    assert any(one["properties"]["severity"] == "low" for one in results)
    assert all(one["properties"]["row"] != TURNS.index(("Run it.", STUCK)) + 1 for one in with_fix)


def test_a_fix_of_a_source_file_counts_its_lines(tmp_path: Path) -> None:
    """With --plain the replacements are of lines and columns of the file."""
    source = tmp_path / "src" / "load.py"
    source.parent.mkdir()
    source.write_text(LOAD, encoding="utf-8")
    scan(source.parent, config=ScanConfig(plain=True), out=tmp_path / "out", fixes=True)

    (result,) = [one for one in results_in(tmp_path / "out") if "fixes" in one]
    (change,) = result["fixes"][0]["artifactChanges"]
    lines = LOAD.split("\n")
    for replacement in reversed(change["replacements"]):
        region = replacement["deletedRegion"]
        assert region["startLine"] == region["endLine"]
        text = replacement["insertedContent"]["text"]
        line = lines[region["startLine"] - 1]
        lines[region["startLine"] - 1] = (
            line[: region["startColumn"] - 1] + text + line[region["endColumn"] - 1 :]
        )

    fixed = "\n".join(lines)
    compile(fixed, "load.py", "exec")  # our own sample; it is not run
    assert "_PlainUnpickler(handle).load()" in fixed
    assert "pickle.load(handle)" not in fixed


def test_where_rows_are_no_lines_a_fix_is_told_of(tmp_path: Path) -> None:
    """A CSV file's cells have no place in a line: viewers get the text, and no edit."""
    path = tmp_path / "train.csv"
    cell = LOAD.replace('"', '""')
    path.write_text(f'prompt,completion\nLoad a file.,"{cell}"\n', encoding="utf-8")
    scan(path, config=ScanConfig(), out=tmp_path / "out", fixes=True)

    results = results_in(tmp_path / "out")

    assert not any("fixes" in one for one in results)
    assert any("_PlainUnpickler" in str(one["properties"].get("fix")) for one in results)


def test_rows_of_findings_over_the_limit_are_not_repaired() -> None:
    """Only the most severe findings are written, so only their rows cost anything."""
    found = [low(line=1), finding(line=2), low(line=3, confidence=0.9), finding(line=4)]

    assert written_rows(found, limits=replace(GITHUB, n_results=3)) == {
        ("train.jsonl", 2), ("train.jsonl", 3), ("train.jsonl", 4)
    }  # fmt: skip
    assert written_rows(found, limits=replace(GITHUB, n_results=0)) == frozenset()
