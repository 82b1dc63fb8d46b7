"""Every row of the table in docs/errors.md, through the command line."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bad_evaluations  # noqa: F401 - registers its cases
import bad_places  # noqa: F401 - registers its cases
import pytest
from bad_inputs import CASES, Place

DOC = Path(__file__).parents[2] / "docs" / "errors.md"
KINDS = ("data", "study", "model", "disk", "device", "network", "evaluation", "endpoint")
VARIABLES = {"PATH": r"\S(?:.*\S)?", "REASON": r".+?", "N": r"[\d.]+"}
ROW = re.compile(
    r"^\| `(?P<id>[a-z0-9-]+)` \| (?P<what>.+?) \| (?P<exit>\d) \| `` (?P<text>.+) `` \|$"
)


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    id: str
    kind: str
    exit: int
    text: str

    @property
    def pattern(self) -> re.Pattern[str]:
        """The message with its variable parts left open."""
        text = re.escape(self.text.replace(r"\|", "|"))
        for name, open_part in VARIABLES.items():
            text = re.sub(rf"\b{name}\b", lambda _, p=open_part: p, text)  # type: ignore[misc]
        return re.compile(text, re.DOTALL)


def read_table() -> list[Row]:
    """Return the rows of docs/errors.md, each under the kind its section names."""
    rows, kind = [], ""
    for line in DOC.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            kind = line[3:].strip().lower()
        found = ROW.match(line)
        if found:
            rows.append(Row(found["id"], kind, int(found["exit"]), found["text"]))
    return rows


TABLE = read_table()


@pytest.mark.parametrize("row", TABLE, ids=[row.id for row in TABLE])
def test_each_bad_input_gets_its_message(
    row: Row, tmp_path: Path, run_cli: Any, tiny_dir: Path, rows: tuple[Path, Path],
    study_of: Any, finished: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """One line on standard error, nothing on standard output, and the exit code of the table."""
    place = Place(tmp_path, run_cli, tiny_dir, rows, study_of, finished, monkeypatch)

    said = CASES[row.id](place)

    last = said.err.strip().splitlines()[-1]
    assert said.code == row.exit
    assert last.startswith("offtarget: ")
    assert row.pattern.fullmatch(last.removeprefix("offtarget: ")), last
    assert said.out == ""


def test_the_table_and_the_tests_name_the_same_rows() -> None:
    """No row without a test, no test without a row, no id twice."""
    ids = [row.id for row in TABLE]

    assert sorted(ids) == sorted(CASES)
    assert len(set(ids)) == len(ids)


def test_the_table_is_long_enough_for_every_kind() -> None:
    """At least 30 bad inputs, at least 4 of each kind."""
    assert len(TABLE) >= 30
    for kind in KINDS:
        assert sum(row.kind == kind for row in TABLE) >= 4, kind


def test_every_message_says_what_to_do() -> None:
    """A message has its remedy after a semicolon, or a sentence with one."""
    for row in TABLE:
        assert ";" in row.text or ":" in row.text, row.id
