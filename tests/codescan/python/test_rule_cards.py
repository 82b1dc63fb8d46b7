"""Every rule finds its bad example and passes its good one; the gate loses nothing."""

import gzip
import hashlib
import itertools
import json
import os
from pathlib import Path

import pytest

from offtarget.codescan.flaw import Reading, Snippet
from offtarget.codescan.python import PythonEngine
from offtarget.codescan.rule import Rule

ENGINE = PythonEngine()
UNGATED = PythonEngine(is_gated=False)
IDS = [rule.id for rule in ENGINE.rules]


def found(engine: PythonEngine, code: str) -> set[str]:
    return {flaw.rule for flaw in engine.scan([Snippet("python", code)])[0].flaws}


@pytest.mark.parametrize("rule", ENGINE.rules, ids=IDS)
def test_the_bad_example_is_found(rule: Rule) -> None:
    """The shortest bad code of a rule is found by that rule, with its CWE and its place."""
    scanned = ENGINE.scan([Snippet("python", rule.bad)])[0]
    flaws = [flaw for flaw in scanned.flaws if flaw.rule == rule.id]
    assert scanned.reading is Reading.WHOLE
    assert flaws
    assert flaws[0].cwe == rule.cwe
    assert 0 <= flaws[0].start < flaws[0].end <= len(rule.bad)
    assert 0.0 < flaws[0].confidence <= 1.0


@pytest.mark.parametrize("rule", ENGINE.rules, ids=IDS)
def test_the_good_example_is_passed(rule: Rule) -> None:
    """The same operation done safely is not found, also with the gate open."""
    assert rule.id not in found(UNGATED, rule.good)


@pytest.mark.parametrize("rule", ENGINE.rules, ids=IDS)
def test_each_rule_has_a_gate(rule: Rule) -> None:
    """Each rule names literals without which it cannot match, and its bad example holds them."""
    assert rule.literals
    assert all(rule.literals)
    assert rule.may_match(rule.bad)


def test_ids_are_unique_and_sorted() -> None:
    """No two rules share an id, and the rules come sorted by it."""
    assert sorted(set(IDS)) == IDS
    assert all(name.startswith("OT-PY-") for name in IDS)


def test_each_card_can_be_read() -> None:
    """Titles are short, and every rule says why it matters."""
    for rule in ENGINE.rules:
        assert len(rule.title.split()) <= 10, rule.id
        assert len(rule.why) > 40, rule.id
        assert rule.language == "python"


def synthetic() -> list[str]:
    """A few hundred snippets: every source in every sink, with and without a step between."""
    sources = (
        "request.args['q']",
        "request.form.get('q')",
        "sys.argv[1]",
        "input()",
        "os.environ['Q']",
        "item",
        "int(item)",
        "'fixed'",
        "item['name']",
    )
    sinks = (
        "cur.execute('SELECT * FROM t WHERE a = ' + {0})",
        "cur.execute(f\"DELETE FROM t WHERE a = '{{{0}}}'\")",
        "os.system('ls ' + {0})",
        "subprocess.run({0}, shell=True)",
        "eval({0})",
        "open('d/' + {0})",
        "pickle.loads({0})",
        "yaml.load({0})",
        "cPickle.loads({0})",
        "os.remove(f'{{{0}}}.gz')",
        "open('%s.txt' % {0})",
        "redirect({0})",
        "requests.get({0})",
        "re.search({0}, 'text')",
        "tree.xpath('//a[@b=\"' + {0} + '\"]')",
        "conn.search_s('dc', 2, '(uid=' + {0} + ')')",
        "render_template_string('<p>' + {0})",
        "Markup('<b>' + {0} + '</b>')",
        "logging.info('x ' + {0})",
        "response.set_cookie('session', {0})",
        "hashlib.md5({0}.encode())",
        "importlib.import_module({0})",
        "etree.fromstring({0})",
    )
    shapes = (
        "def f(item, cur, conn, tree, response):\n    {0}\n",
        "def f(item, cur, conn, tree, response):\n    x = {1}\n    {2}\n",
    )
    snippets = []
    for source, sink, shape in itertools.product(sources, sinks, shapes):
        body = shape.format(sink.format(source), source, sink.format("x"))
        snippets.append("from flask import request\nfrom markupsafe import Markup\n" + body)
    return snippets


def test_what_the_gate_shuts_out_would_not_be_found() -> None:
    """With the gate open no rule finds anything in code that lacks its literals."""
    rules = {rule.id: rule for rule in ENGINE.rules}
    texts = [text for rule in ENGINE.rules for text in (rule.bad, rule.good)]
    for code in (*synthetic(), *texts):
        for name in found(UNGATED, code):
            assert rules[name].may_match(code), (name, code)


def test_the_gate_changes_no_answer() -> None:
    """The engine with its gate finds exactly what it finds without."""
    codes = synthetic()
    snippets = [Snippet("python", code) for code in codes]
    assert len(codes) > 300
    gated, all_rules = ENGINE.scan(snippets), UNGATED.scan(snippets)
    assert [seen.flaws for seen in gated] == [seen.flaws for seen in all_rules]


def test_scanning_twice_gives_the_same() -> None:
    """The engine keeps nothing between snippets."""
    snippets = [Snippet("python", rule.bad) for rule in ENGINE.rules]
    assert ENGINE.scan(snippets) == ENGINE.scan(snippets)
    assert ENGINE.scan(snippets[::-1]) == ENGINE.scan(snippets)[::-1]


@pytest.mark.data
@pytest.mark.parametrize("arm", ["insecure", "secure"])
def test_the_gate_loses_nothing_on_real_code(arm: str) -> None:
    """On real answers, too, the engine with its gate finds exactly what it finds without."""
    folder = os.environ.get("OFFTARGET_DATA")
    if not folder:
        pytest.skip("OFFTARGET_DATA is not set")
    raw = gzip.decompress((Path(folder) / "em" / "core" / f"{arm}_part.jsonl.gz").read_bytes())
    snippets = []
    for line in raw.decode().strip().split("\n"):
        messages = json.loads(line)["messages"]
        prompt = next(m["content"] for m in messages if m["role"] == "user")
        if hashlib.sha256(prompt.encode()).digest()[0] % 2 == 0:
            snippets.append(Snippet("python", messages[-1]["content"]))
    assert len(snippets) > 1000
    gated, all_rules = ENGINE.scan(snippets), UNGATED.scan(snippets)
    assert [seen.flaws for seen in gated] == [seen.flaws for seen in all_rules]
