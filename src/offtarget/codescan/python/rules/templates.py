"""Template engines that do not escape."""

import ast
import re
from typing import Final

from offtarget.codescan.python.rules.grading import LOW, MEDIUM, name_of
from offtarget.codescan.python.values import Value
from offtarget.codescan.python.walk import Assigned, Call, Checks, Walk
from offtarget.codescan.rule import Rule

RULES: Final = (
    Rule(
        id="OT-PY-040",
        title="Template engine without autoescape",
        language="python",
        cwe="CWE-79",
        severity=MEDIUM,
        confidence=0.85,
        why="Jinja2 escapes nothing unless told to, so that a script in any variable runs in the "
        "visitor's browser.",
        bad="import jinja2\nenv = jinja2.Environment(autoescape=False)\n",
        good="import jinja2\nenv = jinja2.Environment(autoescape=True)\n",
        literals=(("Environment", "Template", "autoescape"),),
    ),
    Rule(
        id="OT-PY-041",
        title="Template that switches escaping off",
        language="python",
        cwe="CWE-79",
        severity=MEDIUM,
        confidence=0.7,
        why="The `safe` filter and `autoescape false` let a script in the variable through to the "
        "visitor's browser.",
        bad="PAGE = '<p>{{ comment|safe }}</p>'\n",
        good="PAGE = '<p>{{ comment }}</p>'\n",
        literals=(("safe", "autoescape"), ("{{", "{%")),
    ),
)

_UNSAFE: Final = re.compile(
    r"\{\{(?![^{}]{0,200}\b(?:tojson|escape|e|clean|sanitize)\b)[^{}]{1,200}\|\s*safe\s*"
    r"(?:\|[^{}]{0,50})?\}\}|\{%-?\s*autoescape\s+(?:false|off)\b"
)
_TAG: Final = re.compile(r"<[a-zA-Z!/]|&lt;[a-zA-Z/]")
_NOT_HTML: Final = re.compile(
    r"\.(?:sql|py|c|h|cpp|yml|yaml|tex|md|txt|conf|cfg|sh|rst|json|xml)\b"
)


def register(checks: Checks) -> None:
    """Have the checks of this file called."""
    checks.on_call(("jinja2.Environment", "jinja2.sandbox.SandboxedEnvironment"), _environment)
    checks.on_call(("Environment",), _loading)
    checks.on_call(("jinja2.Template",), _template)
    checks.keywords.append(_switched_off)
    checks.assigned.append(_assigned)
    checks.texts.append(_text)


def _environment(walk: Walk, call: Call) -> None:
    chosen = call.keywords.get("autoescape")
    if chosen is not None and chosen.const not in (False, None):
        return
    if chosen is None and ("**" in call.keywords or _NOT_HTML.search(_texts(walk))):
        return
    walk.report(
        "OT-PY-040",
        call.node,
        "The environment does not escape what its templates insert.",
        severity=MEDIUM,
        confidence=0.9 if chosen is not None else 0.75,
    )


def _loading(walk: Walk, call: Call) -> None:
    """An environment whose import is not shown: only Jinja2's has a loader."""
    if "loader" in call.keywords:
        _environment(walk, call)


def _texts(walk: Walk) -> str:
    """Return the names of templates that the function asks for."""
    if walk.function is None:
        return ""
    found: list[str] = []
    for node in ast.walk(walk.function.node):
        if isinstance(node, ast.Call) and name_of(node.func) == "get_template":
            found.extend(str(a.value) for a in node.args if isinstance(a, ast.Constant))
    return " ".join(found)


def _template(walk: Walk, call: Call) -> None:
    chosen = call.keywords.get("autoescape")
    if chosen is not None and chosen.const not in (False, None):
        return
    text = call.args[0].shape if call.args else None
    if chosen is None and "{{" not in (text or "{{"):
        return
    is_html = text is not None and bool(_TAG.search(text))
    walk.report(
        "OT-PY-040",
        call.node,
        "The template does not escape what it inserts.",
        severity=MEDIUM if chosen is not None or is_html else LOW,
        confidence=0.9 if chosen is not None else 0.7,
    )


def _switched_off(walk: Walk, call: Call) -> None:
    """`autoescape=False` in a call that is not known by name."""
    chosen = call.keywords.get("autoescape")
    if chosen is None or chosen.const is not False:
        return
    if call.name in ("jinja2.Environment", "jinja2.Template"):
        return
    walk.report(
        "OT-PY-040",
        call.node,
        "The template does not escape what it inserts.",
        severity=MEDIUM,
        confidence=0.8,
    )


def _assigned(walk: Walk, assigned: Assigned) -> None:
    if assigned.value.const is False and assigned.name == "autoescape":
        walk.report(
            "OT-PY-040",
            assigned.target,
            "Escaping is switched off for all templates.",
            severity=MEDIUM,
            confidence=0.85,
        )


def _text(walk: Walk, node: ast.AST, value: Value) -> None:
    shape = value.shape or ""
    if "{" in shape and ("safe" in shape or "autoescape" in shape) and _UNSAFE.search(shape):
        walk.report(
            "OT-PY-041",
            node,
            "The template inserts a variable without escaping it.",
            severity=MEDIUM,
            confidence=0.7,
        )
