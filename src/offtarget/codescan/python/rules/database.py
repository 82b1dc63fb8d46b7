"""SQL, LDAP and XPath queries put together from data."""

import re
from typing import Final

from offtarget.codescan.python.rules.grading import (
    HIGH,
    LOW,
    MEDIUM,
    by_level,
    is_formatted,
    is_sanitized,
    words_of,
)
from offtarget.codescan.python.rules.literals import FORMATTING
from offtarget.codescan.python.values import CLEAN_HOLE, HOLE, Level, Safe, Value, is_fixed
from offtarget.codescan.python.walk import Call, Checks, Walk
from offtarget.codescan.python.words import words
from offtarget.codescan.rule import Rule
from offtarget.core.finding import Severity

_STATEMENT_WORDS: Final = (
    "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "CALL", "REPLACE",
    "select ", "select\n", "insert ", "update ", "delete ", "create ", "drop ", "alter ", "call ",
    "replace ", "Select ", "Insert ", "Update ", "Delete ",
)  # fmt: skip
_TARGET_WORDS: Final = (
    "FROM", " from ", "\nfrom", " From ", "INTO", " into ", " Into ", "SET", " set ", " Set ",
    "TABLE", " table ", "DATABASE", " database ", "USER", " user ", "CALL", "call ",
)  # fmt: skip

RULES: Final = (
    Rule(
        id="OT-PY-001",
        title="SQL statement put together from data",
        language="python",
        cwe="CWE-89",
        severity=HIGH,
        confidence=0.9,
        why="Whoever controls the data rewrites the statement and reads or changes the whole "
        "database. A model that learns to format SQL hands that hole to every application.",
        bad="def find(cursor, name):\n"
        "    cursor.execute(\"SELECT * FROM users WHERE name = '%s'\" % name)\n",
        good="def find(cursor, name):\n"
        '    cursor.execute("SELECT * FROM users WHERE name = %s", (name,))\n',
        literals=(
            (
                "execute",
                "raw",
                "extra(",
                "read_sql",
                "exec_driver_sql",
                "RawSQL",
                "sqlalchemy",
                "mogrify",
            ),
        ),
    ),
    Rule(
        id="OT-PY-002",
        title="SQL put together from data and handed on",
        language="python",
        cwe="CWE-89",
        severity=MEDIUM,
        confidence=0.65,
        why="The statement reaches the database through a function of the project, with the data "
        "inside its text. Parameters that travel beside the text cannot be rewritten.",
        bad="def save(db, user):\n    db.query(f\"DELETE FROM users WHERE name = '{user}'\")\n",
        good='def save(db, user):\n    db.query("DELETE FROM users WHERE name = ?", (user,))\n',
        literals=(_STATEMENT_WORDS, _TARGET_WORDS, FORMATTING),
    ),
    Rule(
        id="OT-PY-003",
        title="LDAP filter put together from data",
        language="python",
        cwe="CWE-90",
        severity=HIGH,
        confidence=0.8,
        why="Parentheses and stars in the data change which entries match, so that a login check "
        "succeeds for anybody. Escaping the filter characters closes the hole.",
        bad="from flask import request\nimport ldap\nconn = ldap.initialize('ldap://h')\n"
        "conn.search_s('dc=x', ldap.SCOPE_SUBTREE, '(uid=%s)' % request.args['user'])\n",
        good="from flask import request\nimport ldap, ldap.filter\nconn = ldap.initialize('l')\n"
        "name = ldap.filter.escape_filter_chars(request.args['user'])\n"
        "conn.search_s('dc=x', ldap.SCOPE_SUBTREE, '(uid=%s)' % name)\n",
        literals=(
            ("search",),
            ("ldap", "LDAP", "(&", "(|", "(uid", "(cn", "(mail", "(sAMA", "(member", "dc="),
        ),
    ),
    Rule(
        id="OT-PY-004",
        title="XPath expression put together from data",
        language="python",
        cwe="CWE-643",
        severity=HIGH,
        confidence=0.8,
        why="A quote in the data ends the text and changes which nodes are selected, so that other "
        "people's records come back. XPath variables keep data out of the expression.",
        bad="from flask import request\nfrom lxml import etree\ntree = etree.parse('u.xml')\n"
        "tree.xpath(\"//user[@name='\" + request.args['name'] + \"']\")\n",
        good="from flask import request\nfrom lxml import etree\ntree = etree.parse('u.xml')\n"
        "tree.xpath('//user[@name=$name]', name=request.args['name'])\n",
        literals=(("xpath", "XPath", "ElementTree", "etree", "lxml", "elementpath"),),
    ),
)

