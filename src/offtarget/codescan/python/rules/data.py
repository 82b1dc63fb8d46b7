"""Data formats whose reading runs code or fetches files."""

import ast
from typing import Final

from offtarget.codescan.python.rules.grading import (
    HIGH,
    LOW,
    MEDIUM,
    by_level,
    recalled,
    remember,
)
from offtarget.codescan.python.values import Level, Safe, Value, is_fixed
from offtarget.codescan.python.walk import Call, Checks, Walk
from offtarget.codescan.rule import Rule
from offtarget.core.finding import Severity

RULES: Final = (
    Rule(
        id="OT-PY-050",
        title="Data unpickled",
        language="python",
        cwe="CWE-502",
        severity=HIGH,
        confidence=0.8,
        why="Unpickling runs whatever code the bytes name. JSON and other plain formats carry data "
        "without carrying code.",
        bad="import pickle\nfrom flask import request\nstate = pickle.loads(request.data)\n",
        good="import json\nfrom flask import request\nstate = json.loads(request.data)\n",
        literals=(
            ("pickle", "Pickle", "marshal", "shelve", "dill", "joblib", "torch"),
            ("load", "open", "decode", "Unpickler", "read_pickle"),
        ),
    ),
    Rule(
        id="OT-PY-051",
        title="YAML loaded with tags that build objects",
        language="python",
        cwe="CWE-502",
        severity=HIGH,
        confidence=0.85,
        why="The full loaders build any Python object that the text names, and so run code. "
        "`yaml.safe_load` reads plain data only.",
        bad="import yaml\ndef read(text):\n    return yaml.load(text, Loader=yaml.Loader)\n",
        good="import yaml\ndef read(text):\n    return yaml.safe_load(text)\n",
        literals=(("yaml",), ("load",)),
    ),
    Rule(
        id="OT-PY-052",
        title="XML parser that follows external entities",
        language="python",
        cwe="CWE-611",
        severity=MEDIUM,
        confidence=0.75,
        why="An entity in the document makes the parser read local files or call addresses of the "
        "inner network. `defusedxml`, or a parser that resolves nothing, refuses it.",
        bad="from lxml import etree\nparser = etree.XMLParser(resolve_entities=True)\n",
        good="from lxml import etree\nparser = etree.XMLParser(resolve_entities=False)\n",
        literals=(("xml", "etree", "sax", "ElementTree"),),
    ),
)

_UNPICKLING: Final = (
    "pickle.loads", "pickle.load", "marshal.loads", "marshal.load", "jsonpickle.decode",
    "pickle.Unpickler", "shelve.open", "pandas.read_pickle", "joblib.load",
    "sklearn.externals.joblib.load", "torch.load", "numpy.load", "jsonpickle.loads",
)  # fmt: skip
_FILES: Final = frozenset(
    {"shelve.open", "torch.load", "joblib.load", "pandas.read_pickle", "numpy.load"}
)
_YAML: Final = ("yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.unsafe_load_all",
                "yaml.full_load", "yaml.full_load_all")  # fmt: skip
_XML: Final = (
    "lxml.etree.parse", "lxml.etree.fromstring", "lxml.etree.XML", "lxml.etree.iterparse",
    "xml.dom.minidom.parse", "xml.dom.minidom.parseString", "xml.sax.parse", "xml.sax.parseString",
    "xml.dom.pulldom.parse", "xml.dom.pulldom.parseString", "xml.etree.ElementTree.parse",
    "xml.etree.ElementTree.fromstring", "xml.etree.ElementTree.XML",
    "xml.etree.ElementTree.iterparse",
)  # fmt: skip
_TEXTS: Final = frozenset(
    {
        "lxml.etree.fromstring",
        "lxml.etree.XML",
        "xml.dom.minidom.parseString",
        "xml.sax.parseString",
        "xml.dom.pulldom.parseString",
    }
)
"""They are given the document itself, not the name of its file."""


def register(checks: Checks) -> None:
    """Have the checks of this file called."""
    checks.on_call(_UNPICKLING, _unpickle)
    checks.on_call(_YAML, _yaml)
    checks.on_call(("lxml.etree.XMLParser",), _parser)
    checks.on_method(("setFeature",), _feature)
    checks.on_call(_XML, _xml)
    checks.on_method(("parse",), _parsed)


