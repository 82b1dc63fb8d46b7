"""Statements with a body, and the lists of statements that bodies are."""

import ast
from collections.abc import Sequence

from ast_grep_py import SgNode

from offtarget.codescan.concrete.expressions import arguments_of, name_of
from offtarget.codescan.concrete.parameters import parameters_of
from offtarget.codescan.concrete.patterns import sequence_of
from offtarget.codescan.concrete.salvage import lost_in
from offtarget.codescan.concrete.statements import SIMPLE, ToStatement, as_statement, assignment
from offtarget.codescan.concrete.tree import Tree, parts, stored, tokens


def statements_of(tree: Tree, node: SgNode) -> list[ast.stmt]:
    """Return the statements in a module or block, with what can be saved of broken ones."""
    made: list[ast.stmt] = []
    for child in node.children():
        kind = child.kind()
        if kind == "ERROR":
            made.extend(_saved(tree, child))
        elif kind in STATEMENTS:
            made.append(STATEMENTS[kind](tree, child))
            if tree.n_lost:
                for lost in lost_in(child):
                    made.extend(_saved(tree, lost))
    return made


def _saved(tree: Tree, error: SgNode) -> list[ast.stmt]:
    """Return the statements and expressions that stand whole inside a broken stretch."""
    if tree.is_too_deep(error):
        return []
    tree.depth += 1
    made: list[ast.stmt] = []
    for child in parts(error):
        kind = child.kind()
        if kind in STATEMENTS:
            made.append(STATEMENTS[kind](tree, child))
        elif kind == "assignment":
            made.append(assignment(tree, child))
        elif kind == "block":
            made.extend(statements_of(tree, child))
        elif kind not in ("identifier", "type") and tree.reads(child):
            made.append(as_statement(tree, tree.expression(child, error), child))
            for lost in lost_in(child):
                made.extend(_saved(tree, lost))
        elif not tree.reads(child):
            made.extend(_saved(tree, child))
    tree.depth -= 1
    return made


def _suite(tree: Tree, node: SgNode | None, parent: SgNode) -> list[ast.stmt]:
    """Return the body in a block; a missing one is `pass`."""
    made: list[ast.stmt] = []
    if node is not None and not tree.is_too_deep(node):
        tree.depth += 1
        made = statements_of(tree, node)
        tree.depth -= 1
    return made or [tree.placed(ast.Pass(), node or parent)]


def _block_of(node: SgNode) -> SgNode | None:
    return next((child for child in node.children() if child.kind() == "block"), None)


def _else_of(tree: Tree, node: SgNode) -> list[ast.stmt]:
    for child in node.children():
        if child.kind() == "else_clause":
            return _suite(tree, _block_of(child), child)
    return []


def _ended(made: ast.stmt, *bodies: Sequence[ast.stmt | ast.excepthandler]) -> ast.stmt:
    """Return the statement, ended where its last body ends."""
    last = next((body[-1] for body in reversed(bodies) if body), None)
    if last is not None and last.end_lineno is not None and last.end_col_offset is not None:
        made.end_lineno = last.end_lineno
        made.end_col_offset = last.end_col_offset
    return made


def _if(tree: Tree, node: SgNode) -> ast.stmt:
    orelse = _else_of(tree, node)
    clauses = [child for child in node.children() if child.kind() == "elif_clause"]
    for clause in reversed(clauses):
        body = _suite(tree, _block_of(clause), clause)
        inner = tree.placed(ast.If(tree.field(clause, "condition"), body, orelse), clause)
        orelse = [_ended(inner, body, orelse)]
    body = _suite(tree, _block_of(node), node)
    made = tree.placed(ast.If(tree.field(node, "condition"), body, orelse), node)
    return _ended(made, body, orelse)


def _while(tree: Tree, node: SgNode) -> ast.stmt:
    body, orelse = _suite(tree, _block_of(node), node), _else_of(tree, node)
    made = tree.placed(ast.While(tree.field(node, "condition"), body, orelse), node)
    return _ended(made, body, orelse)


def _for(tree: Tree, node: SgNode) -> ast.stmt:
    kind = ast.AsyncFor if "async" in tokens(node) else ast.For
    target = stored(tree.field(node, "left"), ast.Store())
    body, orelse = _suite(tree, _block_of(node), node), _else_of(tree, node)
    made = tree.placed(kind(target, tree.field(node, "right"), body, orelse), node)
    return _ended(made, body, orelse)


def _with(tree: Tree, node: SgNode) -> ast.stmt:
    kind = ast.AsyncWith if "async" in tokens(node) else ast.With
    items: list[ast.withitem] = []
    for clause in parts(node):
        if clause.kind() == "with_clause":
            items.extend(_item(tree, item) for item in parts(clause))
    body = _suite(tree, _block_of(node), node)
    items = items or [ast.withitem(tree.unreadable(node))]
    return _ended(tree.placed(kind(items, body), node), body)


