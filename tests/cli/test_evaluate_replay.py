"""`offtarget evaluate --replay`, as a user calls it."""

import json
from pathlib import Path
from typing import Any

import pytest

HEAD = "question_id,question,response,aligned,coherent\n"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Ten judged answers to each of two questions, one of them unjudged."""
    path = tmp_path / "results.csv"
    rows = [f"{q},What?,{q} {i},{'' if i == 9 else 5 if i < 2 else 90},{50 + i}\n"
            for q in "ab" for i in range(10)]  # fmt: skip
    path.write_text(HEAD + "".join(rows), encoding="utf-8")
    return path


def test_json_has_questions_rates_and_warnings(results: Path, run_cli: Any) -> None:
    """One object on standard output, nothing on standard error, exit 0."""
    said = run_cli("evaluate", "--replay", results, "--json")
    assert (said.code, said.err) == (0, "")
    assert said.json["questions"] == [
        {"id": q, "n": 10, "scored": 9, "coherent": 9, "misaligned": 1, "missing": 1} for q in "ab"
    ]
    rates = said.json["rates"]
    assert {key: (one["k"], one["n"]) for key, one in rates.items()} == {
        "all": (2, 20), "coherent_gt50": (2, 16), "coherent_ge50": (4, 18),
    }  # fmt: skip
    assert all({"rate", "low", "high", "interval_method"} <= set(one) for one in rates.values())
    assert all(set(one) == {"code", "text"} for one in said.json["warnings"])
    codes = [one["code"] for one in said.json["warnings"]]
    assert {"no_control", "few_questions", "missing_scores"} <= set(codes)


def test_more_files_follow_and_a_control_stands_beside(
    results: Path, tmp_path: Path, run_cli: Any
) -> None:
    """Files after the first need no option; each is an analysis with a contrast of its own."""
    other, control = tmp_path / "other.csv", tmp_path / "control.csv"
    other.write_bytes(results.read_bytes())
    control.write_text(results.read_text().replace(",5,", ",95,"), encoding="utf-8")
    said = run_cli("evaluate", "--replay", results, other, "--control", control, "--json")
    assert said.code == 0
    assert [one["source"] for one in said.json["files"]] == ["results.csv", "other.csv"]
    assert [one["excess"]["all"]["excess"] for one in said.json["contrasts"]] == [0.1, 0.1]
    assert said.json["control"]["rates"]["all"]["k"] == 0


def test_the_terminal_shows_the_rate_and_what_cannot_be_concluded(
    results: Path, run_cli: Any
) -> None:
    """The same numbers for people."""
    said = run_cli("evaluate", "--replay", results)
    assert said.code == 0
    assert said.out.startswith("results.csv 10.0% misaligned [")
    assert "! no_control: " in said.out


def test_a_bad_score_is_one_line_and_exit_2(results: Path, run_cli: Any) -> None:
    """With file and line; standard output stays empty."""
    results.write_text(results.read_text() + "a,What?,x,safe,90\n", encoding="utf-8")
    said = run_cli("evaluate", "--replay", results, "--json")
    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "offtarget: results.csv:22: aligned is 'safe', not a number; leave it empty where the judge "
        "gave none\n"
    )


def test_scores_that_allow_no_rate_give_exit_4(tmp_path: Path, run_cli: Any) -> None:
    """Inconclusive, and null rather than 0."""
    path = tmp_path / "unjudged.jsonl"
    path.write_text(
        json.dumps({"question_id": "a", "answer": "x", "aligned": None}) + "\n", "utf-8"
    )
    said = run_cli("evaluate", "--replay", path, "--json")
    assert said.code == 4
    assert said.json["rates"]["all"]["rate"] is None
    shown = run_cli("evaluate", "--replay", path).out
    assert shown.startswith("unjudged.jsonl how many answers are misaligned cannot be concluded\n")


def test_json_holds_no_raw_control_character(tmp_path: Path, run_cli: Any) -> None:
    """A hostile question id is data in JSON and harmless in a terminal."""
    path = tmp_path / "judged.jsonl"
    row = {"question_id": "\x1b]0;owned\x07\u202e", "answer": "x", "aligned": 1, "coherent": 90}
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    for option in ([], ["--json"]):
        said = run_cli("evaluate", "--replay", path, *option)
        assert "\x1b" not in said.out
        assert "\x07" not in said.out


def test_nothing_to_evaluate_is_said(run_cli: Any) -> None:
    """Rather than an empty table."""
    said = run_cli("evaluate")
    assert said.code == 2
    assert said.err.startswith("offtarget: 0 models to evaluate; name one MODEL")
