"""Our own engine for Python: one parse and one walk for all rules, data flow on the way."""

import ast
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from offtarget.codescan.flaw import Flaw, Reading, Scanned, Snippet, Step
from offtarget.codescan.ladder import ReadCode, read_python
from offtarget.codescan.python.expressions import EXPRESSIONS
from offtarget.codescan.python.functions import walk_function
from offtarget.codescan.python.gate import Gate
from offtarget.codescan.python.rules import RULES, all_checks
from offtarget.codescan.python.rules.text import text_flaws
from offtarget.codescan.python.statements import STATEMENTS
from offtarget.codescan.python.walk import Report, Walk, trail_of
from offtarget.codescan.rule import Rule

VERSION: Final = "3"
"""Changes whenever the same code may give other flaws."""

_LESS_SURE: Final = {
    Reading.WHOLE: 1.0,
    Reading.REPAIRED: 0.9,
    Reading.TOLERANT: 0.8,
    Reading.PARTLY: 0.8,
}
_BY_ID: Final = {rule.id: rule for rule in RULES}
_ALL: Final = frozenset(_BY_ID)


class PythonEngine:
    """Finds flaws in Python by walking the syntax tree and following data through it."""

    def __init__(self, *, is_gated: bool = True) -> None:
        """Prepare the rules.

        Args:
            is_gated: False runs every rule on all code, also where its literals are missing;
                for checking that the gate loses nothing.
        """
        self._checks = all_checks()
        self._gate = Gate(RULES)
        self._is_gated = is_gated

    @property
    def name(self) -> str:
        """`offtarget`."""
        return "offtarget"

    @property
    def version(self) -> str:
        """Two runs with equal versions give equal flaws."""
        return VERSION

    @property
    def languages(self) -> frozenset[str]:
        """Python only."""
        return frozenset({"python"})

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules, sorted by id."""
        return RULES

    def scan(self, snippets: Sequence[Snippet]) -> list[Scanned]:
        """Return what was found in each snippet, in order; code that no rule can match is skipped."""
        return [self._scan(snippet.code) for snippet in snippets]

    def _scan(self, code: str) -> Scanned:
        open_rules = self._gate.open_rules(code) if self._is_gated else _ALL
        if not open_rules:
            return Scanned(Reading.SKIPPED)
        read = read_python(code)
        if read.tree is None:
            return _by_patterns(code, read.reading)
        walk = Walk(self._checks, EXPRESSIONS, STATEMENTS)
        reading = read.reading
        try:
            walk_module(walk, read.tree)
        except RecursionError:
            # too deep to follow to its end: text patterns say what they can of the rest
            return _by_patterns(code, Reading.PARTLY, Reading.PARTLY)
        if not walk.found:
            return Scanned(reading)
        found = [report for report in walk.found.values() if report.rule in open_rules]
        return Scanned(reading, _flaws(found, read, _LESS_SURE.get(reading, 0.5)))


def walk_module(walk: Walk, tree: ast.Module) -> None:
    """Walk the module's statements, then every function that they defined."""
    for statement in tree.body:
        # one by one: a snippet may be the inside of a function, with a `return` in its middle
        walk.run([statement])
    index = 0
    while index < len(walk.pending):
        walk_function(walk, walk.pending[index])
        index += 1


def _flaws(found: Iterable[Report], read: ReadCode, factor: float) -> tuple[Flaw, ...]:
    offset = _offsets(read)
    flaws = [_flaw(report, offset, factor) for report in found]
    return tuple(sorted(flaws, key=lambda flaw: (flaw.start, flaw.end, flaw.rule)))


def _offsets(read: ReadCode) -> Callable[[int, int], int]:
    """Return the way from positions to characters; a short one for plain ASCII code."""
    code = read.code
    if read.reading is not Reading.WHOLE or not code.isascii() or "\r" in code:
        return read.offset
    starts = [0, 0]
    for line in code.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return lambda line, column: min(starts[line] + column, len(code))


def _flaw(report: Report, offset: Callable[[int, int], int], factor: float) -> Flaw:
    start, end = _place(report.node, offset)
    trace = tuple([Step(*_place(node, offset), text) for node, text in trail_of(report)])
    if trace:
        trace = (*trace, Step(start, end, "reaches the flaw"))
    return Flaw(
        rule=report.rule,
        cwe=report.cwe or _BY_ID[report.rule].cwe,
        severity=report.severity,
        confidence=round(report.confidence * factor, 3),
        engine="offtarget",
        start=start,
        end=end,
        text=report.text,
        trace=trace,
    )


def _place(node: Any, offset: Callable[[int, int], int]) -> tuple[int, int]:
    """Return where a node starts and ends; every node that is reported has a position."""
    start = offset(node.lineno, node.col_offset)
    return start, max(start, offset(node.end_lineno, node.end_col_offset))


def _by_patterns(code: str, unread: Reading, read: Reading = Reading.PATTERNS) -> Scanned:
    """Look for text patterns in code that nothing parses; code too long for them is `unread`."""
    flaws = text_flaws(code)
    if flaws is None:
        return Scanned(unread)
    return Scanned(read, flaws)
