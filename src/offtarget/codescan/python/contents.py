"""Contents of lists, tuples and dictionaries: reading items, binding targets, changing in place."""

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from offtarget.codescan.python.values import (
    CLEAN,
    CLEAN_HOLE,
    UNKNOWN,
    Taint,
    Value,
    all_taints,
    concat,
    constant,
    is_fixed,
    join,
    merge_taints,
)

if TYPE_CHECKING:
    from offtarget.codescan.python.walk import Call, Walk

MAX_ITEMS: Final = 60


def part(owner: Value, key: Value) -> Value:
    """Return the item of a container under a key; the field of a request under a name."""
    items = owner.items
    if items is not None and key.const is not None and isinstance(key.const, str | int):
        index = key.const
        if isinstance(index, int) and index < 0:
            index += len(items)
        found = items.get(index)
        if found is not None:
            return found
        if not owner.taints:
            return UNKNOWN
    if isinstance(owner.const, str) and isinstance(key.const, int):
        if -len(owner.const) <= key.const < len(owner.const):
            return constant(owner.const[key.const])
        return CLEAN
    if items is not None and not owner.taints:
        whole = UNKNOWN
        for item in items.values():
            whole = item if whole is UNKNOWN else join(whole, item)
        return whole
    kind = f"{owner.kind}[]" if owner.kind and len(owner.kind) < 60 else None
    if not owner.taints:
        if is_fixed(owner) and (owner.clean or owner.const is not None):
            return Value(clean=True, shape=CLEAN_HOLE)
        return Value(kind=kind) if kind else UNKNOWN
    known = isinstance(key.const, str | int)
    return Value(kind=kind, taints=deeper(owner, key.const) if known else owner.taints)


def deeper(owner: Value, key: object) -> tuple[Taint, ...]:
    """Return the taints of one part of a value; each part is a source of its own."""
    return tuple(
        Taint(taint.level, f"{taint.root}.{key}"[-120:], taint.trail, taint.safe)
        for taint in owner.taints
    )


def bind(walk: "Walk", target: ast.expr, value: Value) -> None:
    """Bind a loop's or comprehension's target."""
    if type(target) is ast.Name:
        walk.env[target.id] = value
    elif isinstance(target, ast.Tuple | ast.List):
        for index, inner in enumerate(target.elts):
            one = inner.value if isinstance(inner, ast.Starred) else inner
            bind(walk, one, part(value, constant(index)))


def element(value: Value) -> Value:
    """Return what one item of a value is known to be while it is iterated over."""
    if value.items is not None:
        is_dict = value.kind == "dict()"
        items = [constant(key) for key in value.items] if is_dict else list(value.items.values())
        whole = UNKNOWN
        for item in items[:MAX_ITEMS]:
            whole = item if whole is UNKNOWN else join(whole, item)
        if value.taints:
            whole = Value(taints=merge_taints(whole.taints, value.taints), items=whole.items)
        return whole
    if value.clean or value.is_const:
        return CLEAN
    return Value(taints=value.taints, kind=f"{value.kind}[]" if value.kind else None)


def change(walk: "Walk", call: "Call", value: Value) -> Value | None:
    """Return the receiver's new value after a method that changes it; None for other methods."""
    handler = _CHANGES.get(call.attr)
    if handler is None:
        return None
    if call.keywords and call.attr == "update":
        value = _extend(value, [Value(items=dict(call.keywords), kind="dict()")])
    return handler(value, call.args)


def popped(call: "Call") -> Value:
    """Return the item that `pop` or `popleft` takes out of a list."""
    values = list((call.receiver.items or {}).values())
    index = _taken(call.attr, call.args)
    if index is not None and -len(values) <= index < len(values):
        return values[index]
    return Value(taints=all_taints(call.receiver))


def _taken(method: str, args: list[Value]) -> int | None:
    if method == "popleft":
        return 0
    index = args[0].const if args else -1
    return index if isinstance(index, int) else None


def without(owner: Value, key: object) -> Value:
    """Return a list or dictionary after `del owner[key]`."""
    items = dict(owner.items or {})
    if owner.kind == "dict()" or not isinstance(key, int):
        items.pop(key, None)
        return Value(items=items, taints=owner.taints, kind=owner.kind)
    values = list(items.values())
    if -len(values) <= key < len(values):
        del values[key]
    return Value(items=dict(enumerate(values)), taints=owner.taints)


