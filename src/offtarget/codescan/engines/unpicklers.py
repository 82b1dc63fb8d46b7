"""Unpicklers that refuse what they do not know: the safe form that Python's documentation shows.

Source: docs.python.org, library/pickle, "Restricting Globals".
"""

import ast
from collections.abc import Iterator

from offtarget.codescan.ladder import read_python

_LOOKUPS = frozenset(("find_class", "getattr", "import_module", "__import__", "eval"))
"""Calls by which `find_class` gives out what the pickle names."""


def restricted_bases(code: str) -> list[tuple[int, int]]:
    """Return where the base classes of restricted unpicklers stand: offsets, end exclusive.

    A class counts if it overrides `find_class`, and that refuses something: it raises, or looks
    nothing up by the names it is given.
    """
    read = read_python(code)
    if read.tree is None:
        return []
    return [
        (
            read.offset(base.lineno, base.col_offset),
            read.offset(base.end_lineno or base.lineno, base.end_col_offset or 0),
        )
        for owner in ast.walk(read.tree)
        if isinstance(owner, ast.ClassDef) and any(map(_refuses, _find_class(owner)))
        for base in owner.bases
    ]


def _find_class(owner: ast.ClassDef) -> Iterator[ast.FunctionDef]:
    """Yield the override that is in force: of several, the last one."""
    found = [
        one for one in owner.body if isinstance(one, ast.FunctionDef) and one.name == "find_class"
    ]
    yield from found[-1:]


def _refuses(method: ast.FunctionDef) -> bool:
    inside = list(ast.walk(method))
    return any(isinstance(node, ast.Raise) for node in inside) or not any(
        _called(node) in _LOOKUPS for node in inside if isinstance(node, ast.Call)
    )


def _called(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))
