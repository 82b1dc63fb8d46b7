"""A Python parser that steps over errors and does not depend on the interpreter's grammar."""

import ast
from dataclasses import dataclass

from offtarget.codescan.concrete.blocks import statements_of
from offtarget.codescan.concrete.expressions import CHAINS, COMPOSED
from offtarget.codescan.concrete.literals import LITERALS
from offtarget.codescan.concrete.parameters import LAMBDAS
from offtarget.codescan.concrete.tree import Tree

MAX_LINE = 50_000
"""Code with a longer line is not read: to place a node costs time in its column."""

_EXPRESSIONS = LITERALS | COMPOSED | LAMBDAS


@dataclass(frozen=True, slots=True)
class Tolerated:
    """What could be read of some code."""

    tree: ast.Module | None
    """None where not one statement can be read."""
    n_lost: int
    """How many characters stand in stretches that are no Python; 0 for code without errors."""
    n_deep: int = 0
    """How many characters nest too deep to be read, and are not in the tree."""


def parse_tolerant(code: str) -> Tolerated:
    r"""Return what can be read of the code, as the interpreter's own parser would give it.

    Reads every syntax up to Python 3.14 and Python 2's `print`, `exec`, `except E, e` and
    backticks, whatever the running version. Type parameters are left out; `type X = int` is read
    as an assignment. What nests too deep is read as the name `_`. Lines end with `\n`.
    """
    if len(code) > MAX_LINE and max(map(len, code.split("\n"))) > MAX_LINE:
        return Tolerated(None, len(code))
    try:
        tree = Tree(code.encode("utf-8", "replace").decode(), _EXPRESSIONS, CHAINS)
        body = statements_of(tree, tree.root)
    except (RecursionError, MemoryError):
        return Tolerated(None, len(code))
    return Tolerated(ast.Module(body, []) if body else None, tree.n_lost, tree.n_deep)
