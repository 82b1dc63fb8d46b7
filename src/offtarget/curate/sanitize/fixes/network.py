"""Checks of the other side: certificates, hosts, cookies, and debugging that shows the inside."""

import ast
import re
from typing import Final

from offtarget.codescan.flaw import Flaw
from offtarget.curate.sanitize.kind import FixKind, keyword_of, name_for, value_of, with_keyword
from offtarget.curate.sanitize.records import Change, Fix, Refusal
from offtarget.curate.sanitize.source import Source

_HOST: Final = re.compile(r"\.?(?:[a-z0-9-]+\.)+[a-z]{2,}")
_NETWORK_PLACE: Final = re.compile(r"netloc|(?:^|[_.'\"])(?:host|hostname|domain)\b['\"\])]*$")


def _verified(source: Source, flaw: Flaw) -> Fix | Refusal:
    call = source.call_of(flaw)
    node = source.node_of(flaw)
    if call is None:
        statement = source.statement(node) if node is not None else None
        if not isinstance(statement, ast.Assign):
            return Refusal("the place that switches the check off was not found")
        value = statement.value
        if isinstance(value, ast.Constant):
            return Fix((Change(*source.span(value), "True"),))
        if isinstance(value, ast.Attribute) and value.attr == "_create_unverified_context":
            end = source.span(value)[1]
            return Fix((Change(end - len(value.attr), end, "create_default_context"),))
        return _required(source, value)
    for name in ("verify", "verify_ssl", "ssl_verify", "ssl"):
        given = keyword_of(call, name)
        if given is not None:
            off = value_of(source, given.value)
            if isinstance(off, ast.Constant) and off.value is False:
                return Fix((Change(*source.span(off), "True"),))
    given = keyword_of(call, "cert_reqs")
    if given is not None:
        return _required(source, given.value)
    if getattr(call.func, "attr", "") == "_create_unverified_context":
        end = source.span(call.func)[1]
        return Fix(
            (Change(end - len("_create_unverified_context"), end, "create_default_context"),)
        )
    if getattr(call.func, "attr", "") == "set_missing_host_key_policy" and call.args:
        text = source.text(call.args[0])
        new = re.sub(r"AutoAddPolicy|WarningPolicy", "RejectPolicy", text)
        return Fix((Change(*source.span(call.args[0]), new),))
    return Refusal("the place that switches the check off was not found")


def _required(source: Source, value: ast.expr) -> Fix | Refusal:
    start, end = source.span(value)
    text = source.code[start:end]
    if "CERT_NONE" not in text:
        return Refusal("the place that switches the check off was not found")
    return Fix((Change(start, end, text.replace("CERT_NONE", "CERT_REQUIRED")),))


