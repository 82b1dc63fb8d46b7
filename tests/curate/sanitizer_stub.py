"""A sanitizer simple enough to reason about, which workers can import."""

import os
import signal
from collections.abc import Sequence

from offtarget.codescan.engine import Engine
from offtarget.codescan.flaw import Flaw
from offtarget.core.finding import Severity
from offtarget.curate.sanitize import Edit, FixStatus, Obligation, Sanitized, ToSanitize


def repair(
    items: Sequence[ToSanitize], *, engines: Sequence[Engine], gate: Severity
) -> list[Sanitized]:
    """Write `good` for `worse`; give up on `stuck`, lie about `liar`, die of `sink()`."""
    return [_repair(item.snippet.code, item.flaws) for item in items]


def _repair(code: str, flaws: Sequence[Flaw]) -> Sanitized:
    if "sink()" in code:
        os.kill(os.getpid(), signal.SIGKILL)
    if "stuck" in code:
        return Sanitized(code, FixStatus.NOT_FIXABLE, left=tuple(flaws), reason="it is stuck")
    if "liar" in code:
        return Sanitized(code + "\n", FixStatus.FIXED)
    if "half" in code:
        broken = Obligation("parses", held=False)
        return Sanitized(code.replace("worse", "good"), FixStatus.FIXED, obligations=(broken,))
    text = code
    edits = []
    for flaw in sorted(flaws, key=lambda flaw: flaw.start, reverse=True):
        assert code[flaw.start : flaw.end].startswith("worse("), (
            "flaws stand where they are said to"
        )
        text = text[: flaw.start] + "good(" + text[flaw.start + len("worse(") :]
        edits.append(
            Edit(flaw.start, flaw.start + 6, "good(", flaw.rule, "milder", "a milder call")
        )
    return Sanitized(text, FixStatus.FIXED, tuple(reversed(edits)))
