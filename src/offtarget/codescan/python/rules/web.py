"""What a web handler does beside its page: redirects, headers, cookies, sessions."""

import ast
import re
from typing import Final

from offtarget.codescan.python.rules.grading import (
    LOW,
    MEDIUM,
    name_of,
)
from offtarget.codescan.python.rules.literals import REMOTE
from offtarget.codescan.python.values import Level, Safe, Value
from offtarget.codescan.python.walk import Assigned, Call, Checks, Walk
from offtarget.codescan.rule import Rule

RULES: Final = (
    Rule(
        id="OT-PY-032",
        title="Redirect to an address chosen by data",
        language="python",
        cwe="CWE-601",
        severity=MEDIUM,
        confidence=0.8,
        why="A link to the trusted site leads on to the attacker's, which looks the same and asks "
        "for the password. Only paths of the site, or hosts on a list, should be followed.",
        bad="from flask import redirect, request\n"
        "def after():\n    return redirect(request.args['next'])\n",
        good="from flask import redirect, request, url_for\n"
        "def after():\n    return redirect(url_for('page', name=request.args['next']))\n",
        literals=(("edirect", "Location", "location", "HTTPFound"), REMOTE),
    ),
    Rule(
        id="OT-PY-033",
        title="Data in a response header",
        language="python",
        cwe="CWE-113",
        severity=MEDIUM,
        confidence=0.6,
        why="A line break in the data ends the header and starts another, or a whole answer of the "
        "attacker's. Removing line breaks is enough.",
        bad="from flask import make_response, request\n"
        "def show():\n    answer = make_response('ok')\n"
        "    answer.headers['X-Name'] = request.args['name']\n    return answer\n",
        good="from flask import make_response, request\n"
        "def show():\n    answer = make_response('ok')\n"
        "    answer.headers['X-Name'] = request.args['name'].replace('\\n', '')\n"
        "    return answer\n",
        literals=(("header",), REMOTE),
    ),
    Rule(
        id="OT-PY-034",
        title="Request data stored in the session unchecked",
        language="python",
        cwe="CWE-501",
        severity=MEDIUM,
        confidence=0.5,
        why="Code elsewhere trusts the session, although the visitor chose what stands in it. "
        "Check the data before it crosses that line.",
        bad="from flask import request, session\n"
        "def choose():\n    session['role'] = request.form['role']\n",
        good="from flask import request, session\nROLES = ['reader', 'writer']\n"
        "def choose():\n    role = request.form['role']\n    if role in ROLES:\n"
        "        session['role'] = role\n",
        literals=(("session",), REMOTE),
    ),
    Rule(
        id="OT-PY-035",
        title="Cookie that travels over plain HTTP",
        language="python",
        cwe="CWE-614",
        severity=LOW,
        confidence=0.7,
        why="Anybody on the way can read the cookie from one unencrypted request, and with it take "
        "over the session.",
        bad="def login(response):\n"
        "    response.set_cookie('session', 'v', secure=False, httponly=True)\n",
        good="def login(response):\n"
        "    response.set_cookie('session', 'v', secure=True, httponly=True)\n",
        literals=(("set_cookie", "COOKIE_SECURE", "set_signed_cookie", "http.cookies"),),
    ),
    Rule(
        id="OT-PY-036",
        title="Cookie that scripts can read",
        language="python",
        cwe="CWE-1004",
        severity=LOW,
        confidence=0.7,
        why="A script that got into the page reads the cookie and sends the session away. "
        "`httponly` keeps it out of scripts' reach.",
        bad="def login(response):\n"
        "    response.set_cookie('session', 'v', secure=True, httponly=False)\n",
        good="def login(response):\n"
        "    response.set_cookie('session', 'v', secure=True, httponly=True)\n",
        literals=(("set_cookie", "COOKIE_HTTPONLY", "set_signed_cookie", "http.cookies"),),
    ),
    Rule(
        id="OT-PY-037",
        title="Protection against forged requests switched off",
        language="python",
        cwe="CWE-352",
        severity=LOW,
        confidence=0.5,
        why="Another site can have the visitor's browser send the request in the visitor's name.",
        bad="from django.views.decorators.csrf import csrf_exempt\n"
        "@csrf_exempt\ndef pay(request):\n    return None\n",
        good="def pay(request):\n    return None\n",
        literals=(("csrf_exempt", "CSRF_ENABLED", "WTF_CSRF_ENABLED"),),
    ),
)

