"""On published vulnerable and fixed C functions the engine tells more pairs apart than others do."""

import json
import os
from pathlib import Path

import pytest

from offtarget.codescan.flaw import Snippet
from offtarget.codescan.patterns import PatternEngine


@pytest.mark.data
def test_more_pairs_are_told_apart_than_by_the_best_other_tool() -> None:
    """SVEN, C and C++: more than 3 of 423 with only the vulnerable side flagged, fewer reversed."""
    root = os.environ.get("OFFTARGET_DATA")
    if root is None:
        pytest.skip("OFFTARGET_DATA is not set")
    lines = (Path(root) / "curation" / "sven_pairs.jsonl").read_text("utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["language"] in ("c", "cpp")]
    found = PatternEngine().scan([Snippet(row["language"], row["code"]) for row in rows])
    flagged: dict[str, dict[bool, bool]] = {}
    for row, scanned in zip(rows, found, strict=True):
        is_flagged = any(flaw.severity.rank for flaw in scanned.flaws)
        flagged.setdefault(row["pair"], {})[row["vulnerable"]] = is_flagged
    only = sum(sides[True] and not sides[False] for sides in flagged.values())
    reversed_ = sum(sides[False] and not sides[True] for sides in flagged.values())
    assert len(flagged) == 423
    assert only > 10
    assert reversed_ < only / 3
