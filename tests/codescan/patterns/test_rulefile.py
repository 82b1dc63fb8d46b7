"""Rule files are read strictly: what is not understood is refused."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from offtarget.codescan.flaw import Snippet
from offtarget.codescan.patterns import PatternEngine, read_rules
from offtarget.core.errors import ConfigError

GOOD: dict[str, Any] = {
    "id": "OT-C-001", "title": "A call", "cwe": "CWE-676", "severity": "high", "confidence": 0.5,
    "why": "Why.", "bad": "f(x);", "good": "g(x);", "literals": [["f("]], "calls": "f",
}  # fmt: skip


def _file(folder: Path, *rules: dict[str, Any]) -> Path:
    path = folder / "c.yaml"
    path.write_text(yaml.safe_dump(list(rules)), "utf-8")
    return path


def test_a_users_rule_runs(tmp_path: Path) -> None:
    """A folder of rule files replaces the packaged rules."""
    _file(tmp_path, GOOD)
    engine = PatternEngine(rules=tmp_path)
    found = engine.scan([Snippet("c", "f(x); g(x);")])[0]
    assert [flaw.rule for flaw in found.flaws] == ["OT-C-001"]
    assert engine.version != PatternEngine().version


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sverity": "low"}, "unknown key 'sverity'"),
        ({"severity": "awful"}, "Invalid enum value"),
        ({"id": "X-1"}, "not a new id"),
        ({"calls": None}, "exactly one of"),
        ({"finds": "length_ignored"}, "exactly one of"),
        ({"calls": None, "finds": "nothing"}, "no analysis 'nothing'"),
        ({"confidence": 2.0}, "out of form"),
        ({"cwe": "89"}, "out of form"),
        ({"literals": []}, "empty literals"),
        ({"literals": [[""]]}, "empty literals"),
        ({"calls": "("}, "bad regex"),
        ({"calls": "(a+)+"}, "nested repeats"),
        ({"where": [{"buildup": 0}]}, "unknown check 'buildup'"),
        ({"where": [{"built": 0, "dynamic": 0}]}, "exactly one key"),
        ({"where": [{"not": {"buildup": 0}}]}, "unknown check 'buildup'"),
        ({"where": [{"text": "0"}]}, "bad regex"),
        ({"where": [{"seen": "["}]}, "bad regex"),
        ({"text": "(x*)*"}, "nested repeats"),
    ],
)
def test_what_is_wrong_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    """Each mistake has a message that names it."""
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        read_rules(_file(tmp_path, {**GOOD, **change}))


def test_an_id_is_given_once(tmp_path: Path) -> None:
    """The second rule with an id is refused."""
    with pytest.raises(ConfigError, match="not a new id"):
        read_rules(_file(tmp_path, GOOD, GOOD))


def test_a_file_is_a_list(tmp_path: Path) -> None:
    """A mapping at the top is refused."""
    path = tmp_path / "c.yaml"
    path.write_text("id: 1\n", "utf-8")
    with pytest.raises(ConfigError, match="not a list of rules"):
        read_rules(path)
