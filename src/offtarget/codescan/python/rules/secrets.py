"""Passwords and keys in the code, in logs, and switched-on debugging."""

import ast
import re
from typing import Final

from offtarget.codescan.python.rules.grading import (
    LOW,
    MEDIUM,
    SECRET_WORD,
    name_of,
    words_of,
)
from offtarget.codescan.python.rules.literals import REMOTE, SECRETS
from offtarget.codescan.python.values import Level, Safe, Value
from offtarget.codescan.python.walk import Assigned, Call, Checks, Walk
from offtarget.codescan.rule import Rule
from offtarget.core.finding import Severity

RULES: Final = (
    Rule(
        id="OT-PY-080",
        title="Secret written into the code",
        language="python",
        cwe="CWE-798",
        severity=MEDIUM,
        confidence=0.65,
        why="Everybody who can read the code has the secret, and it cannot be changed without a "
        "new release. It belongs in the environment or a vault.",
        bad="DATABASE_PASSWORD = 'x7-Kq2!mZ91'\n",
        good="import os\nDATABASE_PASSWORD = os.environ['DATABASE_PASSWORD']\n",
        literals=((*SECRETS, "AKIA", "PRIVATE KEY", "ghp_", "sk_live_", "xox", "AIza"),),
    ),
    Rule(
        id="OT-PY-081",
        title="Password compared with a text in the code",
        language="python",
        cwe="CWE-798",
        severity=MEDIUM,
        confidence=0.75,
        why="The text opens the door for everybody who has seen the code, and nobody can change "
        "it.",
        bad="def login(password):\n    return password == 'letmein'\n",
        good="def login(password, stored):\n    return verify(password, stored)\n",
        literals=((*SECRETS, "pin ", "PIN"), ("==", "!=")),
    ),
    Rule(
        id="OT-PY-082",
        title="Secret written to a log",
        language="python",
        cwe="CWE-532",
        severity=LOW,
        confidence=0.5,
        why="Logs are kept long and read by many; a password in them is a password lost.",
        bad="import logging\ndef login(name, password):\n"
        "    logging.info('login %s %s', name, password)\n",
        good="import logging\ndef login(name, password):\n    logging.info('login %s', name)\n",
        literals=(SECRETS, ("log", "print", "LOG")),
    ),
    Rule(
        id="OT-PY-083",
        title="Data in a log line",
        language="python",
        cwe="CWE-117",
        severity=LOW,
        confidence=0.4,
        why="A line break in the data forges log lines and hides what happened.",
        bad="import logging\nfrom flask import request\n"
        "def seen():\n    logging.info('user ' + request.args['user'])\n",
        good="import logging\nfrom flask import request\n"
        "def seen():\n    logging.info('user %r', request.args['user'].replace('\\n', ''))\n",
        literals=(("log", "LOG"), REMOTE),
    ),
    Rule(
        id="OT-PY-084",
        title="Debugging switched on",
        language="python",
        cwe="CWE-489",
        severity=MEDIUM,
        confidence=0.7,
        why="The debugger's page shows the program's inside to every visitor, and Flask's runs any "
        "code that is typed into it.",
        bad="from flask import Flask\napp = Flask(__name__)\napp.run(debug=True)\n",
        good="from flask import Flask\napp = Flask(__name__)\napp.run()\n",
        literals=(("debug=", "debug =", "'debug'", '"debug"', "DEBUG"),),
    ),
)

_NOT_SECRET: Final = re.compile(
    r"path|file|url|uri|name$|field|label|prompt|column|header|_id$|_type|type$|regex|pattern|"
    r"length|_len|_key_?name|hint|hash_?(?:name|algo)|algorithm|placeholder|message|msg|text|"
    r"param|policy|expires?|tokenizer|endpoint|scheme|format|prefix|suffix|validators?|title|"
    r"public|env|version|scope|error|help|table|arn$|page|sep(?:arator)?$|class",
    re.I,
)
_PLACEHOLDER: Final = re.compile(
    r"^(?:\W*|none|null|true|false|xxx+|\*+|x+|\.+|(?:my|your|the|some|a|an|super|top|user|app|db|"
    r"test|dummy|fake|sample|example|default|dev|very|root|admin|mysql|postgres|mypass|new|old|"
    r"change|insert|enter|put|replace|secret|key|pass|password|passwd|pwd|token|here|this|me|it|"
    r"with|in|production|api|auth|access|hard|to|guess|string|value|random|keep|safe|flask|"
    r"django|encryption|client|private|session|\d{1,6}|[-_ .!<>{}$\[\]()])+|.*(?:\$\{|\{\{|<%).*|"
    r"change.?me.*|todo.*|fixme.*|\{.*\}|<.*>|%.*%)$",
    re.I,
)
_CODE_LIKE: Final = re.compile(r"^(?:[a-z_]+\.[a-z_.]+|/[\w/.-]*|https?://.*|[A-Z_]{6,})$")
_KNOWN_KEY: Final = re.compile(
    r"-----BEGIN (?:RSA |EC |OPENSSH |DSA )?PRIVATE KEY-----\s*[A-Za-z0-9+/]|\bAKIA[0-9A-Z]{16}\b|"
    r"\bghp_[A-Za-z0-9]{36}\b|\bsk_live_[0-9a-zA-Z]{20,}|\bxox[bp]-[0-9A-Za-z-]{20,}|"
    r"\bAIza[0-9A-Za-z_-]{35}\b"
)
_KNOWN_PARTS: Final = ("PRIVATE KEY", "AKIA", "ghp_", "sk_live_", "xox", "AIza")
_COMPARED: Final = re.compile(
    r"passw(?:or)?d|passwd|passphrase|(?:^|_)pwd(?:$|_)|(?:^|_)pin(?:$|_)|secret|api_?key|"
    r"(?:^|_)token$|auth_?key",
    re.I,
)
_LOGGING: Final = ("debug", "info", "warning", "warn", "error", "exception", "critical", "log")
_MINIMUM: Final = 3


