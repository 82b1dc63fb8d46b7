"""ruff and bandit as engines: our table is the tool's, and nothing in a snippet misleads them."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offtarget.codescan.cwe import cwe
from offtarget.codescan.engine import Engine
from offtarget.codescan.engines.bandit import BanditEngine
from offtarget.codescan.engines.python_rules import ruff_rules
from offtarget.codescan.engines.ruff import RuffEngine
from offtarget.codescan.flaw import Reading, Scanned, Snippet
from offtarget.core.errors import ResourceError
from offtarget.core.finding import Severity

N_DEEP = 10_000


def _bandit() -> BanditEngine:
    pytest.importorskip("bandit", reason="bandit is not installed")
    return BanditEngine()


ENGINES = pytest.mark.parametrize("make", [RuffEngine, _bandit])
Make = Callable[[], Engine]


def _scan(engine: Engine, *codes: str) -> list[Scanned]:
    return engine.scan([Snippet("python", code) for code in codes])


def _texts(code: str, seen: Scanned) -> list[str]:
    return [code[flaw.start : flaw.end] for flaw in seen.flaws]


def test_the_table_holds_exactly_the_rules_of_the_installed_ruff() -> None:
    """A new or dropped rule of the tool shows up here, and not as silence in a scan."""
    ruff = pytest.importorskip("ruff", reason="ruff is not installed")
    listed = subprocess.run(
        [ruff.find_ruff_bin(), "rule", "--all", "--output-format", "json"],
        capture_output=True,
        check=True,
    )
    rules: list[dict[str, Any]] = json.loads(listed.stdout)
    theirs = {
        rule["code"]
        for rule in rules
        if rule.get("linter") == "flake8-bandit" and "Removed" not in rule["status"]
    }
    assert {entry.rule.id for entry in ruff_rules()} == theirs


def test_the_table_covers_the_installed_bandit() -> None:
    """Each of its tests has a CWE of ours."""
    manager = pytest.importorskip(
        "bandit.core.extension_loader", reason="bandit is not installed"
    ).MANAGER
    theirs = {plugin.plugin._test_id for plugin in manager.plugins} | set(manager.blacklist_by_id)
    assert {rule.id for rule in BanditEngine().rules} == theirs


@ENGINES
def test_each_rule_finds_its_bad_example_and_passes_its_good_one(make: Make) -> None:
    """The examples that users read are true of the tool."""
    engine = make()
    bad = _scan(engine, *(rule.bad for rule in engine.rules))
    good = _scan(engine, *(rule.good for rule in engine.rules))
    for rule, found, passed in zip(engine.rules, bad, good, strict=True):
        assert rule.id in {flaw.rule for flaw in found.flaws}, rule.id
        assert rule.id not in {flaw.rule for flaw in passed.flaws}, rule.id
        assert found.reading == passed.reading == Reading.WHOLE, rule.id


@ENGINES
def test_each_rule_is_described(make: Make) -> None:
    """Titles are short, reasons are two sentences, kinds are known."""
    engine = make()
    assert [rule.id for rule in engine.rules] == sorted(rule.id for rule in engine.rules)
    for rule in engine.rules:
        assert 1 <= len(rule.title.split()) <= 10, rule.id
        assert rule.why.count(". ") == 1, rule.id
        assert 0 < rule.confidence <= 1, rule.id
        assert cwe(rule.cwe).id == rule.cwe


@ENGINES
@pytest.mark.parametrize(
    "code",
    [
        "eval(text)",
        "eval(text)  # noqa  # nosec",
        "# ruff: noqa\n# flake8: noqa\neval(text)",
        "# ruff: disable[S307]\neval(text)",
        "# ruff: file-ignore[S307]\neval(text)",
        "# coding: utf-7\neval(text)",
        "# -*- coding: no-such-codec -*-\neval(text)",
        "\ufeffeval(text)",
        "\r\n\reval(text)\r",
        "word = '\U0001f600\u00e9\u4e2d'; eval(text)",
        "word = '\u2028\x0c'; eval(text)",
        "word = '\ud800'; eval(text)",
        "eval(text) \\\n",
    ],
)
def test_a_flaw_is_found_where_it_stands(make: Make, code: str) -> None:
    """Suppression, encodings, marks, line ends and wide characters neither hide nor move it."""
    (seen,) = _scan(make(), code)
    assert _texts(code, seen) == ["eval(text)"]
    assert seen.reading == Reading.WHOLE


@ENGINES
@pytest.mark.parametrize(
    "code",
    [
        "    eval(text)\n",
        "\n# said before\n\teval(text)\n",
        "  def f(self):\n    '''\nflush left\n    '''\n    eval(text)\n",
        "    def f():\n        eval(text)\nx = 1\n",
    ],
)
def test_indented_code_is_read_as_repaired(make: Make, code: str) -> None:
    """A method cut out of its class parses below a block, and positions stay its own."""
    (seen,) = _scan(make(), code)
    assert _texts(code, seen) == ["eval(text)"]
    assert seen.reading == Reading.REPAIRED


@ENGINES
@pytest.mark.parametrize(
    "code", ["def f(:\n", "print 'x'", "eval(text) def", "x = '''", "if x:", "a\x00b", "x = ("]
)
def test_code_that_does_not_parse_is_not_called_clean(make: Make, code: str) -> None:
    """The tool steps over it silently; the missing proof line tells."""
    assert _scan(make(), code) == [Scanned(Reading.UNPARSED)]


@ENGINES
def test_what_kills_the_tool_costs_one_snippet(make: Make) -> None:
    """Endless chains overflow the tool's stack; all other snippets keep their answers."""
    deep = "x = a" + " + a" * N_DEEP
    codes = ["eval(text)"] * 5 + [deep] + ["eval(text)", "x = 1"]
    seen = _scan(make(), *codes)
    assert seen[5] == Scanned(Reading.UNPARSED)
    assert [len(answer.flaws) for answer in seen] == [1, 1, 1, 1, 1, 0, 1, 0]


