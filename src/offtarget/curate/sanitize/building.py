"""Texts put together from literals and values: `%`, `.format`, f-strings and `+`, piece by piece."""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass

from offtarget.curate.sanitize.records import Change
from offtarget.curate.sanitize.source import Source
from offtarget.curate.sanitize.strings import Part, unbraced

HOLE = "\0"

_PERCENT = re.compile(r"%(?:\((\w+)\))?([-#0 +]*\d*(?:\.\d+)?)([%sdifrgexX])")
_BRACES = re.compile(r"\{\{|\}\}|\{(\w*)(![rsa])?(:[^{}]*)?\}")


@dataclass(frozen=True, slots=True)
class Gap:
    """A value inside a built text: where it stands, and what it is."""

    start: int
    """What a placeholder for it would replace starts here, absolute."""
    end: int
    node: ast.expr
    suffix: str = ""
    """Conversion or format it is written with; empty for plain text."""
    closing: str = ""
    """Quote that must follow the placeholder, where the last literal ends before the value."""


@dataclass(frozen=True, slots=True)
class Built:
    """A built text: its literal stretches and gaps in order, and what else goes with the gaps."""

    node: ast.expr
    stretches: tuple[tuple[int, int] | Gap, ...]
    tidy: tuple[Change, ...]
    """Changes that must come with replacing all gaps: the `f`, doubled braces, the arguments."""
    style: str
    """`f`, `%`, `format` or `+`."""
    n_steps: int = 1
    """Statements that it takes."""

    @property
    def gaps(self) -> list[Gap]:
        """The values, in order."""
        return [one for one in self.stretches if isinstance(one, Gap)]

    def shape(self, code: str) -> str:
        """Return the text as it is spelled, with a NUL for every value."""
        return "".join(
            HOLE if isinstance(one, Gap) else code[one[0] : one[1]] for one in self.stretches
        )

    def filled(self, place: Callable[[Gap], str]) -> tuple[Change, ...]:
        """Return the changes that put a text in place of every gap."""
        changes = [Change(gap.start, gap.end, place(gap) + gap.closing) for gap in self.gaps]
        return (*changes, *self.tidy)


