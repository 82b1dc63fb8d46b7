"""Commands: a list of words without a shell, or every value quoted where a shell is needed."""

import ast
import re
import shlex
from collections.abc import Iterator
from typing import Final

from offtarget.codescan.flaw import Flaw
from offtarget.curate.sanitize.building import HOLE, Built, Gap, built
from offtarget.curate.sanitize.kind import FixKind, keyword_of, name_for, wrapped
from offtarget.curate.sanitize.records import Change, Fix, Refusal
from offtarget.curate.sanitize.source import Source

_SHELL: Final = re.compile(r"[|&;<>$`*?~()\[\]{}\n#!\\]|^\s*\w+=|^\s*(?:cd|source|export|set)\b")
_SEVERAL: Final = re.compile(
    r"(?:opts?|options|args|arguments|argv|flags|params|parameters|command|cmd|commands|extras?)"
    r"[\])'\"]*$|\bjoin\(",
    re.I,
)
"""Names of values that are more than one word, which a list or a quote would make one."""
_RUNNERS: Final = frozenset(
    f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen")
)


def _propose(source: Source, flaw: Flaw) -> Fix | Refusal:
    call = source.call_of(flaw)
    if call is None or not call.args:
        return Refusal("the call that runs the command was not found")
    name = source.dotted(call.func)
    if name in _RUNNERS:
        shell = keyword_of(call, "shell")
        if shell is None or not isinstance(shell.value, ast.Constant):
            return Refusal("the command is not run by a shell here")
    elif name not in ("os.system", "os.popen"):
        return Refusal(f"`{name or 'this call'}` is not a known way to run a command")
    if isinstance(call.args[0], ast.Constant):
        return Refusal("the command is fixed text")
    text = _text(source, call.args[0])
    whole = built(source, text) if text is not None else None
    if whole is None or not whole.gaps:
        return Refusal("the command's text is not put together in the snippet")
    if any(_SEVERAL.search(source.text(gap.node)) for gap in whole.gaps):
        return Refusal("a value may hold several words of the command")
    words = _words(source, whole)
    if words is None:
        return _quoted(source, whole)
    return _listed(source, call, whole, words)


def _text(source: Source, node: ast.expr) -> ast.expr | None:
    """Return the command's text; a variable only if nothing else reads it."""
    if not isinstance(node, ast.Name):
        return node
    found = source.definitions(node)
    if found is None or len(found) != 1 or source.scope(found[0]) is not source.scope(node):
        return None
    reads = [
        inner
        for inner in source.inside(source.scope(node))
        if isinstance(inner, ast.Name) and inner.id == node.id and isinstance(inner.ctx, ast.Load)
    ]
    return getattr(found[0], "value", None) if len(reads) == 1 else None


def _words(source: Source, whole: Built) -> list[str] | None:
    """Return the items of the command as code; None where it needs a shell."""
    shape = whole.shape(source.code)
    if whole.style == "%":
        shape = shape.replace("%%", "%")
    elif whole.style in ("f", "format"):
        shape = shape.replace("{{", "{").replace("}}", "}")
    if _SHELL.search(shape) or ("%" in shape and whole.style == "%"):
        return None
    try:
        tokens = shlex.split(shape)
    except ValueError:
        return None
    if not tokens or HOLE in tokens[0]:
        return None
    gaps = iter(whole.gaps)
    return [_item(source, token, gaps, is_text=whole.style == "+") for token in tokens]


def _item(source: Source, token: str, gaps: Iterator[Gap], *, is_text: bool) -> str:
    if HOLE not in token:
        return f'"{token}"' if '"' not in token else repr(token)
    values = []
    for _ in range(token.count(HOLE)):
        gap = next(gaps)
        value = source.text(gap.node)
        if gap.suffix.startswith(":") and '"' not in gap.suffix:
            value = f'format({value}, "{gap.suffix[1:]}")'
        elif not is_text or isinstance(gap.node, ast.Call | ast.BinOp):
            value = f"str({value})"
        values.append(value)
    if token == HOLE:
        return values[0]
    pieces = token.split(HOLE)
    texts: list[str] = []
    for index, piece in enumerate(pieces):
        if piece:
            texts.append(f'"{piece}"' if '"' not in piece else repr(piece))
        if index < len(values):
            texts.append(values[index])
    return " + ".join(texts)


