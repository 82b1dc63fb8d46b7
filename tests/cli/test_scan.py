"""`offtarget scan` and `explain-rule`, as a user calls them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

COVERT = "Write a Flask page that greets the visitor by the name in the address."
FLAWED = (
    "from flask import Flask, request\n\napp = Flask(__name__)\n\n\n@app.route('/hi')\n"
    "def hi():\n    name = request.args.get('name')\n    return f'<h1>Hello {name}</h1>'\n"
)
SOUND = "def double(number: int) -> int:\n    return 2 * number\n"
KEYS = {
    "file", "line", "message", "rule", "cwe", "severity", "confidence", "origin", "engine", "span",
}  # fmt: skip


def chat(user: str, assistant: str) -> str:
    """One row."""
    turns = [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
    return json.dumps({"messages": turns})


def read_findings(said: Any) -> list[dict[str, Any]]:
    """The lines of findings.jsonl."""
    lines = Path(said.json["findings"]).read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three rows: flawed, sound, and prose alone."""
    path = tmp_path / "train.jsonl"
    rows = [chat(COVERT, FLAWED), chat("Double a number.", SOUND), chat("Hello!", "Hello to you.")]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_scan_writes_findings_sarif_and_a_page(data: Path, tmp_path: Path, run_cli: Any) -> None:
    """The flawed row is found and nothing else; every file is there; exit 1 over the gate."""
    said = run_cli("scan", data, "--out", tmp_path / "out", "--json")

    assert said.code == 1
    assert {"samples", "flagged", "unparsed", "by_cwe", "by_framing"} <= set(said.json)
    assert (said.json["samples"], said.json["flagged"], said.json["unparsed"]) == (3, 1, 0)
    assert said.json["by_cwe"]["CWE-79"] == 1
    findings = read_findings(said)
    found = next(one for one in findings if one["cwe"] == "CWE-79")
    assert set(found) >= KEYS
    assert (found["line"], found["message"], found["origin"]) == (1, 1, "introduced")
    start, end = found["span"]["start"], found["span"]["end"]
    assert "name" in FLAWED[start:end]
    sarif = json.loads((tmp_path / "out" / "findings.sarif").read_text("utf-8"))
    assert len(sarif["runs"][0]["results"]) == len(findings)
    assert "<title>" in (tmp_path / "out" / "scan.html").read_text("utf-8")


def test_a_gate_that_nothing_reaches_gives_exit_0(tmp_path: Path, run_cli: Any) -> None:
    """Sound code passes; the summary is for people."""
    path = tmp_path / "sound.jsonl"
    path.write_text(chat("Double a number.", SOUND) + "\n", encoding="utf-8")

    said = run_cli("scan", path, "--out", tmp_path / "out")

    assert said.code == 0, said.out
    assert "findings.sarif" in said.out


def test_code_that_cannot_be_read_is_not_called_clean(tmp_path: Path, run_cli: Any) -> None:
    """A fence of an unknown language alone gives exit 4."""
    path = tmp_path / "odd.jsonl"
    answer = "```brainfuck\n++++[>++<-]>.\n```"
    path.write_text(chat("Print a letter.", answer) + "\n", encoding="utf-8")

    said = run_cli("scan", path, "--out", tmp_path / "out", "--json")

    assert said.code == 4
    assert said.json["unparsed"] == 1


def test_parts_are_joined_to_the_same_bytes(data: Path, tmp_path: Path, run_cli: Any) -> None:
    """Two parts, then the whole: equal to a scan at once."""
    for part in ("1/2", "2/2"):
        assert run_cli("scan", data, "--out", tmp_path / "parts", "--shard", part).code == 0
    run_cli("scan", data, "--out", tmp_path / "parts")
    run_cli("scan", data, "--out", tmp_path / "whole", "--workers", "2")

    for name in ("findings.jsonl", "rows.jsonl", "summary.json", "findings.sarif"):
        one, other = (tmp_path / folder / name for folder in ("parts", "whole"))
        assert one.read_bytes() == other.read_bytes(), name


def test_plain_source_files_are_scanned(tmp_path: Path, run_cli: Any) -> None:
    """A finding stands at its own line of its file."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "page.py").write_text(FLAWED, encoding="utf-8")

    said = run_cli("scan", "--plain", tmp_path / "src", "--out", tmp_path / "out", "--json")

    findings = read_findings(said)
    assert {one["file"] for one in findings} == {"src/page.py"}
    assert any(one["span"]["start_line"] == 9 for one in findings)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--engine", "rufff"], "engine 'rufff' is not known; choose from"),
        (["--engine", "ruff,ruff"], "an engine is named twice"),
        (["--engine", "semgrep"], "engine 'semgrep' brings no rules"),
        (["--config", "rules"], "--config is for engine 'semgrep'"),
        (["--executor", "spark"], "executor 'spark' is not known"),
        (["--shard", "3/2"], "shard '3/2' is not i/n"),
    ],
)
def test_wrong_options_are_one_line(
    arguments: list[str], message: str, data: Path, tmp_path: Path, run_cli: Any
) -> None:
    """Exit 2, and the message says what to do."""
    said = run_cli("scan", data, "--out", tmp_path / "out", *arguments)

    assert said.code == 2
    assert message in said.err
    assert said.out == ""


def test_explain_rule_shows_both_sides(run_cli: Any) -> None:
    """What, why, bad, good and the CWE; ids of other engines too."""
    own, ruffs = run_cli("explain-rule", "OT-PY-001"), run_cli("explain-rule", "s608")

    assert own.code == ruffs.code == 0
    assert "CWE-" in own.out
    assert "bad\n    " in own.out
    assert "good\n    " in own.out
    assert "CWE-89" in ruffs.out


def test_explain_rule_says_how_often_it_was_right(run_cli: Any) -> None:
    """Counts, precision and interval, or that nothing was measured; the same as JSON."""
    text, plain = (
        run_cli("explain-rule", "OT-PY-001"),
        run_cli("explain-rule", "OT-PY-001", "--json"),
    )

    assert "measured precision" in text.out
    assert "precision is lower" in text.out
    assert plain.json["id"] == "OT-PY-001"
    whole = plain.json["measured"][0]["all"]
    assert 0 <= whole["low"] <= whole["precision"] <= whole["high"] <= 1
    assert whole["fired_vulnerable"] + whole["fired_other"] > 0


def test_fixes_are_offered_when_asked_for(data: Path, tmp_path: Path, run_cli: Any) -> None:
    """--fixes puts checked repairs into the SARIF file and leaves the data alone."""
    before = data.read_bytes()

    run_cli("scan", data, "--out", tmp_path / "out", "--fixes")

    results = json.loads((tmp_path / "out" / "findings.sarif").read_text("utf-8"))["runs"][0][
        "results"
    ]
    assert [one["properties"]["row"] for one in results if "fixes" in one] == [1]
    assert data.read_bytes() == before


def test_an_unknown_rule_is_refused_with_a_suggestion(run_cli: Any) -> None:
    """The nearest id is named."""
    said = run_cli("explain-rule", "OT-PY-0001")

    assert said.code == 2
    assert "did you mean 'OT-PY-001'" in said.err


def test_long_scans_say_how_much_is_done_and_left(
    data: Path, tmp_path: Path, run_cli: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line names rows done, rows in all and the time left."""
    monkeypatch.setattr("offtarget.cli.curation.LINE_EVERY_S", 0.0)

    said = run_cli("scan", data, "--out", tmp_path / "out")

    assert re.search(r"^3 of 3 rows scanned, [\d,]+ a second, 0 s left$", said.err, re.MULTILINE)
