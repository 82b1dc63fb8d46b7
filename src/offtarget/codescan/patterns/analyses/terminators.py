"""Strings that nothing ends (CWE-170)."""

import re
from collections.abc import Iterator

from offtarget.codescan.patterns.analyses.analysis import analysis
from offtarget.codescan.patterns.analyses.arrays import declared_size
from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.source import Source, Stretch

_STRING_USES = frozenset(
    {"strlen", "strcpy", "strcat", "strcmp", "strchr", "strstr", "strdup", "puts", "atoi", "strtok"}
    | {"strncmp", "strcasecmp", "strtol", "system", "popen"}
)
_PRINTS = frozenset({"printf", "fprintf", "sprintf", "snprintf", "syslog", "fputs"})


@analysis("terminator_missing")
def terminator_missing(source: Source, flow: Flow) -> Iterator[Stretch]:
    """`strncpy` fills the whole array, and nothing ends the string."""
    for call in source.calls:
        if call.callee not in ("strncpy", "wcsncpy", "readlink") or len(call.arguments) < 3:
            continue
        name = source.bare(call.arguments[1 if call.callee == "readlink" else 0]).strip()
        limit = re.sub(r"[\s()]+", "", source.bare(call.arguments[2]))
        if not re.fullmatch(r"[\w.\->]{1,80}", name) or not _is_whole(source, name, limit):
            continue
        scope = source.scope_of(call.at.start)
        own = re.escape(name)
        ended = rf"{own}\s*\[[^\]]{{0,200}}\]\s*=|memset\s*\(\s*&?\s*{own}"
        if not source.searched(re.compile(ended), scope):
            yield call.at


def _is_whole(source: Source, name: str, limit: str) -> bool:
    """Return whether the limit is the size of the array, in bytes."""
    if limit == f"sizeof{name}":
        return True
    own = re.split(r"->|\.", name)[-1]
    declared = re.search(rf"\bchar\s+{own}\s*\[\s*(\w+)\s*\]", source.masked)
    return declared is not None and declared[1] == limit


@analysis("read_unterminated")
def read_unterminated(source: Source, flow: Flow) -> Iterator[Stretch]:
    """Bytes that were read into an array are used as a string, and nothing ends the string."""
    for call in source.calls:
        if (
            call.callee not in ("read", "recv", "recvfrom", "fread", "readlink")
            or len(call.arguments) < 3
        ):
            continue
        name = source.bare(call.arguments[0 if call.callee == "fread" else 1]).strip().lstrip("&")
        if declared_size(source, name) is None:
            continue
        scope = source.scope_of(call.at.start)
        zeroed = rf"\b{name}\s*\[[^\]]{{0,200}}\]\s*=|mem(?:set|z\w*)\s*\(\s*&?{name}|bzero\s*\(\s*{name}"
        zeroed += rf"|\b{name}\s*\[[^\]]*\]\s*=\s*(?:\{{|\")|\*\s*\(\s*{name}\s*\+"
        if source.searched(re.compile(zeroed), scope):
            continue
        source.spend(len(source.calls))
        for other in source.calls:
            given = [source.bare(part).strip() for part in other.arguments]
            is_text = other.callee in _STRING_USES or (
                other.callee in _PRINTS and name in given[1:]
            )
            if (
                other.at.start > call.at.end
                and scope.holds(other.at.start)
                and name in given
                and is_text
            ):
                yield call.at
                break
