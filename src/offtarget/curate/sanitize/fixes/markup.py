"""HTML put together from data: every value is escaped where it enters the page."""

import ast
import re
from typing import Final

from offtarget.codescan.flaw import Flaw
from offtarget.curate.sanitize.building import built
from offtarget.curate.sanitize.escaper import Escaper, is_format, is_join
from offtarget.curate.sanitize.kind import FixKind, name_for, wrapped
from offtarget.curate.sanitize.records import Change, Fix, Refusal
from offtarget.curate.sanitize.source import Source

_MARK_SAFE: Final = "django.utils.safestring.mark_safe"
_MARKING: Final = re.compile(r"(?:^|\.)(?:Markup|mark_safe|SafeString|SafeText|HTML)$")


def page_of(source: Source, flaw: Flaw) -> ast.expr | None:
    """Return the expression that holds the page: what is returned, or the call's first argument."""
    node = source.node_of(flaw)
    if isinstance(node, ast.Return | ast.Expr):
        node = node.value
    if isinstance(node, ast.Tuple) and node.elts:
        node = node.elts[0]
    while isinstance(node, ast.Call) and not is_format(node) and not is_join(node):
        named = [k.value for k in node.keywords if k.arg in ("content", "text", "body", "response")]
        if isinstance(node.func, ast.Attribute) and node.func.attr == "encode":
            node = node.func.value
        elif node.args or named:
            node = node.args[0] if node.args else named[0]
        else:
            return None
    return node if isinstance(node, ast.expr) else None


def escaped(source: Source, escaper: Escaper) -> Fix | Refusal:
    """Return the fix that escapes what was collected."""
    if escaper.problem:
        return Refusal(escaper.problem)
    if not escaper.formatted and not escaper.added and not escaper.lists:
        return Refusal("no unescaped value was found in the page")
    # `+` needs plain text: markupsafe's result would escape the tags beside it
    is_flask = "flask" in source.modules and not escaper.added
    name, needed = name_for(
        source, "from markupsafe import escape" if is_flask else "from html import escape"
    )
    changes: list[Change] = []
    for node in escaper.formatted:
        is_any = not is_flask and getattr(getattr(node, "func", None), "id", "") != "str"
        opening, closing = (f"{name}(str(", "))") if is_any else (f"{name}(", ")")
        changes += wrapped(source, node, opening, closing=closing)
    item = "item" if "item" not in source.bound else "item_"
    for node in escaper.added:
        changes += wrapped(source, node, f"{name}(", closing=")")
    for node in escaper.lists:
        changes += wrapped(source, node, f"{name}({item}) for {item} in ", closing="")
    return Fix(tuple(changes), (needed,) if needed else ())


def _propose(source: Source, flaw: Flaw) -> Fix | Refusal:
    page = page_of(source, flaw)
    if page is None:
        return Refusal("the page is not put together in this statement")
    if isinstance(page, ast.Name):
        values = source.definitions(page)
        if values and len(values) == 1 and isinstance(values[0], ast.Assign):
            inner = values[0].value
            is_text = is_format(inner) or is_join(inner)
            if isinstance(inner, ast.Call) and inner.args and not is_text:
                page = inner.args[0] if "esponse" in source.dotted(inner.func) else page
    escaper = Escaper(source)
    escaper.visit(page)
    return escaped(source, escaper)


def _propose_marked(source: Source, flaw: Flaw) -> Fix | Refusal:
    call = source.call_of(flaw)
    if call is None or not _MARKING.search(source.dotted(call.func)) or not call.args:
        return Refusal("the call that marks HTML as safe was not found")
    moved = _moved_out(source, call)
    if moved is not None and source.dotted(call.func) != _MARK_SAFE:
        return moved
    escaper = Escaper(source)
    escaper.visit(call.args[0])
    return escaped(source, escaper)


