"""Operators, calls, displays, comprehensions and all other expressions but literals."""

import ast
import unicodedata

from ast_grep_py import SgNode

from offtarget.codescan.concrete.tree import Chains, Expressions, Tree, parts, stored, tokens

OPERATORS: dict[str, type[ast.operator]] = {
    "+": ast.Add,
    "-": ast.Sub,
    "*": ast.Mult,
    "@": ast.MatMult,
    "/": ast.Div,
    "//": ast.FloorDiv,
    "%": ast.Mod,
    "**": ast.Pow,
    "<<": ast.LShift,
    ">>": ast.RShift,
    "|": ast.BitOr,
    "^": ast.BitXor,
    "&": ast.BitAnd,
}
_COMPARISONS: dict[str, type[ast.cmpop]] = {
    "==": ast.Eq,
    "!=": ast.NotEq,
    "<>": ast.NotEq,
    "<": ast.Lt,
    "<=": ast.LtE,
    ">": ast.Gt,
    ">=": ast.GtE,
    "is": ast.Is,
    "is not": ast.IsNot,
    "in": ast.In,
    "not in": ast.NotIn,
}
_UNARY: dict[str, type[ast.unaryop]] = {"-": ast.USub, "+": ast.UAdd, "~": ast.Invert}


def name_of(node: SgNode | None) -> str:
    """Return an identifier as the interpreter would name it."""
    text = node.text() if node is not None else ""
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)) or "_"


def arguments_of(tree: Tree, node: SgNode | None) -> tuple[list[ast.expr], list[ast.keyword]]:
    """Return the positional and the keyword arguments of a call or of a class."""
    positional: list[ast.expr] = []
    keywords: list[ast.keyword] = []
    for part in parts(node) if node is not None else ():
        kind = part.kind()
        if kind == "keyword_argument":
            made = ast.keyword(name_of(part.field("name")), tree.field(part, "value"))
            keywords.append(tree.placed(made, part))
        elif kind == "dictionary_splat":
            keywords.append(tree.placed(ast.keyword(None, tree.only(part)), part))
        else:
            positional.append(tree.expression(part, part))
    return positional, keywords


def _identifier(tree: Tree, node: SgNode) -> ast.expr:
    return tree.placed(ast.Name(name_of(node), ast.Load()), node)


def _attribute(tree: Tree, node: SgNode, inner: ast.expr) -> ast.expr:
    name = name_of(node.field("attribute"))
    return tree.placed(ast.Attribute(inner, name, ast.Load()), node)


def _call(tree: Tree, node: SgNode, inner: ast.expr) -> ast.expr:
    arguments = node.field("arguments")
    if arguments is not None and arguments.kind() == "generator_expression":
        made = ast.Call(inner, [tree.expression(arguments, node)], [])
    else:
        made = ast.Call(inner, *arguments_of(tree, arguments))
    return tree.placed(made, node)


def _subscript(tree: Tree, node: SgNode, inner: ast.expr) -> ast.expr:
    found = [part for part in node.field_children("subscript") if part.is_named()]
    elements = [tree.expression(part, node) for part in found]
    if not elements:
        index = tree.unreadable(node)
    elif "," in tokens(node) or isinstance(elements[0], ast.Starred):
        index = tree.placed(ast.Tuple(elements, ast.Load()), found[0], found[-1])
    else:
        index = elements[0]
    return tree.placed(ast.Subscript(inner, index, ast.Load()), node)


def _binary(tree: Tree, node: SgNode, inner: ast.expr) -> ast.expr:
    sign = node.field("operator")
    operator = OPERATORS.get(sign.kind() if sign is not None else "", ast.Add)()
    return tree.placed(ast.BinOp(inner, operator, tree.field(node, "right")), node)


def _parenthesized(tree: Tree, node: SgNode, inner: ast.expr) -> ast.expr:
    return inner


def _unary(tree: Tree, node: SgNode) -> ast.expr:
    operator = _UNARY.get(next(iter(tokens(node)), ""), ast.USub)()
    return tree.placed(ast.UnaryOp(operator, tree.field(node, "argument")), node)