_REDIRECTS: Final = (
    "flask.redirect", "django.http.HttpResponseRedirect", "fastapi.responses.RedirectResponse",
    "django.http.HttpResponsePermanentRedirect", "bottle.redirect", "RedirectResponse",
    "aiohttp.web.HTTPFound", "web.HTTPFound", "cherrypy.HTTPRedirect", "sanic.response.redirect",
    "pyramid.httpexceptions.HTTPFound", "redirect", "starlette.responses.RedirectResponse",
)  # fmt: skip
_ELSEWHERE: Final = re.compile(r"^(?:[\x00\x02]|https?://[\x00\x02]|//)", re.I)
_IDENTITY: Final = re.compile(
    r"user|(?:^|_)u?id(?:$|_)|role|admin|auth|login|logged|perm|priv|right|account|group|tenant|"
    r"owner|email|token|level|grade|scope|staff|verified|balance|price|amount|credit",
    re.I,
)
"""What a session is asked about before something is allowed."""
_SESSION: Final = re.compile(r"sess|auth|token|login|user|remember|jwt|sid\b", re.I)


def register(checks: Checks) -> None:
    """Have the checks of this file called."""
    checks.on_call(_REDIRECTS, _redirect)
    checks.on_method(("redirect",), _redirect)
    checks.on_method(("send_header", "set_header", "add_header", "setdefault"), _header_call)
    checks.assigned.append(_assigned)
    checks.decorated.append(_decorated)
    checks.on_method(("update", "from_mapping"), _configured)
    checks.on_method(("set_cookie", "set_signed_cookie", "set_secure_cookie"), _cookie)


def _redirect(walk: Walk, call: Call) -> None:
    if call.attr == "redirect" and call.name != "flask.redirect":
        receiver = call.node.func.value if isinstance(call.node.func, ast.Attribute) else None
        if name_of(receiver) not in ("self", "response", "web", "bottle", "flask"):
            return
    value = call.argument(0, "location", "url", "redirect_to")
    if value is not None:
        _elsewhere(walk, call.node, value)


def _elsewhere(walk: Walk, node: ast.AST, value: Value) -> None:
    taint = walk.exposed(value, Safe.URL | Safe.INDIRECT)
    if taint is None or taint.level != Level.REMOTE:
        return
    if value.shape is not None and not _ELSEWHERE.match(value.shape):
        return
    walk.report(
        "OT-PY-032",
        node,
        "The visitor is sent to an address that the request chooses.",
        severity=MEDIUM,
        confidence=0.8,
        taint=taint,
    )


def _header_call(walk: Walk, call: Call) -> None:
    if len(call.args) < 2:
        return
    if call.attr == "setdefault" and "header" not in (call.receiver.kind or ""):
        return
    _header(walk, call.node, call.args[0], call.args[1])


def _header(walk: Walk, node: ast.AST, name: Value, value: Value) -> None:
    if str(name.const).lower() == "location":
        _elsewhere(walk, node, value)
    taint = walk.exposed(value, Safe.HEADER | Safe.INDIRECT)
    if taint is not None and taint.level == Level.REMOTE:
        walk.report(
            "OT-PY-033",
            node,
            "A response header holds data that may break the line.",
            severity=MEDIUM,
            confidence=0.5,
            taint=taint,
        )