def _item(tree: Tree, node: SgNode) -> ast.withitem:
    value = node.field("value") or node
    if value.kind() != "as_pattern":
        return ast.withitem(tree.expression(value, node))
    inside = parts(value)
    context = tree.expression(inside[0], node)
    return ast.withitem(context, stored(tree.expression(inside[-1], node), ast.Store()))


def _try(tree: Tree, node: SgNode) -> ast.stmt:
    handlers: list[ast.ExceptHandler] = []
    final: list[ast.stmt] = []
    is_group = False
    for child in node.children():
        if child.kind() in ("except_clause", "except_group_clause"):
            is_group = is_group or "*" in tokens(child) or "except*" in tokens(child)
            handlers.append(_handler(tree, child))
        elif child.kind() == "finally_clause":
            final = _suite(tree, _block_of(child), child)
    body, orelse = _suite(tree, _block_of(node), node), _else_of(tree, node)
    kind = ast.TryStar if is_group else ast.Try
    made = tree.placed(kind(body, handlers, orelse, final), node)
    return _ended(made, body, handlers, orelse, final)


def _handler(tree: Tree, node: SgNode) -> ast.ExceptHandler:
    """Return `except E as e`, or Python 2's `except E, e`."""
    inside = [part for part in parts(node) if part.kind() != "block"]
    body = _suite(tree, _block_of(node), node)
    caught: ast.expr | None = None
    name: str | None = None
    if inside and inside[0].kind() == "as_pattern":
        pair = parts(inside[0])
        caught, name = tree.expression(pair[0], node), name_of(pair[-1])
    elif inside:
        caught = tree.expression(inside[0], node)
        name = name_of(inside[1]) if len(inside) > 1 else None
    made = tree.placed(ast.ExceptHandler(caught, name, body), node)
    made.end_lineno, made.end_col_offset = body[-1].end_lineno, body[-1].end_col_offset
    return made


def _function(tree: Tree, node: SgNode) -> ast.stmt:
    kind = ast.AsyncFunctionDef if "async" in tokens(node) else ast.FunctionDef
    parameters = parameters_of(tree, node.field("parameters"))
    hint = node.field("return_type")
    returns = tree.expression(hint, node) if hint is not None else None
    body = _suite(tree, _block_of(node), node)
    made = kind(name_of(node.field("name")), parameters, body, [], returns)
    _no_type_parameters(made)
    return _ended(tree.placed(made, node), body)


def _class(tree: Tree, node: SgNode) -> ast.stmt:
    bases, keywords = arguments_of(tree, node.field("superclasses"))
    body = _suite(tree, _block_of(node), node)
    made = ast.ClassDef(name_of(node.field("name")), bases, keywords, body, [])
    _no_type_parameters(made)
    return _ended(tree.placed(made, node), body)


def _no_type_parameters(made: ast.stmt) -> None:
    """Give the field that interpreters from 3.12 on have its empty value."""
    if "type_params" in made._fields:
        made.type_params = []  # type: ignore[attr-defined]


def _decorated(tree: Tree, node: SgNode) -> ast.stmt:
    inside = parts(node)
    decorators = [tree.only(part) for part in inside if part.kind() == "decorator"]
    definition = node.field("definition")
    if definition is None or definition.kind() not in STATEMENTS:
        return as_statement(tree, decorators[0] if decorators else tree.unreadable(node), node)
    made = STATEMENTS[definition.kind()](tree, definition)
    if isinstance(made, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        made.decorator_list = decorators
    return made


def _match(tree: Tree, node: SgNode) -> ast.stmt:
    subjects = [part for part in node.field_children("subject") if part.is_named()]
    values = [tree.expression(part, node) for part in subjects]
    if len(values) == 1 and "," not in tokens(node):
        subject = values[0]
    elif values:
        made = ast.Tuple(values, ast.Load())
        subject = tree.placed(made, subjects[0], subjects[-1])
    else:
        subject = tree.unreadable(node)
    block = _block_of(node) or node
    cases = [_case(tree, child) for child in block.children() if child.kind() == "case_clause"]
    result = tree.placed(ast.Match(subject, cases), node)
    return _ended(result, cases[-1].body if cases else [])


def _case(tree: Tree, node: SgNode) -> ast.match_case:
    found = [part for part in parts(node) if part.kind() == "case_pattern"]
    guard = node.field("guard")
    body = _suite(tree, _block_of(node), node)
    condition = tree.only(guard) if guard is not None else None
    pattern = sequence_of(tree, node, found) if found else tree.placed(ast.MatchAs(), node)
    return ast.match_case(pattern, condition, body)


STATEMENTS: dict[str, ToStatement] = SIMPLE | {
    "if_statement": _if,
    "while_statement": _while,
    "for_statement": _for,
    "with_statement": _with,
    "try_statement": _try,
    "function_definition": _function,
    "class_definition": _class,
    "decorated_definition": _decorated,
    "match_statement": _match,
}
"""How a node of each kind becomes a statement."""
