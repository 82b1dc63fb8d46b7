"""How bad a flaw is, judged by who controls the data."""

import ast
import re
from typing import Final

from offtarget.codescan.python.values import HOLE, UNKNOWN, Level, Taint, Value
from offtarget.codescan.python.walk import Walk
from offtarget.core.finding import Severity

HIGH: Final = Severity.HIGH
MEDIUM: Final = Severity.MEDIUM
LOW: Final = Severity.LOW

SECRET_WORD: Final = re.compile(
    r"passw(?:or)?d|passwd|passphrase|(?:^|_)pwd(?:$|_)|secret|api_?key|access_?key|private_?key|"
    r"auth_?token|access_?token|(?:^|_)token(?:$|s$|_)|credential|encryption_?key|signing_?key",
    re.I,
)
"""Names of things that nobody else may know."""


def by_level(
    taint: Taint,
    *,
    remote: Severity = HIGH,
    local: Severity = MEDIUM,
    parameter: Severity = MEDIUM,
    stored: Severity = LOW,
) -> Severity:
    """Return the severity for the one who controls the data."""
    return {
        Level.REMOTE: remote,
        Level.LOCAL: local,
        Level.PARAMETER: parameter,
        Level.STORED: stored,
    }[taint.level]


def is_formatted(value: Value) -> bool:
    """Return whether the value is a text with an open part between literal ones."""
    return value.shape is not None and HOLE in value.shape and len(value.shape) > 1


def words_of(node: ast.AST | None, limit: int = 40) -> str:
    """Return the names in an expression, in one line: for judging what it is about."""
    found: list[str] = []
    stack: list[ast.AST] = [node] if node is not None else []
    while stack and len(found) < limit:
        one = stack.pop()
        if isinstance(one, ast.Name):
            found.append(one.id)
        elif isinstance(one, ast.Attribute):
            found.append(one.attr)
        elif isinstance(one, ast.Constant) and isinstance(one.value, str):
            found.append(one.value[:40])
        stack.extend(ast.iter_child_nodes(one))
    return " ".join(found)


def name_of(node: ast.AST | None) -> str:
    """Return the last name of a target or receiver: `secret_key` of `app.secret_key`."""
    while isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return name_of(node.slice)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return ""


def is_sanitized(walk: Walk, value: Value, mask: int) -> bool:
    """Return whether the value came from outside, and all of it was made harmless."""
    return bool(value.taints) and walk.exposed(value, mask) is None


def remember(walk: Walk, name: str, what: str, node: ast.AST) -> None:
    """Note of a variable that something stands in it, until it is assigned again.

    Args:
        walk: Holds the note with its variables, so that branches and functions keep it apart.
        name: The variable; nothing is noted of an expression without one.
        what: `digest`, `random`, ...: what a later `recalled` asks for.
        node: Where the thing was made.
    """
    if name:
        walk.env[f"{name}\0{what}"] = Value(ref=node)


def recalled(walk: Walk, name: str, what: str) -> ast.AST | None:
    """Return where the thing in a variable was made; None if nothing was noted of it."""
    noted = walk.env.get(f"{name}\0{what}")
    return noted.ref if noted is not None and isinstance(noted.ref, ast.AST) else None


def forget(walk: Walk, name: str, what: str) -> None:
    """Note that the thing does not stand in the variable any more."""
    if f"{name}\0{what}" in walk.env:
        walk.env[f"{name}\0{what}"] = UNKNOWN