def _propose_formatted(source: Source, flaw: Flaw) -> Fix | Refusal:
    call = source.call_of(flaw)
    if call is None or source.dotted(call.func) != _MARK_SAFE or not call.args:
        return Refusal("the call that marks HTML as safe was not found")
    return _moved_out(source, call) or Refusal("the text is not put together in the call")


def _moved_out(source: Source, call: ast.Call) -> Fix | None:
    """Mark the fixed text only, and have what is put into it escaped."""
    name = source.dotted(call.func)
    whole = built(source, call.args[0])
    if whole is None or not whole.gaps or len(call.args) > 1 or call.keywords:
        return None
    escaper = Escaper(source)
    escaper.visit(call.args[0])
    found = [*escaper.formatted, *escaper.added, *escaper.lists]
    if escaper.problem or {id(one) for one in found} != {id(gap.node) for gap in whole.gaps}:
        return None
    end = source.span(call)[1]
    is_markup = name in ("markupsafe.Markup", "flask.Markup")
    if is_markup and whole.style in ("%", "format"):
        cut = whole.tidy[-1]
        return Fix((Change(cut.start, cut.start, ")"), Change(end - 1, end, "")))
    shape = whole.shape(source.code)
    is_braced = whole.style in ("f", "format")
    if not (is_braced or not set(shape) & set("{}")) or any(
        g.suffix[:1] == "%" for g in whole.gaps
    ):
        return None
    fields = whole.filled(lambda gap: "{" + gap.suffix + "}")
    kept = [one for one in fields if not (is_braced and one.text in ("{", "}"))]
    values = ", ".join(source.text(gap.node) for gap in whole.gaps)
    if is_markup:
        return Fix((*kept, Change(end, end, f".format({values})")))
    if name != _MARK_SAFE:
        return None
    function, needed = name_for(source, "from django.utils.html import format_html")
    renamed = Change(*source.span(call.func), function)
    added = Change(end - 1, end - 1, f", {values}")
    return Fix((renamed, *kept, added), (needed,) if needed else ())


KINDS: Final = (
    FixKind(
        id="escape-values",
        title="Values are escaped where they enter the page",
        rules=frozenset({"OT-PY-030"}),
        propose=_propose,
        before="from flask import Flask, request\n\napp = Flask(__name__)\n\n\n"
        "@app.route('/')\ndef hello():\n    name = request.args['name']\n"
        "    return f'''\n      <h1>Hello {name}</h1>\n    '''\n",
        after="from flask import Flask, request\nfrom markupsafe import escape\n\n"
        "app = Flask(__name__)\n\n\n"
        "@app.route('/')\ndef hello():\n    name = request.args['name']\n"
        "    return f'''\n      <h1>Hello {escape(name)}</h1>\n    '''\n",
        exercise="request.args = {'name': 'Ada'}\nprint(hello())\n",
    ),
    FixKind(
        id="format-html",
        title="Django puts the values in, escaped",
        rules=frozenset({"OT-PY-031", "S308"}),
        propose=_propose_formatted,
        before="from django.utils.safestring import mark_safe\n\n\ndef badge(name):\n"
        "    return mark_safe(f'<b>{name}</b> {{x}}')\n",
        after="from django.utils.safestring import mark_safe\n"
        "from django.utils.html import format_html\n\n\ndef badge(name):\n"
        "    return format_html('<b>{}</b> {{x}}', name)\n",
        exercise="print(badge('Ada'))\n",
    ),
    FixKind(
        id="escape-marked",
        title="Values are escaped before the text is marked as HTML",
        rules=frozenset({"OT-PY-031", "S308", "S704"}),
        propose=_propose_marked,
        before="from markupsafe import Markup\n\n\ndef badge(name):\n"
        "    return Markup('<b>' + name + '</b>')\n",
        after="from markupsafe import Markup\n\n\ndef badge(name):\n"
        "    return Markup('<b>{}</b>').format(name)\n",
        exercise="print(badge('Ada'))\n",
    ),
)
