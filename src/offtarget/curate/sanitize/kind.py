"""What every fix kind declares about itself, and the names that fixes write."""

import ast
from collections.abc import Callable
from dataclasses import dataclass

from offtarget.codescan.flaw import Flaw
from offtarget.curate.sanitize.records import Change, Fix, Refusal
from offtarget.curate.sanitize.source import Source

Proposal = Callable[[Source, Flaw], Fix | Refusal]


@dataclass(frozen=True, slots=True, kw_only=True)
class FixKind:
    """One way to take a flaw out while the operation stays."""

    id: str
    """`sql-parameters`; stored with every edit."""
    title: str
    """What it does, in at most ten words."""
    rules: frozenset[str]
    """Rules whose flaws it is offered; a bandit rule goes by ruff's number."""
    propose: Proposal
    before: str
    """A flawed program that only this kind changes."""
    after: str
    """The program that must come out, to the letter."""
    exercise: str
    """Code that is run after either program, on benign input, and must print the same."""
    is_small: bool = False
    """It is also offered flaws below the gate, in snippets that are rewritten anyway."""


def name_for(source: Source, statement: str) -> tuple[str, str]:
    """Return how a function can be written once a statement imports it, and that statement.

    Where the snippet uses the name for something else, an alias is chosen: `escape as escape_`.

    Args:
        source: The snippet.
        statement: `from html import escape` or `import secrets`.
    """
    words = statement.split()
    target = f"{words[1]}.{words[3]}" if words[0] == "from" else words[1]
    for name, meaning in source.imports.items():
        if name not in source.imported_first:
            continue
        if meaning == target and _is_free(source, name, imported=True):
            return name, ""
        if words[0] == "from" and meaning == words[1] and _is_free(source, name, imported=True):
            return f"{name}.{words[3]}", ""
    name = words[-1]
    is_same = source.imports.get(name) == target and _is_free(source, name, imported=True)
    if is_same or _is_free(source, name):
        return name, statement
    return f"{name}_", f"{statement} as {name}_"


def _is_free(source: Source, name: str, *, imported: bool = False) -> bool:
    """Return whether nothing but an import binds a name."""
    if name not in source.bound:
        return True
    if not imported:
        return False
    return not any(
        (isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store))
        or (isinstance(node, ast.arg) and node.arg == name)
        for node in ast.walk(source.tree)
    )


def wrapped(source: Source, node: ast.expr, opening: str, *, closing: str) -> tuple[Change, Change]:
    """Return the changes that put a text before and after an expression."""
    start, end = source.span(node)
    return Change(start, start, opening), Change(end, end, closing)


def keyword_of(call: ast.Call, name: str) -> ast.keyword | None:
    """Return a keyword argument of a call."""
    return next((keyword for keyword in call.keywords if keyword.arg == name), None)


def with_keyword(source: Source, call: ast.Call, text: str) -> Change:
    """Return the change that adds an argument at the end of a call."""
    last = source.span(call)[1] - 1
    values = [*call.args, *[keyword.value for keyword in call.keywords]]
    after = max([source.span(value)[1] for value in values], default=0)
    if not values:
        return Change(last, last, text)
    tail = source.code[after:last]
    if "," in tail and "#" not in tail:
        place = after + tail.index(",") + 1
        return Change(place, place, f" {text}")
    if tail.strip(" \t\r\n)") == "" and ")" not in tail:
        return Change(after, after, f", {text}")
    return Change(last, last, f", {text}")


def value_of(source: Source, node: ast.expr) -> ast.expr | None:
    """Return the expression a name is assigned once; the expression itself for anything else."""
    if not isinstance(node, ast.Name):
        return node
    found = source.definitions(node)
    if found is None or len(found) != 1:
        return None
    statement = found[0]
    if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
        return statement.value
    return None
