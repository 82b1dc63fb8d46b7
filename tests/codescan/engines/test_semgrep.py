"""The user's semgrep rules as an engine: by a stand-in that prints the same JSON, and for real."""

import shutil
import sys
import sysconfig
from pathlib import Path

import pytest

from offtarget.codescan.canary import unproved_languages, with_canaries
from offtarget.codescan.engines.semgrep import PROGRAMS, SemgrepEngine
from offtarget.codescan.flaw import Reading, Scanned, Snippet
from offtarget.core.errors import ConfigError, ResourceError
from offtarget.core.finding import Severity

RULES = """\
rules:
  - id: team.eval
    languages: [python, php]
    message: Text is
      evaluated
    severity: ERROR
    pattern: eval(...)
    metadata: {cwe: ["CWE-95: Eval Injection"], confidence: HIGH}
  - id: team.gets
    languages: [c, "c++"]
    message: No bound
    severity: WARNING
    pattern: gets(...)
  - id: team.note
    languages: [regex]
    message: A note
    severity: INFO
    pattern-regex: xyzzy
  - id: team.script
    languages: [js]
    message: Text is evaluated
    severity: ERROR
    pattern: eval(...)
"""
STAND_IN = """\
#!{python} -I
import json, pathlib, sys
if "--version" in sys.argv:
    print("9.9.9")
    sys.exit()
results, errors, scanned = [], [], []
for path in sorted(pathlib.Path("code").iterdir()):
    raw = path.read_bytes()
    scanned.append(str(path))
    if b"def f(:" in raw:
        errors.append({{"level": "warn", "path": str(path), "message": "Syntax error", "code": 3,
                       "type": ["PartialParsing", []]}})
    for number, line in enumerate(raw.split(b"\\n"), 1):
        at = line.find(b"eval(x)")
        if at >= 0:
            results.append({{
                "check_id": "{rule}", "path": str(path),
                "start": {{"line": number, "col": at + 1, "offset": 0}},
                "end": {{"line": number, "col": at + 8, "offset": 0}},
                "extra": {{"message": "Text is evaluated", "severity": "ERROR", "metadata": {{}}}},
            }})
errors += {errors}
print(json.dumps({{"version": "9.9.9", "results": results, "errors": errors,
                  "paths": {{"scanned": scanned[{skipped}:]}}}}))
sys.exit({code})
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder with the rules."""
    folder = tmp_path / "my-rules"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "team.yml").write_text(RULES)
    return folder


def _tool(
    tmp_path: Path,
    *,
    rule: str = "team.eval",
    errors: str = "[]",
    skipped: int = 0,
    code: int = 0,
) -> Path:
    """Write a stand-in for semgrep."""
    path = tmp_path / "semgrep"
    path.write_text(
        STAND_IN.format(python=sys.executable, rule=rule, errors=errors, skipped=skipped, code=code)
    )
    path.chmod(0o700)
    return path


def _real() -> Path:
    """Return the installed tool, or skip."""
    for name in PROGRAMS:
        found = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
        if found is not None:
            return Path(found)
    pytest.skip("neither semgrep nor opengrep is installed")


def test_rules_are_read_as_the_user_wrote_them(rules: Path) -> None:
    """Ids, kinds, severities and languages are the user's; what is missing is not made up."""
    engine = SemgrepEngine((rules,))
    eval_rule, gets, note, script = engine.rules
    assert (eval_rule.id, eval_rule.cwe) == ("team.eval", "CWE-95")
    assert (eval_rule.severity, eval_rule.confidence) == (Severity.HIGH, 0.9)
    assert eval_rule.title == "Text is evaluated"
    assert (gets.cwe, gets.severity, gets.confidence) == ("CWE-0", Severity.MEDIUM, 0.6)
    assert note.severity == Severity.LOW
    assert script.language == "javascript"
    assert {"python", "javascript", "php", "c", "cpp", "rust", "sql"} <= engine.languages


def test_findings_are_placed_by_bytes(rules: Path, tmp_path: Path) -> None:
    """Wide characters, line ends and the tag that PHP needs do not move a flaw."""
    engine = SemgrepEngine((rules,), program=_tool(tmp_path))
    snippets = [
        Snippet("python", "w = '\U0001f600\u00e9'; eval(x)"),
        Snippet("php", "eval(x);\neval(x);"),
        Snippet("php", "<?php eval(x);"),
        Snippet("javascript", "f();\r\neval(x)"),
        Snippet("python", "x = 1"),
    ]
    seen = engine.scan(snippets)
    for snippet, answer, n_flaws in zip(snippets, seen, (1, 2, 1, 1, 0), strict=True):
        assert [snippet.code[flaw.start : flaw.end] for flaw in answer.flaws] == [
            "eval(x)"
        ] * n_flaws
        assert answer.reading == Reading.TOLERANT
    (flaw,) = seen[0].flaws
    assert (flaw.rule, flaw.cwe, flaw.text) == ("team.eval", "CWE-95", "Text is evaluated")


def test_what_was_not_read_is_not_called_clean(rules: Path, tmp_path: Path) -> None:
    """A file with errors, and one that the tool leaves out, are unparsed."""
    snippets = [Snippet("python", "x = 1"), Snippet("python", "eval(x)\ndef f(:")]
    skipping = SemgrepEngine((rules,), program=_tool(tmp_path, skipped=1))
    left_out, partly = skipping.scan(snippets)
    assert left_out == Scanned(Reading.UNPARSED)
    assert (partly.reading, len(partly.flaws)) == (Reading.UNPARSED, 1)


