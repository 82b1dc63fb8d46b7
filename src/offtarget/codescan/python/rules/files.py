"""Archives, permissions and temporary files."""

import ast
import re
from typing import Final

from offtarget.codescan.python.rules.grading import (
    LOW,
    MEDIUM,
    name_of,
)
from offtarget.codescan.python.values import HOLE, Value
from offtarget.codescan.python.walk import Call, Checks, Walk
from offtarget.codescan.python.words import words
from offtarget.codescan.rule import Rule

RULES: Final = (
    Rule(
        id="OT-PY-021",
        title="Archive unpacked without checking its members",
        language="python",
        cwe="CWE-22",
        severity=MEDIUM,
        confidence=0.8,
        why="A member named `../../x` or a link is written outside the target folder, over any "
        "file that the process may write. `filter='data'` or a check of every member stops it.",
        bad="import tarfile\ndef unpack(path):\n    tarfile.open(path).extractall('out')\n",
        good="import tarfile\ndef unpack(path):\n"
        "    tarfile.open(path).extractall('out', filter='data')\n",
        literals=(("extractall", ".extract(", "unpack_archive"),),
    ),
    Rule(
        id="OT-PY-022",
        title="File that everybody may change",
        language="python",
        cwe="CWE-732",
        severity=MEDIUM,
        confidence=0.9,
        why="Every user and every broken-into service of the machine may rewrite what the program "
        "later reads or runs. Few programs need more than owner rights.",
        bad="import os\nos.chmod('settings.ini', 0o777)\n",
        good="import os\nos.chmod('settings.ini', 0o600)\n",
        literals=(("chmod", "umask", "mkdir", "makedirs", "os.open", "mkfifo", "mknod"),),
    ),
    Rule(
        id="OT-PY-023",
        title="Temporary file with a name others can take",
        language="python",
        cwe="CWE-377",
        severity=MEDIUM,
        confidence=0.8,
        why="Another user creates the name first, as a link to a file of the victim's choice. "
        "`mkstemp` and `NamedTemporaryFile` create the file together with its name.",
        bad="import tempfile\nname = tempfile.mktemp()\n",
        good="import tempfile\nhandle, name = tempfile.mkstemp()\n",
        literals=(("mktemp", "tempnam", "tmpnam", "tmp/"),),
    ),
)

_CHECKED: Final = words(
    """
    commonpath commonprefix startswith is_relative_to isabs realpath abspath resolve
    is_within_directory basename normpath
    """
)
_MEMBERS: Final = frozenset({"getmembers", "getnames", "namelist", "infolist"})
_SHARED: Final = re.compile(r"/(?:var/)?tmp/")
_CHMOD_TEXT: Final = re.compile(r"\bchmod\s+(?:-\w+\s+)*(?:0?[0-7]?[0-7]{2}[2367]\b|[ao]*\+\w*w)")


def register(checks: Checks) -> None:
    """Have the checks of this file called."""
    checks.on_method(("extractall", "extract"), _archive)
    checks.on_call(("shutil.unpack_archive",), _unpack)
    checks.on_call(
        ("os.chmod", "os.fchmod", "os.lchmod", "os.mkdir", "os.makedirs", "os.mkfifo"), _mode
    )
    checks.on_call(("os.open", "os.mknod"), _mode)
    checks.on_call(("os.umask",), _umask)
    checks.on_method(("chmod", "mkdir"), _path_mode)
    for name in (
        "os.system",
        "subprocess.run",
        "subprocess.call",
        "subprocess.check_call",
        "subprocess.Popen",
        "os.popen",
        "subprocess.check_output",
    ):
        checks.on_call((name,), _chmod_command)
    checks.on_call(("tempfile.mktemp", "os.tempnam", "os.tmpnam"), _mktemp)
    checks.on_call(("open",), _fixed_temporary)


def _archive(walk: Walk, call: Call) -> None:
    kind = call.receiver.kind or ""
    receiver = call.node.func.value if isinstance(call.node.func, ast.Attribute) else None
    is_tar = kind.startswith("tarfile") or "tar" in name_of(receiver).lower()
    is_zip = kind.startswith("zipfile") or "zip" in name_of(receiver).lower()
    if not is_tar and not is_zip:
        return
    target = call.argument(0 if call.attr == "extractall" else 1, "path")
    up = target is not None and ".." in (target.shape or "")
    if is_tar and _is_filtered(call) and not up:
        return
    if "members" in call.keywords and not up and not _is_all(call):
        return
    if _checks_members(walk):
        return
    severity = MEDIUM if is_tar or up else LOW
    walk.report(
        "OT-PY-021",
        call.node,
        "An archive is unpacked without checking where its members go.",
        severity=severity,
        confidence=0.8 if severity is MEDIUM else 0.3,
    )


