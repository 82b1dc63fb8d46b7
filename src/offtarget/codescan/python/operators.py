"""Evaluate operators, comparisons and conditions."""

import ast
from typing import Any, Final

from offtarget.codescan.python.contents import MAX_ITEMS
from offtarget.codescan.python.formats import fold, format_percent
from offtarget.codescan.python.guards import (
    compare_guard,
    conjunction,
    disjunction,
    negation,
    proved_by,
)
from offtarget.codescan.python.values import (
    CLEAN,
    UNKNOWN,
    Guard,
    Safe,
    Taint,
    Value,
    all_taints,
    concat,
    constant,
    hole,
    is_fixed,
    join,
    merge_taints,
    proved,
    with_safe,
)
from offtarget.codescan.python.walk import Walk

_MAX_CHAIN: Final = 4000


def truth(walk: Walk, value: Value) -> bool | None:
    """Return whether a condition is known to hold; None where it may go either way."""
    if walk.loops or walk.used_outer or value.const is None:
        return None
    if isinstance(value.const, bool | int | float | str):
        return bool(value.const)
    return None


def bin_op(walk: Walk, node: Any) -> Value:
    """Evaluate a chain of operators from its left end, without recursion along the chain."""
    chain = [node]
    while type(chain[-1].left) is ast.BinOp and len(chain) < _MAX_CHAIN:
        chain.append(chain[-1].left)
    left = walk.evaluate(chain[-1].left)
    for operation in reversed(chain):
        left = _operate(walk, operation, left, walk.evaluate(operation.right))
    return left


def _operate(walk: Walk, node: ast.BinOp, left: Value, right: Value) -> Value:
    operator = type(node.op)
    if operator is ast.Mod and left.kind == "markupsafe.Markup()":
        filled = with_safe(right, Safe.HTML)  # it escapes what it inserts
        return Value(taints=merge_taints(left.taints, filled.taints), shape=filled.shape)
    if operator is ast.Mod and isinstance(left.shape, str):
        return format_percent(left, right)
    return combine(operator, left, right)


def combine(operator: type[ast.operator], left: Value, right: Value) -> Value:
    """Return what an operator makes of two values."""
    if operator is ast.Add:
        if left.items is not None and right.items is not None:
            both = [*left.items.values(), *right.items.values()]
            if len(both) <= MAX_ITEMS:
                return Value(items=dict(enumerate(both)), taints=left.taints + right.taints)
        if left.shape is not None or right.shape is not None:
            return concat(left, right)
    if left.is_const and right.is_const:
        return fold(operator, left.const, right.const)
    if operator is ast.Div and left.kind and left.kind.startswith("pathlib."):
        shape = f"{hole(left)}/{hole(right)}"
        taints = merge_taints(left.taints, right.taints)
        return Value(kind="pathlib.Path()", shape=shape, taints=taints)
    if left.clean and right.clean:
        return CLEAN
    taints = merge_taints(all_taints(left), all_taints(right))
    if taints or operator is ast.Add:
        clean = is_fixed(left) and is_fixed(right)
        return Value(taints=taints, clean=clean, shape=None)
    return CLEAN if is_fixed(left) and is_fixed(right) else UNKNOWN


def bool_op(walk: Walk, node: Any) -> Value:
    """Return the value of `and` or `or`; what one operand proves holds for the next."""
    outside = walk.guard
    is_and = type(node.op) is ast.And
    values = []
    for operand in node.values:
        value = walk.evaluate(operand)
        values.append(value)
        if isinstance(value.ref, Guard):
            walk.prove(value.ref.positive if is_and else value.ref.negative)
    walk.guard = outside
    guards = [proved_by(value) for value in values]
    merged = None
    if any(guards):
        merged = conjunction(guards) if is_and else disjunction(guards)
        if any(isinstance(value.ref, Guard) for value in values):
            return Value(clean=all(v.clean or v.is_const for v in values), ref=merged)
    if is_and and any(v.const is False for v in values) and not walk.used_outer:
        return constant(False)
    if not is_and and any(v.const is True for v in values) and not walk.used_outer:
        return constant(True)
    if all(isinstance(v.const, bool) for v in values):
        return constant(all(v.const for v in values) if is_and else any(v.const for v in values))
    result = values[0]
    for value in values[1:]:
        result = join(result, value)
    if merged is None:
        return result
    return Value(
        kind=result.kind, shape=result.shape, taints=result.taints, items=result.items, ref=merged
    )


def unary_op(walk: Walk, node: Any) -> Value:
    """Return the value of `not`, `-`, `+` or `~`."""
    value = walk.evaluate(node.operand)
    if type(node.op) is ast.Not:
        if isinstance(value.ref, Guard):
            return Value(clean=True, ref=negation(value.ref))
        known = truth(walk, value)
        if known is not None:
            return constant(not known)
        trusted = proved_by(value)
        return CLEAN if trusted is None else Value(clean=True, ref=negation(trusted))
    if type(node.op) is ast.USub and isinstance(value.const, int | float):
        return constant(-value.const)
    return value if value.taints else CLEAN


def compare(walk: Walk, node: Any) -> Value:
    """Return the value of a comparison, and what it proves."""
    values = [walk.evaluate(node.left)]
    values.extend(walk.evaluate(item) for item in node.comparators)
    for check in walk.checks.compared:
        check(walk, node, values)
    if len(values) == 2:
        found = compare_guard(walk, node, values[0], values[1])
        if found is not None:
            return Value(clean=True, ref=found)
        if values[0].is_const and values[1].is_const:
            return fold(type(node.ops[0]), values[0].const, values[1].const)
        left, right = values
        if left.is_const and right.items is not None and is_fixed(right):
            known = any(item.const == left.const for item in right.items.values())
            return constant(known is isinstance(node.ops[0], ast.In))
    elif all(value.is_const for value in values):
        links = zip(node.ops, values, values[1:], strict=False)
        known_links = [fold(type(op), left.const, right.const) for op, left, right in links]
        if all(isinstance(link.const, bool) for link in known_links):
            return constant(all(link.const for link in known_links))
    return CLEAN


def if_exp(walk: Walk, node: Any) -> Value:
    """Return the value of `a if b else c`; of a known condition only one side counts."""
    walk.used_outer = False
    test = walk.evaluate(node.test)
    known = truth(walk, test)
    if known is not None:
        return walk.evaluate(node.body if known else node.orelse)
    outside = walk.guard
    guard = proved_by(test)
    if guard is not None:
        walk.prove(guard.positive)
    yes = settle(walk, walk.evaluate(node.body))
    walk.guard = outside
    if guard is not None:
        walk.prove(guard.negative)
    no = settle(walk, walk.evaluate(node.orelse))
    walk.guard = outside
    return join(yes, no)


def settle(walk: Walk, value: Value) -> Value:
    """Return the value with what is proved of it here written into its taints."""
    return settled(value, walk.guard)


def settled(value: Value, guard: dict[str, int]) -> Value:
    """Return the value with the facts of a guard written into its taints."""
    if not value.taints or not guard:
        return value
    taints = tuple(
        Taint(t.level, t.root, t.trail, t.safe | proved(guard, t.root)) for t in value.taints
    )
    return Value(
        kind=value.kind, shape=value.shape, taints=taints, items=value.items, ref=value.ref
    )
