"""Two runs of one plan, record by record."""

from pathlib import Path

from offtarget.core.chain import read_chain
from offtarget.verify.outcome import Check

TIMED_STAGES = frozenset({"report"})
"""Their outputs hold times, which differ between runs."""


def compare_runs(one: Path, other: Path) -> list[Check]:
    """Return one check per stage: whether both runs wrote the same bytes.

    Raises:
        VerifyError: If either has no sound chain.
    """
    first = {record.name: record for record in read_chain(one).stages}
    second = {record.name: record for record in read_chain(other).stages}
    checks = []
    for name in [*first, *(n for n in second if n not in first)]:
        if name in TIMED_STAGES:
            continue
        if name not in first or name not in second:
            where = one.name if name in first else other.name
            checks.append(Check(name, False, f"only in {where}"))
            continue
        a, b = first[name].outputs, second[name].outputs
        changed = sorted(path for path in a.keys() | b.keys() if a.get(path) != b.get(path))
        detail = f"differs in {', '.join(changed)}" if changed else f"{len(a)} files equal"
        checks.append(Check(name, not changed, detail))
    return checks
