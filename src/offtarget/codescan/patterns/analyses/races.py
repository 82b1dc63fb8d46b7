"""Files that are checked by name and then used by name (CWE-367)."""

import re
from collections.abc import Iterator

from offtarget.codescan.patterns.analyses.analysis import analysis
from offtarget.codescan.patterns.flow import Flow
from offtarget.codescan.patterns.source import Source, Stretch

_CHECKS = re.compile(r"(?:^|\.)_?w?(?:access|l?stat(?:64)?|euidaccess|faccessat|exists)$")
_USES = re.compile(
    r"(?:^|\.)(?:_?w?f?open(?:64)?|freopen|creat|unlink|chmod|chown|lchown|rename|remove|rmdir"
    r"|exec[lv]p?e?|truncate|[io]?fstream|link|symlink|mkdir)$"
)


@analysis("checked_then_used")
def checked_then_used(source: Source, flow: Flow) -> Iterator[Stretch]:
    """`access`, `stat` or `lstat` looks at a name, and a later call opens or changes it by name."""
    checks = [call for call in source.calls if _CHECKS.search(call.callee) and call.arguments]
    used = [call for call in source.calls if _USES.search(call.callee) and call.arguments]
    for check in checks:
        name = re.sub(r"\s+", "", source.bare(check.arguments[0]))
        source.spend(len(used))
        if not name or flow.is_constant(check.arguments[0]):
            continue
        scope = source.scope_of(check.at.start)
        for call in used:
            same = any(re.sub(r"\s+", "", source.bare(part)) == name for part in call.arguments)
            if (
                same
                and check.at.end <= call.at.start < scope.end
                and not _is_opened_safely(source, call.at)
            ):
                yield check.at
                break


def _is_opened_safely(source: Source, at: Stretch) -> bool:
    return re.search(r"O_EXCL|O_NOFOLLOW", source.text(at)) is not None