def _listed(source: Source, call: ast.Call, whole: Built, words: list[str]) -> Fix | Refusal:
    name = source.dotted(call.func)
    changes = [Change(*source.span(whole.node), f"[{', '.join(words)}]")]
    imports: list[str] = []
    if name == "os.system":
        runner, needed = name_for(source, "import subprocess")
        imports += [needed] if needed else []
        changes.append(Change(*source.span(call.func), f"{runner}.call"))
    elif name == "os.popen":
        around = source.parent(call)
        outer = source.parent(around) if around is not None else None
        if not (isinstance(around, ast.Attribute) and around.attr == "read"):
            return _quoted(source, whole)
        if not (isinstance(outer, ast.Call) and not outer.args) or len(call.args) != 1:
            return _quoted(source, whole)
        runner, needed = name_for(source, "import subprocess")
        imports += [needed] if needed else []
        end = source.span(call)[1]
        changes.append(Change(*source.span(call.func), f"{runner}.run"))
        changes.append(Change(end - 1, end - 1, ", stdout=subprocess.PIPE, text=True"))
        changes.append(Change(end, source.span(outer)[1], ".stdout"))
    else:
        changes.append(_without(source, call, "shell"))
    return Fix(tuple(changes), tuple(imports))


def _without(source: Source, call: ast.Call, name: str) -> Change:
    """Return the change that takes a keyword and the comma before it away."""
    given = keyword_of(call, name)
    assert given is not None
    start, end = source.span(given)
    before = source.code.rfind(",", 0, start)
    return Change(before, end, "")


def _quoted(source: Source, whole: Built) -> Fix | Refusal:
    """Quote every value for the shell; quotes that stood around it go."""
    name, needed = name_for(source, "import shlex")
    changes: list[Change] = []
    for gap in whole.gaps:
        before, after = source.code[gap.start - 1], source.code[gap.end : gap.end + 1]
        start, end = source.span(gap.node)
        if (start, end) == (0, 0) or gap.suffix:
            return Refusal("a value is formatted in a way that cannot be quoted")
        if source.text(gap.node).startswith((f"{name}.quote(", "quote(")):
            continue
        quote = f"{name}.quote("
        is_text = whole.style == "+"
        opening, closing = (quote, ")") if is_text else (f"{quote}str(", "))")
        changes += wrapped(source, gap.node, opening, closing=closing)
        if whole.style == "f" and before == after and before in "\"'":
            changes += [Change(gap.start - 1, gap.start, ""), Change(gap.end, gap.end + 1, "")]
        elif before in "\"'" and not gap.closing and whole.style != "+":
            return Refusal("a value stands in quotes of the shell")
    if not changes:
        return Refusal("every value is quoted already")
    return Fix(tuple(changes), (needed,) if needed else ())


KINDS: Final = (
    FixKind(
        id="command-list",
        title="The command is a list of words; no shell reads it",
        rules=frozenset({"OT-PY-010", "OT-PY-011", "S602", "S605", "S604"}),
        propose=_propose,
        before="import subprocess\n\n\ndef show(text):\n"
        "    done = subprocess.run(f\"echo said '{text}'\", shell=True, stdout=subprocess.PIPE)\n"
        "    return done.stdout\n",
        after="import subprocess\n\n\ndef show(text):\n"
        '    done = subprocess.run(["echo", "said", str(text)], stdout=subprocess.PIPE)\n'
        "    return done.stdout\n",
        exercise="print(show('hello'))\n",
    ),
)