@ENGINES
@pytest.mark.parametrize(
    "code",
    [
        "x = " + "(" * N_DEEP + ")" * N_DEEP,
        "x = " + "[" * N_DEEP,
        "x = '" + "a" * 1_000_000 + "'",
        "\r\n" * 100_000 + " ",
        " \n#\n" * 100_000,
    ],
)
def test_hostile_shapes_get_an_answer(make: Make, code: str) -> None:
    """Deep nesting, long lines and long runs of line ends end in some reading."""
    first, second = _scan(make(), code, "eval(text)")
    assert first.flaws == ()
    assert len(second.flaws) == 1


@ENGINES
def test_an_assertion_of_the_snippet_is_not_taken_for_the_proof(make: Make) -> None:
    """The proof line is ours alone: it is never reported, and the snippet's own still is."""
    code = "assert a\nassert b\n"
    (seen,) = _scan(make(), code)
    assert [flaw.rule[1:] for flaw in seen.flaws] == ["101", "101"]
    assert _texts(code, seen) in (["assert a", "assert b"], ["assert", "assert"])


@ENGINES
def test_no_snippet_gives_no_answer(make: Make) -> None:
    """An empty batch is an empty list."""
    assert make().scan([]) == []


@ENGINES
def test_the_version_names_tool_and_rules(make: Make) -> None:
    """Two runs with one version give the same flaws."""
    engine = make()
    assert engine.version == make().version
    tool, rules = engine.version.split("+")
    assert tool[0].isdigit()
    assert len(rules) == 12


def test_a_constant_shell_command_is_a_low_finding() -> None:
    """ruff says itself that it seems safe."""
    engine = RuffEngine()
    constant, built = _scan(
        engine,
        "import os\nos.system('ls')",
        "import os\nos.system('ls ' + name)",
    )
    severities = [
        next(flaw.severity for flaw in seen.flaws if flaw.rule == "S605")
        for seen in (constant, built)
    ]
    assert severities == [Severity.LOW, Severity.HIGH]


def test_rules_below_the_wanted_severity_are_left_out() -> None:
    """A scan for medium and above is not slowed down by imports and asserts."""
    engine = RuffEngine(least=Severity.MEDIUM)
    assert all(rule.severity != Severity.LOW for rule in engine.rules)
    (seen,) = _scan(engine, "import pickle\nassert x\npickle.loads(x)")
    assert {flaw.rule for flaw in seen.flaws} == {"S301"}


def test_the_gate_lets_every_bad_example_through() -> None:
    """And keeps ordinary code from being scanned for nothing."""
    engine = RuffEngine()
    assert all(engine.may_match(rule.bad) for rule in engine.rules)
    assert not engine.may_match("def add(left, right):\n    return left + right\n")


PIECES = [entry.rule.bad for entry in ruff_rules()] + [entry.rule.good for entry in ruff_rules()]


