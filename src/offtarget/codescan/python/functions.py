"""Walk the functions of a snippet: parameters as sources, summaries, calls from the same file."""

import ast
from typing import Final

from offtarget.codescan.python.guards import roots_of, shared
from offtarget.codescan.python.sources import (
    REQUEST,
    annotation_word,
    is_command,
    is_numeric,
    is_plain_object,
    is_route,
    numeric_parameters,
)
from offtarget.codescan.python.values import (
    CLEAN,
    CLEAN_HOLE,
    HOLE,
    PART,
    UNKNOWN,
    Guard,
    Level,
    Safe,
    Taint,
    Value,
    all_taints,
    constant,
    is_fixed,
    join,
    merge_taints,
)
from offtarget.codescan.python.walk import Call, Environment, FunctionInfo, Walk, source

_MAX_DEPTH: Final = 3
_MAX_ON_DEMAND: Final = 12
_REQUESTS: Final = frozenset({"request", "req"})
_HANDLERS: Final = frozenset({"get", "post", "put", "delete", "patch", "prepare"})
_EVENT: Final = frozenset({"lambda_handler", "handler"})


def walk_function(walk: Walk, info: FunctionInfo) -> None:
    """Walk a function on its own, its parameters being what anybody may pass."""
    if info.result is not None or info.walking:
        return
    env = _parameters(info)
    info.result = _body(walk, info, env, is_route=_is_handler(info))


def call_local(walk: Walk, call: Call, info: FunctionInfo, *, bound: bool = False) -> Value:
    """Return what a function of the snippet returns for these arguments.

    Where an argument is worse than a mere parameter and a sink waits inside, the function is
    walked again with it, so that the flaw is found with its whole trace.
    """
    if walk.depth < _MAX_ON_DEMAND and walk.fuel >= 0:
        walk_function(walk, info)
    arguments = bound_arguments(call, info, bound=bound)
    if info.has_sinks and walk.function is not None:
        # what reaches the callee's sink through a parameter reaches it through the caller's
        walk.function.has_sinks |= any(map(_has_parameter, arguments.values()))
    if info.has_sinks and not info.walking and walk.depth < _MAX_DEPTH:
        levels = tuple(
            max((taint.level for taint in all_taints(value)), default=Level(1))
            for value in arguments.values()
        )
        if max(levels, default=0) > Level.PARAMETER and levels not in info.inlined:
            info.inlined.add(levels)
            env = {**_parameters(info), **arguments}
            return _body(walk, info, env, is_route=False)
    if info.result is None:
        taints: tuple[Taint, ...] = ()
        for value in arguments.values():
            taints = merge_taints(taints, all_taints(value))
        return Value(taints=taints)
    made_from = getattr(call.receiver.ref, "arguments", None) if call.attr else None
    return instantiate(
        info.result, {**made_from, **arguments} if made_from else arguments, call.node
    )


def _body(walk: Walk, info: FunctionInfo, env: Environment, *, is_route: bool) -> Value:
    saved = (
        walk.env,
        walk.outer,
        walk.guard,
        walk.function,
        walk.owner,
        walk.is_route,
        walk.loops,
        walk.returns,
        walk.in_class,
        walk.escapes,
    )
    walk.env, walk.outer, walk.guard = env, info.outer, {}
    walk.function, walk.owner, walk.is_route = info, info.owner, is_route
    walk.loops, walk.returns, walk.in_class, walk.escapes = 0, [], False, []
    walk.depth += 1
    info.walking = True
    try:
        walk.run(info.node.body)
        result = _verdict(walk.returns) or UNKNOWN
        if result is UNKNOWN:
            for index, value in enumerate(walk.returns):
                result = value if index == 0 else join(result, value)
    finally:
        info.walking = False
        walk.depth -= 1
        (
            walk.env,
            walk.outer,
            walk.guard,
            walk.function,
            walk.owner,
            walk.is_route,
            walk.loops,
            walk.returns,
            walk.in_class,
            walk.escapes,
        ) = saved
    return result


def _verdict(returns: list[Value]) -> Value | None:
    """Return what a function that only answers yes or no proves of its parameters."""
    positive: list[dict[str, int]] = []
    negative: list[dict[str, int]] = []
    for value in returns:
        guard = value.ref if isinstance(value.ref, Guard) else None
        if guard is None and not isinstance(value.const, bool):
            return None
        if value.const is not False:
            positive.append(guard.positive if guard else {})
        if value.const is not True:
            negative.append(guard.negative if guard else {})
    if not any(positive) and not any(negative):
        return None
    return Value(clean=True, ref=Guard(shared(positive), shared(negative)))


def _first(path: str) -> str:
    """Return the parameter in the rest of a root: `item` of `item.name` and of `item~.0`."""
    return path.partition(".")[0].partition(PART)[0]