def _whole_host(source: Source, flaw: Flaw) -> Fix | Refusal:
    """Compare an address's host, not a part of the address's text."""
    node = source.node_of(flaw)
    is_negative = False
    text: object = None
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        is_negative = isinstance(node.ops[0], ast.NotIn)
        text = node.left.value if isinstance(node.left, ast.Constant) else None
        address = node.comparators[0]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr not in ("startswith", "endswith") or len(node.args) != 1:
            return Refusal("the comparison is not known")
        text = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
        address = node.func.value
    else:
        return Refusal("the comparison was not found")
    if not isinstance(text, str) or not source.text(address):
        return Refusal("the host is not written in the comparison")
    host = re.sub(r"^https?://(?:www\.)?|/$", "", text.lower())
    if not _HOST.fullmatch(host):
        return Refusal("the text is more than a host")
    written = source.text(address)
    imports: tuple[str, ...] = ()
    if _NETWORK_PLACE.search(written):
        inner = f'{written}.partition(":")[0]'
        if not isinstance(address, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
            return Refusal("the address is put together in the comparison")
    else:
        function, needed = name_for(source, "from urllib.parse import urlparse")
        imports = (needed,) if needed else ()
        inner = f'(urlparse({written}).hostname or "")'.replace("urlparse(", f"{function}(", 1)
    new = f'("." + {inner}).endswith(".{host.lstrip(".")}")'
    if is_negative:
        new = f"(not {new})"
    return Fix((Change(*source.span(node), new),), imports)


def _closed_pattern(source: Source, flaw: Flaw) -> Fix | Refusal:
    """Escape the dots of a host in a pattern, and close its end."""
    call = source.call_of(flaw)
    value = value_of(source, call.args[0]) if call is not None and call.args else None
    if not isinstance(value, ast.Constant) or not isinstance(value.value, str):
        return Refusal("the pattern is put together elsewhere")
    parts = source.parts(value)
    if not parts or len(parts) != 1 or not call:
        return Refusal("the pattern is written in several parts")
    part = parts[0]
    start, end = part.body
    text = source.code[start:end]
    is_raw = "r" in part.prefix.lower()
    new = re.sub(r"(?<=[\w\])+}*])(?<!\\)\.(?=[A-Za-z0-9([])(?![*+?{])", r"\\.", text)
    new = re.sub(r"(?<=\\d\+|\\w\+)\.(?=[a-z])", r"\\.", new)
    pathless = re.search(r"[a-z]{2,}\)?$", new)
    if pathless and "/" not in re.sub(r"^\^?\(?\w+s?\??:?/{2}", "", new):
        new += "$" if source.dotted(call.func).endswith("fullmatch") else r"(?=[/:?#]|$)"
    changes = [Change(start, end, new)]
    if not is_raw and "\\" in new:
        if re.search(r"\\[^dwsDWSbB.\\()\[\]*+?|^$/-]", text):
            return Refusal("the pattern holds escapes of its own")
        changes.append(Change(part.start, part.start, "r"))
        doubled = new.replace("\\\\", "\\") if "\\\\" in text else new
        changes[0] = Change(start, end, doubled)
    if changes[0].text == text:
        return Refusal("the pattern's open end cannot be told")
    return Fix(tuple(changes))


def _cookie(source: Source, flaw: Flaw) -> Fix | Refusal:
    call = source.call_of(flaw)
    if call is None:
        statement = source.statement(source.node_of(flaw) or source.tree)
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            return Fix((Change(*source.span(statement.value), "True"),))
        return Refusal("the cookie's place was not found")
    if any(one.arg is None for one in call.keywords):
        return Refusal("the arguments of the cookie are not written out")
    changes: list[Change] = []
    missing = []
    for name, value in (("secure", "True"), ("httponly", "True"), ("samesite", '"Lax"')):
        given = keyword_of(call, name)
        if given is None:
            missing.append(f"{name}={value}")
        elif name != "samesite":
            changes.append(Change(*source.span(given.value), value))
    if missing:
        changes.append(with_keyword(source, call, ", ".join(missing)))
    return Fix(tuple(changes))


def _debug(source: Source, flaw: Flaw) -> Fix | Refusal:
    call = source.call_of(flaw)
    given = keyword_of(call, "debug") if call is not None else None
    value: ast.expr | None = given.value if given is not None else None
    if value is None:
        statement = source.statement(source.node_of(flaw) or source.tree)
        value = statement.value if isinstance(statement, ast.Assign) else None
    if not isinstance(value, ast.Constant):
        return Refusal("whether to debug is computed")
    return Fix((Change(*source.span(value), "False"),))


def _timeout(source: Source, flaw: Flaw) -> Fix | Refusal:
    call = source.call_of(flaw)
    if call is None or not source.dotted(call.func).startswith(("requests.", "httpx.")):
        return Refusal("the call that may wait for ever was not found")
    given = keyword_of(call, "timeout")
    if given is not None:
        return Fix((Change(*source.span(given.value), "10"),))
    if any(one.arg is None for one in call.keywords):
        return Refusal("the arguments of the call are not written out")
    return Fix((with_keyword(source, call, "timeout=10"),))


KINDS: Final = (
    FixKind(
        id="request-timeout",
        title="The request ends after ten silent seconds",
        rules=frozenset({"S113"}),
        propose=_timeout,
        is_small=True,
        before="import requests\n\n\ndef fetch(url):\n    return requests.get(url, verify=True)\n",
        after="import requests\n\n\ndef fetch(url):\n"
        "    return requests.get(url, verify=True, timeout=10)\n",
        exercise="requests.get = lambda url, verify, timeout=None: url\n"
        "print(fetch('https://example.com'))\n",
    ),
    FixKind(
        id="certificate-checked",
        title="The certificate is checked",
        rules=frozenset({"OT-PY-061", "S501", "S323", "S507"}),
        propose=_verified,
        before="import ssl\n\n\ndef context():\n    return ssl._create_unverified_context()\n",
        after="import ssl\n\n\ndef context():\n    return ssl.create_default_context()\n",
        exercise="print(type(context()).__name__)\n",
    ),
    FixKind(
        id="whole-host",
        title="The whole host is compared",
        rules=frozenset({"OT-PY-064"}),
        propose=_whole_host,
        before="def is_ours(url):\n    return 'example.com' in url\n",
        after="from urllib.parse import urlparse\n\n\ndef is_ours(url):\n"
        '    return ("." + (urlparse(url).hostname or "")).endswith(".example.com")\n',
        exercise="print(is_ours('https://www.example.com/a'), is_ours('https://other.org/'))\n",
    ),
    FixKind(
        id="closed-host-pattern",
        title="The pattern's dots are dots, and the host ends",
        rules=frozenset({"OT-PY-090"}),
        propose=_closed_pattern,
        before="import re\n\nHOST = re.compile('www.example.com')\n\n\n"
        "def is_ours(host):\n    return bool(HOST.match(host))\n",
        after="import re\n\nHOST = re.compile(r'www\\.example\\.com(?=[/:?#]|$)')\n\n\n"
        "def is_ours(host):\n    return bool(HOST.match(host))\n",
        exercise="print(is_ours('www.example.com'), is_ours('example.org'))\n",
    ),
    FixKind(
        id="closed-cookie",
        title="The cookie is kept from scripts and plain HTTP",
        rules=frozenset({"OT-PY-035", "OT-PY-036"}),
        propose=_cookie,
        before="from flask import make_response\n\n\ndef login():\n"
        "    response = make_response('ok')\n"
        "    response.set_cookie('session', 'x1', secure=False)\n    return response\n",
        after="from flask import make_response\n\n\ndef login():\n"
        "    response = make_response('ok')\n"
        "    response.set_cookie('session', 'x1', secure=True, httponly=True, samesite=\"Lax\")\n"
        "    return response\n",
        exercise="print(login().cookies)\n",
    ),
    FixKind(
        id="debug-off",
        title="Debugging is off",
        rules=frozenset({"OT-PY-084", "S201"}),
        propose=_debug,
        before="from flask import Flask\n\napp = Flask(__name__)\napp.run(debug=True)\n",
        after="from flask import Flask\n\napp = Flask(__name__)\napp.run(debug=False)\n",
        exercise="print(app.name)\n",
    ),
)