def _is_filtered(call: Call) -> bool:
    chosen = call.keywords.get("filter")
    if chosen is None:
        return False
    return chosen.const in ("data", "tar") or not chosen.is_const


def _is_all(call: Call) -> bool:
    """Return whether `members=` names simply every member."""
    for keyword in call.node.keywords:
        value = keyword.value
        while isinstance(value, ast.Tuple | ast.List) and len(value.elts) == 1:
            value = value.elts[0]
        if keyword.arg == "members" and isinstance(value, ast.Call):
            return name_of(value) in _MEMBERS
    return False


def _checks_members(walk: Walk) -> bool:
    """Return whether the function looks at the members' names before it unpacks."""
    if walk.function is None:
        return False
    looks = checks = False
    for node in ast.walk(walk.function.node):
        if isinstance(node, ast.Attribute):
            looks = looks or node.attr in _MEMBERS
            checks = checks or node.attr in _CHECKED
        elif isinstance(node, ast.Compare) and isinstance(node.left, ast.Constant):
            checks = checks or node.left.value in ("..", "../", "/..")
        elif isinstance(node, ast.For) and "tar" in name_of(node.iter).lower():
            looks = True
        elif isinstance(node, ast.Call) and "within" in name_of(node.func):
            checks = True
    return looks and checks


def _unpack(walk: Walk, call: Call) -> None:
    if "filter" in call.keywords:
        return
    walk.report(
        "OT-PY-021",
        call.node,
        "An archive is unpacked without checking where its members go.",
        severity=LOW,
        confidence=0.4,
    )


def _mode(walk: Walk, call: Call) -> None:
    index = 2 if call.name == "os.open" else 1
    mode = call.argument(index, "mode")
    if mode is not None:
        node = call.node.args[index] if len(call.node.args) > index else None
        for keyword in call.node.keywords:
            node = keyword.value if keyword.arg == "mode" else node
        _permissions(walk, call, mode, node)


def _path_mode(walk: Walk, call: Call) -> None:
    if call.name.startswith("os."):
        return
    mode = call.argument(0, "mode")
    if mode is None or (len(call.args) > 1 and call.attr == "chmod"):
        mode = call.argument(1, "mode")
    if mode is not None:
        _permissions(walk, call, mode, call.node.args[-1] if call.node.args else None)


def _permissions(walk: Walk, call: Call, mode: Value, node: ast.expr | None) -> None:
    bits = mode.const
    if type(bits) is str and re.fullmatch(r"0?o?[0-7]{3}", bits):
        bits = int(bits[-3:], 8)
    if type(bits) is not int:
        bits = _ored(walk, node)
    others = bits & 0o002 or bits in (777, 666, 776, 766, 767, 667, 757, 722, 733)
    if others and 0 < bits < 0o200000:
        walk.report(
            "OT-PY-022",
            call.node,
            "Every user of the machine may change this file or folder.",
            severity=MEDIUM,
            confidence=0.9,
        )


def _ored(walk: Walk, node: ast.expr | None) -> int:
    """Return the known bits of `a | b | c`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _ored(walk, node.left) | _ored(walk, node.right)
    if node is None or isinstance(node, ast.Call):
        return 0
    known = walk.evaluate(node).const
    return known if type(known) is int else 0


def _umask(walk: Walk, call: Call) -> None:
    mask = call.args[0].const if call.args else None
    if type(mask) is int and not mask & 0o002:
        walk.report(
            "OT-PY-022",
            call.node,
            "The mask lets every user of the machine change new files.",
            severity=MEDIUM,
            confidence=0.8,
        )


def _chmod_command(walk: Walk, call: Call) -> None:
    value = call.args[0] if call.args else None
    if value is None:
        return
    text = value.shape
    if value.items is not None:
        text = " ".join((item.shape or "x") for item in value.items.values())
    if text and "chmod" in text and _CHMOD_TEXT.search(text):
        walk.report(
            "OT-PY-022",
            call.node,
            "Every user of the machine may change this file or folder.",
            severity=MEDIUM,
            confidence=0.8,
        )


def _mktemp(walk: Walk, call: Call) -> None:
    walk.report(
        "OT-PY-023",
        call.node,
        f"`{call.name}` returns a name that another user can take first.",
        severity=MEDIUM,
    )


def _fixed_temporary(walk: Walk, call: Call) -> None:
    path = call.argument(0, "file")
    mode = call.argument(1, "mode")
    if path is None or path.shape is None or mode is None or not isinstance(mode.const, str):
        return
    shared = _SHARED.match(path.shape) and HOLE not in path.shape
    if shared and mode.const[:1] in ("w", "a"):
        walk.report(
            "OT-PY-023",
            call.node,
            "A file with a fixed name is written where every user may put a link.",
            severity=LOW,
            confidence=0.4,
        )
