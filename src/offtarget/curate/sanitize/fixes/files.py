"""Permissions: the owner keeps every right that the code gave, all others lose theirs.

One rule for files, folders and scripts alike: the middle and last octal digit become 0, so that
0o777 becomes 0o700 (still usable as a folder or script) and 0o666 becomes 0o600.
"""

import ast
import re
from typing import Final

from offtarget.codescan.flaw import Flaw
from offtarget.curate.sanitize.kind import FixKind, value_of
from offtarget.curate.sanitize.records import Change, Fix, Refusal
from offtarget.curate.sanitize.source import Source

_MODE: Final = {"chmod": 1, "mkdir": 1, "makedirs": 1, "open": 2, "fchmod": 1, "lchmod": 1,
                "mkfifo": 1, "mknod": 1, "umask": 0}  # fmt: skip
_CHMOD: Final = re.compile(
    r"(\bchmod\s+(?:-\w+\s+)*)(?:(0?[0-7]?)([0-7])[0-7]{2}\b|([ao]|[ugo]*o[ugo]*)?([+=][rwxXst]+))"
)
_SHARED: Final = re.compile(r"S_I([RWX])(?:GRP|OTH)$|S_IRWX[GO]$")


def _propose(source: Source, flaw: Flaw) -> Fix | Refusal:
    call = source.call_of(flaw)
    if call is None:
        return Refusal("the call that sets the mode was not found")
    name = source.dotted(call.func).rpartition(".")[2] or getattr(call.func, "attr", "")
    if name not in _MODE:
        return _command(source, call)
    node = _mode(source, call, name)
    if node is None:
        return Refusal("the mode is not written in the call")
    value = value_of(source, node)
    if value is None:
        return Refusal("the mode is computed")
    if name == "umask":
        return Fix((Change(*source.span(value), "0o077"),))
    changes = _narrowed(source, value)
    return Fix(changes) if changes else Refusal("the mode is computed")


def _mode(source: Source, call: ast.Call, name: str) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == "mode":
            return keyword.value
    index = _MODE[name]
    is_module = isinstance(call.func, ast.Name) or source.dotted(call.func).startswith("os.")
    if not is_module and name in ("chmod", "mkdir", "lchmod"):
        index = 0
    return call.args[index] if index < len(call.args) else None


def _narrowed(source: Source, value: ast.expr) -> tuple[Change, ...]:
    """Return the changes that take the rights of group and others out of a mode."""
    if isinstance(value, ast.Constant) and isinstance(value.value, int):
        mode = value.value & 0o7700 & ~0o6000
        return (Change(*source.span(value), f"0o{mode:o}"),)
    if isinstance(value, ast.Call) and source.dotted(value.func) == "int" and value.args:
        first = value.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            digits = first.value[-3:-2]
            return (Change(*source.span(value), f"0o{digits}00"),) if digits.isdigit() else ()
    flags = [node for node in ast.walk(value) if isinstance(node, ast.Attribute | ast.Name)]
    shared = [node for node in flags if _SHARED.search(_last(node))]
    if not shared:
        return ()
    if isinstance(value, ast.BinOp) and all("S_I" in _last(n) for n in flags if _is_flag(n)):
        rights = sorted({_owner(_last(node)) for node in flags if "S_I" in _last(node)})
        if "S_IRWXU" in rights:
            rights = ["S_IRWXU"]
        if not any(isinstance(node, ast.Call | ast.Subscript) for node in ast.walk(value)):
            head = source.text(shared[0])[: -len(_last(shared[0]))]
            return (Change(*source.span(value), " | ".join(head + right for right in rights)),)
    return tuple(
        Change(source.span(node)[1] - len(_last(node)), source.span(node)[1], _owner(_last(node)))
        for node in shared
    )


def _is_flag(node: ast.AST) -> bool:
    return "S_I" in _last(node)


def _last(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _owner(flag: str) -> str:
    """Return the owner's flag for a flag of the group or of others."""
    return re.sub(r"S_IRWX[GO]$", "S_IRWXU", re.sub(r"(GRP|OTH)$", "USR", flag))


def _command(source: Source, call: ast.Call) -> Fix | Refusal:
    """Narrow the mode in the text of a chmod command."""
    changes = []
    texts = [node for node in ast.walk(call) if isinstance(node, ast.Constant | ast.JoinedStr)]
    for text in texts:
        for part in source.parts(text) or ():
            for found in _CHMOD.finditer(source.code, *part.body):
                new = f"{found[3]}00" if found[3] else f"u{found[5]}"
                changes.append(Change(found.end(1), found.end(), new))
    if not changes:
        changes = _listed(source, call)
    if not changes:
        return Refusal("the mode is not written in the command")
    return Fix(tuple(dict.fromkeys(changes)))


def _listed(source: Source, call: ast.Call) -> list[Change]:
    """Narrow the mode in `["chmod", "777", path]`."""
    first = call.args[0] if call.args else None
    if not isinstance(first, ast.List):
        return []
    words = [one.value if isinstance(one, ast.Constant) else None for one in first.elts]
    if "chmod" not in words:
        return []
    changes = []
    for one, word in zip(first.elts, words, strict=True):
        parts = source.parts(one) if isinstance(word, str) else None
        if not parts or not isinstance(word, str):
            continue
        if re.fullmatch(r"0?[0-7]?[0-7]{3}", word):
            changes.append(Change(*parts[0].body, f"{word[-3]}00"))
        elif re.fullmatch(r"(?:[ugoa]*[ao][ugoa]*)?[+=][rwxX]+", word):
            changes.append(Change(*parts[0].body, "u" + word.lstrip("ugoa")))
    return changes


KINDS: Final = (
    FixKind(
        id="owner-only-mode",
        title="Rights of group and others go; the owner keeps his",
        rules=frozenset({"OT-PY-022", "S103"}),
        propose=_propose,
        before="import os\n\n\ndef publish(path):\n    os.chmod(path, 0o777)  # final\n"
        "    return path\n",
        after="import os\n\n\ndef publish(path):\n    os.chmod(path, 0o700)  # final\n"
        "    return path\n",
        exercise="import tempfile\n"
        "with tempfile.NamedTemporaryFile() as file:\n"
        "    print(publish(file.name) == file.name, os.access(file.name, os.R_OK | os.W_OK | os.X_OK))\n",
    ),
)