def _not(tree: Tree, node: SgNode) -> ast.expr:
    return tree.placed(ast.UnaryOp(ast.Not(), tree.field(node, "argument")), node)


def _boolean(tree: Tree, node: SgNode) -> ast.expr:
    """Return `a or b or c`, which the concrete tree nests to the left, as one node."""
    outer = node
    sign = _sign(node)
    right: list[ast.expr] = []
    while True:
        right.append(tree.field(node, "right"))
        left = node.field("left")
        if left is None or left.kind() != "boolean_operator" or _sign(left) != sign:
            break
        node = left
    operator: ast.boolop = ast.And() if sign == "and" else ast.Or()
    values = [tree.expression(left, node), *reversed(right)]
    return tree.placed(ast.BoolOp(operator, values), outer)


def _sign(node: SgNode) -> str:
    sign = node.field("operator")
    return sign.kind() if sign is not None else ""


def _comparison(tree: Tree, node: SgNode) -> ast.expr:
    signs = [kind for kind in tokens(node) if kind in _COMPARISONS]
    operands = tree.all_of(node)
    if len(operands) != len(signs) + 1:
        return operands[0] if operands else tree.unreadable(node)
    made = ast.Compare(operands[0], [_COMPARISONS[sign]() for sign in signs], operands[1:])
    return tree.placed(made, node)


def _conditional(tree: Tree, node: SgNode) -> ast.expr:
    found = tree.all_of(node)
    if len(found) != 3:
        return found[0] if found else tree.unreadable(node)
    return tree.placed(ast.IfExp(found[1], found[0], found[2]), node)


def _walrus(tree: Tree, node: SgNode) -> ast.expr:
    name = node.field("name")
    target = ast.Name(name_of(name), ast.Store())
    made = ast.NamedExpr(tree.placed(target, name or node), tree.field(node, "value"))
    return tree.placed(made, node)


def _await(tree: Tree, node: SgNode) -> ast.expr:
    return tree.placed(ast.Await(tree.only(node)), node)


def _yield(tree: Tree, node: SgNode) -> ast.expr:
    value = tree.only(node) if parts(node) else None
    if "from" in tokens(node):
        return tree.placed(ast.YieldFrom(value or tree.unreadable(node)), node)
    return tree.placed(ast.Yield(value), node)


def _starred(tree: Tree, node: SgNode) -> ast.expr:
    return tree.placed(ast.Starred(tree.only(node), ast.Load()), node)


def _tuple(tree: Tree, node: SgNode) -> ast.expr:
    if node.kind() == "tuple_pattern" and len(parts(node)) == 1 and "," not in tokens(node):
        return tree.only(node)
    return tree.placed(ast.Tuple(tree.all_of(node), ast.Load()), node)


def _list(tree: Tree, node: SgNode) -> ast.expr:
    return tree.placed(ast.List(tree.all_of(node), ast.Load()), node)


def _set(tree: Tree, node: SgNode) -> ast.expr:
    return tree.placed(ast.Set(tree.all_of(node)), node)


def _dictionary(tree: Tree, node: SgNode) -> ast.expr:
    keys: list[ast.expr | None] = []
    values: list[ast.expr] = []
    for part in parts(node):
        if part.kind() == "pair":
            keys.append(tree.field(part, "key"))
            values.append(tree.field(part, "value"))
        elif part.kind() == "dictionary_splat":
            keys.append(None)
            values.append(tree.only(part))
    return tree.placed(ast.Dict(keys, values), node)


def _comprehension(tree: Tree, node: SgNode) -> ast.expr:
    body = node.field("body")
    clauses = _clauses(tree, node)
    if node.kind() == "dictionary_comprehension" and body is not None:
        key, value = tree.field(body, "key"), tree.field(body, "value")
        return tree.placed(ast.DictComp(key, value, clauses), node)
    element = tree.expression(body, node)
    if node.kind() == "list_comprehension":
        return tree.placed(ast.ListComp(element, clauses), node)
    if node.kind() == "set_comprehension":
        return tree.placed(ast.SetComp(element, clauses), node)
    return tree.placed(ast.GeneratorExp(element, clauses), node)


