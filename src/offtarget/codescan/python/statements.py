"""Interpret statements in order, joining branches where they meet; one function per node type.

Every function returns whether control can go on after the statement.
"""

import ast
from collections.abc import Callable
from typing import Any, Final

from offtarget.codescan.python.contents import part, store, without
from offtarget.codescan.python.control import attempt, branch, loop_over, loop_while, match
from offtarget.codescan.python.guards import is_check, roots_of
from offtarget.codescan.python.names import imported
from offtarget.codescan.python.operators import combine, settle
from offtarget.codescan.python.values import (
    Guard,
    Safe,
    Value,
    constant,
    join,
)
from offtarget.codescan.python.walk import (
    Assigned,
    ClassInfo,
    FunctionInfo,
    Walk,
    step,
)

_EXITS: Final = frozenset({"exit", "quit", "abort", "_exit"})


def _expression(walk: Walk, node: Any) -> bool:
    value = walk.evaluate(node.value)
    call = node.value
    if type(call) is ast.Call:
        word = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        word = call.func.id if isinstance(call.func, ast.Name) else word
        if word in _EXITS:
            return False
        if is_check(word) and isinstance(value.ref, Guard):
            walk.prove(value.ref.positive)
        elif word in ("int", "float", "UUID", "ip_address") and call.args:
            walk.prove(dict.fromkeys(roots_of(walk.evaluate(call.args[0])), Safe.ALL))
    return True


def _assign(walk: Walk, node: Any) -> bool:
    walk.target = _target_name(node.targets[0])
    value = walk.evaluate(node.value)
    walk.target = ""
    for target in node.targets:
        _set(walk, target, value, node.value)
    return True


def _target_name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    return ""


def _annotated(walk: Walk, node: Any) -> bool:
    if node.value is not None:
        _set(walk, node.target, walk.evaluate(node.value), node.value)
    return True


def _set(walk: Walk, target: Any, value: Value, node: ast.AST) -> None:
    """Assign a value to a target, and let the rules see it."""
    kind = type(target)
    if kind is ast.Tuple or kind is ast.List:
        parts = _aligned(node, target)
        for index, (inner, item) in enumerate(
            zip(target.elts, _unpacked(target, value), strict=True)
        ):
            one = inner.value if isinstance(inner, ast.Starred) else inner
            _set(walk, one, item, parts[index] if parts else node)
        return
    walk.checks.show_assigned(walk, Assigned(target, _target_name(target), value, node))
    if kind is ast.Name:
        if value.taints:
            value = step(value, target, f"assigned to `{target.id}`")
        walk.env[target.id] = value
    elif kind is ast.Attribute:
        owner = walk.evaluate(target.value)
        if type(target.value) is ast.Name:
            walk.env[f"{target.value.id}.{target.attr}"] = value
            if owner.kind == "self" and walk.owner is not None:
                fields = walk.owner.fields
                old = fields.get(target.attr)
                fields[target.attr] = value if old is None else join(old, value)
    elif kind is ast.Subscript:
        owner = walk.evaluate(target.value)
        key = walk.evaluate(target.slice)
        if type(target.value) is ast.Name:
            walk.env[target.value.id] = store(owner, key, value)


def _unpacked(target: ast.Tuple | ast.List, value: Value) -> list[Value]:
    """Return what goes to each target; a starred one takes all that the others leave."""
    starred = [n for n, inner in enumerate(target.elts) if isinstance(inner, ast.Starred)]
    if not starred or value.items is None or value.taints or value.kind == "dict()":
        return [part(value, constant(index)) for index in range(len(target.elts))]
    items = list(value.items.values())
    first = starred[0]
    last = len(items) - (len(target.elts) - first - 1)
    middle = Value(items=dict(enumerate(items[first:last])))
    found = [*items[:first], middle, *items[max(first, last) :]]
    return found if len(found) == len(target.elts) else [value] * len(target.elts)


def _aligned(node: ast.AST, target: ast.Tuple | ast.List) -> list[ast.expr]:
    """Return the expressions that go to each target; nothing if it takes running to tell."""
    is_display = isinstance(node, ast.Tuple | ast.List) and len(node.elts) == len(target.elts)
    return node.elts if is_display and isinstance(node, ast.Tuple | ast.List) else []


