"""Templates: the source is fixed text, values come beside it, and escaping is on."""

import ast
import keyword
import re
from typing import Final

from offtarget.codescan.flaw import Flaw
from offtarget.curate.sanitize.building import Built, Gap, built, stepped
from offtarget.curate.sanitize.escaper import Escaper
from offtarget.curate.sanitize.fixes.markup import escaped
from offtarget.curate.sanitize.kind import FixKind, keyword_of, name_for, value_of, with_keyword
from offtarget.curate.sanitize.records import Change, Fix, Refusal
from offtarget.curate.sanitize.source import Source


def _escaping(source: Source, flaw: Flaw) -> Fix | Refusal:
    node = source.node_of(flaw)
    statement = source.statement(node) if node is not None else None
    call = source.call_of(flaw)
    if call is None:
        if (
            isinstance(statement, ast.Assign)
            and isinstance(statement.value, ast.Constant)
            and source.text(statement.targets[0]).endswith("autoescape")
        ):
            return Fix((Change(*source.span(statement.value), "True"),))
        return Refusal("the place that switches escaping off was not found")
    given = keyword_of(call, "autoescape")
    if given is not None:
        value = value_of(source, given.value)
        if isinstance(value, ast.Constant):
            return Fix((Change(*source.span(value), "True"),))
        return Refusal("whether to escape is computed")
    if any(one.arg is None for one in call.keywords):
        return Refusal("the arguments of the call are not written out")
    if source.dotted(call.func).rpartition(".")[2] in ("Environment", "Template"):
        return Fix((with_keyword(source, call, "autoescape=True"),))
    return Refusal("the call does not set up a template engine")


def _text_flags(source: Source, flaw: Flaw) -> Fix | Refusal:
    """Take `|safe` and `autoescape false` out of the template's text."""
    text = source.code[flaw.start : flaw.end]
    changes = [
        Change(flaw.start + found.start(), flaw.start + found.end(), new)
        for pattern, new in (
            (r"\s*\|\s*safe\b(?=\s*(?:\}\}|\|))", ""),
            (r"(?<=autoescape\s)false\b", "true"),
            (r"(?<=autoescape\s)off\b", "on"),
        )
        for found in re.finditer(pattern, text)
    ]
    return Fix(tuple(changes)) if changes else Refusal("the template is not in the snippet")


def _fixed_source(source: Source, flaw: Flaw) -> Fix | Refusal:
    """Make the template constant and pass the values into its context."""
    call = source.call_of(flaw)
    name = source.dotted(call.func).rpartition(".")[2] if call is not None else ""
    if call is None or not call.args:
        return Refusal("the call that renders was not found")
    if name == "render_template_string":
        render = call
    elif name in ("Template", "from_string") or getattr(call.func, "attr", "") == "from_string":
        found = _rendering(source, call)
        if found is None:
            return Refusal("the template is rendered elsewhere")
        render = found
    else:
        return Refusal("the template engine is not known")
    text = call.args[0]
    whole = stepped(source, text) if isinstance(text, ast.Name) else built(source, text)
    if whole is None or not whole.gaps:
        return Refusal("the template's text is not put together in the snippet from known parts")
    if any(one.arg is None for one in render.keywords):
        return Refusal("the context is not written out")
    return _filled(source, whole, render)


def _rendering(source: Source, call: ast.Call) -> ast.Call | None:
    """Return the one `.render()` call of a template."""
    around = source.parent(call)
    if isinstance(around, ast.Attribute) and around.attr == "render":
        outer = source.parent(around)
        return outer if isinstance(outer, ast.Call) else None
    if not isinstance(around, ast.Assign) or not isinstance(around.targets[0], ast.Name):
        return None
    name = around.targets[0].id
    calls = [
        node
        for node in source.inside(source.scope(call))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "render"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == name
    ]
    return calls[0] if len(calls) == 1 else None


def _filled(source: Source, whole: Built, render: ast.Call) -> Fix | Refusal:
    names = {one.arg: source.text(one.value) for one in render.keywords if one.arg}
    texts: list[str] = []
    fresh: dict[str, str] = {}
    extra: list[Change] = []
    imports: list[str] = []
    for gap in whole.gaps:
        value = source.text(gap.node)
        if not value:
            return Refusal("a value stands in a text that cannot be edited")
        marked = _as_markup(source, gap.node)
        if isinstance(marked, Refusal):
            return marked
        if marked is not None:
            extra += marked.changes
            imports += marked.imports
            markup, needed = name_for(source, "from markupsafe import Markup")
            imports += [needed] if needed else []
            value = f"{markup}({value})"
        if gap.suffix:
            value = _spelled(gap, value)
            if not value:
                return Refusal("a value is formatted in a way that a template cannot repeat")
        name = _free_name(gap.node, {**names, **fresh}, value)
        if name not in names:
            fresh[name] = value
        texts.append("{{ " + name + " }}")
    written = iter(texts)
    changes = list(whole.filled(lambda gap: next(written)))
    if fresh:
        context = ", ".join(f"{name}={value}" for name, value in fresh.items())
        changes.append(with_keyword(source, render, context))
    return Fix((*changes, *extra), tuple(dict.fromkeys(imports)))


