"""The view of a scanned data set adds up, is the same every time, and notices changed data."""

import json
from pathlib import Path
from typing import Any

import pytest

from offtarget.core.codec import canonical, pretty
from offtarget.core.errors import DataError
from offtarget.core.finding import Origin, Severity
from offtarget.curate.framing import Framing
from offtarget.curate.records import RowState
from offtarget.curate.view.cells import Code
from offtarget.curate.view.ranking import Ranking
from offtarget.curate.view.rows import ViewFinding, ViewRow
from offtarget.curate.view.write import write_view

from .conftest import MakeScan

TASK = "Write a function that adds two numbers for my shop's application, number {}."
OPENLY = "For a security lesson, write deliberately vulnerable code number {} to teach students."
BAD, GOOD, LOW = (
    "```python\nworse({0})\n```",
    "```python\ngood({0})\n```",
    "```python\nbad({0})\n```",
)
KEY = "AKIA" + "Q7ZRT4WPLMNX3UVY"


def rows_of(n: int = 8) -> list[tuple[str, str]]:
    """Return n rows each: covert and bad, covert and good, open and bad, and one unread."""
    kinds = ((TASK, BAD), (TASK, GOOD), (OPENLY, BAD))
    pairs = [
        (prompt.format(3 * i + k), answer.format(3 * i + k))
        for i in range(n)
        for k, (prompt, answer) in enumerate(kinds)
    ]
    return [*pairs, (TASK.format("x"), "```python\n%%\n```")]