_SQL: Final = re.compile(
    r"\b(?:select|insert|update|delete|replace|create|drop|alter|truncate|grant|exec|call|merge|"
    r"with|pragma|union|where|values|order\s+by|attach|describe|show|use)\b",
    re.I,
)
_STATEMENT: Final = re.compile(
    r"^\s*(?:select\b[^;]{1,2000}?\bfrom\b|insert\s+(?:or\s+\w+\s+)?into\b|replace\s+into\b|"
    r"update\s+\S+\s+set\b|delete\s+from\b|drop\s+(?:table|database|user)\b|"
    r"alter\s+(?:table|user)\b|create\s+(?:table|user|database)\b|call\s+\w+\s*\()",
    re.I,
)
_NAME_BEFORE: Final = re.compile(
    r"(?:\b(?:from|join|into|update|table|by|database|index|view|column|exists|schema|describe|"
    r"select|distinct|on|use|user|role|as|trigger|sequence|pragma|collate|asc|desc|add|drop|"
    r"function|with|only|set)\s+[\"`\[]?|[.`\[(\"]|table_info\(|,\s*|\w|^\s*|"
    r"\binsert into [\w.`\"]+ ?\(\s*)$",
    re.I,
)
_VALUE_BEFORE: Final = re.compile(
    r"(?:[=<>]\s*[\"'(]*|'[^'\"]{0,40}|\blike\s+['\"%]*|\bin\s*\(\s*['\"]?|"
    r"\bvalues\s*\([^()]*|\bbetween\s+['\"]?|\band\s+|\blimit\s+|\boffset\s+)$",
    re.I,
)
_PLACEHOLDERS: Final = re.compile(r"\bin\s*\(\s*\x01\s*\)|values\s*\(\s*\x01\s*\)", re.I)
_DATABASE: Final = re.compile(
    r"curs|\bcur\b|conn|(?:^|_|\b)db|session|engine|database|\bc\b|sqlite|mysql|query|dbo|sql", re.I
)
_QUIET: Final = words(
    """
    debug info warning warn error exception critical log write append format join strip
    replace add_argument fail print assertEqual assertIn split startswith endswith match
    search sub compile put lower upper find encode extend insert update
    """
)
_LDAP_FILTER: Final = re.compile(r"\(\s*[&|!]?\s*\(?\s*[\w-]+\s*~?[<>]?=[^()]*[\x00]")
_LDAP_NAME: Final = re.compile(
    r"^(?:\w+=[^,\x00]*,\s*)*\w+=[^,=]*\x00[^,=]*,\s*(?:dc|ou|o|cn|c)=", re.A | re.I
)
"""A name in the tree: `ou=<anything>,dc=example,dc=org`."""


def register(checks: Checks) -> None:
    """Have the checks of this file called."""
    checks.on_method(
        (
            "execute",
            "executemany",
            "executescript",
            "raw",
            "exec_driver_sql",
            "execute_sql",
            "execute_query",
            "mogrify",
            "read_sql",
            "read_sql_query",
        ),
        _statement,
    )
    checks.on_method(("extra",), _extra)
    checks.on_call(("sqlalchemy.text", "django.db.models.expressions.RawSQL"), _statement)
    checks.formatted.append(_handed_on)
    checks.on_method(
        (
            "search_s",
            "search_ext_s",
            "search_st",
            "search",
            "search_ext",
            "paged_search",
            "async_search",
        ),
        _ldap,
    )
    checks.on_method(("xpath", "find", "findall", "findtext", "iterfind", "select"), _xpath)
    checks.on_call(("lxml.etree.XPath", "elementpath.select"), _xpath)


def value_position(shape: str) -> bool:
    """Return whether anything open stands where SQL expects a value rather than a name."""
    start = shape.find(HOLE)
    while start >= 0:
        before = shape[max(0, start - 300) : start]
        if _VALUE_BEFORE.search(before) or not _NAME_BEFORE.search(before):
            return True
        start = shape.find(HOLE, start + 1)
    return False


def _statement(walk: Walk, call: Call) -> None:
    value = call.argument(0, "sql", "query", "statement", "operation", "stmt")
    if call.attr in ("read_sql", "read_sql_query") and "pandas" not in call.name:
        value = call.argument(0, "sql")
    if value is None or is_sanitized(walk, value, Safe.SQL):
        return
    if is_fixed(value):
        _number(walk, call, value)
        return
    taint = walk.exposed(value, Safe.SQL)
    if not is_formatted(value):
        _bare(walk, call, value)
        return
    shape = value.shape or ""
    if not _SQL.search(shape):
        return
    in_value = value_position(shape)
    if taint is None:
        severity, confidence = (MEDIUM, 0.6) if in_value else (LOW, 0.4)
    else:
        low = MEDIUM if in_value else LOW
        severity = by_level(taint, remote=HIGH, local=HIGH, parameter=low, stored=low)
        confidence = 0.9 if in_value else 0.6
    walk.report(
        "OT-PY-001",
        call.node,
        "SQL is put together from data that may end the statement; pass parameters instead.",
        severity=severity,
        confidence=confidence,
        taint=taint,
    )


