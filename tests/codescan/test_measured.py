"""What was measured of rules: the packaged table is sound, and a damaged one is refused."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from offtarget.codescan.measured import Sides, measurement, read_measurement
from offtarget.core.errors import DataError

SET = {
    "name": "Pairs",
    "source": "someone/pairs@abc:data",
    "vulnerable": "before",
    "other": "after",
    "n_held": [4, 5],
    "n_all": [10, 10],
}
TABLE: dict[str, Any] = {
    "command": "python bench/rule_precision.py",
    "measured": "2026-11-23",
    "engines": {"offtarget": "1"},
    "sets": {"pairs": SET},
    "rules": {"OT-PY-901": {"pairs": {"held": [1, 0], "all": [3, 1]}}},
}


def table(path: Path, **changes: Any) -> Path:
    """Write the table above with some entries changed."""
    path.write_text(yaml.safe_dump({**TABLE, **changes}), encoding="utf-8")
    return path


def test_a_rules_counts_stand_beside_those_of_the_set(tmp_path: Path) -> None:
    """Both parts of the set, both sides; a rule that never fired has nothing."""
    found = read_measurement(table(tmp_path / "m.yaml"))

    (one,) = found.of("OT-PY-901")
    assert (one.held, one.all) == (Sides(1, 0), Sides(3, 1))
    assert (one.labelled.n_held.n, one.labelled.n_all.n) == (9, 20)
    assert found.of("OT-PY-902") == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"extra": 1}, "keys"),
        ({"sets": {"pairs": {**SET, "n_held": [4]}}}, r"\[4\] is no pair of counts"),
        ({"sets": {"pairs": {**SET, "n_all": [True, 10]}}}, "is no pair of counts"),
        ({"rules": {"r": {"other": {"held": [0, 0], "all": [0, 0]}}}}, "the set is not described"),
        ({"rules": {"r": {"pairs": {"held": [0, 0], "all": [11, 0]}}}}, "n_vulnerable=11"),
        ({"rules": {"r": {"pairs": {"held": [2, 0], "all": [1, 0]}}}}, "n_vulnerable=2"),
        ({"rules": {"r": {"pairs": {"held": [0, -1], "all": [1, 0]}}}}, "is no pair of counts"),
        ({"rules": {"r": 3}}, "3 is no table"),
    ],
    ids=["key", "short", "bool", "set", "more-than-set", "held-more", "negative", "number"],
)
def test_a_damaged_table_is_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    """What is wrong is said with its place, and how the table is made again."""
    with pytest.raises(DataError, match=f"{message}.*bench/rule_precision.py"):
        read_measurement(table(tmp_path / "m.yaml", **changes))


def test_the_packaged_table_names_public_sources() -> None:
    """Each set has a repository and a commit; a set without another side has no counts there."""
    sets = {one.labelled for found in measurement().by_rule.values() for one in found}

    assert len(sets) >= 4
    for labelled in sets:
        assert "@" in labelled.source
        assert labelled.other or labelled.n_all.n_other == 0