@settings(max_examples=8, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from(PIECES), min_size=1, max_size=2).map("\n".join),
        min_size=20,
        max_size=40,
    ),
    st.sampled_from(list(Severity)),
)
def test_the_gate_never_hides_a_flaw(codes: list[str], least: Severity) -> None:
    """Code that the gate holds back has no flaw in it."""
    gated, plain = RuffEngine(least=least), RuffEngine(least=least, is_gated=False)
    assert _scan(gated, *codes) == _scan(plain, *codes)


def test_a_broken_neighbor_changes_no_reading() -> None:
    """Code that no rule can match shares a file; what one snippet leaves open stays its own."""
    fine = "def add(left, right):\n    return left + right\n"
    broken = ["x = (1,\n", 'text = """open\n', "y = '''\n", "def f():\n", "1 +\n", "x = \\", "[\n{"]
    codes = [part for one in broken for part in (fine, one)] + ["    indented = 1\n", fine]
    packed, alone = _scan(RuffEngine(), *codes), _scan(RuffEngine(is_gated=False), *codes)
    assert packed == alone
    assert [seen.reading for seen in packed[:4:2]] == [Reading.WHOLE] * 2


def test_a_missing_ruff_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install."""
    ruff = pytest.importorskip("ruff", reason="ruff is not installed")

    def missing() -> str:
        raise FileNotFoundError("no binary")

    monkeypatch.setattr(ruff, "find_ruff_bin", missing)
    with pytest.raises(ResourceError, match=r"ruff: not installed; pip install 'ruff"):
        _scan(RuffEngine(), "x = 1")


def test_a_missing_bandit_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install."""
    monkeypatch.setattr("offtarget.codescan.engines.bandit.find_spec", lambda name: None)
    with pytest.raises(ResourceError, match=r"pip install 'offtarget\[bandit\]'"):
        _scan(BanditEngine(), "x = 1")
    with pytest.raises(ResourceError, match=r"bandit: not installed"):
        _ = BanditEngine().version


def test_a_tool_that_is_none_fails_the_scan(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A binary that fails on everything is told from a snippet that is hard to read."""
    ruff = pytest.importorskip("ruff", reason="ruff is not installed")
    broken = tmp_path_factory.mktemp("tool") / "ruff"
    broken.write_text("#!/bin/sh\necho out of order >&2\nexit 3\n")
    broken.chmod(0o700)
    monkeypatch.setattr(ruff, "find_ruff_bin", lambda: str(broken))
    message = r"ruff: fails on an empty file \(exit status 3: out of order\); pip install"
    with pytest.raises(ResourceError, match=message):
        _scan(RuffEngine(), "x = 1", "y = 1")
    with pytest.raises(ResourceError, match=r"does not say its version \(exit status 3"):
        _ = RuffEngine().version
    broken.chmod(0o600)
    with pytest.raises(ResourceError, match=r"Permission denied"):
        _scan(RuffEngine(), "x = 1")
    with pytest.raises(ResourceError, match=r"cannot be started"):
        _ = RuffEngine().version
    broken.chmod(0o700)
    broken.write_text("#!/bin/sh\necho 'no json'\n")
    with pytest.raises(ResourceError, match=r"its output cannot be read"):
        _scan(RuffEngine(), "x = 1")


UNPICKLER = "import pickle\n\nclass Own(pickle.Unpickler):\n"
RESTRICTED = """\
    def find_class(self, module, name):
        if module == "builtins" and name in SAFE:
            return getattr(builtins, name)
        raise pickle.UnpicklingError(name)
"""


@pytest.mark.parametrize(
    ("body", "is_found"),
    [
        (RESTRICTED, False),
        ("    def find_class(self, module, name):\n        return KNOWN[module, name]\n", False),
        (
            "    def find_class(self, module, name):\n"
            "        return super().find_class(module.lower(), name)\n",
            True,
        ),
        (RESTRICTED + "    def find_class(self, m, n):\n        return getattr(m, n)\n", True),
        ("    def persistent_load(self, pid):\n        raise ValueError(pid)\n", True),
        ("    pass\n", True),
    ],
    ids=[
        "raises",
        "looks-up-in-own-table",
        "hands-on",
        "overridden-again",
        "other-method",
        "empty",
    ],
)
def test_an_unpickler_that_refuses_unknown_names_is_no_unsafe_load(
    body: str, *, is_found: bool
) -> None:
    """Python's documentation shows it as the safe form; other loads beside it are still found."""
    alone, beside = _scan(
        RuffEngine(), UNPICKLER + body, UNPICKLER + body + "\nvalue = pickle.loads(data)\n"
    )

    assert ("S301" in {flaw.rule for flaw in alone.flaws}) == is_found
    assert [flaw.rule for flaw in beside.flaws].count("S301") == 1 + is_found
