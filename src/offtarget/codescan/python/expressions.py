"""Evaluate expressions to what is known of their values; one function per node type."""

import ast
import stat
import string
from collections.abc import Callable
from typing import Any, Final

from offtarget.codescan.python.calls import evaluate_call
from offtarget.codescan.python.contents import MAX_ITEMS, bind, deeper, element, part
from offtarget.codescan.python.instances import field_of
from offtarget.codescan.python.names import member
from offtarget.codescan.python.operators import (
    bin_op,
    bool_op,
    compare,
    if_exp,
    settle,
    unary_op,
)
from offtarget.codescan.python.sources import (
    HANDLER_FIELDS,
    LOCAL_NAMES,
    REQUEST_FIELDS,
    REQUEST_KINDS,
)
from offtarget.codescan.python.values import (
    CLEAN,
    CLEAN_HOLE,
    HOLE,
    MAX_SHAPE,
    UNKNOWN,
    Guard,
    Level,
    Safe,
    Taint,
    Value,
    all_taints,
    constant,
    hole,
    is_fixed,
    merge_taints,
    parts_of,
    with_safe,
)
from offtarget.codescan.python.walk import Assigned, FunctionInfo, Walk, source

_MODES: Final = {
    name: getattr(stat, name) for name in dir(stat) if name.startswith(("S_IR", "S_IW", "S_IX"))
}
_CHARACTERS: Final = frozenset(
    {"ascii_letters", "ascii_lowercase", "ascii_uppercase", "digits", "hexdigits", "octdigits"}
)


def _constant(walk: Walk, node: Any) -> Value:
    text = node.value
    value = constant(text)
    if type(text) is str and len(text) > 8:
        for check in walk.checks.texts:
            check(walk, node, value)
    return value


def _name(walk: Walk, node: Any) -> Value:
    return walk.lookup(node.id)


def _attribute(walk: Walk, node: Any) -> Value:
    owner = walk.evaluate(node.value)
    name = node.attr
    kind = owner.kind
    if type(node.value) is ast.Name:
        local = walk.env.get(f"{node.value.id}.{name}")
        if local is not None:
            return local
        if kind == "self" and walk.owner is not None:
            return _field(walk, node)
    if owner.ref is not None:
        field = field_of(walk, owner, name, node)
        if field is not None:
            return field
    if kind is not None:
        if kind in REQUEST_KINDS and name in REQUEST_FIELDS:
            found = source(node, Level.REMOTE, f"request.{name}", "the request")
            found.kind = member(kind, name)
            return found
        dotted = member(kind, name)
        if dotted in LOCAL_NAMES:
            found = source(node, LOCAL_NAMES[dotted], dotted, _word(dotted))
            found.kind = dotted
            return found
        if kind == "stat" and name in _MODES:
            return constant(_MODES[name])
        if kind == "string" and name in _CHARACTERS:
            return constant(getattr(string, name))
        if name in ("name", "stem") and (kind == "resolved" or kind.startswith("pathlib.Path")):
            return with_safe(owner, Safe.PATH)
        kind = dotted
    if not owner.taints:
        if owner.clean and kind is None:
            return CLEAN
        return Value(kind=kind) if kind else UNKNOWN
    return Value(kind=kind, taints=deeper(owner, name))


def _word(dotted: str) -> str:
    return "the command line" if dotted == "sys.argv" else dotted


def _field(walk: Walk, node: Any) -> Value:
    """Return a field of `self`, which other methods may have assigned."""
    owner = walk.owner
    assert owner is not None
    name = node.attr
    if name in owner.methods:
        return Value(ref=owner.methods[name])
    if name in owner.fields:
        return owner.fields[name]
    if name in HANDLER_FIELDS and any("RequestHandler" in base for base in owner.bases):
        return source(node, Level.REMOTE, f"request.{name}", "the request")
    return Value(kind=f"self.{name}")