def register(checks: Checks) -> None:
    """Have the checks of this file called."""
    checks.assigned.append(_assigned)
    checks.keywords.append(_keywords)
    checks.texts.append(_known)
    checks.compared.append(_compared)
    checks.on_method(_LOGGING, _logged)
    checks.on_call(("print",), _logged)
    checks.on_method(("run",), _debug)


def _assigned(walk: Walk, assigned: Assigned) -> None:
    target, name, value, node = assigned.target, assigned.name, assigned.value, assigned.node
    if value.const is True and name == "DEBUG" and not isinstance(target, ast.Constant):
        walk.report("OT-PY-084", target, "Debugging is switched on.", severity=LOW, confidence=0.5)
    text = value.const
    if not isinstance(text, str | bytes) or not text or not isinstance(node, ast.Constant):
        return
    if name and SECRET_WORD.search(name):
        _literal(walk, node, name, text, placeholder=LOW)


def _keywords(walk: Walk, call: Call) -> None:
    for keyword in call.node.keywords:
        name = keyword.arg
        if name is None or not isinstance(keyword.value, ast.Constant):
            continue
        text = keyword.value.value
        if isinstance(text, str | bytes) and text and SECRET_WORD.search(name):
            _literal(walk, keyword.value, name, text, placeholder=LOW)


def _literal(
    walk: Walk, node: ast.AST, name: str, text: str | bytes, *, placeholder: Severity
) -> None:
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    if _NOT_SECRET.search(name) or len(text) < _MINIMUM or len(text) > 500 or " " in text.strip():
        return
    if _CODE_LIKE.match(text):
        return
    is_placeholder = len(text) > 80 or bool(_PLACEHOLDER.match(text))
    walk.report(
        "OT-PY-080",
        node,
        f"The secret `{name[:40]}` stands in the code.",
        severity=placeholder if is_placeholder else MEDIUM,
        confidence=0.3 if is_placeholder else 0.65,
    )


def _known(walk: Walk, node: ast.AST, value: Value) -> None:
    text = value.shape or ""
    if len(text) >= 20 and any(map(text.__contains__, _KNOWN_PARTS)) and _KNOWN_KEY.search(text):
        walk.report(
            "OT-PY-080", node, "A private key stands in the code.", severity=MEDIUM, confidence=0.8
        )


def _compared(walk: Walk, node: ast.Compare, values: list[Value]) -> None:
    if len(values) != 2 or not isinstance(node.ops[0], ast.Eq | ast.NotEq):
        return
    pairs = ((node.left, values[1]), (node.comparators[0], values[0]))
    for expression, other in pairs:
        text = other.const
        if not isinstance(text, str) or not text.strip():
            continue
        literal = node.comparators[0] if expression is node.left else node.left
        name = name_of(expression) if not isinstance(expression, ast.Constant) else ""
        if isinstance(expression, ast.Call) and expression.args:
            name = name_of(expression.args[0])
        if not _COMPARED.search(name) or _NOT_SECRET.search(name) or len(name) > 40:
            continue
        if isinstance(literal, ast.Constant):
            walk.report(
                "OT-PY-081",
                node,
                "A password is compared with a text in the code.",
                severity=MEDIUM,
                confidence=0.75,
            )


def _logged(walk: Walk, call: Call) -> None:
    is_log = call.attr and re.search(r"log", words_of(getattr(call.node.func, "value", None)), re.I)
    if not is_log and call.name != "print":
        return
    for node, value in zip(call.node.args, call.args, strict=False):
        names = _inserted(node)
        if any(SECRET_WORD.search(n) and not _NOT_SECRET.search(n) for n in names):
            walk.report(
                "OT-PY-082",
                call.node,
                "A secret is written to a log.",
                severity=LOW,
                confidence=0.5,
            )
        taint = walk.exposed(value, Safe.LOG | Safe.INDIRECT)
        if is_log and taint is not None and taint.level == Level.REMOTE:
            walk.report(
                "OT-PY-083",
                call.node,
                "A log line holds data that may break the line.",
                severity=LOW,
                confidence=0.4,
                taint=taint,
            )


def _inserted(node: ast.expr) -> list[str]:
    """Return the names whose values end up in a message."""
    if isinstance(node, ast.Name | ast.Attribute):
        return [name_of(node)]
    if isinstance(node, ast.JoinedStr):
        return [
            name_of(piece.value)
            for piece in node.values
            if isinstance(piece, ast.FormattedValue)
            and isinstance(piece.value, ast.Name | ast.Attribute)
        ]
    if isinstance(node, ast.BinOp):
        return _inserted(node.right)
    if isinstance(node, ast.Tuple):
        return [name for item in node.elts for name in _inserted(item)]
    return []


def _debug(walk: Walk, call: Call) -> None:
    if not call.is_constant("debug", True):
        return
    walk.report(
        "OT-PY-084",
        call.node,
        "The server runs with its debugger open.",
        severity=MEDIUM,
        confidence=0.75,
    )
