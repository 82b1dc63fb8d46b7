"""How parameters are written for the database that a snippet talks to."""

import ast
import re
from dataclasses import dataclass
from typing import Final

from offtarget.curate.sanitize.source import Source

_STYLES: Final = (
    ({"sqlite3", "aiosqlite", "pyodbc", "duckdb", "apsw", "jaydebeapi"}, "?"),
    (
        {"psycopg2", "psycopg", "MySQLdb", "pymysql", "mysql", "flask_mysqldb", "flaskext",
         "flask_mysql", "django", "mariadb", "aiomysql", "pg8000", "snowflake", "pymssql"},
        "%s",
    ),
    ({"cx_Oracle", "oracledb"}, ":n"),
)  # fmt: skip
_ALCHEMY: Final = frozenset({"sqlalchemy", "flask_sqlalchemy", "sqlmodel"})


@dataclass(frozen=True, slots=True)
class Driver:
    """A way to write parameters."""

    mark: str
    """`?`, `%s`, `:n` for numbers, or `:name` for a dictionary with `text(...)`."""
    doubles_percent: bool = False
    """A percent sign in the statement must be doubled once there are parameters."""


def driver_of(source: Source, receiver: str) -> Driver | None:
    """Return how the snippet's database wants its parameters; None if nothing says which it is.

    Args:
        source: The snippet.
        receiver: Code of the object whose method runs the statement, `db.session`.
    """
    modules = source.modules
    if re.search(r"(?:^|[._])(?:session|engine)$", receiver) or (
        modules & _ALCHEMY and not any(modules & names for names, _ in _STYLES)
    ):
        return Driver(":name")
    for names, mark in _STYLES:
        if modules & names:
            return Driver(mark, mark == "%s")
    shown = _shown(source)
    if shown is not None:
        return shown
    if "sqlite" in source.code.lower():
        return Driver("?")
    if re.search(r"mysql|psycopg|postgres|MySQLdb", source.code, re.I):
        return Driver("%s", doubles_percent=True)
    return None


def _shown(source: Source) -> Driver | None:
    """Return the way that another statement of the snippet has, which has parameters already."""
    found = set()
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call) or getattr(node.func, "attr", "") != "execute":
            continue
        if len(node.args) != 2 or not isinstance(node.args[0], ast.Constant):
            continue
        text = str(node.args[0].value)
        found |= {mark for mark in ("?", "%s") if mark in text}
    if len(found) != 1:
        return None
    mark = found.pop()
    return Driver(mark, doubles_percent=mark == "%s")
