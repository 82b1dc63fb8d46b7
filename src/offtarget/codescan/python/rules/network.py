"""Connections: addresses chosen by data, certificates, old protocols, checks of URLs."""

import ast
import re
from typing import Final

from offtarget.codescan.python.rules.grading import HIGH, LOW, MEDIUM, by_level, name_of, words_of
from offtarget.codescan.python.values import Level, Safe, Value
from offtarget.codescan.python.walk import Assigned, Call, Checks, Walk
from offtarget.codescan.rule import Rule

_TOP_NAMES: Final = (
    "com", "org", "net", "edu", "gov", "io", "co", "dev", "app", "ai", "biz", "uk", "de", "fr",
    "local", "internal", "test", "example", "corp",
)  # fmt: skip
_ADDRESS_TEXTS: Final = (
    "url", "URL", "Url", "uri", "URI", "link", "href", "netloc", "host", "Host", "HOST", "domain",
    "DOMAIN", "Domain", "origin", "Origin", "refer", "Refer", "src", "redirect", "site", "location",
    "address", "endpoint", "webhook", "callback", "next", "LINK", "SITE", "ADDRESS",
)  # fmt: skip
_TOP_TEXTS: Final = tuple(f".{name}{end}" for name in _TOP_NAMES for end in ("'", '"', "/", ":"))

RULES: Final = (
    Rule(
        id="OT-PY-060",
        title="Request to an address chosen by data",
        language="python",
        cwe="CWE-918",
        severity=MEDIUM,
        confidence=0.75,
        why="The server fetches addresses that only it can reach: inner services, cloud "
        "credentials. A list of allowed hosts keeps it to what was meant.",
        bad="import requests\nfrom flask import request\n"
        "def fetch():\n    return requests.get(request.args['url']).json()\n",
        good="import requests\nfrom flask import request\n"
        "def fetch():\n"
        "    item = int(request.args['item'])\n"
        "    return requests.get(f'https://api.example.org/items/{item}').json()\n",
        literals=(
            (
                "requests",
                "urlopen",
                "httpx",
                "aiohttp",
                "urlretrieve",
                "HTTPConnection",
                "HTTPSConnection",
                "urllib",
            ),
        ),
    ),
    Rule(
        id="OT-PY-061",
        title="Certificate not checked",
        language="python",
        cwe="CWE-295",
        severity=MEDIUM,
        confidence=0.85,
        why="Anybody on the way can pose as the server, read what is sent and change what comes "
        "back, although the connection is encrypted.",
        bad="import requests\nrequests.get('https://example.org', verify=False)\n",
        good="import requests\nrequests.get('https://example.org')\n",
        literals=(
            (
                "verify",
                "CERT_NONE",
                "_create_unverified_context",
                "check_hostname",
                "AutoAddPolicy",
                "WarningPolicy",
                "ssl=",
            ),
        ),
    ),
    Rule(
        id="OT-PY-062",
        title="Outdated TLS version",
        language="python",
        cwe="CWE-327",
        severity=MEDIUM,
        confidence=0.8,
        why="SSL 2 and 3 and TLS 1.0 and 1.1 have known attacks that read the traffic.",
        bad="import ssl\ncontext = ssl.SSLContext(ssl.PROTOCOL_TLSv1)\n",
        good="import ssl\ncontext = ssl.create_default_context()\n",
        literals=(("PROTOCOL_SSLv", "PROTOCOL_TLSv1", "TLSv1", "SSLv"),),
    ),
    Rule(
        id="OT-PY-063",
        title="Protocol without encryption",
        language="python",
        cwe="CWE-319",
        severity=LOW,
        confidence=0.5,
        why="Names, passwords and files travel readable for everybody on the way.",
        bad="import telnetlib\nconnection = telnetlib.Telnet('host')\n",
        good="import ftplib\nconnection = ftplib.FTP_TLS('host')\n",
        literals=(("telnetlib", "ftplib"),),
    ),
    Rule(
        id="OT-PY-064",
        title="Address judged by a part of its text",
        language="python",
        cwe="CWE-20",
        severity=MEDIUM,
        confidence=0.8,
        why="`https://evil.test/example.org` and `example.org.evil.test` hold the trusted name as "
        "well. Parse the address and compare its whole host.",
        bad="def allowed(url):\n    return 'example.org' in url\n",
        good="from urllib.parse import urlparse\n"
        "def allowed(url):\n    return urlparse(url).hostname == 'example.org'\n",
        literals=(_ADDRESS_TEXTS, _TOP_TEXTS, (" in ", "startswith", "endswith", "find", "index")),
    ),
)

