"""Checks of the code around a site, by regex."""

import re
from functools import lru_cache

from offtarget.codescan.patterns.checks.check import check
from offtarget.codescan.patterns.site import Site
from offtarget.codescan.patterns.source import Stretch


@check("text")
def text(site: Site, setting: str) -> bool:
    """`PART: REGEX`; the regex matches in the code of the part, strings included."""
    part, _, pattern = setting.partition(": ")
    return any(_compiled(pattern).search(site.source.text(one)) for one in site.some(part))


@check("value")
def value(site: Site, setting: str) -> bool:
    """`PART: REGEX`; as `text`, and where the part is a name, in what that name was set to."""
    part, _, pattern = setting.partition(": ")
    compiled = _compiled(pattern)
    for one in site.some(part):
        if compiled.search(site.source.text(one)):
            return True
        for name in site.flow.names(one)[:4]:
            for assign in site.flow.definitions(name, one.start):
                if compiled.search(site.source.text(assign.value)):
                    return True
    return False


@check("seen")
def seen(site: Site, pattern: str) -> bool:
    """The regex matches somewhere in the enclosing function, strings included."""
    scope = site.source.scope_of(site.at.start)
    return site.source.searched(_compiled(pattern), scope)


@check("unseen")
def unseen(site: Site, pattern: str) -> bool:
    """The regex matches nowhere in the enclosing function, strings included."""
    return not seen(site, pattern)


@check("anywhere")
def anywhere(site: Site, pattern: str) -> bool:
    """The regex matches somewhere in the snippet."""
    return site.source.searched(_compiled(pattern), Stretch(0, len(site.source.code)))


@check("nowhere")
def nowhere(site: Site, pattern: str) -> bool:
    """The regex matches nowhere in the snippet."""
    return not anywhere(site, pattern)


@check("near")
def near(site: Site, pattern: str) -> bool:
    """The regex matches on the lines of the site or in the name of its function."""
    return _compiled(pattern).search(site.line) is not None


@check("array")
def array(site: Site, part: str) -> bool:
    """The part is a name that is declared as an array of bytes of fixed size."""
    for one in site.some(part):
        name = site.source.text(one).strip().lstrip("&")
        if re.fullmatch(r"[A-Za-z_]\w{0,80}", name):
            declared = _compiled(
                rf"\b(?:char|wchar_t|TCHAR|u?int8_t|BYTE|u8|ut8)\b[^;(){{}}=]{{0,200}}?\b{name}\s*\[\s*[^\]\s]"
            )
            if site.source.searched(declared, Stretch(0, len(site.source.code))):
                return True
    return False


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