def store(owner: Value, key: Value, value: Value) -> Value:
    """Return the container with one item assigned."""
    if isinstance(key.const, str | int) and (owner.items is not None or owner.kind is None):
        items = dict(owner.items or {})
        if len(items) < MAX_ITEMS:
            items[key.const] = value
            return Value(items=items, taints=owner.taints, kind=owner.kind or "dict()")
    taints = merge_taints(owner.taints, all_taints(value))
    return Value(items=owner.items, taints=taints, kind=owner.kind)


def _append(owner: Value, args: list[Value]) -> Value:
    if len(args) != 1:
        return owner
    if owner.items is not None and len(owner.items) < MAX_ITEMS:
        items = dict(owner.items)
        items[len(items)] = args[0]
        return Value(items=items, taints=owner.taints, kind=owner.kind)
    return _spoil(owner, args)


def _write(owner: Value, args: list[Value]) -> Value:
    if owner.kind != "io.StringIO()" or len(args) != 1:
        return _spoil(owner, args)
    start = owner if owner.shape is not None else Value(shape="", taints=owner.taints)
    text = concat(start, args[0])
    return Value(shape=text.shape, taints=text.taints, kind=owner.kind)


def _insert(owner: Value, args: list[Value]) -> Value:
    index = args[0].const if len(args) == 2 else None
    if owner.items is not None and isinstance(index, int) and len(owner.items) < MAX_ITEMS:
        values = list(owner.items.values())
        values.insert(index, args[1])
        return Value(items=dict(enumerate(values)), taints=owner.taints)
    return _spoil(owner, args)


def _pop(owner: Value, args: list[Value]) -> Value:
    index = args[0].const if args else -1
    if not owner.items or owner.kind == "dict()" or not isinstance(index, int):
        return owner
    return without(owner, index)


def _popleft(owner: Value, args: list[Value]) -> Value:
    return without(owner, 0) if owner.items else owner


def _reverse(owner: Value, args: list[Value]) -> Value:
    if owner.items is None:
        return owner
    return Value(items=dict(enumerate(reversed(owner.items.values()))), taints=owner.taints)


def _remove(owner: Value, args: list[Value]) -> Value:
    """Take out the first item that is this constant; what is not known may not be it."""
    if not owner.items or len(args) != 1 or not args[0].is_const:
        return owner
    for index, item in enumerate(owner.items.values()):
        if not item.is_const:
            return owner
        if item.const == args[0].const:
            return without(owner, index)
    return owner


def _extend(owner: Value, args: list[Value]) -> Value:
    if not args:
        return owner
    if owner.items is not None and args[0].items is not None and not args[0].taints:
        if args[0].kind == "dict()":
            return Value(items={**owner.items, **args[0].items}, taints=owner.taints, kind="dict()")
        values = [*owner.items.values(), *args[0].items.values()]
        if len(values) <= MAX_ITEMS:
            return Value(items=dict(enumerate(values)), taints=owner.taints)
    return _spoil(owner, args)


def _spoil(owner: Value, args: list[Value]) -> Value:
    """Return the container with something of unknown place put into it."""
    taints = owner.taints
    fixed = owner.clean or owner.items is not None
    for argument in args:
        taints = merge_taints(taints, all_taints(argument))
        fixed = fixed and is_fixed(argument)
    if taints is owner.taints and fixed:
        return owner
    items = dict(owner.items) if owner.items is not None else None
    if items is not None and not fixed:
        items["?"] = UNKNOWN
    return Value(items=items, taints=taints, kind=owner.kind)


def _clear(owner: Value, args: list[Value]) -> Value:
    return Value(items={}, kind=owner.kind)


_CHANGES: Final[dict[str, Callable[[Value, list[Value]], Value]]] = {
    "append": _append,
    "appendleft": _spoil,
    "add": _append,
    "insert": _insert,
    "extend": _extend,
    "update": _extend,
    "pop": _pop,
    "popleft": _popleft,
    "reverse": _reverse,
    "remove": _remove,
    "clear": _clear,
    "write": _write,
    "put": _spoil,
    "push": _append,
    "setdefault": _spoil,
}