_METHODS: Final = ("get", "post", "put", "delete", "head", "patch", "options", "request")
_CLIENTS: Final = (
    *(f"requests.{name}" for name in _METHODS),
    *(f"httpx.{name}" for name in _METHODS),
    *(f"requests.Session().{name}" for name in _METHODS),
    *(f"requests.session().{name}" for name in _METHODS),
    *(f"httpx.Client().{name}" for name in _METHODS),
    *(f"httpx.AsyncClient().{name}" for name in _METHODS),
    *(f"aiohttp.ClientSession().{name}" for name in _METHODS),
    "urllib.request.urlopen", "urllib.request.urlretrieve", "urllib.request.Request",
    "http.client.HTTPConnection", "http.client.HTTPSConnection", "urllib3.PoolManager().request",
)  # fmt: skip
_FIXED_HOST: Final = re.compile(r"^(?:https?|ftp)://[^/\x00-\x02?#@\\]+[/?#]", re.I)
_OLD: Final = re.compile(
    r"PROTOCOL_(?:SSLv\w*|TLSv1(?:_1)?)$|(?:TLSVersion\.)?(?:TLSv1(?:_1)?|SSLv3)$"
)
_TOP: Final = f"(?:{'|'.join(_TOP_NAMES)})"
_HOST: Final = re.compile(
    rf"^(?:https?://|//|\*?\.|www\.)?(?:[\w-]+\.)*[\w-]+\.{_TOP}(?::\d+)?(?P<path>/\S*)?$"
)
_ADDRESS: Final = re.compile(
    r"ur[li]s?\b|link|href|netloc|host|domain|origin|refer(?:r)?er|\bsrc\b|redirect|website|\bsite\b|"
    r"location|address|endpoint|webhook|callback|\bnext\b",
    re.I,
)
_MAIL: Final = re.compile(r"mail", re.I)


def register(checks: Checks) -> None:
    """Have the checks of this file called."""
    checks.on_call(_CLIENTS, _fetch)
    checks.keywords.append(_unverified)
    checks.on_call(("ssl._create_unverified_context",), _no_context)
    checks.on_method(("set_missing_host_key_policy",), _host_key)
    checks.assigned.append(_assigned)
    checks.on_call(("ssl.SSLContext", "ssl.wrap_socket"), _old_version)
    checks.on_call(("telnetlib.Telnet", "ftplib.FTP"), _cleartext)
    checks.compared.append(_substring)
    checks.on_method(("startswith", "endswith", "find", "index", "__contains__"), _affix)


def _fetch(walk: Walk, call: Call) -> None:
    index = 1 if call.attr == "request" else 0
    value = call.argument(index, "url")
    if value is None:
        return
    taint = walk.exposed(value, Safe.URL | Safe.INDIRECT)
    if taint is None or taint.level < Level.LOCAL:
        return
    if value.shape is not None and _FIXED_HOST.match(value.shape):
        return
    walk.report(
        "OT-PY-060",
        call.node,
        "The program connects to an address that comes from outside.",
        severity=by_level(taint, remote=HIGH, local=LOW),
        confidence=0.75,
        taint=taint,
    )


def _unverified(walk: Walk, call: Call) -> None:
    keywords = call.keywords
    chosen = keywords.get("verify")
    if chosen is None:
        chosen = keywords.get("verify_ssl", keywords.get("ssl_verify"))
    if chosen is None and "aiohttp" in walk.frameworks:
        chosen = keywords.get("ssl")
    none = keywords.get("cert_reqs")
    off = chosen is not None and chosen.const is False
    if none is not None and ((none.kind or "").endswith("CERT_NONE") or none.const == "CERT_NONE"):
        off = True
    if off and not call.name.startswith(("jwt.", "jose.")):
        walk.report(
            "OT-PY-061",
            call.node,
            "The server's certificate is not checked.",
            severity=MEDIUM,
            confidence=0.85,
        )