def _assigned(walk: Walk, assigned: Assigned) -> None:
    target, name, value = assigned.target, assigned.name, assigned.value
    if isinstance(target, ast.Subscript):
        owner = name_of(target.value)
        if value.const is False and name.lower() in ("secure", "httponly"):
            _morsel(walk, target, name.lower())
        if owner == "headers":
            _header(walk, target, walk.evaluate(target.slice), value)
        elif owner == "session":
            is_serious = bool(_IDENTITY.search(name_of(target)))
            _trusted(walk, target, value, is_serious=is_serious)
            _trusted(walk, target, walk.evaluate(target.slice), is_serious=True)
    if value.const is False and name.isupper():
        _switched_off(walk, target, name)


def _configured(walk: Walk, call: Call) -> None:
    """`app.config.update(SESSION_COOKIE_SECURE=False)`, `session.update(role=...)`."""
    if isinstance(call.node.func, ast.Attribute) and name_of(call.node.func.value) == "session":
        given = call.args[0].items if call.args and call.args[0].items else {}
        for name, value in {**given, **call.keywords}.items():
            is_serious = bool(_IDENTITY.search(str(name)))
            _trusted(walk, call.node, value, is_serious=is_serious)
        return
    for name, value in call.keywords.items():
        if value.const is False and name.isupper():
            _switched_off(walk, call.node, name)


def _morsel(walk: Walk, target: ast.Subscript, flag: str) -> None:
    """`cookie["session"]["secure"] = False` of the standard library."""
    if (walk.evaluate(target.value).kind or "").startswith("http.cookies."):
        rule, text = (
            ("OT-PY-035", "The cookie travels over plain HTTP as well.")
            if flag == "secure"
            else ("OT-PY-036", "Scripts can read the cookie.")
        )
        walk.report(rule, target, text, severity=MEDIUM)


def _switched_off(walk: Walk, target: ast.AST, name: str) -> None:
    if name.endswith("COOKIE_SECURE"):
        walk.report("OT-PY-035", target, "Session cookies may travel over plain HTTP.",
                    severity=MEDIUM)  # fmt: skip
    elif name.endswith("COOKIE_HTTPONLY"):
        walk.report("OT-PY-036", target, "Scripts may read session cookies.",
                    severity=MEDIUM)  # fmt: skip
    elif name.endswith(("CSRF_ENABLED", "CSRF_CHECK_DEFAULT")):
        walk.report("OT-PY-037", target, "Forged requests are not told apart.",
                    severity=LOW, confidence=0.6)  # fmt: skip


def _trusted(walk: Walk, target: ast.expr, value: Value, *, is_serious: bool) -> None:
    if not value.taints:
        return
    taint = walk.exposed(value, Safe.TRUST | Safe.INDIRECT)
    if taint is not None and taint.level == Level.REMOTE:
        walk.report(
            "OT-PY-034",
            target,
            "The session takes over request data that nothing has checked.",
            severity=MEDIUM if is_serious else LOW,
            confidence=0.5,
            taint=taint,
        )


def _cookie(walk: Walk, call: Call) -> None:
    if "**" in call.keywords or call.attr == "set_secure_cookie":
        return
    key = call.argument(0, "key", "name")
    name = str(key.const) if key is not None else ""
    for rule, flag, text in (
        ("OT-PY-035", "secure", "The cookie travels over plain HTTP as well."),
        ("OT-PY-036", "httponly", "Scripts can read the cookie."),
    ):
        given = call.keywords.get(flag)
        if given is not None and given.const not in (False, None, 0):
            continue
        explicit = given is not None and given.is_const
        serious = explicit or bool(_SESSION.search(name))
        walk.report(
            rule,
            call.node,
            text,
            severity=MEDIUM if serious else LOW,
            confidence=0.8 if explicit else 0.6,
        )


def _decorated(walk: Walk, decorator: ast.expr) -> None:
    if name_of(decorator) == "csrf_exempt":
        walk.report("OT-PY-037", decorator, "Forged requests are not told apart.",
                    severity=LOW, confidence=0.5)  # fmt: skip
