"""Checks a chat template's syntax tree and rewrites it so that running it is metered.

Loops, output, lists, concatenations, slices and comparisons are routed through the charging
filters. Filters that need the context are never folded while compiling, so constants that
would explode do not.
"""

from typing import TypeVar

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.visitor import NodeTransformer

from offtarget.lm.template_filters import (
    BUILT,
    CONCAT,
    CONTAINED,
    EMIT,
    ITERATE,
    REFER,
    SLICED,
)

MAX_TREE_DEPTH = 120
"""Nesting of a template's syntax; real ones stay under 40, Python's stack ends near 300."""
_ALLOWED_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.Macro,
    nodes.CallBlock, nodes.FilterBlock, nodes.With, nodes.Assign, nodes.AssignBlock, nodes.Scope,
    nodes.Name, nodes.NSRef, nodes.Const, nodes.Tuple, nodes.List, nodes.Dict, nodes.Pair,
    nodes.Keyword, nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Call, nodes.Getitem,
    nodes.Getattr, nodes.Slice, nodes.Concat, nodes.Compare, nodes.Operand, nodes.BinExpr,
    nodes.UnaryExpr, nodes.Break, nodes.Continue,
)  # fmt: skip


ExprT = TypeVar("ExprT", bound=nodes.Expr)


def metered_tree(tree: nodes.Template) -> int:
    """Rewrite `tree` in place so that running it is charged; return its number of nodes.

    Raises:
        TemplateSyntaxError: For a construct that chat templates do not need, or deep nesting.
    """
    n_nodes = _check_tree(tree)
    _Metering().visit(tree)
    return n_nodes


class _Metering(NodeTransformer):
    """Routes everything that can grow or repeat through the charging filters."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - jinja's name
        n_steps = sum(1 for _ in node.find_all(nodes.Node))
        self.generic_visit(node)
        node.iter = _through(ITERATE, node.iter, nodes.Const(n_steps, lineno=node.lineno))
        return node

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802
        node.nodes = [_through(EMIT, self._printed(each)) for each in node.nodes]
        return node

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        return _through(BUILT, self._inside(node))

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        return _through(BUILT, self._inside(node))

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        inside = self._inside(node)
        return inside if node.ctx == "store" else _through(BUILT, inside)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        inside = self._inside(node)
        return _through(CONCAT, nodes.Tuple(inside.nodes, "load", lineno=node.lineno))

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if isinstance(node.arg, nodes.Slice):
            return _through(SLICED, node)
        if not isinstance(node.arg, nodes.Const):
            node.arg = _through(REFER, node.arg)
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        first = node.ops[0]
        if first.op in ("in", "notin") and len(node.ops) == 1:
            found = _through(CONTAINED, node.expr, first.expr)
            return found if first.op == "in" else nodes.Not(found, lineno=node.lineno)
        if any(each.op in ("in", "notin") for each in node.ops):
            raise TemplateSyntaxError("`in` inside a chain of comparisons", node.lineno)
        for operand in node.ops:
            operand.expr = _through(REFER, operand.expr)
        node.expr = _through(REFER, node.expr)
        return node

    def _printed(self, node: nodes.Expr) -> nodes.Expr:
        if isinstance(node, nodes.TemplateData):
            return nodes.Const(node.data, lineno=node.lineno)
        visited = self.visit(node)
        assert isinstance(visited, nodes.Expr)
        return visited

    def _inside(self, node: ExprT) -> ExprT:
        self.generic_visit(node)
        return node


def _through(name: str, node: nodes.Node, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)


def _check_tree(tree: nodes.Template) -> int:
    """Return the number of nodes, or raise for a node that is not allowed or nested too deep."""
    n_nodes = 0
    level: list[nodes.Node] = [tree]
    for _ in range(MAX_TREE_DEPTH):
        n_nodes += len(level)
        for node in level:
            is_recursive = isinstance(node, nodes.For) and node.recursive
            if is_recursive or not isinstance(node, _ALLOWED_NODES):
                name = "a recursive loop" if is_recursive else type(node).__name__
                raise TemplateSyntaxError(f"{name} is not allowed", node.lineno or 1)
        level = [child for node in level for child in node.iter_child_nodes()]
        if not level:
            return n_nodes
    raise TemplateSyntaxError(f"syntax nested deeper than {MAX_TREE_DEPTH}", level[0].lineno or 1)