def _augmented(walk: Walk, node: Any) -> bool:
    right = walk.evaluate(node.value)
    target = node.target
    load = walk.evaluate(target)
    value = combine(type(node.op), load, right)
    if type(target) is ast.Name:
        if right.taints:
            value = step(value, target, f"added to `{target.id}`")
        walk.env[target.id] = value
        walk.checks.show_assigned(walk, Assigned(target, target.id, value, node.value))
    else:
        _set(walk, target, value, node.value)
    return True


def _return(walk: Walk, node: Any) -> bool:
    value = walk.evaluate(node.value) if node.value is not None else constant(None)
    if node.value is not None:
        for check in walk.checks.returned:
            check(walk, node, value)
    if walk.guard and value.taints:
        value = settle(walk, value)
    if walk.guard and isinstance(value.const, bool):
        value = Value(const=value.const, ref=Guard(walk.guard, walk.guard))
    walk.returns.append(value)
    return False


def _raise(walk: Walk, node: Any) -> bool:
    if node.exc is not None:
        walk.evaluate(node.exc)
    return False


def _leave(walk: Walk, node: Any) -> bool:
    walk.escapes.append(walk.env)
    return False


def _with(walk: Walk, node: Any) -> bool:
    for item in node.items:
        value = walk.evaluate(item.context_expr)
        if item.optional_vars is not None:
            _set(walk, item.optional_vars, value, item.context_expr)
    return walk.run(node.body)


def _import(walk: Walk, node: Any) -> bool:
    for name, value in imported(node):
        walk.env[name] = value
        if value.kind:
            walk.frameworks.add(value.kind.partition(".")[0])
    return True


def _function(walk: Walk, node: Any) -> bool:
    info = FunctionInfo(node, (walk.env, *walk.outer), walk.owner)
    for decorator in node.decorator_list:
        walk.evaluate(decorator)
        for check in walk.checks.decorated:
            check(walk, decorator)
    for default in [*node.args.defaults, *node.args.kw_defaults]:
        if default is not None:
            walk.evaluate(default)
    if walk.in_class and walk.owner is not None:
        walk.owner.methods[node.name] = info
    else:
        walk.env[node.name] = Value(ref=info)
    walk.pending.append(info)
    return True


def _class(walk: Walk, node: Any) -> bool:
    bases = []
    inherited: list[ClassInfo] = []
    for base in node.bases:
        value = walk.evaluate(base)
        bases.append(value.kind or "")
        if isinstance(value.ref, ClassInfo):
            inherited.append(value.ref)
    for decorator in node.decorator_list:
        walk.evaluate(decorator)
    info = ClassInfo(node, tuple(bases))
    for parent in reversed(inherited):
        info.methods.update(parent.methods)
    saved = walk.env, walk.outer, walk.owner, walk.in_class
    walk.outer = (walk.env, *walk.outer)
    walk.env, walk.owner, walk.in_class = {}, info, True
    walk.run(node.body)
    for name, value in walk.env.items():
        info.fields.setdefault(name, value)
    walk.env, walk.outer, walk.owner, walk.in_class = saved
    walk.env[node.name] = Value(ref=info)
    return True


def _assert(walk: Walk, node: Any) -> bool:
    test = walk.evaluate(node.test)
    if isinstance(test.ref, Guard):
        walk.prove(test.ref.positive)
    return True


def _delete(walk: Walk, node: Any) -> bool:
    for target in node.targets:
        if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            owner = walk.lookup(target.value.id)
            key = walk.evaluate(target.slice)
            if owner.items is not None and isinstance(key.const, str | int):
                walk.env[target.value.id] = without(owner, key.const)
    return True


STATEMENTS: Final[dict[type[ast.AST], Callable[[Walk, Any], bool]]] = {
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.Return: _return,
    ast.Raise: _raise,
    ast.Break: _leave,
    ast.Continue: _leave,
    ast.If: branch,
    ast.For: loop_over,
    ast.AsyncFor: loop_over,
    ast.While: loop_while,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Try: attempt,
    ast.TryStar: attempt,
    ast.Match: match,
    ast.Import: _import,
    ast.ImportFrom: _import,
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
    ast.Assert: _assert,
    ast.Delete: _delete,
}
