"""Pages that a web handler answers with, and texts marked as safe to stand in them."""

import ast
import re
from typing import Final

from offtarget.codescan.python.rules.grading import (
    HIGH,
    LOW,
    MEDIUM,
    by_level,
    is_formatted,
    is_sanitized,
    name_of,
)
from offtarget.codescan.python.rules.literals import ROUTES
from offtarget.codescan.python.values import Level, Safe, Value, is_fixed
from offtarget.codescan.python.walk import Call, Checks, Walk
from offtarget.codescan.rule import Rule

RULES: Final = (
    Rule(
        id="OT-PY-030",
        title="Unescaped data in an HTML answer",
        language="python",
        cwe="CWE-79",
        severity=HIGH,
        confidence=0.85,
        why="A script in the data runs in the visitor's browser with the site's rights. Escaping, "
        "or a template with autoescape, turns it into text.",
        bad="from flask import Flask, request\napp = Flask(__name__)\n@app.route('/')\n"
        "def hello():\n    return f\"<h1>Hello {request.args['name']}</h1>\"\n",
        good="from flask import Flask, request\nfrom markupsafe import escape\n"
        "app = Flask(__name__)\n@app.route('/')\n"
        "def hello():\n    return f\"<h1>Hello {escape(request.args['name'])}</h1>\"\n",
        literals=((*ROUTES, "Response", "response", "wfile", "resp.", "out."),),
    ),
    Rule(
        id="OT-PY-031",
        title="Data marked as safe HTML",
        language="python",
        cwe="CWE-79",
        severity=MEDIUM,
        confidence=0.75,
        why="The mark switches off the escaping that would have turned a script into text. Escape "
        "first, or format with `format_html`, which escapes its arguments.",
        bad="from django.utils.safestring import mark_safe\n"
        "def badge(name):\n    return mark_safe('<b>' + name + '</b>')\n",
        good="from django.utils.html import format_html\n"
        "def badge(name):\n    return format_html('<b>{}</b>', name)\n",
        literals=(("Markup", "mark_safe", "SafeString", "SafeText", "format_html", "IPython"),),
    ),
    Rule(
        id="OT-PY-038",
        title="Exception text shown to the visitor",
        language="python",
        cwe="CWE-209",
        severity=LOW,
        confidence=0.4,
        why="The text tells an attacker about paths, queries and versions. Log it, and answer with "
        "a message that says nothing of the inside.",
        bad="from flask import Flask\napp = Flask(__name__)\n@app.route('/')\n"
        "def show():\n    try:\n        return load()\n    except Exception as error:\n"
        "        return str(error)\n",
        good="from flask import Flask\napp = Flask(__name__)\n@app.route('/')\n"
        "def show():\n    try:\n        return load()\n    except Exception:\n"
        "        return 'failed'\n",
        literals=(("except",), ROUTES),
    ),
)

_TAG: Final = re.compile(r"<\s*[a-zA-Z!/]|&lt;\s*[a-zA-Z/]")
_RESPONSES: Final = (
    "flask.make_response", "flask.Response", "django.http.HttpResponse", "Response",
    "fastapi.responses.HTMLResponse", "HTMLResponse", "aiohttp.web.Response",
    "sanic.response.html", "pyramid.response.Response", "werkzeug.Response",
    "django.http.HttpResponseBadRequest", "django.http.HttpResponseNotFound", "web.Response",
)  # fmt: skip
_MARKING: Final = (
    "markupsafe.Markup", "django.utils.safestring.mark_safe", "django.utils.safestring.SafeString",
    "django.utils.safestring.SafeText", "django.utils.html.format_html", "mark_safe", "wtforms.Markup",
    "django.utils.html.mark_safe", "SafeString", "format_html", "IPython.display.HTML",
)  # fmt: skip
_JSON_ONLY: Final = frozenset({"fastapi", "rest_framework", "flask_restful", "connexion", "ninja"})
_PLAIN: Final = re.compile(r"json|text/plain|text/csv|octet-stream|image/|application/pdf|xml$")


def register(checks: Checks) -> None:
    """Have the checks of this file called."""
    checks.returned.append(_returned)
    checks.on_call(_RESPONSES, _response)
    checks.on_method(("write", "finish"), _written)
    checks.on_call(_MARKING, _marked)