def _subscript(walk: Walk, node: Any) -> Value:
    owner = walk.evaluate(node.value)
    if type(node.slice) is ast.Slice:
        bounds = [
            walk.evaluate(bound) if bound is not None else None
            for bound in (node.slice.lower, node.slice.upper, node.slice.step)
        ]
        if isinstance(owner.const, str) and all(b is None or _is_int(b) for b in bounds):
            ends = [None if b is None else b.const for b in bounds]
            if ends[2] != 0:
                return constant(owner.const[slice(*ends)])
        if is_fixed(owner) and owner.items is None:
            return CLEAN
        if owner.items is not None and not owner.taints:
            return _cut(owner, bounds)
        return Value(taints=parts_of(all_taints(owner)))
    key = walk.evaluate(node.slice)
    if type(node.value) is ast.Name and isinstance(key.const, str):
        local = walk.env.get(f"{node.value.id}.{key.const}")
        if local is not None and owner.kind in ("flask.session",):
            return local
    return part(owner, key)


def _cut(owner: Value, bounds: list[Value | None]) -> Value:
    """Return a part of a list all of whose items are known."""
    items = owner.items or {}
    ends = [None if bound is None else bound.const for bound in bounds]
    if any(type(end) not in (int, type(None)) for end in ends) or "?" in items or ends[2] == 0:
        return Value(taints=all_taints(owner), clean=is_fixed(owner))
    return Value(items=dict(enumerate(list(items.values())[slice(*ends)])))


def _is_int(value: Value) -> bool:
    return isinstance(value.const, int)


def _joined_str(walk: Walk, node: Any) -> Value:
    shape = []
    taints: tuple[Taint, ...] = ()
    fixed = True
    for piece in node.values:
        if type(piece) is ast.Constant:
            shape.append(str(piece.value))
            continue
        value = walk.evaluate(piece.value)
        if piece.format_spec is not None:
            walk.evaluate(piece.format_spec)
        spec = piece.format_spec
        if spec is not None and _numeric_spec(spec):
            shape.append(CLEAN_HOLE)
            continue
        if value.items:
            taints = merge_taints(taints, all_taints(value))
            shape.append(CLEAN_HOLE if is_fixed(value) else HOLE)
        else:
            if value.taints:
                taints = merge_taints(taints, value.taints)
            shape.append(hole(value))
        fixed = fixed and type(value.const) is str and piece.conversion == -1
    text = "".join(shape)
    if len(text) > MAX_SHAPE:
        text = text[: MAX_SHAPE - 1] + HOLE
    result = Value(shape=text, taints=taints)
    if fixed and len(text) < MAX_SHAPE:
        result.const = text
    elif len(text) > 8:
        for check in walk.checks.texts:
            check(walk, node, result)
    return result


def _numeric_spec(spec: ast.JoinedStr) -> bool:
    parts = spec.values
    if len(parts) != 1 or not isinstance(parts[0], ast.Constant):
        return False
    return str(parts[0].value)[-1:] in ("d", "f", "e", "g", "x", "X", "b", "o", "%", "n")


def _sequence(walk: Walk, node: Any) -> Value:
    values: list[Value] = []
    rest: tuple[Taint, ...] = ()
    open_ended = False
    for one in node.elts:
        if type(one) is ast.Starred:
            spread = walk.evaluate(one.value)
            if spread.items is not None:
                values.extend(spread.items.values())
                continue
            open_ended = open_ended or not is_fixed(spread)
            rest = merge_taints(rest, all_taints(spread))
        else:
            values.append(walk.evaluate(one))
    if len(values) > MAX_ITEMS:
        return Value(clean=all(map(is_fixed, values)) and not open_ended, taints=rest)
    if open_ended:
        values.append(UNKNOWN)
    return Value(items=dict(enumerate(values)), taints=rest)


