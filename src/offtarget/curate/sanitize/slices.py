"""Which parts of a snippet a fix may touch: the flaw's statement and what feeds it."""

import ast

from offtarget.codescan.flaw import Flaw
from offtarget.curate.sanitize.source import Source

_MAX_DEPTH = 6


def slice_of(source: Source, flaw: Flaw) -> list[tuple[int, int]]:
    """Return the spans of the statement that holds a flaw, and of those that its names come from.

    Followed backwards inside one function (or the module's top level): assignments, `+=`,
    `append`-like calls, `with ... as` and `for` headers. Statements that use a name which the
    flaw's statement builds are in it too, since a statement and its parameters go together.
    """
    node = source.node_of(flaw)
    statement = source.statement(node) if node is not None else None
    if statement is None:
        return [(flaw.start, flaw.end)]
    chosen: dict[int, ast.stmt] = {id(statement): statement}
    names = _loaded(source, statement) | _stored(source, statement)
    scope = source.scope(statement)
    candidates = [inner for inner in source.inside(scope) if isinstance(inner, ast.stmt)]
    if scope is not source.tree:
        candidates += [inner for inner in source.tree.body if isinstance(inner, ast.Assign)]
    for _ in range(_MAX_DEPTH):
        fresh = [
            inner
            for inner in candidates
            if id(inner) not in chosen and (_stored(source, inner) | _grown(inner)) & names
        ]
        if not fresh:
            break
        for inner in fresh:
            chosen[id(inner)] = inner
            names |= _loaded(source, inner)
    built = _stored(source, statement)
    for inner in candidates:
        if built and _loaded(source, inner) & built:
            chosen[id(inner)] = inner
    return [source.header(inner) for inner in chosen.values()]


def _own(source: Source, statement: ast.stmt) -> list[ast.AST]:
    """Return the nodes of a statement without those of the blocks inside it."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return []
    found: list[ast.AST] = []
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        found.append(node)
        stack.extend(
            child
            for child in ast.iter_child_nodes(node)
            if not isinstance(child, ast.stmt | ast.ExceptHandler)
        )
    return found


def _loaded(source: Source, statement: ast.stmt) -> set[str]:
    return {
        node.id
        for node in _own(source, statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


def _stored(source: Source, statement: ast.stmt) -> set[str]:
    return {
        node.id
        for node in _own(source, statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def _grown(statement: ast.stmt) -> set[str]:
    """Return the name of a list that a statement adds to, or an object whose field it sets."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        target = statement.value.func
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            return {target.value.id}
    if isinstance(statement, ast.Assign):
        return {
            target.value.id
            for target in statement.targets
            if isinstance(target, ast.Attribute | ast.Subscript)
            and isinstance(target.value, ast.Name)
        }
    return set()
