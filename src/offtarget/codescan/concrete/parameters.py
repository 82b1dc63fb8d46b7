"""The parameters of functions and lambdas."""

import ast

from ast_grep_py import SgNode

from offtarget.codescan.concrete.expressions import name_of
from offtarget.codescan.concrete.tree import Expressions, Tree, parts

_SPLATS = frozenset(("list_splat_pattern", "dictionary_splat_pattern"))


def parameters_of(tree: Tree, node: SgNode | None) -> ast.arguments:
    """Return the parameters that a node lists; none where it is missing."""
    made = ast.arguments([], [], None, [], [], None, [])
    by_keyword = False
    for part in parts(node) if node is not None else ():
        kind = part.kind()
        if kind == "positional_separator":
            made.posonlyargs, made.args = made.args, []
            continue
        if kind == "keyword_separator":
            by_keyword = True
            continue
        splat = _splat(part)
        argument = _argument(tree, part, splat)
        if splat == "list_splat_pattern":
            made.vararg = argument
            by_keyword = True
        elif splat:
            made.kwarg = argument
        else:
            default = part.field("value")
            value = tree.expression(default, part) if default is not None else None
            if by_keyword:
                made.kwonlyargs.append(argument)
                made.kw_defaults.append(value)
            else:
                made.args.append(argument)
                made.defaults.extend([value] if value is not None else [])
    return made


def _splat(part: SgNode) -> str:
    """Return the kind of splat that a parameter is, or nothing."""
    if part.kind() == "typed_parameter":
        part = next(iter(parts(part)), part)
    return part.kind() if part.kind() in _SPLATS else ""


def _argument(tree: Tree, part: SgNode, splat: str) -> ast.arg:
    name = part.field("name") or part
    if part.kind() == "typed_parameter":
        name = next(iter(parts(part)), part)
    if splat:
        name = next(iter(parts(name)), name)
    hint = part.field("type")
    annotation = tree.expression(hint, part) if hint is not None else None
    made = ast.arg(name_of(name), annotation)
    return tree.placed(made, name, hint)


def _lambda(tree: Tree, node: SgNode) -> ast.expr:
    parameters = parameters_of(tree, node.field("parameters"))
    return tree.placed(ast.Lambda(parameters, tree.field(node, "body")), node)


LAMBDAS: Expressions = {"lambda": _lambda}
"""The kinds of nodes read here."""
