"""The state of one walk over one snippet: variables, what is proved of them, and what was found."""

import ast
from collections.abc import Callable, Sequence
from typing import Any, Final

from offtarget.codescan.python.names import unbound
from offtarget.codescan.python.values import (
    UNKNOWN,
    Level,
    Safe,
    Taint,
    Trail,
    Value,
    all_taints,
    completed,
    merge_taints,
    proved,
)
from offtarget.core.finding import Severity

MAX_STEPS: Final = 12
FUEL: Final = 40_000
"""Statements and calls that one walk may interpret; a hostile snippet must not stall a scan."""

Environment = dict[str, Value]


class ClassInfo:
    """A class of the snippet: its methods and what its methods assign to `self`."""

    def __init__(self, node: ast.ClassDef, bases: tuple[str, ...]) -> None:
        self.node = node
        self.bases = bases
        self.methods: dict[str, FunctionInfo] = {}
        self.fields: Environment = {}


class FunctionInfo:
    """A function of the snippet, and its summary once it was walked."""

    def __init__(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef,
        outer: tuple[Environment, ...],
        owner: ClassInfo | None,
    ) -> None:
        self.node = node
        self.outer = outer
        self.owner = owner
        self.result: Value | None = None
        self.walking = False
        self.has_sinks = False
        """Whether a parameter reaches a sink in it."""
        self.inlined: set[tuple[int, ...]] = set()
        arguments = node.args
        self.parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        """Positional and keyword-only, in order."""


class Report:
    """One flaw found, before its place is known in characters."""

    __slots__ = ("confidence", "cwe", "node", "rule", "severity", "text", "trail")

    def __init__(
        self,
        rule: str,
        node: ast.AST,
        text: str,
        severity: Severity,
        confidence: float,
        cwe: str,
        trail: Trail | None,
    ) -> None:
        self.rule = rule
        self.node = node
        self.text = text
        self.severity = severity
        self.confidence = confidence
        self.cwe = cwe
        self.trail = trail


class Walk:
    """One pass over a syntax tree: evaluates what it can and tells the rules what it meets."""

    def __init__(self, checks: "Checks", expressions: "Handlers", statements: "Runners") -> None:
        self.checks = checks
        self.expressions = expressions
        self.statements = statements
        self.env: Environment = {}
        self.guard: dict[str, int] = {}
        self.outer: tuple[Environment, ...] = ()
        self.function: FunctionInfo | None = None
        self.owner: ClassInfo | None = None
        self.frameworks: set[str] = set()
        self.is_route = False
        self.in_class = False
        self.escapes: list[Environment] = []
        self.used_outer = False
        self.loops = 0
        self.depth = 0
        self.fuel = FUEL
        self.returns: list[Value] = []
        self.pending: list[FunctionInfo] = []
        self.found: dict[tuple[str, int, int], Report] = {}
        self.target = ""
        """Name that the expression being evaluated is assigned to; empty if none."""

    def evaluate(self, node: ast.expr) -> Value:
        """Return what is known of an expression's value; the rules see what stands in it."""
        handler = self.expressions.get(type(node))
        if handler is not None:
            return handler(self, node)
        taints: tuple[Taint, ...] = ()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                taints = merge_taints(taints, self.evaluate(child).taints)
        return Value(taints=taints) if taints else UNKNOWN

    def run(self, block: list[ast.stmt]) -> bool:
        """Interpret a block; return whether control reaches its end."""
        for statement in block:
            self.fuel -= 1
            if self.fuel < 0:
                return False
            handler = self.statements.get(type(statement))
            if handler is not None and not handler(self, statement):
                return False
        return True

    def lookup(self, name: str) -> Value:
        """Return what a name stands for here."""
        value = self.env.get(name)
        if value is not None:
            return value
        for env in self.outer:
            value = env.get(name)
            if value is not None:
                self.used_outer = True
                return value
        return unbound(name)

    def exposed(self, value: Value, mask: int) -> Taint | None:
        """Return the worst taint of the value that is not made harmless for the sinks in mask."""
        worst: Taint | None = None
        for taint in all_taints(value) if value.items else value.taints:
            if (taint.safe | proved(self.guard, taint.root)) & mask:
                continue
            if worst is None or _rank(taint) > _rank(worst):
                worst = taint
        return worst

    def prove(self, facts: dict[str, int]) -> None:
        """Take what a condition proved into account from here on."""
        if facts:
            guard = dict(self.guard)
            for root, safe in facts.items():
                guard[root] = completed(guard.get(root, 0) | safe)
            self.guard = guard

    def report(
        self,
        rule: str,
        node: Any,
        text: str,
        *,
        severity: Severity,
        confidence: float = 0.8,
        cwe: str = "",
        taint: Taint | None = None,
    ) -> None:
        """Record a flaw; of several at one place and of one rule the worst counts."""
        if taint is not None and taint.level == Level.PARAMETER and self.function is not None:
            self.function.has_sinks = True
        key = (rule, node.lineno, node.col_offset)
        old = self.found.get(key)
        if old is not None and (old.severity.rank, old.confidence) >= (severity.rank, confidence):
            return
        trail = taint.trail if taint is not None else None
        self.found[key] = Report(rule, node, text, severity, confidence, cwe, trail)