def _no_context(walk: Walk, call: Call) -> None:
    walk.report("OT-PY-061", call.node, "The server's certificate is not checked.", severity=MEDIUM)


def _host_key(walk: Walk, call: Call) -> None:
    kind = (call.args[0].kind or "") if call.args else ""
    if kind.rstrip("()").endswith(("AutoAddPolicy", "WarningPolicy")):
        walk.report(
            "OT-PY-061",
            call.node,
            "Any host key is accepted, also an attacker's.",
            severity=MEDIUM,
            confidence=0.7,
        )


def _assigned(walk: Walk, assigned: Assigned) -> None:
    target, name, value = assigned.target, assigned.name, assigned.value
    kind = value.kind or ""
    off = name in ("check_hostname", "verify") and value.const is False
    off = off or (name == "verify_mode" and kind.endswith("CERT_NONE"))
    off = off or kind == "ssl._create_unverified_context"
    if off and isinstance(target, ast.Attribute):
        walk.report(
            "OT-PY-061", target, "The server's certificate is not checked.", severity=MEDIUM
        )
    if name == "minimum_version" and _OLD.search(kind):
        _report_old(walk, target)


def _old_version(walk: Walk, call: Call) -> None:
    for value in (*call.args[:1], *call.keywords.values()):
        if _OLD.search(value.kind or ""):
            _report_old(walk, call.node)


def _report_old(walk: Walk, node: ast.AST) -> None:
    walk.report("OT-PY-062", node, "This version of TLS has known attacks.", severity=MEDIUM)


def _cleartext(walk: Walk, call: Call) -> None:
    walk.report(
        "OT-PY-063",
        call.node,
        "What is sent can be read on the way.",
        severity=LOW,
        confidence=0.5,
    )


def _substring(walk: Walk, node: ast.Compare, values: list[Value]) -> None:
    if len(values) != 2 or not isinstance(node.ops[0], ast.In | ast.NotIn):
        return
    text, address = values[0].const, node.comparators[0]
    if not isinstance(text, str) or values[1].items is not None or values[1].is_const:
        return
    if _HOST.match(text) and _is_address(address):
        _report_part(walk, node)


def _is_address(node: ast.expr) -> bool:
    """Return whether an expression is, by its names, one address rather than a list of them."""
    if isinstance(node, ast.Call) and name_of(node.func) in (
        "get",
        "lower",
        "strip",
        "str",
        "group",
    ):
        words = words_of(node)
    elif isinstance(node, ast.Subscript | ast.Attribute | ast.Call):
        words = f"{name_of(node)} {words_of(node)}"
    else:
        words = name_of(node)
    if isinstance(node, ast.Name) and re.search(
        r"(?:urls|links|hosts|domains|allowed|list)$", words, re.I
    ):
        return False
    return bool(_ADDRESS.search(words)) and not _MAIL.search(words)


def _affix(walk: Walk, call: Call) -> None:
    receiver = call.node.func.value if isinstance(call.node.func, ast.Attribute) else None
    if not call.args or receiver is None:
        return
    options = call.args[0]
    values = list(options.items.values()) if options.items else [options]
    for value in values:
        text = value.const
        if not isinstance(text, str):
            continue
        match = _HOST.match(text)
        if match is None or not _is_address(receiver):
            continue
        if call.attr == "endswith" and text.startswith((".", "/", "@", "http", "*")):
            continue
        if call.attr == "startswith" and match["path"]:
            continue
        _report_part(walk, call.node)
        return


def _report_part(walk: Walk, node: ast.AST) -> None:
    walk.report(
        "OT-PY-064",
        node,
        "An address is judged by a part of its text; compare its whole host.",
        severity=MEDIUM,
        confidence=0.8,
    )