def _returned(walk: Walk, node: ast.AST, value: Value) -> None:
    if not walk.is_route:
        return
    if value.items is not None and value.kind is None and 0 in value.items:
        value = value.items[0]
    if value.items is not None:
        return
    if isinstance(node, ast.Return) and _shows_exception(node.value, value):
        walk.report(
            "OT-PY-038",
            node,
            "The visitor is shown the text of an exception.",
            severity=LOW,
            confidence=0.4,
        )
    if walk.frameworks & _JSON_ONLY or value.kind in ("answer",):
        return
    _html(walk, node, value)


def _shows_exception(node: ast.expr | None, value: Value) -> bool:
    if value.kind == "exception":
        return True
    if not isinstance(node, ast.Call | ast.JoinedStr | ast.Tuple | ast.BinOp):
        return False
    return any(
        isinstance(inner, ast.Call)
        and name_of(inner.func) in ("str", "repr", "format_exc")
        and (not inner.args or name_of(inner.args[0]) in ("e", "ex", "err", "error", "exc"))
        for inner in ast.walk(node)
    )


def _html(walk: Walk, node: ast.AST, value: Value) -> None:
    """Report unescaped data in what is sent as HTML."""
    if is_fixed(value):
        return
    shape = value.shape
    has_tag = shape is not None and bool(_TAG.search(shape))
    taint = walk.exposed(value, Safe.HTML if has_tag else Safe.HTML | Safe.INDIRECT)
    if taint is None:
        return
    if value.kind is not None and shape is None and value.kind.endswith(("()", "json")):
        return
    if taint.level == Level.PARAMETER and not has_tag:
        return
    indirect = bool(taint.safe & Safe.INDIRECT)
    severity = by_level(taint, remote=HIGH, local=LOW, parameter=LOW, stored=LOW)
    if severity is HIGH and (not has_tag or indirect):
        severity = MEDIUM
    if taint.level == Level.STORED and has_tag:
        severity = MEDIUM
    walk.report(
        "OT-PY-030",
        node,
        "Data stands unescaped in an answer that browsers read as HTML.",
        severity=severity,
        confidence=0.9 if has_tag and not indirect else 0.6,
        taint=taint,
    )


def _response(walk: Walk, call: Call) -> None:
    for name in ("content_type", "mimetype", "media_type"):
        kind = call.keywords.get(name)
        if kind is not None and isinstance(kind.const, str) and _PLAIN.search(kind.const):
            return
    if "rest_framework" in walk.frameworks or _is_plain(call):
        return
    value = call.argument(0, "content", "body", "text", "response")
    if call.name in ("aiohttp.web.Response", "web.Response"):
        value = call.keywords.get("text", call.keywords.get("body"))
        kind = call.keywords.get("content_type")
        if kind is None or kind.const != "text/html":
            return
    if value is not None and value.items and value.kind is None:
        value = value.items.get(0)  # a body with its headers or status
    if value is not None:
        _html(walk, call.node, value)


def _is_plain(call: Call) -> bool:
    """Return whether the headers say that the answer is no page."""
    whole = call.args[0].items if call.args and call.args[0].kind is None else None
    for headers in (call.argument(2, "headers"), *(whole or {}).values()):
        for name, value in ((headers.items if headers else None) or {}).items():
            if str(name).lower() == "content-type" and _PLAIN.search(str(value.const)):
                return True
    return False


def _written(walk: Walk, call: Call) -> None:
    """`self.write` of tornado, `self.wfile.write` of http.server, `response.write` of others."""
    receiver = call.node.func.value if isinstance(call.node.func, ast.Attribute) else None
    word = name_of(receiver)
    if word == "self" and walk.owner is not None:
        if not any("Handler" in base for base in walk.owner.bases):
            return
    elif word not in ("wfile", "response", "out", "resp"):
        return
    if call.args:
        _html(walk, call.node, call.args[0])


def _marked(walk: Walk, call: Call) -> None:
    if not call.args or is_fixed(call.args[0]):
        return
    value = call.args[0]
    if is_sanitized(walk, value, Safe.HTML):
        return
    taint = walk.exposed(value, Safe.HTML)
    if call.name.endswith("format_html") and not is_formatted(value):
        return
    if taint is None and not is_formatted(value):
        return
    if not is_formatted(value) and taint is not None and taint.level < Level.LOCAL:
        severity = LOW
    elif taint is None:
        severity = MEDIUM if _TAG.search(value.shape or "") else LOW
    else:
        severity = by_level(taint)
    if call.name.startswith("IPython"):
        severity = LOW
    walk.report(
        "OT-PY-031",
        call.node,
        "Data is marked as safe HTML although nothing escaped it.",
        severity=severity,
        confidence=0.75 if taint else 0.5,
        taint=taint,
    )
