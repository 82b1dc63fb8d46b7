"""Examples of what a cleaning changed: a few rewritten rows, before and after, line by line."""

import difflib
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from offtarget.core.finding import Finding, Severity
from offtarget.curate.ledger import SampleState
from offtarget.curate.twins import Twin
from offtarget.report.scan_rows import ScannedRow
from offtarget.report.text import ELLIPSIS

MAX_CHANGES = 8
MAX_LINES = 30
"""Lines of one difference."""
MAX_LINE = 150
"""Characters of one line."""
N_AROUND = 2
"""Unchanged lines before and after a change."""
MAX_COMPARED_LINES = 1_000
MAX_COMPARED = 60_000
"""Characters; longer messages give no example, since comparing them is slow."""
TAB_SIZE = 4


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a difference."""

    sign: str
    """`-` before, `+` after, a blank where nothing changed, `@` for lines left out."""
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """One message of one row, before and after."""

    id: str
    """The input's file and 1-based row."""
    message: int
    kind: SampleState
    cwe: str
    severity: Severity
    rules: tuple[str, ...]
    fixes: tuple[str, ...]
    lines: tuple[DiffLine, ...]
    n_hidden: int
    """Lines of the difference that are not shown."""


@dataclass(slots=True)
class _Candidate:
    rank: tuple[int, int, bytes]
    twin: Twin
    finding: Finding


def pick_changes(
    rows: Iterable[tuple[ScannedRow, Sequence[Finding]]],
    twins: Iterable[Twin],
    *,
    gate: Severity,
    max_total: int = MAX_CHANGES,
) -> tuple[Change, ...]:
    """Return changes to show: the most severe findings first, one of each CWE.

    Of several rows the one with the fewest other flaws is taken, among equals a hash of the place
    decides: the same cleaning gives the same examples. Memory does not grow with the data.

    Args:
        rows: Of the scan, with their findings, in order.
        twins: Of the cleaning, in the same order.
        gate: Least severity of the findings that were treated.
        max_total: Changes to return at most.
    """
    best: dict[str, _Candidate] = {}
    for twin, findings in _matched(rows, twins):
        treated = [found for found in findings if found.severity.rank >= gate.rank]
        digest = hashlib.sha256(twin.id.encode("utf-8", "surrogatepass")).digest()
        if not treated or not _is_small(twin):
            continue
        for found in treated:
            rank = (-found.severity.rank, len({one.cwe for one in treated}), digest)
            if found.cwe not in best or rank < best[found.cwe].rank:
                best[found.cwe] = _Candidate(rank, twin, found)
    ranked = sorted(best.values(), key=lambda one: (one.rank[0], one.finding.cwe))
    changes: dict[str, Change] = {}
    for one in ranked:
        if one.twin.id not in changes and len(changes) < max_total:
            changes[one.twin.id] = _change(one)
    return tuple(changes.values())


def difference(before: str, after: str) -> list[DiffLine]:
    """Return the lines of `after` against `before`, with a few unchanged ones around each change."""
    all_old, all_new = before.splitlines(), after.splitlines()
    matcher = difflib.SequenceMatcher(None, all_old, all_new)
    lines: list[DiffLine] = []
    for number, group in enumerate(matcher.get_grouped_opcodes(N_AROUND)):
        if number:
            lines.append(DiffLine("@", ""))
        for tag, start, end, new_start, new_end in group:
            old, new = all_old[start:end], all_new[new_start:new_end]
            if tag == "equal":
                lines += [DiffLine(" ", line) for line in old]
            else:
                lines += [DiffLine("-", line) for line in old]
                lines += [DiffLine("+", line) for line in new]
    return lines


def _matched(
    rows: Iterable[tuple[ScannedRow, Sequence[Finding]]], twins: Iterable[Twin]
) -> Iterator[tuple[Twin, Sequence[Finding]]]:
    """Yield each twin with the findings of its row."""
    ahead = iter(twins)
    twin = next(ahead, None)
    for row, findings in rows:
        if twin is not None and twin.id == f"{row.file}:{row.line}":
            yield twin, findings
            twin = next(ahead, None)


def _is_small(twin: Twin) -> bool:
    return all(
        len(turn.content) <= MAX_COMPARED and turn.content.count("\n") <= MAX_COMPARED_LINES
        for sample in (twin.original, twin.rewritten)
        for turn in sample.messages
    )


def _change(one: _Candidate) -> Change:
    """Return the difference of the message that changed: the finding's, if it did."""
    pairs = list(zip_longest(one.twin.original.messages, one.twin.rewritten.messages))
    changed = [index for index, (old, new) in enumerate(pairs) if old != new]
    index = one.finding.message if one.finding.message in changed else changed[0]
    old, new = pairs[index]
    lines = difference(old.content, new.content)
    return Change(
        id=one.twin.id,
        message=index,
        kind=one.twin.kind,
        cwe=one.finding.cwe,
        severity=one.finding.severity,
        rules=one.twin.rules,
        fixes=one.twin.fixes,
        lines=tuple(DiffLine(line.sign, _cut(line.text)) for line in lines[:MAX_LINES]),
        n_hidden=max(0, len(lines) - MAX_LINES),
    )


def _cut(line: str) -> str:
    shown = line.expandtabs(TAB_SIZE)
    return shown if len(shown) <= MAX_LINE else shown[:MAX_LINE] + ELLIPSIS
