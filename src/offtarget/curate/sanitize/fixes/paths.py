"""Paths chosen by data: only the last part of a name enters the path; temporary files are made."""

import ast
import re
from typing import Final

from offtarget.codescan.flaw import Flaw
from offtarget.curate.sanitize.building import built, operands
from offtarget.curate.sanitize.kind import FixKind, name_for, wrapped
from offtarget.curate.sanitize.records import Change, Fix, Refusal
from offtarget.curate.sanitize.source import Source

_OWN: Final = re.compile(r"^[A-Z][A-Z0-9_]*$|config\[|\.config\.|^self\.|__file__|getcwd|tempfile")
_CLEAN: Final = re.compile(r"(?:^|\.)(?:basename|secure_filename|int|uuid4|hexdigest|strftime)\(")


def _propose(source: Source, flaw: Flaw) -> Fix | Refusal:
    call = source.call_of(flaw)
    if call is None:
        return Refusal("the call that takes the path was not found")
    name, needed = name_for(source, "import os")
    changes: list[Change] = []
    for argument in call.args[:2]:
        for node in _chosen(source, argument, 0):
            changes += wrapped(source, node, f"{name}.path.basename(", closing=")")
    if not changes:
        return Refusal("the whole path comes from outside, so no folder is known to keep it in")
    return Fix(tuple(dict.fromkeys(changes)), (needed,) if needed else ())


def _chosen(source: Source, node: ast.expr, depth: int) -> list[ast.expr]:
    """Return the names inside a path that data chooses, each one part of the path."""
    if depth > 4:
        return []
    if isinstance(node, ast.Name):
        found = source.definitions(node) or []
        value = getattr(found[0], "value", None) if len(found) == 1 else None
        return _chosen(source, value, depth + 1) if value is not None else []
    parts: list[ast.expr] = []
    if isinstance(node, ast.Call):
        name = source.dotted(node.func)
        if name == "os.path.join":
            parts = node.args[1:]
        elif name == "str" or name.endswith(("abspath", "normpath", "realpath", "Path")):
            if name.endswith("Path") and len(node.args) > 1:
                parts = node.args[1:]
            else:
                return [n for a in node.args for n in _chosen(source, a, depth + 1)]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        parts = [node.right]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        chain = operands(node)
        parts = chain[1:] if isinstance(chain[0], ast.Constant) or _is_own(source, chain[0]) else []
    if not parts:
        whole = built(source, node)
        if whole is None or not re.match(r"[^\0]*/", whole.shape(source.code)):
            return []
        parts = [gap.node for gap in whole.gaps if not gap.suffix]
    chosen = []
    for part in parts:
        if isinstance(part, ast.Constant) or _is_own(source, part):
            continue
        inner = _chosen(source, part, depth + 1) if built(source, part) else []
        chosen += inner or [part]
    return [part for part in chosen if source.span(part) != (0, 0)]


def _is_own(source: Source, node: ast.expr) -> bool:
    """Return whether a part of a path is the program's own, or cleaned already."""
    text = source.text(node)
    return bool(_OWN.search(text) or _CLEAN.search(text))


def _temporary(source: Source, flaw: Flaw) -> Fix | Refusal:
    call = source.call_of(flaw)
    if call is None or source.dotted(call.func) != "tempfile.mktemp":
        return Refusal("a fixed name in a shared folder may be meant to be found by others")
    start, end = source.span(call.func)
    if isinstance(call.func, ast.Attribute):
        changes = (Change(end - len("mktemp"), end, "mkstemp"),)
        imports: tuple[str, ...] = ()
    else:
        function, needed = name_for(source, "from tempfile import mkstemp")
        changes = (Change(start, end, function),)
        imports = (needed,) if needed else ()
    close = source.span(call)[1]
    return Fix((*changes, Change(close, close, "[1]")), imports)


KINDS: Final = (
    FixKind(
        id="path-basename",
        title="Only the last part of the name enters the path",
        rules=frozenset({"OT-PY-020"}),
        propose=_propose,
        before="import os\nfrom flask import Flask, request\n\napp = Flask(__name__)\n"
        "FOLDER = os.environ['FOLDER']\n\n\n@app.route('/')\ndef show():\n"
        "    path = os.path.join(FOLDER, request.args['page'])\n"
        "    with open(path) as file:\n        return {'text': file.read()}\n",
        after="import os\nfrom flask import Flask, request\n\napp = Flask(__name__)\n"
        "FOLDER = os.environ['FOLDER']\n\n\n@app.route('/')\ndef show():\n"
        "    path = os.path.join(FOLDER, os.path.basename(request.args['page']))\n"
        "    with open(path) as file:\n        return {'text': file.read()}\n",
        exercise="import pathlib\n"
        "pathlib.Path(FOLDER, 'a.txt').write_text('hello')\n"
        "request.args = {'page': 'a.txt'}\nprint(show())\n",
    ),
    FixKind(
        id="temporary-file",
        title="The temporary file is made, not only named",
        rules=frozenset({"OT-PY-023", "S306"}),
        propose=_temporary,
        before="import tempfile\n\n\ndef spool(text):\n    path = tempfile.mktemp()\n"
        "    with open(path, 'w') as file:\n        file.write(text)\n    return path\n",
        after="import tempfile\n\n\ndef spool(text):\n    path = tempfile.mkstemp()[1]\n"
        "    with open(path, 'w') as file:\n        file.write(text)\n    return path\n",
        exercise="import os\npath = spool('hello')\nprint(open(path).read())\nos.remove(path)\n",
    ),
)
