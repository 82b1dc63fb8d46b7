"""From a rule and a source to the places where the rule holds."""

from collections.abc import Iterator
from typing import cast

from ast_grep_py import Config

from offtarget.codescan.patterns.analyses import ANALYSES
from offtarget.codescan.patterns.checks import CHECKS
from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.rulefile import Condition, PatternRule
from offtarget.codescan.patterns.site import Site
from offtarget.codescan.patterns.source import Source, Stretch, stretch

MAX_SITES = 300
"""Candidates looked at for one rule in one snippet."""
_METAVARS = ("A", "B", "C", "D")


def matches(rule: PatternRule, source: Source, flow: Flow) -> Iterator[Stretch]:
    """Yield each stretch where the matcher and every check of `rule` hold."""
    for count, site in enumerate(_sites(rule, source, flow)):
        if count >= MAX_SITES:
            return
        if all(_holds(condition, site) for condition in rule.where):
            yield site.at


def _sites(rule: PatternRule, source: Source, flow: Flow) -> Iterator[Site]:
    if rule.calls is not None:
        for call in source.calls:
            if rule.calls.search(call.callee):
                parts = {str(index): part for index, part in enumerate(call.arguments)}
                callee = Stretch(
                    call.at.start, min([call.at.end, *(p.start for p in call.arguments)])
                )
                yield Site(source, flow, call.at, {**parts, "callee": callee})
    elif rule.assigns is not None:
        for assign in source.assigns:
            if rule.assigns.search(assign.target) and not assign.is_loop:
                target = Stretch(assign.at.start, assign.value.start)
                yield Site(source, flow, assign.at, {"value": assign.value, "target": target})
    elif rule.match is not None:
        for node in source.root.find_all(cast(Config, {"rule": rule.match})):
            found = {name: node.get_match(name) for name in _METAVARS}
            parts = {name: stretch(inner) for name, inner in found.items() if inner is not None}
            yield Site(source, flow, stretch(node), parts)
    elif rule.finds is not None:
        for at in ANALYSES[rule.finds](source, flow):
            yield Site(source, flow, at, {})


def _holds(condition: Condition, site: Site) -> bool:
    if condition.name == "not":
        return not all(_holds(part, site) for part in condition.parts)
    if condition.name == "any":
        return any(_holds(part, site) for part in condition.parts)
    if condition.name == "all":
        return all(_holds(part, site) for part in condition.parts)
    return CHECKS[condition.name](site, condition.value)