def _carried(guard: Guard, arguments: Environment) -> Guard:
    """Return what a check of the snippet proves of the arguments it is given."""
    positive: dict[str, int] = {}
    negative: dict[str, int] = {}
    for facts, found in ((guard.positive, positive), (guard.negative, negative)):
        for root, safe in facts.items():
            rest = root.partition(".")[2]
            name = _first(rest)
            value = arguments.get(name)
            for own in roots_of(value) if value is not None else ():
                part = own + rest[len(name) :]
                found[part] = found.get(part, 0) | safe
    return Guard(positive, negative)


def _is_handler(info: FunctionInfo) -> bool:
    if any(map(is_route, info.node.decorator_list)):
        return True
    if info.owner is not None and info.node.name in _HANDLERS:
        return any(
            "Handler" in base or "Resource" in base or "View" in base for base in info.owner.bases
        )
    return False


def _parameters(info: FunctionInfo) -> Environment:
    """Return what is known of the parameters where nobody knows the caller."""
    decorators = info.node.decorator_list
    route = _is_handler(info)
    numeric = numeric_parameters(decorators) if route else frozenset[str]()
    names = [argument.arg for argument in info.parameters]
    web = route or (names[:1] == ["request"]) or (names[:2] == ["self", "request"])
    level = Level.REMOTE if web else Level.PARAMETER
    if any(map(is_command, decorators)):
        level = Level.LOCAL
    if info.node.name in _EVENT and names[:2] == ["event", "context"]:
        level = Level.REMOTE
    if names[-2:] == ["environ", "start_response"]:
        level = Level.REMOTE
    what = "handler parameter" if web else "parameter"
    defaults = _defaults(info.node.args)
    env: Environment = {}
    for index, argument in enumerate(info.parameters):
        name = argument.arg
        if (
            index == 0 and name in ("self", "cls", "mcs") and info.owner is not None
        ) or name == "self":
            env[name] = Value(kind="self")
        elif name in _REQUESTS or annotation_word(argument.annotation) in (
            "Request",
            "HttpRequest",
        ):
            env[name] = Value(kind=REQUEST)
        elif name in numeric or is_numeric(argument.annotation):
            env[name] = CLEAN
        elif is_plain_object(argument.annotation, defaults.get(name)):
            env[name] = UNKNOWN
        else:
            text = f"{what} `{name}`"
            env[name] = source(argument, level, f"{info.node.name}.{name}", text)
    for extra in (info.node.args.vararg, info.node.args.kwarg):
        if extra is not None:
            text = f"{what} `{extra.arg}`"
            env[extra.arg] = source(extra, level, f"{info.node.name}.{extra.arg}", text)
    return env


def _defaults(arguments: ast.arguments) -> dict[str, ast.expr]:
    positional = [*arguments.posonlyargs, *arguments.args]
    found = {
        argument.arg: default
        for argument, default in zip(
            positional[len(positional) - len(arguments.defaults) :],
            arguments.defaults,
            strict=True,
        )
    }
    for argument, keyword in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if keyword is not None:
            found[argument.arg] = keyword
    return found


def bound_arguments(call: Call, info: FunctionInfo, *, bound: bool) -> Environment:
    """Return the arguments of a call under the names of the parameters, with fixed defaults."""
    names = [argument.arg for argument in info.parameters]
    if names and names[0] in ("self", "cls") and (call.attr or bound):
        names = names[1:]
    found = dict(zip(names, call.args, strict=False))
    for name, value in call.keywords.items():
        if name in names:
            found[name] = value
    if "**" not in call.keywords and not any(isinstance(a, ast.Starred) for a in call.node.args):
        for name, default in _defaults(info.node.args).items():
            if isinstance(default, ast.Constant):
                found.setdefault(name, constant(default.value))
    return found


def _has_parameter(value: Value) -> bool:
    return any(taint.level == Level.PARAMETER for taint in all_taints(value))


def instantiate(result: Value, arguments: Environment, node: ast.AST) -> Value:
    """Return a function's result with the arguments in the place of its parameters."""
    if isinstance(result.ref, Guard):
        return Value(clean=True, ref=_carried(result.ref, arguments))
    if not result.taints and not result.items:
        return result
    taints: tuple[Taint, ...] = ()
    fixed = True
    for taint in all_taints(result):
        _, _, rest = taint.root.partition(".")
        value = arguments.get(_first(rest))
        if taint.level != Level.PARAMETER or value is None:
            keep = taint.level != Level.PARAMETER
            taints = merge_taints(taints, (taint,)) if keep else taints
            fixed = False
            continue
        fixed = fixed and is_fixed(value) and not taint.safe & Safe.INDIRECT
        passed = tuple(
            Taint(t.level, t.root, (t.trail, node, "through a function"), t.safe | taint.safe)
            for t in all_taints(value)
        )
        taints = merge_taints(taints, passed)
    if fixed and not taints and result.taints:
        shape = result.shape.replace(HOLE, CLEAN_HOLE) if result.shape is not None else None
        return Value(clean=True, shape=shape)
    items = result.items if not taints else None
    return Value(kind=result.kind, shape=result.shape, taints=taints, items=items, ref=result.ref)
