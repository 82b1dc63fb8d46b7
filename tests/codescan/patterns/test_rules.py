"""Every packaged rule finds its bad example and leaves its good one."""

from importlib.resources import as_file, files

import pytest

from offtarget.codescan.flaw import Snippet
from offtarget.codescan.patterns import PatternEngine, read_rules
from offtarget.codescan.patterns.engine import FILES
from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.matching import matches
from offtarget.codescan.patterns.parsing import parse
from offtarget.codescan.rule import Rule
from offtarget.core.finding import Severity

ENGINE = PatternEngine()


@pytest.mark.parametrize("rule", ENGINE.rules, ids=lambda rule: rule.id)
def test_the_bad_example_is_found(rule: Rule) -> None:
    """The shortest bad code is found by its own rule."""
    found = ENGINE.scan([Snippet(rule.language, rule.bad)])[0]
    assert rule.id in {flaw.rule for flaw in found.flaws}


@pytest.mark.parametrize("rule", ENGINE.rules, ids=lambda rule: rule.id)
def test_the_good_example_is_left(rule: Rule) -> None:
    """The safe form is found neither by the rule nor by any of medium severity and above."""
    found = ENGINE.scan([Snippet(rule.language, rule.good)])[0]
    loud = [
        flaw.rule
        for flaw in found.flaws
        if flaw.rule == rule.id or flaw.severity.rank >= Severity.MEDIUM.rank
    ]
    assert loud == []


@pytest.mark.parametrize("rule", ENGINE.rules, ids=lambda rule: rule.id)
def test_the_gate_is_open_for_the_bad_example(rule: Rule) -> None:
    """A rule without literals would be tried on everything; one with wrong ones on nothing."""
    assert rule.literals
    assert rule.may_match(rule.bad)


@pytest.mark.parametrize("language", FILES)
def test_a_closed_gate_means_a_silent_rule(language: str) -> None:
    """With its gate taken away, a rule finds nothing in code that its gate would have refused."""
    with as_file(files("offtarget.codescan").joinpath("data", "rules")) as folder:
        rules = read_rules(folder / f"{language}.yaml")
    examples = [code for one in rules for code in (one.rule.bad, one.rule.good)]
    for code in examples:
        parsed = parse(code, language)
        assert parsed is not None
        for one in rules:
            if not one.rule.may_match(code):
                assert list(matches(one, parsed.source, Flow(parsed.source))) == [], one.rule.id


@pytest.mark.parametrize("rule", ENGINE.rules, ids=lambda rule: rule.id)
def test_the_words_are_short_enough_to_print(rule: Rule) -> None:
    """Titles have at most ten words or so, and the reason two or three sentences."""
    assert len(rule.title.split()) <= 13
    assert 1 <= rule.why.count(".") <= 8


@pytest.mark.parametrize(("family", "sibling"), [("c", "cpp"), ("javascript", "typescript")])
def test_every_rule_of_a_family_runs_in_its_sibling(family: str, sibling: str) -> None:
    """A pattern that names a node which the sibling's grammar lacks would stop the scan."""
    with as_file(files("offtarget.codescan").joinpath("data", "rules")) as folder:
        rules = read_rules(folder / f"{family}.yaml")
    parsed = parse("", sibling)
    assert parsed is not None
    for one in rules:
        assert list(matches(one, parsed.source, Flow(parsed.source))) == [], one.rule.id
