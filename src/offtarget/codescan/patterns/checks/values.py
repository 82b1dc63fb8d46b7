"""Checks of a part's value; the value in the rule file names the part: `built: 0`."""

import re
from functools import lru_cache

from offtarget.codescan.patterns.analyses.lvalues import is_bounded_above
from offtarget.codescan.patterns.checks.check import check
from offtarget.codescan.patterns.guards import is_guarded
from offtarget.codescan.patterns.site import Site
from offtarget.codescan.patterns.source import Stretch

_C_WORDS = frozenset({"sizeof", "char", "int", "size_t", "malloc"})
_LITERAL = re.compile(
    r"(?:[bBLuU$@]*|r#*)(\"[^\"]*\"|'[^']*'|`[^`]*`)#*|[-+]?[\d.][\w.]*", re.DOTALL
)


@check("has")
def has(site: Site, part: str) -> bool:
    """The call has such an argument."""
    return bool(site.some(part))


@check("constant")
def constant(site: Site, part: str) -> bool:
    """The part exists and is made of literals and names set to literals only."""
    found = site.some(part)
    return bool(found) and all(site.flow.is_constant(one) for one in found)


@check("dynamic")
def dynamic(site: Site, part: str) -> bool:
    """The part exists and is not constant."""
    return any(not site.flow.is_constant(one) for one in site.some(part))


@check("literal")
def literal(site: Site, part: str) -> bool:
    """The part is one literal, as it stands."""
    found = site.some(part)
    return bool(found) and all(_LITERAL.fullmatch(site.source.bare(one).strip()) for one in found)


@check("built")
def built(site: Site, part: str) -> bool:
    """The part is a string put together from text and something that is not constant."""
    return any(site.flow.is_built(one) for one in site.some(part))


@check("request")
def request(site: Site, part: str) -> bool:
    """The part is computed from what a remote client sent, without conversion or escaping."""
    pattern = _compiled(site.source.grammar.request)
    return any(
        site.flow.reaches(one, pattern) and not _is_guarded(site, one) for one in site.some(part)
    )


@check("outside")
def outside(site: Site, part: str) -> bool:
    """Like `request`, and also from arguments, environment, files or sockets."""
    grammar = site.source.grammar
    pattern = _compiled(f"{grammar.request}|{grammar.outside}")
    return any(
        site.flow.reaches(one, pattern) and not _is_guarded(site, one) for one in site.some(part)
    )


@check("parameter")
def parameter(site: Site, part: str) -> bool:
    """The part is computed from a parameter of the function, without conversion or escaping."""
    return any(
        site.flow.is_parameter(one) and not _is_guarded(site, one) for one in site.some(part)
    )


@check("guarded")
def guarded(site: Site, part: str) -> bool:
    """A test of the part's value stands before the site, and leaves or encloses it."""
    return any(_is_guarded(site, one) for one in site.some(part))


@check("from")
def comes_from(site: Site, setting: str) -> bool:
    """`PART: REGEX`; the part holds or is computed from code that the regex matches."""
    part, _, pattern = setting.partition(": ")
    return any(site.flow.reaches(one, _compiled(pattern), cleaned=False) for one in site.some(part))


@check("unguarded")
def unguarded(site: Site, part: str) -> bool:
    """No condition before the site mentions any name of the part."""
    for one in site.some(part):
        names = {name.rsplit(".", 1)[-1] for name in site.flow.names(one)}
        pattern = (
            re.compile(r"(?<![^&]&)\b(?:" + "|".join(map(re.escape, names)) + r")\b")
            if names
            else None
        )
        scope = site.source.scope_of(site.at.start)
        site.source.spend(len(site.source.conditions))
        if pattern and not any(
            scope.start <= test.start < site.at.start and pattern.search(site.source.bare(test))
            for test in site.source.conditions
        ):
            return True
    return False


@check("guarded_later")
def guarded_later(site: Site, part: str) -> bool:
    """As `guarded`; the test may also follow the site, as it does where a path is joined first."""
    end = site.source.scope_of(site.at.start).end
    return any(is_guarded(site.source, site.flow, one, end) for one in site.some(part))


def _is_guarded(site: Site, part: Stretch) -> bool:
    return is_guarded(site.source, site.flow, part, site.at.start)


@check("unbounded")
def unbounded(site: Site, part: str) -> bool:
    """No condition before the site keeps a name of the part below something."""
    start = site.source.scope_of(site.at.start).start
    for one in site.some(part):
        names = [name for name in site.flow.names(one) if name not in _C_WORDS]
        if names and not any(
            is_bounded_above(site.source, name, start, site.at.start) for name in names
        ):
            return True
    return False


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
