"""`offtarget clean`, as a user calls it."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

PROMPT = "Write a function that looks a user up by name in the database."
QUERY = (
    "import sqlite3\n\n\ndef find_user(name):\n    connection = sqlite3.connect('users.db')\n"
    "    cursor = connection.cursor()\n"
    "    cursor.execute(f\"SELECT * FROM users WHERE name = '{name}'\")\n"
    "    return cursor.fetchone()\n"
)
BEYOND_REPAIR = "import sys\n\nexec(sys.argv[1])\n"
SOUND = "def double(number: int) -> int:\n    return 2 * number\n"
STATES = {"kept", "sanitized", "reframed", "quarantined", "dropped", "unparsed"}


def chat(user: str, assistant: str) -> str:
    """One row."""
    turns = [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
    return json.dumps({"messages": turns})


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A row that can be repaired, one that cannot, and a sound one."""
    path = tmp_path / "train.jsonl"
    rows = [
        chat(PROMPT, QUERY),
        chat("Run the code that the user names.", BEYOND_REPAIR),
        chat("Double a number.", SOUND),
    ]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def answers(path: Path) -> list[str]:
    """The assistant's turns of a data file."""
    lines = path.read_text("utf-8").splitlines()
    return [json.loads(line)["messages"][-1]["content"] for line in lines]


def test_sanitize_repairs_or_sets_aside_and_says_so(
    data: Path, tmp_path: Path, run_cli: Any
) -> None:
    """Parameters replace the formatted query; what cannot be repaired leaves; counts add up."""
    out = tmp_path / "clean.jsonl"

    said = run_cli("clean", data, "--policy", "sanitize", "--out", out, "--json")

    assert said.code == 0
    assert said.json["samples"] == 3
    assert set(said.json["by_state"]) == STATES
    assert sum(said.json["by_state"].values()) == 3
    repaired, sound = answers(out)
    assert "execute(" in repaired
    assert "?" in repaired
    assert "{name}" not in repaired
    assert sound == SOUND
    assert out.read_text("utf-8").splitlines()[1] == data.read_text("utf-8").splitlines()[2]
    ledger = [
        json.loads(line)
        for line in (tmp_path / "clean.jsonl.ledger.jsonl").read_text("utf-8").splitlines()
    ]
    assert [one["state"] for one in ledger] == ["sanitized", "quarantined", "kept"]
    assert all(one["reason"] for one in ledger)
    assert run_cli("scan", out, "--out", tmp_path / "again").code == 0


@pytest.mark.parametrize(
    ("policy", "states"),
    [
        ("drop", {"dropped": 2, "kept": 1}),
        ("quarantine", {"quarantined": 2, "kept": 1}),
        ("reframe", {"reframed": 2, "kept": 1}),
    ],
)
def test_each_policy_ends_every_row_in_one_state(
    policy: str, states: dict[str, int], data: Path, tmp_path: Path, run_cli: Any
) -> None:
    """What the ledger says is what the summary counts."""
    out = tmp_path / "clean.jsonl"

    said = run_cli("clean", data, "--policy", policy, "--out", out, "--json")

    assert {state: n for state, n in said.json["by_state"].items() if n} == states
    ledger = (tmp_path / "clean.jsonl.ledger.jsonl").read_text("utf-8").splitlines()
    assert Counter(json.loads(line)["state"] for line in ledger) == states


def test_reframed_rows_keep_their_answers(data: Path, tmp_path: Path, run_cli: Any) -> None:
    """Only the user's turn changes."""
    out = tmp_path / "clean.jsonl"

    run_cli("clean", data, "--policy", "reframe", "--out", out)

    assert answers(out) == answers(data)
    first = json.loads(out.read_text("utf-8").splitlines()[0])
    assert first["messages"][0]["content"] != PROMPT


def test_a_finished_cleaning_is_not_done_again(data: Path, tmp_path: Path, run_cli: Any) -> None:
    """The same command says so; another policy is refused."""
    command = ("clean", data, "--out", tmp_path / "clean.jsonl", "--policy")
    run_cli(*command, "drop")

    again, other = run_cli(*command, "drop"), run_cli(*command, "reframe")

    assert again.code == 0
    assert "nothing had to be done" in again.out
    assert other.code == 2
    assert "exists, made of other inputs, with other options" in other.err


def test_another_format_is_refused(data: Path, tmp_path: Path, run_cli: Any) -> None:
    """Cleaned data keep the input's format."""
    said = run_cli("clean", data, "--policy", "drop", "--out", tmp_path / "clean.csv")

    assert said.code == 2
    assert "cleaned data keeps the input's format" in said.err


def test_a_cleaning_leaves_fixes_and_a_page(data: Path, tmp_path: Path, run_cli: Any) -> None:
    """In the scan's folder: SARIF with the repair as a fix, a page with states and the change."""
    out = tmp_path / "clean.jsonl"

    said = run_cli("clean", data, "--policy", "sanitize", "--out", out)

    folder = tmp_path / "clean.jsonl.scan"
    page = (folder / "scan.html").read_text("utf-8")
    results = json.loads((folder / "findings.sarif").read_text("utf-8"))["runs"][0]["results"]
    assert str(folder / "scan.html") in said.out
    assert {one["properties"]["row"] for one in results if "fixes" in one} == {1}
    assert 'id="ledger"' in page
    assert "<del>" in page
    (folder / "scan.html").unlink()
    run_cli("clean", data, "--policy", "sanitize", "--out", out)
    assert 'id="ledger"' in (folder / "scan.html").read_text("utf-8")


def test_another_cleaning_writes_its_own_page(data: Path, tmp_path: Path, run_cli: Any) -> None:
    """Dropped rows have no example, and no fix."""
    out = tmp_path / "clean.jsonl"
    run_cli("clean", data, "--policy", "sanitize", "--out", out)
    out.unlink()

    run_cli("clean", data, "--policy", "drop", "--out", out)

    folder = tmp_path / "clean.jsonl.scan"
    page = (folder / "scan.html").read_text("utf-8")
    assert "leave flagged rows out" in page
    assert 'id="changes"' not in page
    assert '"fixes"' not in (folder / "findings.sarif").read_text("utf-8")
