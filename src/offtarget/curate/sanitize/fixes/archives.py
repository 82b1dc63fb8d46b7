"""Archives: unpack only members that stay inside the target folder, and into no folder above.

A target with `..` in it is the flaw itself: the code names one folder and writes into another.
There the upward steps go, which changes where the members land; nothing else does.
"""

import ast
import re
from typing import Final

from offtarget.codescan.flaw import Flaw
from offtarget.curate.sanitize.kind import FixKind, keyword_of, value_of, with_keyword
from offtarget.curate.sanitize.records import Change, Fix, Refusal
from offtarget.curate.sanitize.source import Source

_UP: Final = re.compile(r"(^|/)\.\.(?=/|$)")


def _propose(source: Source, flaw: Flaw) -> Fix | Refusal:
    call = source.call_of(flaw)
    if call is None:
        return Refusal("the call that unpacks was not found")
    return _filtered(source, call)


def _propose_below(source: Source, flaw: Flaw) -> Fix | Refusal:
    call = source.call_of(flaw)
    if call is None or not isinstance(call.func, ast.Attribute):
        return Refusal("the call that unpacks was not found")
    index = 0 if call.func.attr == "extractall" else 1
    given = keyword_of(call, "path")
    target = given.value if given else (call.args[index] if len(call.args) > index else None)
    below = _below(source, target)
    if not below:
        return Refusal("the target does not lead upwards")
    filtered = _filtered(source, call)
    return Fix((*below, *(filtered.changes if isinstance(filtered, Fix) else ())))


def _below(source: Source, target: ast.expr | None) -> tuple[Change, ...]:
    """Return the changes that take the upward steps out of a target's text."""
    target = value_of(source, target) if target is not None else None
    if target is None:
        return ()
    changes = []
    for node in ast.walk(target):
        if isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant):
            if str(node.right.value).strip("/") in ("..", "../.."):
                changes.append(Change(source.span(node.left)[1], source.span(node.right)[1], ""))
        elif isinstance(node, ast.Constant | ast.JoinedStr):
            for part in source.parts(node) or ():
                text = source.code[slice(*part.body)]
                if _UP.search(text):
                    new = re.sub(r"/{2,}", "/", _UP.sub(r"\1", text))
                    is_all = node is target and not text.startswith("/")
                    new = new.lstrip("/") if is_all else new
                    changes.append(Change(*part.body, new or ("." if is_all else "")))
    outer = [one for one in changes if not one.text]
    return tuple(
        one
        for one in changes
        if not any(o.start <= one.start and one.end <= o.end and o is not one for o in outer)
    )


def _filtered(source: Source, call: ast.Call) -> Fix | Refusal:
    """Return the fix that has the members checked."""
    if source.dotted(call.func) == "shutil.unpack_archive":
        text = " ".join(source.text(value) for value in call.args)
        if not any(mark in text for mark in (".tar", ".tgz", ".tbz", "tar'", 'tar"')):
            return Refusal("the kind of the archive is not known, so no filter can be set")
    elif not isinstance(call.func, ast.Attribute):
        return Refusal("the call that unpacks was not found")
    elif call.func.attr not in ("extract", "extractall"):
        return Refusal("the call does not unpack")
    elif not _is_tar(source, call.func.value):
        return Refusal("only the tarfile module has a filter for members")
    if any(keyword.arg is None for keyword in call.keywords):
        return Refusal("the arguments of the call are not written out")
    given = keyword_of(call, "filter")
    if given is not None:
        return Fix((Change(*source.span(given.value), '"data"'),))
    return Fix((with_keyword(source, call, f"filter={_quoted(source, call)}"),))


def _quoted(source: Source, call: ast.Call) -> str:
    return "'data'" if "'" in source.text(call) and '"' not in source.text(call) else '"data"'


def _is_tar(source: Source, receiver: ast.expr) -> bool:
    """Return whether an object comes from the tarfile module, or may and from no other."""
    if isinstance(receiver, ast.Call):
        return "tarfile" in source.dotted(receiver.func) or _makes_tar(source, receiver)
    if not isinstance(receiver, ast.Name):
        return "tarfile" in source.modules and "zipfile" not in source.modules
    made = []
    for node in ast.walk(source.tree):
        value: ast.expr | None = None
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == receiver.id for target in node.targets
        ):
            value = node.value
        elif isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name):
            value = node.context_expr if node.optional_vars.id == receiver.id else None
        if isinstance(value, ast.Call):
            made.append(source.dotted(value.func))
    if made:
        return all("tarfile" in name for name in made)
    return "tarfile" in source.modules and "zipfile" not in source.modules


def _makes_tar(source: Source, call: ast.Call) -> bool:
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr == "open"
        and (source.dotted(call.func.value).startswith("tarfile"))
    )


KINDS: Final = (
    FixKind(
        id="archive-target-below",
        title="The target folder is the one that is named, not one above",
        rules=frozenset({"OT-PY-021", "S202"}),
        propose=_propose_below,
        before="import tarfile\n\n\ndef unpack(path, folder):\n"
        "    archive = tarfile.open(path)\n"
        "    archive.extractall(path=folder + '/..')\n    return archive.getnames()\n",
        after="import tarfile\n\n\ndef unpack(path, folder):\n"
        "    archive = tarfile.open(path)\n"
        "    archive.extractall(path=folder, filter='data')\n    return archive.getnames()\n",
        exercise="import pathlib, tempfile\n"
        "with tempfile.TemporaryDirectory() as name:\n"
        "    base = pathlib.Path(name)\n"
        "    (base / 'deep').mkdir()\n"
        "    (base / 'note.txt').write_text('hello')\n"
        "    with tarfile.open(base / 'a.tar', 'w') as archive:\n"
        "        archive.add(base / 'note.txt', 'copy.txt')\n"
        "    print(unpack(base / 'a.tar', str(base / 'deep')))\n"
        "    print([file.read_text() for file in base.rglob('copy.txt')])\n",
    ),
    FixKind(
        id="tar-data-filter",
        title="Members that leave the folder are refused",
        rules=frozenset({"OT-PY-021", "S202"}),
        propose=_propose,
        before="import tarfile\n\n\ndef unpack(path, folder):\n"
        "    with tarfile.open(path) as archive:\n        archive.extractall(folder)\n",
        after="import tarfile\n\n\ndef unpack(path, folder):\n"
        "    with tarfile.open(path) as archive:\n"
        '        archive.extractall(folder, filter="data")\n',
        exercise="import pathlib, tempfile\n"
        "with tempfile.TemporaryDirectory() as name:\n"
        "    base = pathlib.Path(name)\n"
        "    (base / 'note.txt').write_text('hello')\n"
        "    with tarfile.open(base / 'a.tar', 'w') as archive:\n"
        "        archive.add(base / 'note.txt', 'deep/note.txt')\n"
        "    unpack(base / 'a.tar', base / 'out')\n"
        "    print((base / 'out/deep/note.txt').read_text())\n",
    ),
)