def test_a_refused_rule_fails_the_scan(rules: Path, tmp_path: Path) -> None:
    """The tool's own words are passed on."""
    errors = '[{"level": "error", "code": 2, "message": "Rule parse error\\n in rule x"}]'
    engine = SemgrepEngine((rules,), program=_tool(tmp_path, errors=errors, code=2))
    message = r"semgrep: refuses the rules \(Rule parse error in rule x\); fix them"
    with pytest.raises(ResourceError, match=message):
        engine.scan([Snippet("python", "x = 1")])


def test_a_tool_that_fails_fails_the_scan(rules: Path, tmp_path: Path) -> None:
    """A status that it does not promise, a foreign rule, or no tool at all."""
    snippets = [Snippet("python", "eval(x)")]
    with pytest.raises(ResourceError, match=r"fails on an empty file \(exit status 3\)"):
        SemgrepEngine((rules,), program=_tool(tmp_path, code=3)).scan(snippets)
    with pytest.raises(ResourceError, match=r"reports rule 'other', which is not in"):
        SemgrepEngine((rules,), program=_tool(tmp_path, rule="other")).scan(snippets)
    with pytest.raises(ResourceError, match=r"cannot be started .*offtarget\[semgrep\]"):
        SemgrepEngine((rules,), program=tmp_path / "missing").scan(snippets)


def test_a_missing_tool_is_named_with_its_remedy(
    rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says what to install."""
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None)
    with pytest.raises(ResourceError, match=r"semgrep: not installed; pip install 'offtarget\["):
        _ = SemgrepEngine((rules,)).version


def test_the_version_names_the_tool_and_the_users_rules(rules: Path, tmp_path: Path) -> None:
    """Other rules are another version."""
    program = _tool(tmp_path)
    before = SemgrepEngine((rules,), program=program).version
    (rules / "deep" / "team.yml").write_text(RULES.replace("A note", "Another note"))
    after = SemgrepEngine((rules,), program=program).version
    assert before.startswith("semgrep 9.9.9+")
    assert before != after


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("rules: 3", r"no list of `rules`"),
        ("- a", r"no list of `rules`"),
        ("rules: [{message: a}]", r"a rule without an id"),
        ("rules: [{id: a}]", r"rule 'a' has no list of `languages`"),
        ("rules: []", r"no rules in it"),
        ("rules: [", r"not YAML"),
    ],
)
def test_rules_that_cannot_be_read_are_refused(tmp_path: Path, content: str, message: str) -> None:
    """Before the tool is started, with the file's name."""
    path = tmp_path / "mine.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=message):
        SemgrepEngine((path,))


def test_rules_come_from_disk_only(tmp_path: Path) -> None:
    """The name of a registry pack is not a path, and no configuration is none."""
    with pytest.raises(ConfigError, match=r"never from a registry"):
        SemgrepEngine((Path("p/python"),))
    with pytest.raises(ConfigError, match=r"give your own with --config"):
        SemgrepEngine(())
    with pytest.raises(ConfigError, match=r"no rules in it"):
        SemgrepEngine((tmp_path,))


def test_canaries_lie_beside_the_rules(rules: Path, tmp_path: Path) -> None:
    """Without them the user's rules are unproved; half a canary is an error."""
    program = _tool(tmp_path)
    snippets = [Snippet("python", "x = 1")]
    with pytest.raises(ResourceError, match=r"nothing shows that these rules work"):
        with_canaries(SemgrepEngine((rules,), program=program), snippets)
    (rules / "canary.bad.py").write_text("eval(x)\n")
    with pytest.raises(ConfigError, match=r"needs both canary.bad.py and canary.good.py"):
        SemgrepEngine((rules,))
    (rules / "canary.good.py").write_text("f(x)\n")
    engine = SemgrepEngine((rules,), program=program)
    assert with_canaries(engine, snippets) == [Scanned(Reading.TOLERANT)]
    assert "python" not in unproved_languages(engine)
    assert "rust" in unproved_languages(engine)


def test_the_real_tool_finds_and_passes(rules: Path) -> None:
    """The stand-in's JSON is what the tool prints, and suppression comments are ignored."""
    (rules / "canary.bad.py").write_text("eval(text)\n")
    (rules / "canary.good.py").write_text("f(text)\n")
    engine = SemgrepEngine((rules,), program=_real())
    snippets = [
        Snippet("python", "w = '\U0001f600\u00e9'; eval(x)  # nosemgrep"),
        Snippet("python", "eval(x)\r\ndef f(\r\n"),
        Snippet("c", "void f(char *a) { gets(a); }"),
        Snippet("python", "x = " + "(" * 10_000 + ")" * 10_000),
    ]
    found, partly, gets, deep = with_canaries(engine, snippets, allow_unproved=True)
    (flaw,) = found.flaws
    assert snippets[0].code[flaw.start : flaw.end] == "eval(x)"
    assert found.reading == Reading.TOLERANT
    assert partly.reading == Reading.UNPARSED
    assert [flaw.rule for flaw in gets.flaws] == ["team.gets"]
    assert deep.flaws == ()


def test_the_real_tool_refuses_a_broken_rule(rules: Path) -> None:
    """It says so in JSON, which becomes our message."""
    (rules / "deep" / "team.yml").write_text(RULES.replace("eval(...)", '"eval((("'))
    with pytest.raises(ResourceError, match=r"semgrep: refuses the rules \(Rule parse error"):
        SemgrepEngine((rules,), program=_real()).scan([Snippet("python", "x = 1")])