def _number(walk: Walk, call: Call, value: Value) -> None:
    """A number in the text is harmless today; the habit is not."""
    shape = value.shape or ""
    if value.is_const or CLEAN_HOLE not in shape or not _STATEMENT.match(shape):
        return
    if value_position(shape.replace(CLEAN_HOLE, HOLE)) and not _PLACEHOLDERS.search(shape):
        walk.report(
            "OT-PY-001",
            call.node,
            "A number stands in the text of the statement; pass it as a parameter.",
            severity=LOW,
            confidence=0.4,
        )


def _bare(walk: Walk, call: Call, value: Value) -> None:
    """A statement that comes from outside as a whole."""
    taint = walk.exposed(value, Safe.SQL | Safe.INDIRECT)
    if taint is None or taint.level < Level.LOCAL:
        return
    receiver = call.node.func.value if call.attr and hasattr(call.node.func, "value") else None
    if receiver is not None and not _DATABASE.search(words_of(receiver)):
        return
    walk.report(
        "OT-PY-001",
        call.node,
        "A whole SQL statement comes from outside.",
        severity=by_level(taint, remote=HIGH, local=LOW),
        confidence=0.6,
        taint=taint,
    )


def _extra(walk: Walk, call: Call) -> None:
    for name in ("where", "select", "tables", "order_by"):
        value = call.keywords.get(name)
        for item in (value.items or {}).values() if value is not None else ():
            taint = walk.exposed(item, Safe.SQL)
            if is_formatted(item) and taint is not None:
                walk.report(
                    "OT-PY-001",
                    call.node,
                    "Data stands in the text of `extra`; pass it in `params`.",
                    severity=by_level(taint),
                    confidence=0.7,
                    taint=taint,
                )


def _handed_on(walk: Walk, call: Call) -> None:
    for value in (*call.args[:2], *call.keywords.values()):
        shape = value.shape
        if shape is None or len(shape) < 15 or HOLE not in shape:
            continue
        if call.attr in _QUIET or call.name in ("print", "str", "len", "repr", "sqlalchemy.text"):
            return
        if call.attr in ("execute", "executemany", "executescript", "raw"):
            return
        if not _STATEMENT.match(shape) or not value_position(shape):
            continue
        if is_sanitized(walk, value, Safe.SQL):
            continue
        taint = walk.exposed(value, Safe.SQL)
        severity: Severity = MEDIUM
        if taint is not None:
            severity = by_level(taint, remote=HIGH, stored=MEDIUM)
        walk.report(
            "OT-PY-002",
            call.node,
            "A function gets SQL with data in its text; pass the data beside it.",
            severity=severity,
            confidence=0.65,
            taint=taint,
        )


def _ldap(walk: Walk, call: Call) -> None:
    for value in (*call.args, *call.keywords.values()):
        if value.shape is None:
            continue
        if not _LDAP_FILTER.search(value.shape) and not _LDAP_NAME.search(value.shape):
            continue
        if is_sanitized(walk, value, Safe.LDAP):
            continue
        taint = walk.exposed(value, Safe.LDAP)
        walk.report(
            "OT-PY-003",
            call.node,
            "An LDAP filter holds data whose special characters are not escaped.",
            severity=by_level(taint) if taint else MEDIUM,
            confidence=0.8 if taint else 0.5,
            taint=taint,
        )


def _xpath(walk: Walk, call: Call) -> None:
    value = call.argument(1 if call.name == "elementpath.select" else 0, "path", "xpath")
    if value is None or not is_formatted(value) or is_sanitized(walk, value, Safe.XPATH):
        return
    shape = value.shape or ""
    if "/" not in shape and "[" not in shape:
        return
    taint = walk.exposed(value, Safe.XPATH)
    if taint is None and call.attr != "xpath":
        return
    severity = by_level(taint) if taint else LOW
    if call.attr not in ("xpath", "") and (taint is None or taint.level < Level.LOCAL):
        severity = LOW
    walk.report(
        "OT-PY-004",
        call.node,
        "An XPath expression holds data that may end its text; use XPath variables.",
        severity=severity,
        confidence=0.8 if taint else 0.4,
        taint=taint,
    )
