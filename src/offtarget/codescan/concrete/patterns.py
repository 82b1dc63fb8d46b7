"""The patterns of `match` statements."""

import ast

from ast_grep_py import SgNode

from offtarget.codescan.concrete.expressions import dotted, name_of
from offtarget.codescan.concrete.tree import Tree, parts, tokens

_SINGLETONS: dict[str, bool | None] = {"true": True, "false": False, "none": None}


def pattern_of(tree: Tree, node: SgNode) -> ast.pattern:
    """Return one pattern."""
    if tree.is_too_deep(node):
        return tree.placed(ast.MatchAs(), node)
    tree.depth += 1
    made = _convert(tree, node)
    tree.depth -= 1
    return made


def sequence_of(tree: Tree, node: SgNode, found: list[SgNode]) -> ast.pattern:
    """Return the patterns that stand side by side after `case`."""
    if len(found) == 1 and "," not in tokens(node):
        return pattern_of(tree, found[0])
    made = ast.MatchSequence([pattern_of(tree, part) for part in found])
    return tree.placed(made, found[0], found[-1])


def _convert(tree: Tree, node: SgNode) -> ast.pattern:
    kind = node.kind()
    inside = parts(node)
    if kind == "case_pattern":
        return _case(tree, node, inside)
    if kind in _SINGLETONS:
        return tree.placed(ast.MatchSingleton(_SINGLETONS[kind]), node)
    if kind == "dotted_name":
        if len(inside) == 1:
            return tree.placed(ast.MatchAs(None, name_of(inside[0])), node)
        return tree.placed(ast.MatchValue(dotted(tree, node)), node)
    if kind == "as_pattern" and inside:
        return tree.placed(ast.MatchAs(pattern_of(tree, inside[0]), name_of(inside[-1])), node)
    if kind == "union_pattern":
        return _union(tree, node, inside)
    if kind in ("list_pattern", "tuple_pattern"):
        if kind == "tuple_pattern" and len(inside) == 1 and "," not in tokens(node):
            return pattern_of(tree, inside[0])
        return tree.placed(ast.MatchSequence([pattern_of(tree, p) for p in inside]), node)
    if kind == "splat_pattern":
        name = name_of(inside[0]) if inside else "_"
        return tree.placed(ast.MatchStar(None if name == "_" else name), node)
    if kind == "dict_pattern":
        return _mapping(tree, node)
    if kind == "class_pattern" and inside:
        return _class(tree, node, inside)
    if kind == "complex_pattern":
        return tree.placed(ast.MatchValue(_complex(tree, node)), node)
    return tree.placed(ast.MatchValue(tree.expression(node, node)), node)


def _case(tree: Tree, node: SgNode, inside: list[SgNode]) -> ast.pattern:
    signs = tokens(node)
    if not inside:
        return tree.placed(ast.MatchAs(), node)
    if signs[0] == "-":
        return tree.placed(ast.MatchValue(_negative(tree, node, inside[0])), node)
    return pattern_of(tree, inside[0])


def _union(tree: Tree, node: SgNode, inside: list[SgNode]) -> ast.pattern:
    """Return the alternatives; a wildcard and a minus sign are no named nodes."""
    alternatives: list[ast.pattern] = []
    minus: SgNode | None = None
    for child in node.children():
        if child.kind() == "_":
            alternatives.append(tree.placed(ast.MatchAs(), child))
        elif child.kind() == "-":
            minus = child
        elif child in inside or child.is_named():
            if minus is None:
                alternatives.append(pattern_of(tree, child))
            else:
                value = tree.placed(
                    ast.UnaryOp(ast.USub(), tree.expression(child, node)), minus, child
                )
                alternatives.append(tree.placed(ast.MatchValue(value), minus, child))
            minus = None
    return tree.placed(ast.MatchOr(alternatives), node)


def _mapping(tree: Tree, node: SgNode) -> ast.pattern:
    keys: list[ast.expr] = []
    values: list[ast.pattern] = []
    rest: str | None = None
    minus: SgNode | None = None
    waiting = False
    for child in node.children():
        kind = child.kind()
        if kind == "-":
            minus = child
        elif kind == ":":
            waiting = True
        elif kind == "splat_pattern" or (kind == "case_pattern" and _is_splat(child)):
            rest = name_of(_splat_name(child))
        elif child.is_named() and kind not in ("comment", "ERROR", "line_continuation"):
            if waiting:
                values.append(pattern_of(tree, child))
                waiting = False
            elif minus is not None:
                keys.append(_negative(tree, minus, child))
                minus = None
            else:
                keys.append(_complex_or(tree, child))
    del keys[len(values) :]
    return tree.placed(ast.MatchMapping(keys, values, rest), node)


def _class(tree: Tree, node: SgNode, inside: list[SgNode]) -> ast.pattern:
    made = ast.MatchClass(dotted(tree, inside[0]), [], [], [])
    for part in inside[1:]:
        found = next(iter(parts(part)), part)
        if found.kind() != "keyword_pattern":
            made.patterns.append(pattern_of(tree, part))
            continue
        made.kwd_attrs.append(name_of(parts(found)[0]))
        made.kwd_patterns.append(_keyword_value(tree, found))
    return tree.placed(made, node)


def _keyword_value(tree: Tree, node: SgNode) -> ast.pattern:
    value = node.children()[-1]
    if value.kind() == "_":
        return tree.placed(ast.MatchAs(), value)
    before = value.prev()
    if before is not None and before.kind() == "-":
        return tree.placed(ast.MatchValue(_negative(tree, before, value)), before, value)
    return pattern_of(tree, value)


def _complex_or(tree: Tree, node: SgNode) -> ast.expr:
    if node.kind() == "complex_pattern":
        return _complex(tree, node)
    if node.kind() == "case_pattern" and parts(node):
        return _complex_or(tree, parts(node)[0])
    return tree.expression(node, node)


def _complex(tree: Tree, node: SgNode) -> ast.expr:
    """Return `-3 + 4j`: two numbers, each perhaps after a minus sign."""
    signs = [kind for kind in tokens(node) if kind in "+-"]
    numbers = parts(node)
    if len(numbers) != 2 or not signs:
        return tree.unreadable(node)
    left = tree.expression(numbers[0], node)
    if tokens(node)[0] == "-":
        left = tree.placed(ast.UnaryOp(ast.USub(), left), node, numbers[0])
    operator: ast.operator = ast.Sub() if signs[-1] == "-" else ast.Add()
    return tree.placed(ast.BinOp(left, operator, tree.expression(numbers[1], node)), node)


def _negative(tree: Tree, start: SgNode, number: SgNode) -> ast.expr:
    value = ast.UnaryOp(ast.USub(), tree.expression(number, number))
    return tree.placed(value, start, number)


def _is_splat(node: SgNode) -> bool:
    inside = parts(node)
    return len(inside) == 1 and inside[0].kind() == "splat_pattern"


def _splat_name(node: SgNode) -> SgNode | None:
    while node.kind() != "identifier":
        inside = parts(node)
        if not inside:
            return None
        node = inside[0]
    return node