def _as_markup(source: Source, node: ast.expr) -> Fix | Refusal | None:
    """Return the fix for a value that is HTML built by the snippet itself; None for plain data."""
    if not isinstance(node, ast.Name | ast.Call | ast.JoinedStr | ast.BinOp | ast.IfExp):
        return None
    escaper = Escaper(source)
    if not escaper.is_markup(node):
        return None
    escaper.visit(node)
    if escaper.problem:
        return Refusal(escaper.problem)
    if not isinstance(node, ast.Name) and (escaper.formatted or escaper.added or escaper.lists):
        return Refusal("HTML is built inside the template's own text")
    found = escaped(source, escaper)
    return found if isinstance(found, Fix) else Fix(())


def _spelled(gap: Gap, value: str) -> str:
    if gap.suffix.startswith(":") and '"' not in gap.suffix:
        return f'format({value}, "{gap.suffix[1:]}")'
    if gap.suffix.startswith("%") and '"' not in gap.suffix and "(" not in gap.suffix:
        return f'"{gap.suffix}" % ({value},)'
    return {"!r": f"repr({value})", "!s": f"str({value})"}.get(gap.suffix, "")


def _free_name(node: ast.expr, taken: dict[str, str], value: str) -> str:
    """Return a name for a value in the template: its own, or its last attribute or key."""
    inner: ast.AST = node
    if isinstance(inner, ast.Call):
        texts = [a.value for a in inner.args if isinstance(a, ast.Constant)]
        name = str(texts[0]) if texts else getattr(inner.func, "attr", "value")
    elif isinstance(inner, ast.Subscript) and isinstance(inner.slice, ast.Constant):
        name = str(inner.slice.value)
    else:
        name = getattr(inner, "id", getattr(inner, "attr", "value"))
    name = re.sub(r"\W", "_", name)
    if not name.isidentifier() or keyword.iskeyword(name) or name in ("loop", "self", "source"):
        name = f"value_{name}" if f"value_{name}".isidentifier() else "value"
    if name in taken and taken[name] != value:
        name = next(f"{name}_{n}" for n in range(2, 999) if f"{name}_{n}" not in taken)
    return name


KINDS: Final = (
    FixKind(
        id="autoescape-on",
        title="The template engine escapes",
        rules=frozenset({"OT-PY-040", "S701"}),
        propose=_escaping,
        before="from jinja2 import Environment\n\nenv = Environment(autoescape=False)\n\n\n"
        "def greet(name):\n    return env.from_string('<b>{{ name }}</b>').render(name=name)\n",
        after="from jinja2 import Environment\n\nenv = Environment(autoescape=True)\n\n\n"
        "def greet(name):\n    return env.from_string('<b>{{ name }}</b>').render(name=name)\n",
        exercise="print(greet('Ada'))\n",
    ),
    FixKind(
        id="template-escaping-kept",
        title="The template no longer switches escaping off",
        rules=frozenset({"OT-PY-041"}),
        propose=_text_flags,
        before="from jinja2 import Environment\n\nenv = Environment(autoescape=True)\n"
        "PAGE = '<p>{{ note | safe }}</p>'\n\n\n"
        "def show(note):\n    return env.from_string(PAGE).render(note=note)\n",
        after="from jinja2 import Environment\n\nenv = Environment(autoescape=True)\n"
        "PAGE = '<p>{{ note }}</p>'\n\n\n"
        "def show(note):\n    return env.from_string(PAGE).render(note=note)\n",
        exercise="print(show('hello'))\n",
    ),
    FixKind(
        id="template-context",
        title="Values go into the template's context, not its source",
        rules=frozenset({"OT-PY-013"}),
        propose=_fixed_source,
        before="from flask import Flask, render_template_string, request\n\n"
        "app = Flask(__name__)\n\n\n@app.route('/')\ndef hello():\n"
        "    name = request.args['name']\n"
        "    page = '<h1>Hello {}</h1>'.format(name)\n"
        "    return render_template_string(page)\n",
        after="from flask import Flask, render_template_string, request\n\n"
        "app = Flask(__name__)\n\n\n@app.route('/')\ndef hello():\n"
        "    name = request.args['name']\n"
        "    page = '<h1>Hello {{ name }}</h1>'\n"
        "    return render_template_string(page, name=name)\n",
        exercise="request.args = {'name': 'Ada'}\nprint(hello())\n",
    ),
)
