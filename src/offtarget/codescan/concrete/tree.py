"""The concrete tree of one text, and the way its nodes become `ast` nodes."""

import ast
from collections.abc import Callable
from itertools import accumulate
from typing import TypeVar

from ast_grep_py import SgNode, SgRoot

from offtarget.codescan.place import utf8_sizes

MAX_DEPTH = 160
"""Nesting below which code is read as `_`: conversion must not exhaust the interpreter's stack."""

_SKIPPED = frozenset(("comment", "line_continuation", "ERROR"))

Placed = TypeVar(
    "Placed",
    bound=ast.expr | ast.stmt | ast.excepthandler | ast.arg | ast.keyword | ast.alias | ast.pattern,
)
ToExpression = Callable[["Tree", SgNode], ast.expr]
FromInner = Callable[["Tree", SgNode, ast.expr], ast.expr]

Expressions = dict[str, ToExpression]
"""How a node of each kind becomes an expression."""
Chains = dict[str, tuple[str, FromInner]]
"""Kinds that nest to the left as deep as the code is long: the field that holds the inner node,
and how the node is made once the inner one is; they are followed without recursion."""


def parts(node: SgNode) -> list[SgNode]:
    """Return the children that carry meaning."""
    return [c for c in node.children() if c.is_named() and c.kind() not in _SKIPPED]


def tokens(node: SgNode) -> list[str]:
    """Return the kinds of all children, punctuation included."""
    return [child.kind() for child in node.children()]


class Tree:
    """A concrete tree under conversion."""

    def __init__(self, text: str, expressions: Expressions, chains: Chains) -> None:
        """Parse the text, which must hold no surrogates and end its lines with a newline."""
        self._expressions = expressions
        self._chains = chains
        self.text = text
        self.root = SgRoot(text, "python").root()
        places = [node.range() for node in self.root.find_all(kind="ERROR")]
        self.n_lost = sum(place.end.index - place.start.index for place in places)
        """How many characters stand in broken stretches; nested ones count again."""
        self.n_deep = 0
        """How many characters nest too deep to be converted."""
        self.depth = 0
        self._bytes: list[int] | None = None
        if not text.isascii():
            self._bytes = list(accumulate(utf8_sizes(text), initial=0))

    def placed(self, made: Placed, node: SgNode, last: SgNode | None = None) -> Placed:
        """Return the `ast` node with the place of a concrete one, up to the end of `last`."""
        place = node.range()
        end = (place if last is None else last.range()).end
        made.lineno = place.start.line + 1
        made.end_lineno = end.line + 1
        if self._bytes is None:
            made.col_offset = place.start.column
            made.end_col_offset = end.column
        else:
            made.col_offset = self._column(place.start.index, place.start.column)
            made.end_col_offset = self._column(end.index, end.column)
        return made

    def _column(self, index: int, column: int) -> int:
        assert self._bytes is not None
        return self._bytes[index] - self._bytes[index - column]

    def unreadable(self, node: SgNode) -> ast.expr:
        """Return what stands for an expression that could not be read."""
        return self.placed(ast.Name("_", ast.Load()), node)

    def is_too_deep(self, node: SgNode) -> bool:
        """Return whether a node nests too deep to be converted; it is counted if so."""
        if self.depth < MAX_DEPTH:
            return False
        place = node.range()
        self.n_deep += place.end.index - place.start.index
        return True

    def expression(self, node: SgNode | None, parent: SgNode) -> ast.expr:
        """Return the expression of a node; where the node is missing, `_` at its parent."""
        if node is None:
            return self.unreadable(parent)
        if self.is_too_deep(node):
            return self.unreadable(node)
        self.depth += 1
        outer: list[tuple[SgNode, FromInner]] = []
        chain = self._chains.get(node.kind())
        while chain is not None:
            field, make = chain
            inner = node.field(field) if field else next(iter(parts(node)), None)
            outer.append((node, make))
            if inner is None:
                break
            node = inner
            chain = self._chains.get(node.kind())
        convert = self._expressions.get(node.kind())
        made = self.unreadable(node) if convert is None else convert(self, node)
        star = made if outer and isinstance(made, ast.Starred) else None
        made = made.value if star is not None and isinstance(made, ast.Starred) else made
        first = made
        for chained, make in reversed(outer):
            made = make(self, chained, made)
            if star is not None:  # the grammar binds `*a.b()` as `(*a).b()`
                made.lineno, made.col_offset = first.lineno, first.col_offset
        self.depth -= 1
        return made if star is None else self._restarred(star, made)

    @staticmethod
    def _restarred(star: ast.Starred, value: ast.expr) -> ast.Starred:
        star.value = value
        star.end_lineno, star.end_col_offset = value.end_lineno, value.end_col_offset
        return star

    def reads(self, node: SgNode) -> bool:
        """Return whether a node can be read as an expression."""
        return node.kind() in self._expressions or node.kind() in self._chains

    def field(self, node: SgNode, name: str) -> ast.expr:
        """Return the expression in a field."""
        return self.expression(node.field(name), node)

    def only(self, node: SgNode) -> ast.expr:
        """Return the expression that is the first part of a node."""
        return self.expression(next(iter(parts(node)), None), node)

    def all_of(self, node: SgNode) -> list[ast.expr]:
        """Return the expressions of all parts."""
        return [self.expression(part, node) for part in parts(node)]


def stored(made: ast.expr, context: ast.expr_context) -> ast.expr:
    """Return the expression as a target: assigned to, or deleted."""
    waiting = [made]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            node.ctx = context
        elif isinstance(node, ast.Starred):
            node.ctx = context
            waiting.append(node.value)
        elif isinstance(node, ast.Tuple | ast.List):
            node.ctx = context
            waiting.extend(node.elts)
    return made