class Call:
    """A call, its parts evaluated."""

    __slots__ = ("args", "attr", "function", "keywords", "name", "node", "receiver")

    def __init__(
        self,
        node: ast.Call,
        name: str,
        attr: str,
        receiver: Value,
        function: Value,
        args: list[Value],
        keywords: dict[str, Value],
    ) -> None:
        self.node = node
        self.name = name
        """Canonical dotted name of what is called; empty if not known."""
        self.attr = attr
        """The method's name; empty for a plain function."""
        self.receiver = receiver
        self.function = function
        self.args = args
        self.keywords = keywords

    @property
    def variable(self) -> str:
        """Name of the variable whose method is called; empty if the receiver is none."""
        function = self.node.func
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            return function.value.id
        return ""

    def argument(self, index: int, *names: str) -> Value | None:
        """Return a positional argument, or the first keyword of these names that is given."""
        if 0 <= index < len(self.args):
            return self.args[index]
        for name in names:
            if name in self.keywords:
                return self.keywords[name]
        return None

    def is_constant(self, keyword: str, value: object) -> bool:
        """Return whether a keyword is given and is exactly this constant."""
        given = self.keywords.get(keyword)
        return given is not None and given.is_const and given.const is value


Check = Callable[[Walk, Call], None]
Handlers = dict[type[ast.AST], Callable[[Walk, Any], Value]]
Runners = dict[type[ast.AST], Callable[[Walk, Any], bool]]


class Assigned:
    """An assignment to one target, or an item of a dictionary display."""

    __slots__ = ("name", "node", "target", "value")

    def __init__(self, target: ast.expr, name: str, value: Value, node: ast.AST) -> None:
        self.target = target
        self.name = name
        """Last name of the target: `secret_key` of `app.secret_key`."""
        self.value = value
        self.node = node
        """What is assigned."""


class Checks:
    """Which checks want to see what: built once from all rules."""

    def __init__(self) -> None:
        self.calls: dict[str, list[Check]] = {}
        """By canonical dotted name."""
        self.methods: dict[str, list[Check]] = {}
        """By the method's name, whatever its receiver."""
        self.keywords: list[Check] = []
        """For every call with keywords."""
        self.formatted: list[Check] = []
        """For every call with an argument that is a text with an open part."""
        self.assigned: list[Callable[[Walk, Assigned], None]] = []
        self.compared: list[Callable[[Walk, ast.Compare, list[Value]], None]] = []
        self.returned: list[Callable[[Walk, ast.AST, Value], None]] = []
        self.decorated: list[Callable[[Walk, ast.expr], None]] = []
        self.texts: list[Callable[[Walk, ast.AST, Value], None]] = []
        """Called with every literal of more than a few characters."""

    def show_assigned(self, walk: Walk, assigned: Assigned) -> None:
        """Let the rules that asked for assignments see one."""
        for check in self.assigned:
            check(walk, assigned)

    def on_call(self, names: Sequence[str], check: Check) -> None:
        """Have a check see the calls of these functions."""
        for name in names:
            self.calls.setdefault(name, []).append(check)

    def on_method(self, names: Sequence[str], check: Check) -> None:
        """Have a check see the calls of methods of these names."""
        for name in names:
            self.methods.setdefault(name, []).append(check)


def step(value: Value, node: ast.AST, text: str) -> Value:
    """Return the value with one more step in the trail of each of its taints."""
    if not value.taints:
        return value
    taints = tuple(
        Taint(taint.level, taint.root, (taint.trail, node, text), taint.safe)
        for taint in value.taints
    )
    return Value(
        kind=value.kind,
        const=value.const,
        shape=value.shape,
        taints=taints,
        items=value.items,
        clean=value.clean,
        ref=value.ref,
    )


def source(node: ast.AST, level: Level, root: str, text: str) -> Value:
    """Return a value that came from outside."""
    return Value(taints=(Taint(level, root, (None, node, text)),))


def steps_of(trail: Trail | None) -> list[tuple[ast.AST, str]]:
    """Return the steps of a trail, the source first."""
    steps: list[tuple[ast.AST, str]] = []
    while trail is not None:
        steps.append((trail[1], trail[2]))
        trail = trail[0]
    steps.reverse()
    return steps


def trail_of(report: Report) -> list[tuple[ast.AST, str]]:
    """Return the steps from the source to the last one before the flaw, at most `MAX_STEPS`."""
    steps = steps_of(report.trail)
    if len(steps) > MAX_STEPS:
        steps = [steps[0], *steps[-(MAX_STEPS - 1) :]]
    return steps


def _rank(taint: Taint) -> int:
    return 2 * taint.level - (3 if taint.safe & Safe.INDIRECT else 0)
