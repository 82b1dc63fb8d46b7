"""What must hold of every rewrite, each checked on its own."""

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from offtarget.codescan.flaw import Flaw, Reading
from offtarget.core.finding import Severity
from offtarget.curate.sanitize.records import Edit, Obligation
from offtarget.curate.sanitize.slices import slice_of
from offtarget.curate.sanitize.source import Source

_READINGS: Final = list(Reading)
_SUPPRESSION: Final = re.compile(r"#\s*(?:nosec|noqa|nosemgrep|type:\s*ignore|pylint:)|NOSONAR")
_OPERATION_ONLY: Final = re.compile(r"^[SB](?:40\d|41\d|603|607)$")
"""Rules of other engines that name an operation (an import, a process), not a flaw in it."""
_OPERATIONS: Final = {
    "run a query": re.compile(
        r"^(?:execute|executemany|executescript|query|raw|exec_driver_sql|read_sql|read_sql_query)$"
    ),
    "set permissions": re.compile(r"^(?:chmod|fchmod|lchmod|umask|mkdir|makedirs)$"),
    "unpack": re.compile(r"^(?:extract|extractall|unpack_archive)$"),
    "load data": re.compile(
        r"^(?:safe_)?(?:load|loads|load_all|parse|fromstring|eval|literal_eval)$"
    ),
    "run a command": re.compile(
        r"^(?:system|popen|run|call|check_call|check_output|Popen|getoutput|getstatusoutput)$"
    ),
    "hash": re.compile(r"^(?:md5|sha1|sha256|sha512|new|scrypt|pbkdf2_hmac)$"),
    "render": re.compile(r"^(?:render|render_template|render_template_string|make_response)$"),
    "open or save": re.compile(r"^(?:open|save|send_file|send_from_directory|remove|unlink)$"),
    "request": re.compile(r"^(?:get|post|put|delete|request|urlopen)$"),
    "set a cookie": re.compile(r"^set_cookie$"),
}


def obligations(
    before: Source, after: Source, edits: Sequence[Edit], flaws: Sequence[Flaw]
) -> list[Obligation]:
    """Return every obligation that the code alone decides.

    Args:
        before: The code as it was.
        after: The code after the edits.
        edits: Against `before`.
        flaws: Those that the edits are for, in `before`.
    """
    return [
        _parses(before, after),
        _public_names(before, after),
        _contained(before, edits, flaws),
        _operation_stays(before, after),
        _no_suppression(before, after),
    ]


def no_new_finding(before: Sequence[Flaw], after: Sequence[Flaw]) -> Obligation:
    """Return whether the findings got better: weaker or fewer in all, and no kind got worse.

    Findings are compared by CWE, over all engines: by how many are high, then medium, then low.
    A weaker finding may thus stand in for a stronger one of its kind, and none of a CWE that was
    not found before may appear.
    """
    name = "no new finding"
    old, new = _grades(before), _grades(after)
    for cwe in new:
        if new[cwe] > old.get(cwe, (0, 0, 0)):
            worst = max((f for f in after if f.cwe == cwe), key=lambda f: f.severity.rank)
            return Obligation(name, held=False, detail=f"{worst.engine} {worst.rule}: {cwe}")
    if _total(new) >= _total(old):
        return Obligation(name, held=False, detail="the flaw is still found")
    return Obligation(name, held=True)


def _total(grades: dict[str, tuple[int, int, int]]) -> tuple[int, ...]:
    return tuple(map(sum, zip(*grades.values(), strict=True))) or (0, 0, 0)


def _grades(flaws: Sequence[Flaw]) -> dict[str, tuple[int, int, int]]:
    """Return how many findings each CWE has, high, medium and low."""
    counts: dict[str, Counter[Severity]] = {}
    for flaw in flaws:
        if _OPERATION_ONLY.match(flaw.rule):
            continue
        counts.setdefault(flaw.cwe, Counter())[flaw.severity] += 1
    return {
        cwe: (found[Severity.HIGH], found[Severity.MEDIUM], found[Severity.LOW])
        for cwe, found in counts.items()
    }


def _parses(before: Source, after: Source) -> Obligation:
    old, new = before.read.reading, after.read.reading
    held = _READINGS.index(new) <= _READINGS.index(old) and after.is_read
    return Obligation("parses", held, "" if held else f"{old} before, {new} after")


def _public_names(before: Source, after: Source) -> Obligation:
    old, new = list(_public(before.tree)), list(_public(after.tree))
    if old == new:
        return Obligation("public names", held=True)
    changed = sorted(set(map(str, old)) ^ set(map(str, new)))
    return Obligation("public names", held=False, detail=f"changed: {changed[:3]}")


