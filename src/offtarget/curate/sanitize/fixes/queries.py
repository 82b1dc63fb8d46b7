"""SQL put together from data: placeholders in the text, values beside it.

Names of tables and columns cannot be parameters; statements with data there are left alone.
"""

import ast
import re
from dataclasses import dataclass
from typing import Final

from offtarget.codescan.flaw import Flaw
from offtarget.curate.sanitize.building import Built, Gap, built, stepped
from offtarget.curate.sanitize.drivers import Driver, driver_of
from offtarget.curate.sanitize.kind import FixKind, name_for, value_of, with_keyword
from offtarget.curate.sanitize.places import Place, places_of
from offtarget.curate.sanitize.records import Change, Fix, Refusal
from offtarget.curate.sanitize.source import Source

_RUNNING: Final = frozenset(
    {"execute", "exec_driver_sql", "execute_sql", "query", "execute_query", "raw"}
)
_FRAMES: Final = frozenset({"read_sql", "read_sql_query"})
"""They take the connection second, and the parameters by keyword."""


def _propose(source: Source, flaw: Flaw) -> Fix | Refusal:
    call = _sink(source, flaw)
    if isinstance(call, Refusal):
        return call
    if isinstance(call.func, ast.Attribute) and call.func.attr in ("executescript", "executemany"):
        return Refusal(f"`{call.func.attr}` takes no parameters of one statement")
    is_frame = getattr(call.func, "attr", getattr(call.func, "id", "")) in _FRAMES
    if is_frame and any(keyword.arg == "params" for keyword in call.keywords):
        return Refusal("the call has further arguments")
    if not call.args or (not is_frame and (call.keywords or len(call.args) != 1)):
        return Refusal("the call has further arguments")
    receiver = source.text(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    driver = driver_of(source, receiver)
    if driver is None:
        return Refusal("nothing says which database it is, so the placeholder is not known")
    argument = call.args[0]
    text, is_wrapped = _inner_text(source, argument)
    if isinstance(text, ast.Name) and not is_wrapped:
        made = value_of(source, text)
        if isinstance(made, ast.Call):
            text, is_wrapped = _inner_text(source, made)
    statement = _built_statement(source, text)
    if isinstance(statement, Refusal):
        return statement
    places = places_of(source, statement)
    if isinstance(places, Refusal):
        return places
    if driver.mark == ":name" and is_frame:
        return Refusal("the connection's way to write parameters is not known")
    if driver.doubles_percent and statement.n_steps > 1 and "%" in statement.shape(source.code):
        return Refusal("percent signs stand in several steps of the statement")
    if driver.mark == ":name" and re.search(r"(?<![:\w]):\w", statement.shape(source.code)):
        return Refusal("a colon in the statement would be taken for a parameter")
    return _with_parameters(source, _Query(call, argument, is_wrapped, statement, places), driver)


@dataclass(frozen=True, slots=True)
class _Query:
    call: ast.Call
    argument: ast.expr
    is_wrapped: bool
    """In `text(...)` already."""
    statement: Built
    places: list[Place]


def _sink(source: Source, flaw: Flaw) -> ast.Call | Refusal:
    """Return the call that runs the statement of a flaw."""
    node = source.node_of(flaw)
    if node is None:
        return Refusal("the place was not found")
    call = source.call_of(flaw)
    if call is not None and _runs(call):
        return call
    for around in (node, *source.ancestors(node)):
        if isinstance(around, ast.Call) and _runs(around):
            return around
        if isinstance(around, ast.stmt):
            break
    statement = source.statement(node)
    if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
        return Refusal("the statement is run by code that is not in the snippet")
    name = statement.targets[0].id
    calls = [
        inner
        for inner in source.inside(source.scope(statement))
        if isinstance(inner, ast.Call)
        and _runs(inner)
        and any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(inner))
    ]
    if len(calls) != 1:
        return Refusal("the statement is run by code that is not in the snippet, or more than once")
    return calls[0]


def _runs(call: ast.Call) -> bool:
    return getattr(call.func, "attr", getattr(call.func, "id", "")) in _RUNNING | _FRAMES


def _inner_text(source: Source, node: ast.expr) -> tuple[ast.expr, bool]:
    """Return what stands inside `text(...)`, and whether it did."""
    if not isinstance(node, ast.Call) or len(node.args) != 1:
        return node, False
    if source.dotted(node.func).rpartition(".")[2] == "text":
        return node.args[0], True
    return node, False


def _built_statement(source: Source, text: ast.expr) -> Built | Refusal:
    if not isinstance(text, ast.Name):
        whole = built(source, text)
    else:
        if not source.definitions(text):
            return Refusal("the statement comes from elsewhere")
        whole = stepped(source, text)
    if whole is None or not whole.gaps:
        return Refusal("the statement is not put together in a way that can be taken apart")
    if isinstance(text, ast.Name) and _is_rebound(source, whole, text):
        return Refusal("a value changes between the statement's text and its run")
    return whole


