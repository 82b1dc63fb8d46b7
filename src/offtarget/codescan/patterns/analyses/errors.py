"""Go results that are used before the error beside them was looked at (CWE-252)."""

import re
from collections.abc import Iterator

from offtarget.codescan.patterns.analyses.analysis import analysis
from offtarget.codescan.patterns.analyses.lvalues import uses
from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.source import Source, Stretch

_PAIR = re.compile(r"([a-z]\w*),(err\w*|\w*[eE]rr)")


@analysis("error_looked_at_late")
def error_looked_at_late(source: Source, flow: Flow) -> Iterator[Stretch]:
    """`v, err := f()` is followed by `v.x` with no look at `err` before it."""
    for assign in source.assigns:
        match = _PAIR.fullmatch(assign.target)
        if match is None or assign.is_loop or "(" not in source.bare(assign.value):
            continue
        if re.search(r"\bif\s+$", source.masked[max(0, assign.at.start - 8) : assign.at.start]):
            continue
        end = source.block_of(assign.at.start).end
        looked = next((use.start for use in uses(source, match[2], assign.at.end, end)), end)
        for use in uses(source, match[1], assign.at.end, looked):
            after = source.masked[use.end : use.end + 1]
            if after in (".", "["):
                yield use
            break
