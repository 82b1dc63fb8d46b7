"""Evaluate calls: what they return, what they clean, and what the rules say of them."""

import ast
from typing import Any

from offtarget.codescan.python.functions import call_local
from offtarget.codescan.python.guards import call_guard
from offtarget.codescan.python.instances import class_of, made_instance
from offtarget.codescan.python.names import member
from offtarget.codescan.python.results import function_result, made, method_result, taints_of
from offtarget.codescan.python.sanitizers import sanitized
from offtarget.codescan.python.sources import REQUEST_KINDS, WRAPPED
from offtarget.codescan.python.values import (
    HOLE,
    UNKNOWN,
    Safe,
    Taint,
    Value,
    all_taints,
    merge_taints,
)
from offtarget.codescan.python.walk import Call, ClassInfo, FunctionInfo, Walk


def evaluate_call(walk: Walk, node: Any) -> Value:
    """Return what a call is known to return, after the rules have seen it."""
    walk.fuel -= 1
    target = node.func
    receiver = UNKNOWN
    attr = name = ""
    if type(target) is ast.Attribute:
        attr = target.attr
        receiver = walk.evaluate(target.value)
        function = _method(walk, receiver, attr)
        if receiver.kind is not None:
            name = member(receiver.kind, attr)
    else:
        function = walk.evaluate(target)
        name = function.kind or ""
    args: list[Value] = []
    for argument in node.args:
        if type(argument) is ast.Starred:
            spread = walk.evaluate(argument.value)
            if spread.items is not None and not spread.taints:
                args.extend(spread.items.values())
            else:
                args.append(spread)
        else:
            args.append(walk.evaluate(argument))
    keywords: dict[str, Value] = {}
    for keyword in node.keywords:
        value = walk.evaluate(keyword.value)
        if keyword.arg is None and value.items is not None:
            keywords.update((k, v) for k, v in value.items.items() if isinstance(k, str))
        else:
            keywords[keyword.arg or "**"] = value
    call = Call(node, name, attr, receiver, function, args, keywords)
    _show(walk, call)
    return _result(walk, call)


def _method(walk: Walk, receiver: Value, attr: str) -> Value:
    info = class_of(receiver)
    if info is not None and attr in info.methods:
        return Value(ref=info.methods[attr])
    if receiver.kind == "self" and walk.owner is not None and attr in walk.owner.methods:
        return Value(ref=walk.owner.methods[attr])
    return UNKNOWN


def _show(walk: Walk, call: Call) -> None:
    """Let the rules that asked for such calls see it."""
    checks = walk.checks
    if call.name:
        for check in checks.calls.get(call.name, ()):
            check(walk, call)
    if call.attr:
        for check in checks.methods.get(call.attr, ()):
            check(walk, call)
    if call.keywords:
        for check in checks.keywords:
            check(walk, call)
    for value in (*call.args, *call.keywords.values()):
        if value.shape is not None and HOLE in value.shape:
            for check in checks.formatted:
                check(walk, call)
            break


def _result(walk: Walk, call: Call) -> Value:
    ref = call.function.ref
    if isinstance(ref, FunctionInfo):
        return call_local(walk, call, ref)
    if isinstance(ref, ClassInfo):
        return made_instance(walk, call, ref, _indirect(walk, call))
    if call.name == "getattr" and len(call.args) > 1 and isinstance(call.args[1].const, str):
        named = ast.Attribute(call.node.args[0], call.args[1].const, ast.Load())
        return walk.evaluate(ast.copy_location(named, call.node))
    guard = call_guard(walk, call)
    if guard is not None:
        is_match = call.name.startswith("re.")
        taints = taints_of([call.receiver, *call.args]) if is_match else ()
        return Value(clean=not is_match, ref=guard, kind=made(call), taints=taints)
    if call.attr:
        found = method_result(walk, call)
        if found is not None:
            return found
    if call.name:
        found = function_result(call)
        if found is not None:
            return found
    cleaned = sanitized(call)
    if cleaned is not None:
        return cleaned
    if call.args and call.args[0].kind in REQUEST_KINDS:
        return Value(kind=WRAPPED, taints=_indirect(walk, call))
    return Value(kind=made(call), taints=_indirect(walk, call))


def _indirect(walk: Walk, call: Call) -> tuple[Taint, ...]:
    """Return the taints that may come out of a call that is not known."""
    taints = call.receiver.taints
    for value in call.args:
        if value.taints or value.items:
            taints = merge_taints(taints, all_taints(value))
    for value in call.keywords.values():
        if value.taints or value.items:
            taints = merge_taints(taints, all_taints(value))
    if not taints:
        return ()
    word = call.attr or call.name.rpartition(".")[2] or "a call"
    return tuple(
        Taint(t.level, t.root, (t.trail, call.node, f"through `{word}`"), t.safe | Safe.INDIRECT)
        for t in taints
    )
