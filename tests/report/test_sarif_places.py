"""Results of a SARIF file point at the flaw: file, row, message and column."""

import json
from pathlib import Path

import pytest

from offtarget.report.sarif_evidence import Evidence

from .sarif_cases import (
    CODE,
    evidence,
    finding,
    row_of,
    span_of,
    written,
)


def test_a_row_at_hand_gives_exact_columns(tmp_path: Path) -> None:
    """The columns point at the flaw inside the JSON line, behind escapes of every length."""
    code = 'x = "\U0001f600\u00e9\\t"\n' + CODE
    span = span_of(code, ".execute(query)")
    row = row_of(code)

    run = written(
        tmp_path, [finding(span=span, trace=())], evidence_of=lambda _: Evidence(code, row)
    )

    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert row[region["startColumn"] - 1 : region["endColumn"] - 1] == ".execute(query)"
    assert region["snippet"]["text"].strip().startswith("return sqlite3")


@pytest.mark.parametrize(
    "row",
    [
        row_of("other text"),
        json.dumps({"a": CODE, "b": CODE}),
        '{"content": "never closed',
        "not JSON at all",
        "",
    ],
    ids=["absent", "twice", "unclosed", "no-json", "empty"],
)
def test_a_row_that_does_not_hold_the_text_once_is_marked_whole(tmp_path: Path, row: str) -> None:
    """Where the flaw's column is not certain, the region is the row's line."""
    run = written(tmp_path, [finding()], evidence_of=lambda _: Evidence(CODE, row))

    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region["startLine"] == 12
    assert "startColumn" not in region


def test_plain_source_gets_lines_and_columns(tmp_path: Path) -> None:
    """In source files a region is the span itself, and there is no message."""
    run = written(
        tmp_path,
        [finding(file="src/app.py", line=5, message=0)],
        is_plain=True,
        evidence_of=evidence,
    )

    (result,) = run["results"]
    (place,) = result["locations"]
    span = finding().span
    region = place["physicalLocation"]["region"]
    assert region["startLine"] == span.start_line == 5
    assert region["startColumn"] == span.start_column
    assert (region["endLine"], region["endColumn"]) == (span.end_line, span.end_column)
    assert "logicalLocations" not in place
    assert run["columnKind"] == "unicodeCodePoints"
    (replacement,) = result["fixes"][0]["artifactChanges"][0]["replacements"]
    deleted = replacement["deletedRegion"]
    assert (deleted["startLine"], deleted["startColumn"]) == (5, span.start_column)
    assert replacement["insertedContent"]["text"] == ".run(query)"


def test_paths_are_relative_and_encoded(tmp_path: Path) -> None:
    """No URI is absolute, climbs out of the root or reads as a scheme."""
    paths = {
        "train.jsonl": "data/train.jsonl",
        "/home/me/x.jsonl": "home/me/x.jsonl",
        "../../x.jsonl": "x.jsonl",
        "C:\\data\\x.jsonl": "data/x.jsonl",
        "https://host/x": "https%3A/host/x",
        "a b/\u00e9#?%.jsonl": "a%20b/%C3%A9%23%3F%25.jsonl",
        "\udcff": "%FF",  # a byte that is no UTF-8, as the file system hands it on
        "lone \ud800": "lone%20%3F",
        "": "-",
    }
    findings = [finding(file=file) for file in paths]

    run = written(tmp_path, findings, paths={"train.jsonl": "./data//train.jsonl"})

    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert [place["artifactLocation"]["uri"] for place in places] == list(paths.values())


def test_huge_lines_are_shown_around_the_flaw(tmp_path: Path) -> None:
    """Of a line of a million characters the snippet holds a thousand, with the flaw in them."""
    code = "a = 0; " * 70_000 + "eval(x)" + "; b = 1" * 70_000

    run = written(
        tmp_path,
        [finding(span=span_of(code, "eval(x)"), trace=(), text="long " * 10_000)],
        evidence_of=lambda _: Evidence(code, row_of(code)),
    )

    (result,) = run["results"]
    snippet = result["locations"][0]["physicalLocation"]["region"]["snippet"]["text"]
    assert "eval(x)" in snippet
    assert len(snippet) <= 1_000
    assert len(result["message"]["text"]) <= 1_024