def built(source: Source, node: ast.expr) -> Built | None:
    """Return how a text is put together; None if it is not, or cannot be told apart."""
    if isinstance(node, ast.JoinedStr):
        return _formatted(source, node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return _percent(source, node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _added(source, node)
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    return _format_call(source, node, node.func.value) if node.func.attr == "format" else None


def stepped(source: Source, name: ast.Name) -> Built | None:
    """Return how a variable's text is put together, also where `+=` goes on with it.

    None where a step stands in a branch or a loop of its own, since it may run never, or often.
    """
    steps = source.definitions(name)
    if not steps or source.scope(steps[0]) is not source.scope(name):
        return None
    block = source.parent(steps[0])
    if any(source.parent(step) is not block for step in steps):
        return None
    if len(steps) > 1 and isinstance(block, ast.For | ast.AsyncFor | ast.While):
        return None
    stretches: list[tuple[int, int] | Gap] = []
    tidy: list[Change] = []
    styles = set()
    for index, step in enumerate(steps):
        value = getattr(step, "value", None)
        if value is None or isinstance(step, ast.AugAssign) != bool(index):
            return None
        parts = literal(source, value)
        whole = None if parts is not None else built(source, value)
        if parts is not None:
            stretches += [part.body for part in parts]
        elif whole is not None:
            stretches += whole.stretches
            tidy += whole.tidy
            styles.add(whole.style)
        else:
            return None
    if len(styles) != 1:
        return None
    first = getattr(steps[0], "value", name)
    return Built(first, tuple(stretches), tuple(tidy), styles.pop(), n_steps=len(steps))


def literal(source: Source, node: ast.AST) -> tuple[Part, ...] | None:
    """Return the parts of a plain string constant; None for anything else, bytes too."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return source.parts(node)
    return None


def _formatted(source: Source, node: ast.JoinedStr) -> Built | None:
    parts = source.parts(node)
    if parts is None:
        return None
    fields = [value for value in node.values if isinstance(value, ast.FormattedValue)]
    if len(fields) != sum(len(part.holes) for part in parts):
        return None
    stretches: list[tuple[int, int] | Gap] = []
    index = 0
    for part in parts:
        position, end = part.body
        for hole in part.holes:
            value = fields[index].value
            if source.span(value) == (0, 0):
                return None
            stretches.append((position, hole.start))
            stretches.append(Gap(hole.start, hole.end, value, hole.suffix))
            position = hole.end
            index += 1
        stretches.append((position, end))
    tidy = tuple(Change(*one) for part in parts for one in unbraced(source.code, part))
    return Built(node, tuple(stretches), tidy, "f")


def _percent(source: Source, node: ast.BinOp) -> Built | None:
    parts = literal(source, node.left)
    if parts is None:
        return None
    names: dict[str, ast.expr] = {}
    values: list[ast.expr] = [node.right]
    if isinstance(node.right, ast.Tuple):
        values = node.right.elts
    elif isinstance(node.right, ast.Dict):
        for key, value in zip(node.right.keys, node.right.values, strict=True):
            if not isinstance(key, ast.Constant):
                return None
            names[str(key.value)] = value
    stretches: list[tuple[int, int] | Gap] = []
    tidy: list[Change] = []
    used = 0
    for part in parts:
        position, end = part.body
        for field in _PERCENT.finditer(source.code, position, end):
            if field[3] == "%":
                tidy.append(Change(field.start(), field.end(), "%"))
                continue
            stretches.append((position, field.start()))
            if field[1]:
                found = names.get(field[1])
            else:
                found = values[used] if used < len(values) and not names else None
                used += 1
            if found is None or isinstance(found, ast.Starred):
                return None
            suffix = "" if field[3] in "sd" and not field[2] else field[0]
            stretches.append(Gap(field.start(), field.end(), found, suffix))
            position = field.end()
        stretches.append((position, end))
    if used != len(values) and not names:
        return None
    cut = _cut(source, node.left, node, "%")
    return None if cut is None else Built(node, tuple(stretches), (*tidy, cut), "%")


def _format_call(source: Source, node: ast.Call, text: ast.expr) -> Built | None:
    parts = literal(source, text)
    if parts is None or any(isinstance(value, ast.Starred) for value in node.args):
        return None
    names = {keyword.arg: keyword.value for keyword in node.keywords}
    stretches: list[tuple[int, int] | Gap] = []
    tidy: list[Change] = []
    automatic = 0
    for part in parts:
        position, end = part.body
        for field in _BRACES.finditer(source.code, position, end):
            if field[0] in ("{{", "}}"):
                tidy.append(Change(field.start(), field.end(), field[0][0]))
                continue
            name = field[1]
            if not name:
                name = str(automatic)
                automatic += 1
            found = names.get(name)
            if name.isdigit() and int(name) < len(node.args):
                found = node.args[int(name)]
            if found is None:
                return None
            stretches.append((position, field.start()))
            suffix = (field[2] or "") + (field[3] or "")
            stretches.append(Gap(field.start(), field.end(), found, suffix))
            position = field.end()
        if re.search(r"\{[^{}]*[.\[]", source.code[part.body[0] : part.body[1]]):
            return None
        stretches.append((position, end))
    cut = _cut(source, text, node, ".")
    return None if cut is None else Built(node, tuple(stretches), (*tidy, cut), "format")


def _cut(source: Source, text: ast.expr, whole: ast.expr, mark: str) -> Change | None:
    """Return the change that takes the arguments away after a text."""
    start, end = source.span(text)[1], source.span(whole)[1]
    gap = source.code[start:end]
    index = gap.find(mark)
    if index < 0 or "#" in gap[:index]:
        return None
    return Change(start + len(gap[:index].rstrip()), end, "")


def operands(node: ast.expr) -> list[ast.expr]:
    """Return the operands of a chain of `+`, from left to right."""
    found: list[ast.expr] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        found.append(node.right)
        node = node.left
    return [node, *reversed(found)]


def _added(source: Source, node: ast.BinOp) -> Built | None:
    stretches: list[tuple[int, int] | Gap] = []
    chain = operands(node)
    texts = [literal(source, one) for one in chain]
    if texts[0] is None:
        return None
    tidy: list[Change] = []
    last = texts[0][-1]
    position = last.body[1]
    stretches.extend(part.body for part in texts[0])
    for index, (one, parts) in enumerate(zip(chain, texts, strict=True)):
        if index == 0:
            continue
        if parts is not None:
            is_joined = texts[index - 1] is None
            if is_joined and (parts[0].quote, parts[0].prefix) != (last.quote, last.prefix):
                return None
            stretches.extend(part.body for part in parts)
            last = parts[-1]
            position = last.body[1]
            continue
        if (
            isinstance(one, ast.JoinedStr | ast.BinOp)
            or "#" in source.code[position : source.span(one)[0]]
        ):
            return None
        following = texts[index + 1] if index + 1 < len(chain) else None
        is_last = index + 1 == len(chain)
        end = source.span(node)[1] if is_last else source.span(one)[1]
        if following is not None:
            end = following[0].body[0]
        value = one
        if isinstance(one, ast.Call) and source.dotted(one.func) == "str" and len(one.args) == 1:
            value = one.args[0]
        stretches.append(Gap(position, end, value, "", last.quote if is_last else ""))
        position = end
    return Built(node, tuple(stretches), tuple(tidy), "+")