def _is_rebound(source: Source, whole: Built, use: ast.Name) -> bool:
    """Return whether a name that the values need is bound again before the statement runs."""
    names = {
        inner.id
        for gap in whole.gaps
        for inner in ast.walk(gap.node)
        if isinstance(inner, ast.Name)
    }
    first, last = source.span(whole.node)[1], source.span(use)[0]
    return any(
        isinstance(node, ast.Name)
        and isinstance(node.ctx, ast.Store)
        and node.id in names
        and first <= source.span(node)[0] < last
        for node in source.inside(source.scope(use))
    )


def _with_parameters(source: Source, query: _Query, driver: Driver) -> Fix | Refusal:
    changes: list[Change] = []
    values: list[str] = []
    names: list[str] = []
    for number, place in enumerate(query.places, 1):
        value = _parameter(source, query.statement, place)
        if value is None:
            return Refusal("a value is formatted in a way that a parameter cannot repeat")
        name = _parameter_name(place.gap.node, names)
        names.append(name)
        values.append(value)
        mark = {":name": f":{name}", ":n": f":{number}"}.get(driver.mark, driver.mark)
        gap = place.gap
        changes.append(Change(gap.start - place.left, gap.end + place.right, mark + gap.closing))
    changes += query.statement.tidy
    changes = _percents(source, query, driver, changes)
    start, end = source.span(query.argument)
    imports: list[str] = []
    if driver.mark == ":name":
        written = "{" + ", ".join(f'"{n}": {v}' for n, v in zip(names, values, strict=True)) + "}"
        if not query.is_wrapped:
            function, needed = name_for(source, "from sqlalchemy import text")
            imports += [needed] if needed else []
            changes += [Change(start, start, f"{function}("), Change(end, end, f"), {written}")]
            return Fix(tuple(changes), tuple(imports))
    else:
        written = f"({', '.join(values)}{',' if len(values) == 1 else ''})"
    if getattr(query.call.func, "attr", getattr(query.call.func, "id", "")) in _FRAMES:
        changes.append(with_keyword(source, query.call, f"params={written}"))
    else:
        changes.append(Change(end, end, f", {written}"))
    return Fix(tuple(changes), tuple(imports))


def _parameter(source: Source, whole: Built, place: Place) -> str | None:
    value = source.text(place.gap.node)
    if not value:
        return None
    suffix = place.gap.suffix
    if suffix.startswith(":") and '"' not in suffix:
        value = f'format({value}, "{suffix[1:]}")'
    elif suffix == "!s":
        value = f"str({value})"
    elif suffix:
        return None
    before, after = place.before, place.after
    if not before and not after:
        return f"int({value})" if place.is_count and "int(" not in value else value
    if whole.style == "%":
        before, after = before.replace("%%", "%"), after.replace("%%", "%")
    elif whole.style in ("f", "format"):
        before = before.replace("{{", "{").replace("}}", "}")
        after = after.replace("{{", "{").replace("}}", "}")
    if set(before + after) & set("{}\"'\\"):
        return None
    if set(value) & set("\"'\\{}"):
        texts = [f'"{before}"' if before else "", f"str({value})", f'"{after}"' if after else ""]
        return " + ".join(text for text in texts if text)
    return f'f"{before}{{{value}}}{after}"'


def _parameter_name(node: ast.expr, taken: list[str]) -> str:
    name = getattr(node, "id", getattr(node, "attr", ""))
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        name = str(node.slice.value)
    if not re.fullmatch(r"[A-Za-z]\w*", name or ""):
        name = "value"
    if name in taken:
        name = next(f"{name}_{n}" for n in range(2, 999) if f"{name}_{n}" not in taken)
    return name


def _percents(source: Source, query: _Query, driver: Driver, changes: list[Change]) -> list[Change]:
    """Double the percent signs of the text where the driver would read them as placeholders."""
    whole = query.statement
    if not driver.doubles_percent:
        return changes
    if whole.style == "%":
        return [one for one in changes if one.text != "%"]
    found = list(changes)
    for stretch in whole.stretches:
        if isinstance(stretch, Gap):
            continue
        for index in range(*stretch):
            inside = any(one.start <= index < one.end for one in changes)
            if source.code[index] == "%" and not inside:
                found.append(Change(index, index + 1, "%%"))
    return found


_BEFORE: Final = """\
import sqlite3


def find(connection, name):
    cursor = connection.cursor()
    query = f"SELECT * FROM users WHERE name = '{name}'"
    cursor.execute(query)
    return cursor.fetchall()
"""
_TEXT: Final = ("f\"SELECT * FROM users WHERE name = '{name}'\"",
                '"SELECT * FROM users WHERE name = ?"')  # fmt: skip
_RUN: Final = (
    "connection = sqlite3.connect(':memory:')\n"
    "connection.execute('CREATE TABLE users (id INTEGER, name TEXT)')\n"
    "connection.execute(\"INSERT INTO users VALUES (1, 'Ada'), (2, 'Alan')\")\n"
    "print(find(connection, 'Ada'), find(connection, 'nobody'))\n"
)

KINDS: Final = (
    FixKind(
        id="sql-parameters",
        title="Values travel beside the statement",
        rules=frozenset({"OT-PY-001", "OT-PY-002", "S608"}),
        propose=_propose,
        before=_BEFORE,
        after=_BEFORE.replace(*_TEXT).replace("(query)", "(query, (name,))"),
        exercise=_RUN,
    ),
)