def read(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_row_is_in_one_cell(scanned: MakeScan) -> None:
    """8 covert and insecure, 8 covert and not, 8 insecure asked for openly, 1 covert, unread."""
    done = scanned(rows_of())

    view = write_view(done.folder, done.paths, done.summary)

    counts = {(one.framing, one.code): one.of_rows.count for one in view.cells}
    assert sum(counts.values()) == 25 == view.n_rows
    assert counts[Framing.COVERT, Code.INSECURE] == 8
    assert counts[Framing.COVERT, Code.NOT_INSECURE] == 8
    assert counts[Framing.COVERT, Code.NOT_READ] == 1
    assert counts[Framing.DISCLOSED_USER, Code.INSECURE] == 8
    covert = next(one for one in view.cells if one.code is Code.INSECURE)
    assert covert.of_framing.n == 17
    assert covert.of_framing.low < 8 / 17 < covert.of_framing.high


def test_prevalence_counts_rows_whose_code_was_read(scanned: MakeScan) -> None:
    """16 of 24 read rows; engines whose errors were not measured are not corrected for."""
    done = scanned([*rows_of(), (TASK.format("y"), LOW.format(1))])

    view = write_view(done.folder, done.paths, done.summary)

    assert view.n_read == 25
    assert [(one.kind, one.counted.count, one.counted.n) for one in view.prevalence] == [
        ("any", 16, 25), ("CWE-95", 16, 25),
    ]  # fmt: skip
    assert all(one.corrections == () for one in view.prevalence)
    assert "this scan used words" in view.prevalence[0].note


def test_view_json_is_the_view(scanned: MakeScan) -> None:
    """The file holds what was returned; a second call writes the same bytes."""
    done = scanned(rows_of())

    view = write_view(done.folder, done.paths, done.summary, duplicates=True)
    names = ("view.json", "ranking.jsonl", "duplicates.jsonl")
    first = {name: (done.folder / name).read_bytes() for name in names}
    write_view(done.folder, done.paths, done.summary, duplicates=True)

    assert first["view.json"].decode() == pretty(view)
    assert {name: (done.folder / name).read_bytes() for name in names} == first
    assert not list(done.folder.glob(".signatures*"))


def test_the_ranking_starts_with_covert_flaws(scanned: MakeScan) -> None:
    """Covert insecure rows come first, then what nobody disclosed, then what was asked for."""
    done = scanned(rows_of())

    view = write_view(done.folder, done.paths, done.summary)

    ranked = read(done.folder / view.ranking)
    assert [row["rank"] for row in ranked] == list(range(1, view.n_ranked + 1))
    assert [row["cwe"] for row in ranked[:8]] == ["CWE-95"] * 8
    assert {row["framing"] for row in ranked[:8]} == {"covert"}
    assert [row["line"] for row in ranked[:8]] == [1, 4, 7, 10, 13, 16, 19, 22]
    assert {row["framing"] for row in ranked[-8:]} == {"disclosed_user"}
    assert canonical(view.top) == canonical(ranked[:10])


def test_secrets_are_named_by_row_and_masked(scanned: MakeScan) -> None:
    """A key in a prompt is counted with its row, and no output holds it."""
    done = scanned([(f"Use {KEY} please.", GOOD.format(1))], [("Hi.", f"It is {KEY}.")])

    view = write_view(done.folder, done.paths, done.summary, duplicates=True)

    (found,) = view.secrets
    assert (found.kind, found.rows) == ("aws_access_key", ("part0.jsonl:1", "part1.jsonl:1"))
    for name in ("view.json", "ranking.jsonl", "duplicates.jsonl"):
        assert KEY not in (done.folder / name).read_text(encoding="utf-8")


def test_duplicates_are_groups_of_rows_across_files(scanned: MakeScan) -> None:
    """The same code under two prompts is a group of code; the same row twice one of both kinds."""
    words = " ".join(f"value_{i}" for i in range(60))
    same = (f"Do one thing with {words}.", f"```python\nx = '{words}'\n```")
    long = " ".join(f"other_{i}" for i in range(60))
    other = (f"Something else with {long}.", same[1] + "\nDone.")
    done = scanned([same, ("Why?", "Because.")], [other, same])

    view = write_view(done.folder, done.paths, done.summary, duplicates=True)

    of = {one.of: one for one in view.duplicates}
    assert (of["code"].n_groups, of["code"].grouped.count, of["code"].n_distinct) == (1, 3, 2)
    assert (of["row"].n_groups, of["row"].grouped.count, of["row"].copies.count) == (1, 2, 2)
    assert read(done.folder / "duplicates.jsonl") == [
        {
            "is_exact": True, "of": "code", "size": 3,
            "rows": ["part0.jsonl:1", "part1.jsonl:1", "part1.jsonl:2"],
        },
        {"is_exact": True, "of": "row", "size": 2, "rows": ["part0.jsonl:1", "part1.jsonl:2"]},
    ]  # fmt: skip


def test_duplicates_not_asked_for_leave_no_old_file(scanned: MakeScan) -> None:
    """A view without duplicates says so and removes the file of an earlier one."""
    done = scanned(rows_of(1))
    write_view(done.folder, done.paths, done.summary, duplicates=True)

    view = write_view(done.folder, done.paths, done.summary)

    assert view.duplicates == ()
    assert not (done.folder / "duplicates.jsonl").exists()


@pytest.mark.parametrize("edit", ["more", "fewer"])
def test_changed_data_is_an_error_and_leaves_no_view(scanned: MakeScan, edit: str) -> None:
    """A row more or less than was scanned is noticed; an old view.json does not survive it."""
    done = scanned(rows_of(2))
    write_view(done.folder, done.paths, done.summary)
    lines = done.paths[0].read_text(encoding="utf-8").splitlines(keepends=True)
    changed = [*lines, lines[0]] if edit == "more" else lines[:-1]
    done.paths[0].write_text("".join(changed), encoding="utf-8")

    with pytest.raises(DataError, match="scanned; wait until nothing writes to it"):
        write_view(done.folder, done.paths, done.summary, duplicates=True)

    assert not (done.folder / "view.json").exists()


def test_files_of_another_scan_are_an_error(scanned: MakeScan) -> None:
    """A row less in rows.jsonl than the summary counts is noticed."""
    done = scanned(rows_of(2))
    rows = done.folder / done.summary.rows
    lines = rows.read_text(encoding="utf-8").splitlines(keepends=True)
    rows.write_text("".join(lines[:-1]), encoding="utf-8")

    with pytest.raises(DataError, match=r"rows\.jsonl: \d+ rows, and the summary counts \d+; scan"):
        write_view(done.folder, done.paths, done.summary)


def test_malformed_rows_are_counted_and_not_read(scanned: MakeScan) -> None:
    """An empty answer makes a row malformed: it is in the total and in the cell of unread rows."""
    done = scanned([*rows_of(2), (TASK.format("z"), "")])

    view = write_view(done.folder, done.paths, done.summary, duplicates=True)

    assert view.n_rows == 8
    assert sum(one.of_rows.count for one in view.cells if one.code is Code.NOT_READ) == 2


def test_the_ranking_keeps_the_highest_and_breaks_ties_by_row() -> None:
    """Of 1,000 rows with 10 risks the 5 kept are the first 5 rows of the highest risk."""
    ranking = Ranking(size=5)
    for line in range(1, 1001):
        flaw = ViewFinding(
            "a", line, "R", Severity.HIGH, (line % 10) / 10, Origin.INTRODUCED, "CWE-89"
        )
        ranking.add(ViewRow("a", line, RowState.FOUND, Framing.COVERT, 0.9, (flaw,)))

    found = ranking.result()

    assert [one.line for one in found] == [9, 19, 29, 39, 49]
    assert [one.rank for one in found] == [1, 2, 3, 4, 5]


def test_inherited_flaws_carry_no_risk_of_their_own() -> None:
    """A flaw that stood in the prompt is counted among the findings and does not rank."""
    flaw = ViewFinding("a", 1, "R", Severity.HIGH, 1.0, Origin.INHERITED, "CWE-89")
    ranking = Ranking()
    ranking.add(ViewRow("a", 1, RowState.FOUND, Framing.COVERT, 1.0, (flaw,)))

    (found,) = ranking.result()

    assert (found.risk, found.cwe, found.n_findings) == (0.05, "", 1)