def _public(tree: ast.Module) -> Iterator[str]:
    """Yield the functions, classes and constants that others see, with signatures."""
    stack: list[tuple[str, ast.stmt]] = [("", statement) for statement in reversed(tree.body)]
    while stack:
        owner, node = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            marks = [ast.dump(mark) for mark in node.decorator_list]
            yield f"{owner}{node.name}{ast.dump(node.args)}{marks}{type(node).__name__}"
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield f"{owner}class {node.name}{[ast.dump(base) for base in node.bases]}"
            stack += [(f"{owner}{node.name}.", inner) for inner in reversed(node.body)]
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and not target.id.startswith("_"):
                    yield f"{owner}{target.id} ="
        else:
            for name in ("body", "orelse", "finalbody"):
                blocks = getattr(node, name, [])
                if isinstance(blocks, list) and not isinstance(node, ast.ClassDef):
                    stack += [(owner, inner) for inner in reversed(blocks)]


def _contained(before: Source, edits: Sequence[Edit], flaws: Sequence[Flaw]) -> Obligation:
    name = "edits stay in the findings"
    allowed = [span for flaw in flaws for span in slice_of(before, flaw)]
    for edit in edits:
        if edit.kind == "import":
            continue
        if not any(start <= edit.start and edit.end <= end for start, end in allowed):
            place = before.code[edit.start : edit.end] or edit.text
            return Obligation(name, held=False, detail=f"outside: {place[:40]!r}")
    return Obligation(name, held=True)


def _operation_stays(before: Source, after: Source) -> Obligation:
    """Every statement is still there as what it was, and does what it did to the same values."""
    name = "operation stays"
    old, new = _skeleton(before.tree), _skeleton(after.tree)
    remaining = iter(new)
    for kind in old:
        if kind not in remaining:
            return Obligation(name, held=False, detail=f"a statement is gone: {kind}")
    for kind in ("Pass", "Return constant", "Continue", "Break"):
        if new.count(kind) > old.count(kind):
            return Obligation(name, held=False, detail=f"added: {kind}")
    if _bare_raises(after.tree) > _bare_raises(before.tree):
        return Obligation(name, held=False, detail="added: a raise without a condition")
    did, does = _operations(before.tree), _operations(after.tree)
    for operation, count in did.items():
        if does[operation] < count:
            return Obligation(name, held=False, detail=f"gone: {operation}")
    lost = _names(before.tree) - _names(after.tree)
    used, uses = _operands(before.tree), _operands(after.tree)
    for operation in did:
        lost |= used[operation] - uses[operation]
    lost -= {*before.imports, *after.imports}
    if lost:
        return Obligation(name, held=False, detail=f"no longer used: {sorted(lost)[:3]}")
    return Obligation(name, held=True)


def _skeleton(tree: ast.Module) -> list[str]:
    """Return the kinds of all statements in source order, imports and helper classes left out."""
    found: list[str] = []
    stack: list[ast.AST] = list(reversed(tree.body))
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.ClassDef) and node.name == "_PlainUnpickler":
            continue
        if isinstance(node, ast.stmt):
            is_constant = isinstance(node, ast.Return) and (
                node.value is None or isinstance(node.value, ast.Constant)
            )
            found.append("Return constant" if is_constant else type(node).__name__)
        children = [
            child
            for child in ast.iter_child_nodes(node)
            if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case)
        ]
        stack += reversed(children)
    return found


def _bare_raises(tree: ast.Module) -> int:
    """Return how many raises stand neither in an `if` nor in a handler nor in a helper."""
    count = 0
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.If | ast.ExceptHandler):
            continue
        if isinstance(node, ast.ClassDef) and node.name == "_PlainUnpickler":
            continue
        count += isinstance(node, ast.Raise)
        stack += ast.iter_child_nodes(node)
    return count


def _operations(tree: ast.Module) -> Counter[str]:
    """Return how often each kind of operation is called."""
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            word = getattr(node.func, "attr", getattr(node.func, "id", ""))
            found.update(name for name, pattern in _OPERATIONS.items() if pattern.match(word))
    return found


def _operands(tree: ast.Module) -> dict[str, set[str]]:
    """Return the names that the calls of each operation read."""
    found: dict[str, set[str]] = {name: set() for name in _OPERATIONS}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            word = getattr(node.func, "attr", getattr(node.func, "id", ""))
            for name, pattern in _OPERATIONS.items():
                if pattern.match(word):
                    found[name] |= _names(node)
    return found


def _names(tree: ast.AST) -> set[str]:
    """Return the names that are read; `str` and `eval` may go with the text around them."""
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    } - {"eval", "str"}


def _no_suppression(before: Source, after: Source) -> Obligation:
    old, new = (len(_SUPPRESSION.findall(source.code)) for source in (before, after))
    return Obligation("no suppression", new <= old, "" if new <= old else "a comment was added")
