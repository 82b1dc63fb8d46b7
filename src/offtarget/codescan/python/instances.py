"""Objects of the snippet's own classes: what they were made from, and what their fields hold."""

import ast
from typing import Final

from offtarget.codescan.python.functions import (
    bound_arguments,
    call_local,
    instantiate,
    walk_function,
)
from offtarget.codescan.python.values import CLEAN, UNKNOWN, Taint, Value, constant
from offtarget.codescan.python.walk import Call, ClassInfo, Environment, FunctionInfo, Walk

_PROPERTIES: Final = frozenset({"property", "cached_property"})


class Instance:
    """An object of a class of the snippet, and what its constructor was given."""

    __slots__ = ("arguments", "info")

    def __init__(self, info: ClassInfo, arguments: Environment) -> None:
        self.info = info
        self.arguments = arguments
        """By the names of the constructor's parameters; of a data class by its fields."""


def made_instance(walk: Walk, call: Call, info: ClassInfo, taints: tuple[Taint, ...]) -> Value:
    """Return the object that a call of a class makes, after its constructor was walked."""
    if any("Enum" in base for base in info.bases):
        return CLEAN  # one of its members, or an exception
    init = info.methods.get("__init__")
    if init is not None:
        call_local(walk, call, init, bound=True)
        arguments = bound_arguments(call, init, bound=True)
    else:
        arguments = _fields(info, call)
    return Value(ref=Instance(info, arguments), taints=taints)


def _fields(info: ClassInfo, call: Call) -> Environment:
    """Return the fields of a data class or named tuple as a call sets them."""
    found: Environment = {}
    names = []
    for statement in info.node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            names.append(statement.target.id)
            if isinstance(statement.value, ast.Constant):
                found[names[-1]] = constant(statement.value.value)
    found.update(zip(names, call.args, strict=False))
    found.update((name, value) for name, value in call.keywords.items() if name in names)
    return found


def class_of(value: Value) -> ClassInfo | None:
    """Return the class of the snippet that a value is, or is an object of."""
    ref = value.ref
    if isinstance(ref, Instance):
        return ref.info
    return ref if isinstance(ref, ClassInfo) else None


def field_of(walk: Walk, owner: Value, name: str, node: ast.AST) -> Value | None:
    """Return a field or method of an object of the snippet; None if it is not known."""
    info = class_of(owner)
    if info is None:
        return None
    arguments = owner.ref.arguments if isinstance(owner.ref, Instance) else {}
    method = info.methods.get(name)
    if method is not None:
        return _read(walk, method, arguments, node)
    if name in info.fields:
        return instantiate(info.fields[name], arguments, node)
    return arguments.get(name) if "__init__" not in info.methods else None


def _read(walk: Walk, method: FunctionInfo, arguments: Environment, node: ast.AST) -> Value:
    """Return the method itself, or what it returns where it is a property."""
    for decorator in method.node.decorator_list:
        name = decorator.id if isinstance(decorator, ast.Name) else getattr(decorator, "attr", "")
        if name in _PROPERTIES:
            walk_function(walk, method)
            return instantiate(method.result or UNKNOWN, arguments, node)
    return Value(ref=method)
