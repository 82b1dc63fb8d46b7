"""From the names that code uses to the dotted names that the rules know."""

import ast
from functools import lru_cache
from typing import Final

from offtarget.codescan.python.values import Value

_UNIMPORTED: Final = {
    "request": "flask.request",
    "session": "flask.session",
    "render_template_string": "flask.render_template_string",
    "make_response": "flask.make_response",
    "send_file": "flask.send_file",
    "send_from_directory": "flask.send_from_directory",
    "redirect": "flask.redirect",
    "url_for": "flask.url_for",
    "jsonify": "flask.jsonify",
    "render_template": "flask.render_template",
    "Markup": "markupsafe.Markup",
    "mark_safe": "django.utils.safestring.mark_safe",
    "HttpResponse": "django.http.HttpResponse",
    "HttpResponseRedirect": "django.http.HttpResponseRedirect",
    "secure_filename": "werkzeug.utils.secure_filename",
    "Path": "pathlib.Path",
    "urlparse": "urllib.parse.urlparse",
    "urlopen": "urllib.request.urlopen",
    "ET": "xml.etree.ElementTree",
}
"""What names mean in snippets whose imports were left out."""

_SAME: Final = {
    "cPickle": "pickle",
    "_pickle": "pickle",
    "cloudpickle": "pickle",
    "dill": "pickle",
    "simplejson": "json",
    "ruamel.yaml": "yaml",
    "flask.escape": "markupsafe.escape",
    "jinja2.escape": "markupsafe.escape",
    "flask.Markup": "markupsafe.Markup",
    "jinja2.Markup": "markupsafe.Markup",
    "flask.wrappers.Response": "flask.Response",
    "werkzeug.wrappers.Response": "flask.Response",
    "werkzeug.secure_filename": "werkzeug.utils.secure_filename",
    "flask.globals.request": "flask.request",
    "flask.safe_join": "werkzeug.utils.safe_join",
    "werkzeug.security.safe_join": "werkzeug.utils.safe_join",
    "django.shortcuts.HttpResponse": "django.http.HttpResponse",
    "django.http.response.HttpResponse": "django.http.HttpResponse",
    "django.shortcuts.redirect": "flask.redirect",
    "werkzeug.utils.redirect": "flask.redirect",
    "bleach.sanitizer.Cleaner": "bleach.Cleaner",
    "jinja2.environment.Environment": "jinja2.Environment",
    "jinja2.environment.Template": "jinja2.Template",
    "starlette.requests.Request": "fastapi.Request",
    "starlette.responses": "fastapi.responses",
    "urllib2.urlopen": "urllib.request.urlopen",
    "urllib2.Request": "urllib.request.Request",
    "urllib.urlopen": "urllib.request.urlopen",
    "urllib.quote": "urllib.parse.quote",
    "urlparse.urlparse": "urllib.parse.urlparse",
    "six.moves.urllib.parse": "urllib.parse",
    "six.moves.urllib.request": "urllib.request",
    "commands": "subprocess",
    "pipes.quote": "shlex.quote",
    "cgi.escape": "html.escape",
    "xml.sax.saxutils.escape": "html.escape",
    "django.utils.html.escape": "html.escape",
    "django.utils.html.conditional_escape": "html.escape",
    "lxml.etree": "lxml.etree",
    "xml.etree.cElementTree": "xml.etree.ElementTree",
    "Crypto": "Cryptodome",
    "anyio.Path": "pathlib.Path",
    "pathlib.PurePath": "pathlib.Path",
    "pathlib.PosixPath": "pathlib.Path",
    "codecs.open": "open",
    "io.open": "open",
    "aiofiles.open": "open",
    "builtins.open": "open",
    "file": "open",
    "raw_input": "input",
    "builtins.eval": "eval",
    "builtins.exec": "exec",
    "sqlalchemy.sql.text": "sqlalchemy.text",
    "sqlalchemy.sql.expression.text": "sqlalchemy.text",
    "Path": "pathlib.Path",
}
"""Second names of the same thing."""


@lru_cache(maxsize=4096)
def canonical(dotted: str) -> str:
    """Return the one name under which the rules know the thing."""
    for _ in range(3):
        found = _SAME.get(dotted)
        if found is None:
            head, _, rest = dotted.partition(".")
            deeper = ".".join(dotted.split(".", 2)[:2])
            if rest and deeper in _SAME and _SAME[deeper] != deeper:
                found = _SAME[deeper] + dotted[len(deeper) :]
            elif rest and head in _SAME and head != "file":
                found = f"{_SAME[head]}.{rest}"
        if found is None or found == dotted:
            return dotted
        dotted = found
    return dotted


@lru_cache(maxsize=4096)
def unbound(name: str) -> Value:
    """Return what a name means that the code neither imports nor assigns."""
    return Value(kind=canonical(_UNIMPORTED.get(name, name)))


@lru_cache(maxsize=8192)
def member(kind: str, name: str) -> str:
    """Return the dotted name of an attribute; over-long chains are cut to their end."""
    if len(kind) > 80:
        kind = kind[-40:]
    return canonical(f"{kind}.{name}")


def imported(node: ast.Import | ast.ImportFrom) -> list[tuple[str, Value]]:
    """Return the names that an import binds, with what they mean."""
    bound = []
    if isinstance(node, ast.Import):
        for alias in node.names:
            target = alias.name if alias.asname else alias.name.partition(".")[0]
            bound.append((alias.asname or target, Value(kind=canonical(target))))
        return bound
    for alias in node.names:
        if alias.name == "*":
            continue
        kind = canonical(f"{node.module}.{alias.name}" if node.module else alias.name)
        if alias.name in ("request", "session") and node.module and "django" not in node.module:
            kind = _FROM_WEB.get(node.module.partition(".")[0], kind)
            kind = f"{kind}.{alias.name}" if kind in ("flask", "bottle") else kind
        bound.append((alias.asname or alias.name, Value(kind=kind)))
    return bound


_FROM_WEB: Final = {"flask": "flask", "quart": "flask", "sanic": "flask", "bottle": "bottle"}