def _dict(walk: Walk, node: Any) -> Value:
    items: dict[Any, Value] = {}
    rest: tuple[Taint, ...] = ()
    for key, item in zip(node.keys, node.values, strict=True):
        if key is None:
            spread = walk.evaluate(item)
            if spread.items is not None and len(items) + len(spread.items) < MAX_ITEMS:
                items.update(spread.items)
                rest = merge_taints(rest, spread.taints)
            else:
                rest = merge_taints(rest, all_taints(spread))
            continue
        name = walk.evaluate(key)
        value = walk.evaluate(item)
        if isinstance(name.const, str):
            walk.checks.show_assigned(walk, Assigned(key, name.const, value, item))
        if isinstance(name.const, str | int) and len(items) < MAX_ITEMS:
            items[name.const] = value
        else:
            rest = merge_taints(rest, all_taints(value))
    return Value(items=items, taints=rest, kind="dict()")


def _comprehension(walk: Walk, node: Any) -> Value:
    saved = dict(walk.env)
    outside = walk.guard
    walk.loops += 1
    for generator in node.generators:
        bind(walk, generator.target, element(walk.evaluate(generator.iter)))
        for test in generator.ifs:
            condition = walk.evaluate(test)
            if isinstance(condition.ref, Guard):
                walk.prove(condition.ref.positive)
    if type(node) is ast.DictComp:
        walk.evaluate(node.key)
        result = walk.evaluate(node.value)
    else:
        result = walk.evaluate(node.elt)
    guard = result.ref if isinstance(result.ref, Guard) else None
    result = settle(walk, result)
    walk.loops -= 1
    walk.env = saved
    walk.guard = outside
    # every item looks alike, so that joining them keeps the text around the open part
    return Value(
        kind="comprehension",
        shape=None,
        items=None,
        taints=all_taints(result),
        clean=is_fixed(result),
        ref=result if result.shape is not None else guard,
    )


def _lambda(walk: Walk, node: Any) -> Value:
    if walk.fuel < 0:
        return UNKNOWN
    saved = dict(walk.env)
    for argument in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]:
        walk.env[argument.arg] = Value(
            kind="web.request" if argument.arg in ("request", "req") else None
        )
    walk.evaluate(node.body)
    walk.env = saved
    body = ast.copy_location(ast.Return(node.body), node)
    function = ast.FunctionDef("lambda", node.args, [body], [])
    return Value(ref=FunctionInfo(function, (walk.env, *walk.outer), None))


def _named_expr(walk: Walk, node: Any) -> Value:
    value = walk.evaluate(node.value)
    walk.env[node.target.id] = value
    walk.checks.show_assigned(walk, Assigned(node.target, node.target.id, value, node.value))
    return value


def _wrapped(walk: Walk, node: Any) -> Value:
    return walk.evaluate(node.value) if node.value is not None else UNKNOWN


def _yielded(walk: Walk, node: Any) -> Value:
    """Return nothing of what `send` hands in; what is yielded is what the function gives."""
    if node.value is not None:
        value = walk.evaluate(node.value)
        walk.returns.append(element(value) if type(node) is ast.YieldFrom else value)
    return UNKNOWN


EXPRESSIONS: Final[dict[type[ast.AST], Callable[[Walk, Any], Value]]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.JoinedStr: _joined_str,
    ast.BinOp: bin_op,
    ast.BoolOp: bool_op,
    ast.UnaryOp: unary_op,
    ast.Compare: compare,
    ast.IfExp: if_exp,
    ast.Call: evaluate_call,
    ast.List: _sequence,
    ast.Tuple: _sequence,
    ast.Set: _sequence,
    ast.Dict: _dict,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.DictComp: _comprehension,
    ast.Lambda: _lambda,
    ast.NamedExpr: _named_expr,
    ast.Await: _wrapped,
    ast.Yield: _yielded,
    ast.YieldFrom: _yielded,
    ast.Starred: _wrapped,
}
