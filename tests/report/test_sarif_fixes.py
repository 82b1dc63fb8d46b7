"""Fixes in a SARIF file can be applied to the file as it stands, or are only told of."""

import json
from pathlib import Path
from typing import Any

import pytest

from offtarget.report.sarif_evidence import Edit, Evidence, Fix

from .sarif_cases import (
    CODE,
    finding,
    row_of,
    written,
)


def test_a_fix_of_a_row_edits_the_raw_line(tmp_path: Path) -> None:
    """Applied to the JSON line, the replacements give a row whose message is the fixed one."""
    span = finding().span
    fix = Fix(
        "Bind the value.",
        (
            Edit(span.start, span.end, '.execute("\u00e9\\n", (name,))'),
            Edit(0, 0, "import logging\n"),
            Edit(len(CODE) - 1, len(CODE), ""),
        ),
    )
    fixed = CODE[: span.start] + fix.edits[0].text + CODE[span.end : -1]
    row = row_of(CODE)

    run = written(tmp_path, [finding()], evidence_of=lambda _: Evidence(CODE, row, fix))

    (change,) = run["results"][0]["fixes"][0]["artifactChanges"]
    for replacement in reversed(change["replacements"]):
        region = replacement["deletedRegion"]
        assert region["startLine"] == region["endLine"] == 12
        text = replacement.get("insertedContent", {"text": ""})["text"]
        row = row[: region["startColumn"] - 1] + text + row[region["endColumn"] - 1 :]
    assert json.loads(row)["messages"][1]["content"] == f"import logging\n{fixed}"


@pytest.mark.parametrize(
    ("edits", "properties"),
    [
        ((Edit(0, 6, "from"),), {"fix": {"description": "Do.", "inserted": ["from"]}}),
        ((Edit(0, 1, "x" * 10_001),), {"fixLeftOut": "inserts 10,001 characters"}),
        ((Edit(0, 1, "\u202e"),), {"fixLeftOut": "inserts hidden characters"}),
        ((Edit(0, 5, "a"), Edit(4, 6, "b")), {"fixLeftOut": "its edits overlap"}),
        ((Edit(0, 10**9, "a"),), {"fix": {"description": "Do.", "inserted": ["a"]}}),
        ((), {}),
    ],
    ids=["no-row", "long", "hidden", "overlap", "outside", "empty"],
)
def test_a_fix_that_cannot_be_applied_as_it_is_is_only_told_of(
    tmp_path: Path, edits: tuple[Edit, ...], properties: dict[str, Any]
) -> None:
    """No viewer is offered an edit that is cut, hides characters, overlaps or has no exact place."""
    behind = Evidence(CODE, None, Fix("Do.", edits))

    (result,) = written(tmp_path, [finding()], evidence_of=lambda _: behind)["results"]

    assert "fixes" not in result
    told = {
        key: result["properties"][key]
        for key in ("fix", "fixLeftOut")
        if key in result["properties"]
    }
    assert told == properties
