"""Branches and loops: interpret what may run, and join what is known where the ways meet."""

import ast
from collections.abc import Callable
from typing import Any, Final

from offtarget.codescan.python.contents import bind, element
from offtarget.codescan.python.guards import proved_by
from offtarget.codescan.python.operators import settled, truth
from offtarget.codescan.python.values import Guard, Value, all_taints, join
from offtarget.codescan.python.walk import Environment, Walk, step

_MAX_NESTED_LOOPS: Final = 2


_NOTHING: Final[dict[str, int]] = {}


def _meet(
    left: Environment,
    right: Environment,
    left_guard: dict[str, int] = _NOTHING,
    right_guard: dict[str, int] = _NOTHING,
) -> Environment:
    """Return the variables where two branches meet, with what either branch proved of them."""
    if left is right:
        return left
    merged = dict(left)
    for name, value in right.items():
        old = merged.get(name)
        if old is None:
            merged[name] = value
        elif old is not value:
            merged[name] = join(settled(old, left_guard), settled(value, right_guard))
    return merged


def _common(left: dict[str, int], right: dict[str, int]) -> dict[str, int]:
    if left is right or not left:
        return left
    return {root: safe & right[root] for root, safe in left.items() if root in right}


def branch(walk: Walk, node: Any) -> bool:
    """Interpret both branches, unless the condition is known, and join them."""
    walk.used_outer = False
    test = walk.evaluate(node.test)
    known = truth(walk, test)
    if known is not None:
        return walk.run(node.body if known else node.orelse)
    guard = proved_by(test)
    before, proved = walk.env, walk.guard
    walk.env = dict(before)
    if guard is not None:
        walk.prove(guard.positive)
    yes = walk.run(node.body)
    after_yes, guard_yes = walk.env, walk.guard
    walk.env, walk.guard = before, proved
    if guard is not None:
        walk.prove(guard.negative)
    no = walk.run(node.orelse) if node.orelse else True
    if yes and no:
        walk.env = _meet(walk.env, after_yes, walk.guard, guard_yes)
        walk.guard = _common(walk.guard, guard_yes)
    elif yes:
        walk.env, walk.guard = after_yes, guard_yes
    return yes or no


def _loop_body(walk: Walk, node: Any, prepare: Callable[[], None]) -> None:
    """Interpret a loop's body until nothing new can come in, at most twice."""
    proved, outer_escapes = walk.guard, walk.escapes
    walk.loops += 1
    for _ in range(2 if walk.loops <= _MAX_NESTED_LOOPS else 1):
        before = walk.env
        walk.env, walk.escapes = dict(before), []
        prepare()
        walk.run(node.body)
        after = walk.env
        for escape in walk.escapes:
            after = _meet(after, escape)
        walk.env = _meet(before, after)
        walk.guard = proved
        if not _news(before, after):
            break
    walk.loops -= 1
    walk.escapes = outer_escapes
    if node.orelse:
        walk.run(node.orelse)


def _news(before: Environment, after: Environment) -> bool:
    """Return whether a variable from before the loop has become tainted or open in it."""
    for name, old in before.items():
        new = after.get(name)
        if new is not None and new is not old:
            if len(new.taints) > len(old.taints) or (new.items or ()) != (old.items or ()):
                return True
            if old.shape is not None and new.shape != old.shape:
                return True
    return False


def loop_over(walk: Walk, node: Any) -> bool:
    """Interpret a loop's body for what one item may be."""
    items = walk.evaluate(node.iter)
    one = element(items)
    if one.taints:
        one = step(one, node.target, "each item")
    _loop_body(walk, node, lambda: bind(walk, node.target, one))
    return True


def loop_while(walk: Walk, node: Any) -> bool:
    """Interpret a loop's body while its condition may hold."""
    walk.used_outer = False
    if truth(walk, walk.evaluate(node.test)) is False:
        return walk.run(node.orelse) if node.orelse else True

    def prepare() -> None:
        test = walk.evaluate(node.test)
        if isinstance(test.ref, Guard):
            walk.prove(test.ref.positive)

    _loop_body(walk, node, prepare)
    return True


def attempt(walk: Walk, node: Any) -> bool:
    """Interpret the body, and each handler from anywhere in it."""
    before, proved = walk.env, walk.guard
    walk.env = dict(before)
    goes_on = walk.run(node.body)
    if goes_on and node.orelse:
        goes_on = walk.run(node.orelse)
    ended, ended_guard = walk.env, walk.guard
    result, result_guard = (ended, ended_guard) if goes_on else (None, None)
    for handler in node.handlers:
        walk.env = _meet(before, ended) if before is not ended else dict(before)
        walk.guard = proved
        if handler.name:
            walk.env[handler.name] = Value(kind="exception")
        if walk.run(handler.body):
            result = walk.env if result is None else _meet(result, walk.env)
            guard = walk.guard
            result_guard = guard if result_guard is None else _common(result_guard, guard)
    walk.env = result if result is not None else ended
    walk.guard = result_guard if result_guard is not None else proved
    if node.finalbody and not walk.run(node.finalbody):
        return False
    return result is not None


def match(walk: Walk, node: Any) -> bool:
    """Interpret the cases that the subject may fit."""
    subject = walk.evaluate(node.subject)
    known = subject.const if isinstance(subject.const, str | int) and not walk.loops else None
    before, proved = walk.env, walk.guard
    result: Environment | None = None
    covered = False
    for case in node.cases:
        fits = _fits(case, known)
        if fits is False:
            continue
        walk.env, walk.guard = dict(before), proved
        _capture(walk, case.pattern, subject)
        if walk.run(case.body):
            result = walk.env if result is None else _meet(result, walk.env)
        covered = covered or _is_wildcard(case)
        if fits:
            covered = True
            break
    if not covered:
        result = before if result is None else _meet(before, result)
    walk.guard = proved
    if result is not None:
        walk.env = result
    return result is not None


def _is_wildcard(case: ast.match_case) -> bool:
    pattern = case.pattern
    return case.guard is None and isinstance(pattern, ast.MatchAs) and pattern.pattern is None


def _fits(case: ast.match_case, known: object) -> bool | None:
    """Return whether a case is taken for a known subject; None where it may be."""
    if known is None:
        return None
    if _is_wildcard(case):
        return True
    pattern = case.pattern
    options = pattern.patterns if isinstance(pattern, ast.MatchOr) else [pattern]
    for option in options:
        if not isinstance(option, ast.MatchValue) or not isinstance(option.value, ast.Constant):
            return None
        if option.value.value == known:
            return True if case.guard is None else None
    return False


def _capture(walk: Walk, pattern: ast.pattern, subject: Value) -> None:
    for inner in ast.walk(pattern):
        if isinstance(inner, ast.MatchAs | ast.MatchStar) and inner.name:
            walk.env[inner.name] = Value(taints=all_taints(subject))