def _unpickle(walk: Walk, call: Call) -> None:
    name = call.name
    if name == "torch.load" and call.is_constant("weights_only", True):
        return
    if name == "numpy.load" and not call.is_constant("allow_pickle", True):
        return
    value = call.argument(0, "data", "file", "f", "filename")
    taint = walk.exposed(value, Safe.DATA) if value is not None else None
    severity: Severity
    if taint is not None:
        severity = by_level(taint, stored=MEDIUM)
    elif value is None or is_fixed(value) or name in ("shelve.open", "torch.load"):
        severity = LOW
    else:
        severity = MEDIUM
    if name in _FILES and (taint is None or taint.level < Level.REMOTE):
        severity = LOW
    walk.report(
        "OT-PY-050",
        call.node,
        f"`{name}` runs code that its input names.",
        severity=severity,
        confidence=0.9 if taint is not None and taint.level >= Level.LOCAL else 0.6,
        taint=taint,
    )


def _yaml(walk: Walk, call: Call) -> None:
    loader = call.argument(1, "Loader")
    word = (loader.kind or "") if loader is not None else ""
    full = "full_load" in call.name or word.endswith("FullLoader")
    if loader is not None and ("Safe" in word or word.endswith("BaseLoader")):
        return
    if loader is not None and not word and "unsafe" not in call.name:
        return
    value = call.argument(0, "stream")
    taint = walk.exposed(value, Safe.DATA) if value is not None else None
    severity: Severity = by_level(taint, stored=MEDIUM) if taint else MEDIUM
    if full or (value is not None and is_fixed(value) and value.const is not None):
        severity = LOW
    walk.report(
        "OT-PY-051",
        call.node,
        "This YAML loader builds any object that the text names; use `safe_load`.",
        severity=severity,
        confidence=0.85 if not full else 0.4,
        taint=taint,
    )


def _parser(walk: Walk, call: Call) -> None:
    unsafe = call.keywords.get("resolve_entities")
    network = call.keywords.get("no_network")
    if (unsafe is not None and unsafe.const is True) or (
        network is not None and network.const is False
    ):
        walk.report(
            "OT-PY-052",
            call.node,
            "The parser follows entities to files and addresses.",
            severity=MEDIUM,
            confidence=0.85,
        )
        remember(walk, walk.target, "entities", call.node)
    elif unsafe is None and "**" not in call.keywords:
        remember(walk, walk.target, "default parser", call.node)


def _feature(walk: Walk, call: Call) -> None:
    if len(call.args) < 2 or call.args[1].const not in (True, 1):
        return
    if "external_ges" in (call.args[0].kind or "") or "external-general" in str(call.args[0].const):
        walk.report(
            "OT-PY-052",
            call.node,
            "The parser is told to follow external entities.",
            severity=MEDIUM,
            confidence=0.9,
        )
        remember(walk, call.variable, "entities", call.node)


def _xml(walk: Walk, call: Call) -> None:
    value: Value | None = call.args[0] if call.args else None
    if value is None:
        return
    parser = _parser_name(call)
    if is_fixed(value):
        if call.name in _TEXTS:
            _withdraw(walk, recalled(walk, parser, "entities"))
        return
    if _has_parser(call) and recalled(walk, parser, "default parser") is None:
        return
    taint = walk.exposed(value, Safe.DATA)
    if taint is None or taint.level < Level.LOCAL:
        return
    stdlib = call.name.startswith("xml.")
    walk.report(
        "OT-PY-052",
        call.node,
        "Data from outside is parsed by a parser that expands entities.",
        severity=LOW if stdlib else by_level(taint, remote=MEDIUM, local=LOW),
        confidence=0.6,
        taint=taint,
    )


def _parsed(walk: Walk, call: Call) -> None:
    """A parser made before is given a document."""
    value = call.args[0] if call.args else None
    if value is not None and value.kind in ("io.StringIO()", "io.BytesIO()") and is_fixed(value):
        _withdraw(walk, recalled(walk, call.variable, "entities"))


def _parser_name(call: Call) -> str:
    """Return the variable of the parser that a call is given; empty if there is none."""
    nodes = [keyword.value for keyword in call.node.keywords if keyword.arg == "parser"]
    for node in [*nodes, *call.node.args[1:]]:
        if isinstance(node, ast.Name):
            return node.id
    return ""


def _withdraw(walk: Walk, parser: ast.AST | None) -> None:
    """Take back what was said of a parser that reads a text fixed in the code."""
    if isinstance(parser, ast.Call):
        walk.found.pop(("OT-PY-052", parser.lineno, parser.col_offset), None)


def _has_parser(call: Call) -> bool:
    if "parser" in call.keywords:
        return True
    index = 1
    return (
        len(call.node.args) > index
        and isinstance(call.node, ast.Call)
        and (not call.name.startswith("xml.sax"))
    )