def _clauses(tree: Tree, node: SgNode) -> list[ast.comprehension]:
    clauses: list[ast.comprehension] = []
    for part in parts(node):
        if part.kind() == "for_in_clause":
            target = stored(tree.field(part, "left"), ast.Store())
            found = [child for child in part.field_children("right") if child.is_named()]
            values = [tree.expression(child, part) for child in found]
            source = values[0] if len(values) == 1 else ast.Tuple(values, ast.Load())
            if len(values) != 1:
                source = tree.placed(source, part)
            clauses.append(ast.comprehension(target, source, [], int("async" in tokens(part))))
        elif part.kind() == "if_clause" and clauses:
            clauses[-1].ifs.append(tree.only(part))
    return clauses


def _slice(tree: Tree, node: SgNode) -> ast.expr:
    bounds: list[ast.expr | None] = [None, None, None]
    place = 0
    for child in node.children():
        if child.kind() == ":":
            place += 1
        elif child.is_named() and child.kind() != "comment" and place < 3:
            bounds[place] = tree.expression(child, node)
    return tree.placed(ast.Slice(*bounds), node)


def _type(tree: Tree, node: SgNode) -> ast.expr:
    return tree.only(node)


def _generic_type(tree: Tree, node: SgNode) -> ast.expr:
    found = parts(node)
    arguments = tree.all_of(found[-1]) if found else []
    if len(arguments) == 1:
        index = arguments[0]
    else:
        index = tree.placed(ast.Tuple(arguments, ast.Load()), node)
    return tree.placed(ast.Subscript(tree.only(node), index, ast.Load()), node)


def _union_type(tree: Tree, node: SgNode) -> ast.expr:
    found = tree.all_of(node)
    if len(found) != 2:
        return found[0] if found else tree.unreadable(node)
    return tree.placed(ast.BinOp(found[0], ast.BitOr(), found[1]), node)


def _member_type(tree: Tree, node: SgNode) -> ast.expr:
    name = name_of(parts(node)[-1] if parts(node) else None)
    return tree.placed(ast.Attribute(tree.only(node), name, ast.Load()), node)


def dotted(tree: Tree, node: SgNode) -> ast.expr:
    """Return a dotted name as the attributes it stands for."""
    names = parts(node)
    made: ast.expr = tree.placed(ast.Name(name_of(names[0]), ast.Load()), names[0])
    for name in names[1:]:
        made = tree.placed(ast.Attribute(made, name_of(name), ast.Load()), names[0], name)
    return made


CHAINS: Chains = {
    "attribute": ("object", _attribute),
    "call": ("function", _call),
    "subscript": ("value", _subscript),
    "binary_operator": ("left", _binary),
    "parenthesized_expression": ("", _parenthesized),
}
"""The kinds that are followed to the left without recursion."""

COMPOSED: Expressions = {
    "identifier": _identifier,
    "keyword_identifier": _identifier,
    "dotted_name": dotted,
    "unary_operator": _unary,
    "not_operator": _not,
    "boolean_operator": _boolean,
    "comparison_operator": _comparison,
    "conditional_expression": _conditional,
    "named_expression": _walrus,
    "await": _await,
    "yield": _yield,
    "list_splat": _starred,
    "list_splat_pattern": _starred,
    "splat_type": _starred,
    "tuple": _tuple,
    "tuple_pattern": _tuple,
    "pattern_list": _tuple,
    "expression_list": _tuple,
    "list": _list,
    "list_pattern": _list,
    "set": _set,
    "dictionary": _dictionary,
    "list_comprehension": _comprehension,
    "set_comprehension": _comprehension,
    "dictionary_comprehension": _comprehension,
    "generator_expression": _comprehension,
    "slice": _slice,
    "type": _type,
    "as_pattern": _type,
    "as_pattern_target": _type,
    "constrained_type": _type,
    "generic_type": _generic_type,
    "union_type": _union_type,
    "member_type": _member_type,
}
"""The other kinds of nodes read here."""
