"""Statements on one line: assignments, imports, and the rest that has no body."""

import ast
from collections.abc import Callable

from ast_grep_py import SgNode

from offtarget.codescan.concrete.expressions import OPERATORS, name_of
from offtarget.codescan.concrete.tree import Tree, parts, stored, tokens

ToStatement = Callable[[Tree, SgNode], ast.stmt]


def as_statement(tree: Tree, made: ast.expr, node: SgNode) -> ast.stmt:
    """Return an expression that stands alone."""
    return tree.placed(ast.Expr(made), node)


def _expression(tree: Tree, node: SgNode) -> ast.stmt:
    inside = parts(node)
    if len(inside) == 1 and "," not in tokens(node):
        kind = inside[0].kind()
        if kind == "assignment":
            return assignment(tree, inside[0])
        if kind == "augmented_assignment":
            return _augmented(tree, inside[0])
        return as_statement(tree, tree.expression(inside[0], node), node)
    made = tree.placed(ast.Tuple(tree.all_of(node), ast.Load()), node)
    return as_statement(tree, made, node)


def assignment(tree: Tree, node: SgNode) -> ast.stmt:
    """Return `a = b = value` or `a: type = value`."""
    outer = node
    hint = node.field("type")
    if hint is not None:
        left, right = node.field("left"), node.field("right")
        target = stored(tree.expression(left, node), ast.Store())
        assert isinstance(target, ast.Name | ast.Attribute | ast.Subscript | ast.expr)
        simple = int(left is not None and left.kind() == "identifier")
        value = tree.expression(right, node) if right is not None else None
        annotation = tree.expression(hint, node)
        return tree.placed(_annotated(target, annotation, value, simple), node)
    targets: list[ast.expr] = []
    while True:
        targets.append(stored(tree.field(node, "left"), ast.Store()))
        right = node.field("right")
        if right is None or right.kind() != "assignment":
            break
        node = right
    return tree.placed(ast.Assign(targets, tree.expression(right, node)), outer)


def _annotated(
    target: ast.expr, annotation: ast.expr, value: ast.expr | None, simple: int
) -> ast.stmt:
    if isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
        return ast.AnnAssign(target, annotation, value, simple)
    return ast.Assign([target], value or annotation)


def _augmented(tree: Tree, node: SgNode) -> ast.stmt:
    target = stored(tree.field(node, "left"), ast.Store())
    sign = node.field("operator")
    operator = OPERATORS.get(sign.text()[:-1] if sign is not None else "", ast.Add)()
    value = tree.field(node, "right")
    if isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
        return tree.placed(ast.AugAssign(target, operator, value), node)
    return tree.placed(ast.Assign([target], value), node)


def _print(tree: Tree, node: SgNode) -> ast.stmt:
    """Return Python 2's `print` as a call."""
    keywords: list[ast.keyword] = []
    arguments: list[ast.expr] = []
    for part in parts(node):
        if part.kind() == "chevron":
            keywords.append(tree.placed(ast.keyword("file", tree.only(part)), part))
        else:
            arguments.append(tree.expression(part, node))
    return _called(tree, "print", arguments, keywords, node)


def _exec(tree: Tree, node: SgNode) -> ast.stmt:
    """Return Python 2's `exec` as a call."""
    return _called(tree, "exec", tree.all_of(node), [], node)


def _called(
    tree: Tree, name: str, arguments: list[ast.expr], keywords: list[ast.keyword], node: SgNode
) -> ast.stmt:
    word = next(iter(node.children()), node)
    function = tree.placed(ast.Name(name, ast.Load()), word)
    made = tree.placed(ast.Call(function, arguments, keywords), node)
    return as_statement(tree, made, node)


def _return(tree: Tree, node: SgNode) -> ast.stmt:
    return tree.placed(ast.Return(tree.only(node) if parts(node) else None), node)


def _delete(tree: Tree, node: SgNode) -> ast.stmt:
    inside = parts(node)
    if len(inside) == 1 and inside[0].kind() == "expression_list":
        inside = parts(inside[0])
    targets = [stored(tree.expression(part, node), ast.Del()) for part in inside]
    return tree.placed(ast.Delete(targets), node)


def _raise(tree: Tree, node: SgNode) -> ast.stmt:
    inside = parts(node)
    cause = node.field("cause")
    made = ast.Raise(tree.only(node) if inside and "raise" in tokens(node) else None, None)
    if cause is not None:
        made.cause = tree.expression(cause, node)
        if len(inside) == 1:
            made.exc = None
    elif inside and inside[0].kind() == "expression_list":
        old = [tree.expression(part, node) for part in parts(inside[0])]
        made.exc = tree.placed(ast.Call(old[0], old[1:2], []), inside[0])
    return tree.placed(made, node)


