"""Paths that data chooses: what is read, written or asked about."""

import re
from typing import Final

from offtarget.codescan.python.rules.grading import HIGH, LOW, MEDIUM, by_level, is_formatted
from offtarget.codescan.python.rules.literals import FORMATTING, REMOTE
from offtarget.codescan.python.values import Level, Safe, Taint, Value
from offtarget.codescan.python.walk import Call, Checks, Walk, steps_of
from offtarget.codescan.rule import Rule

_OPENING_TEXTS: Final = (
    "open(", "open (", "os.remove", "unlink", "rmdir", "mkdir", "makedirs", "listdir", "os.rename",
    "shutil", "send_file", ".save", "read_text", "write_text", "read_bytes", "write_bytes",
    "FileResponse", "scandir", "rmtree", "os.replace", "send_from_directory", "static_file",
    "iterdir", "read_csv", "numpy", "from os import", "removedirs", ".touch(",
)  # fmt: skip

RULES: Final = (
    Rule(
        id="OT-PY-020",
        title="Path chosen by data",
        language="python",
        cwe="CWE-22",
        severity=HIGH,
        confidence=0.8,
        why="Two dots or an absolute path in the data read or overwrite files outside the folder "
        "that was meant. Taking only the file's name, or checking the resolved path, stops it.",
        bad="from flask import request\n"
        "def show():\n    return open('pages/' + request.args['page']).read()\n",
        good="import os\nfrom flask import request\n"
        "def show():\n"
        "    return open('pages/' + os.path.basename(request.args['page'])).read()\n",
        literals=(
            _OPENING_TEXTS,
            (
                *FORMATTING,
                "/",
                "argv",
                "input",
                "environ",
                "request",
                "getenv",
                "Path",
                "@",
                "recv",
            ),
        ),
    ),
    Rule(
        id="OT-PY-024",
        title="Visitor asks about any file of the machine",
        language="python",
        cwe="CWE-22",
        severity=MEDIUM,
        confidence=0.6,
        why="Two dots or an absolute path in the data tell a visitor which files and accounts the "
        "machine has. Checking that the resolved path lies in the folder stops it.",
        bad="import os\nfrom flask import request\n"
        "def known():\n    return os.path.exists('pages/' + request.args['page'])\n",
        good="import os\nfrom flask import request\n"
        "def known():\n"
        "    return os.path.exists('pages/' + os.path.basename(request.args['page']))\n",
        literals=(("exists", "is_file", "isfile", "is_dir", "isdir", "getsize"), REMOTE),
    ),
)

_OPENING: Final = (
    "open", "os.open", "os.remove", "os.unlink", "os.rmdir", "os.mkdir", "os.makedirs",
    "os.listdir", "os.scandir", "os.rename", "os.replace", "os.removedirs", "shutil.rmtree",
    "shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.move", "shutil.copytree",
    "flask.send_file", "starlette.responses.FileResponse", "fastapi.responses.FileResponse",
    "django.http.FileResponse", "bottle.static_file", "flask.send_from_directory",
    "numpy.load", "pandas.read_csv",
)  # fmt: skip
_ASKING: Final = (
    "os.path.exists", "os.path.isfile", "os.path.isdir", "os.path.getsize", "os.path.lexists",
)  # fmt: skip
_PATH_METHODS: Final = (
    "read_text", "write_text", "read_bytes", "write_bytes", "unlink", "rmdir", "open", "iterdir",
    "touch",
)  # fmt: skip
_ONLY_PATHS: Final = frozenset(
    {"read_text", "write_text", "read_bytes", "write_bytes", "rmdir", "iterdir"}
)
"""Methods that nothing but paths have."""
_NEW_NAME: Final = re.compile(
    r"^through `\w*?(?:gen|make|creat|uniq|new|rand|hash|digest|uuid|slug|safe|valid|clean|normal|"
    r"resolv|allow|secure|security|check|name|path|file|save|store|upload|id`)",
    re.I,
)
"""Functions that likely answer with a name or path of their own choice."""


def register(checks: Checks) -> None:
    """Have the checks of this file called."""
    checks.on_call(_OPENING, _path)
    checks.on_method(_PATH_METHODS, _path_object)
    checks.on_method(("save",), _upload)
    checks.on_call(_ASKING, _asked)
    checks.on_method(("exists", "is_file", "is_dir"), _asked_object)


def _path(walk: Walk, call: Call) -> None:
    if call.name == "flask.send_from_directory":
        values = call.args[:1]
    elif call.name == "bottle.static_file":
        values = [call.keywords["root"]] if "root" in call.keywords else []
    else:
        values = call.args[: 2 if call.name.startswith(("shutil.", "os.re")) else 1]
        values += [call.keywords[k] for k in ("file", "path_or_file", "path") if k in call.keywords]
    for value in values:
        _traversal(walk, call, value)


def _traversal(walk: Walk, call: Call, value: Value) -> None:
    taint = walk.exposed(value, Safe.PATH)
    if taint is None:
        return
    is_indirect = bool(taint.safe & Safe.INDIRECT)
    if is_indirect and not _is_passed_on(taint, value):
        return
    if taint.level < Level.LOCAL and not (is_formatted(value) and taint.level > Level.STORED):
        return
    walk.report(
        "OT-PY-020",
        call.node,
        "Data from outside chooses a path; keep only its last part or check the resolved path.",
        severity=MEDIUM if is_indirect else by_level(taint, local=LOW, parameter=LOW),
        confidence=0.8 if taint.level == Level.REMOTE and not is_indirect else 0.4,
        taint=taint,
    )


def _is_passed_on(taint: Taint, value: Value) -> bool:
    """Return whether what an unknown function made of a visitor's data is a part of a path."""
    if taint.level < Level.REMOTE or not is_formatted(value):
        return False
    return not any(_NEW_NAME.search(text) for _, text in steps_of(taint.trail))


def _path_object(walk: Walk, call: Call) -> None:
    kind = call.receiver.kind or ""
    is_path = kind.startswith("pathlib.") or kind == "resolved" or call.attr in _ONLY_PATHS
    if call.receiver.taints and is_path:
        _traversal(walk, call, call.receiver)


def _asked(walk: Walk, call: Call) -> None:
    if call.args:
        _existence(walk, call, call.args[0])


def _asked_object(walk: Walk, call: Call) -> None:
    kind = call.receiver.kind or ""
    if call.receiver.taints and (kind.startswith("pathlib.") or kind == "resolved"):
        _existence(walk, call, call.receiver)


def _existence(walk: Walk, call: Call, value: Value) -> None:
    taint = walk.exposed(value, Safe.PATH)
    if taint is None or taint.level < Level.REMOTE:
        return
    if taint.safe & Safe.INDIRECT and not _is_passed_on(taint, value):
        return
    walk.report(
        "OT-PY-024",
        call.node,
        "Data from outside chooses a path whose existence is looked up.",
        severity=MEDIUM,
        confidence=0.6,
        taint=taint,
    )


def _upload(walk: Walk, call: Call) -> None:
    if call.args and call.args[0].taints:
        taint = walk.exposed(call.args[0], Safe.PATH)
        if taint is not None and taint.level == Level.REMOTE:
            _traversal(walk, call, call.args[0])