def _assert(tree: Tree, node: SgNode) -> ast.stmt:
    found = tree.all_of(node) or [tree.unreadable(node)]
    return tree.placed(ast.Assert(found[0], found[1] if len(found) > 1 else None), node)


def _global(tree: Tree, node: SgNode) -> ast.stmt:
    names = [name_of(part) for part in parts(node)]
    made = ast.Global(names) if node.kind() == "global_statement" else ast.Nonlocal(names)
    return tree.placed(made, node)


def _word(tree: Tree, node: SgNode) -> ast.stmt:
    kinds = {"pass_statement": ast.Pass, "break_statement": ast.Break}
    return tree.placed(kinds.get(node.kind(), ast.Continue)(), node)


def _import(tree: Tree, node: SgNode) -> ast.stmt:
    return tree.placed(ast.Import([_alias(tree, part) for part in parts(node)]), node)


def _import_from(tree: Tree, node: SgNode) -> ast.stmt:
    if node.kind() == "future_import_statement":
        names = [_alias(tree, part) for part in parts(node)]
        return tree.placed(ast.ImportFrom("__future__", names, 0), node)
    inside = parts(node)
    module: str | None = None
    level = 0
    if inside and inside[0].kind() == "relative_import":
        prefix = parts(inside[0])
        level = prefix[0].text().count(".") if prefix else 1
        module = _dotted_text(prefix[1]) if len(prefix) > 1 else None
    elif inside:
        module = _dotted_text(inside[0])
    names = [_alias(tree, part) for part in inside[1:]]
    return tree.placed(ast.ImportFrom(module, names, level), node)


def _alias(tree: Tree, node: SgNode) -> ast.alias:
    if node.kind() == "wildcard_import":
        return tree.placed(ast.alias("*"), node)
    if node.kind() == "aliased_import":
        name = _dotted_text(node.field("name") or node)
        return tree.placed(ast.alias(name, name_of(node.field("alias"))), node)
    return tree.placed(ast.alias(_dotted_text(node)), node)


def _dotted_text(node: SgNode) -> str:
    return ".".join(name_of(part) for part in parts(node)) or name_of(node)


def _type_alias(tree: Tree, node: SgNode) -> ast.stmt:
    """Return `type X = ...` as an assignment, whatever the interpreter's version."""
    found = tree.all_of(node)
    target = found[0] if found else tree.unreadable(node)
    if found and tree.text.startswith("(", parts(node)[0].range().start.index):
        target = _called_type(tree, node, target)
    if isinstance(target, ast.Subscript):
        target = target.value
    value = found[-1] if found else tree.unreadable(node)
    return tree.placed(ast.Assign([stored(target, ast.Store())], value), node)


def _called_type(tree: Tree, node: SgNode, target: ast.expr) -> ast.expr:
    """Return `type(x).y`, which the grammar takes for the keyword and a name, as it is meant."""
    links: list[SgNode] = []
    inner: SgNode | None = parts(node)[0]
    while inner is not None and inner.kind() != "parenthesized_expression":
        links.append(inner)
        inner = next(iter(parts(inner)), None)
    if inner is None:
        return target
    word = node.children()[0]
    function = tree.placed(ast.Name("type", ast.Load()), word)
    made: ast.expr = tree.placed(
        ast.Call(function, [tree.expression(inner, node)], []), word, inner
    )
    for link in reversed(links):
        name = link.field("attribute")
        if name is not None:
            made = tree.placed(ast.Attribute(made, name_of(name), ast.Load()), word, link)
        elif link.kind() == "subscript":
            key = tree.field(link, "subscript")
            made = tree.placed(ast.Subscript(made, key, ast.Load()), word, link)
    return made


SIMPLE: dict[str, ToStatement] = {
    "expression_statement": _expression,
    "print_statement": _print,
    "exec_statement": _exec,
    "return_statement": _return,
    "delete_statement": _delete,
    "raise_statement": _raise,
    "assert_statement": _assert,
    "global_statement": _global,
    "nonlocal_statement": _global,
    "pass_statement": _word,
    "break_statement": _word,
    "continue_statement": _word,
    "import_statement": _import,
    "import_from_statement": _import_from,
    "future_import_statement": _import_from,
    "type_alias_statement": _type_alias,
}
"""How a node of each kind without a body becomes a statement."""
