"""Put texts together as `%`, `.format` and `join` do, and compute with constants."""

import ast
import operator
import re
from collections.abc import Callable
from typing import Any, Final

from offtarget.codescan.python.values import (
    CLEAN,
    CLEAN_HOLE,
    CLEAN_TEXT,
    HOLE,
    MAX_SHAPE,
    MISSING,
    UNKNOWN,
    Taint,
    Value,
    all_taints,
    constant,
    hole,
    is_fixed,
    merge_taints,
)

_PERCENT: Final = re.compile(r"%(?:\((\w+)\))?[-+ #0]{0,3}\d{0,5}(?:\.\d{1,5})?([a-zA-Z%])")
_BRACES: Final = re.compile(r"\{\{|\}\}|\{(\w*)([^{}:!]*)(![rsa])?(?::([^{}]*))?\}")
_DOLLAR: Final = re.compile(r"\$\{?(\w+)\}?")
_LARGEST: Final = 10**12
_LARGEST_BASE: Final = 1000
_LARGEST_POWER: Final = 64

_FOLDED: Final[dict[type[ast.AST], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def fold(kind: type[ast.AST], left: Any, right: Any) -> Value:
    """Return the result of an operator on two constants; `CLEAN` if it is not computed."""
    if kind in (ast.In, ast.NotIn):
        if isinstance(left, str) and isinstance(right, str):
            return constant((left in right) is (kind is ast.In))
        return CLEAN
    if kind in (ast.Is, ast.IsNot) and (left is None or right is None):
        return constant((left is right) is (kind is ast.Is))
    compute = _FOLDED.get(kind)
    numbers = isinstance(left, int | float) and isinstance(right, int | float)
    texts = isinstance(left, str) and isinstance(right, str) and kind in (ast.Eq, ast.NotEq)
    if compute is None or not (numbers or texts):
        return CLEAN
    if numbers and (abs(left) > _LARGEST or abs(right) > _LARGEST):
        return CLEAN
    if kind is ast.Pow and (abs(left) > _LARGEST_BASE or not 0 <= right <= _LARGEST_POWER):
        return CLEAN
    try:
        return constant(compute(left, right))
    except (ArithmeticError, TypeError, ValueError):
        return CLEAN


def _assemble(pieces: list[str], used: list[Value]) -> Value:
    taints: tuple[Taint, ...] = ()
    for value in used:
        if value.taints or value.items:
            taints = merge_taints(taints, all_taints(value))
    text = "".join(pieces)
    if len(text) > MAX_SHAPE:
        text = text[: MAX_SHAPE - 1] + HOLE
    fixed = all(type(value.const) is str for value in used) and len(text) < MAX_SHAPE
    return Value(shape=text, taints=taints, const=text if fixed else MISSING)


def _text(value: Value | None) -> str:
    if value is None:
        return HOLE
    if value.items:
        return CLEAN_HOLE if is_fixed(value) else HOLE
    return hole(value)


def format_percent(template: Value, right: Value) -> Value:
    """Return the value of `template % right`."""
    is_tuple = right.items is not None and right.kind != "dict()"
    values = list(right.items.values()) if right.items is not None and is_tuple else [right]
    pieces: list[str] = []
    used: list[Value] = []
    position = index = 0
    shape = template.shape or ""
    for match in _PERCENT.finditer(shape):
        pieces.append(shape[position : match.start()])
        position = match.end()
        if match[2] == "%":
            pieces.append("%")
            continue
        if match[1] and right.items is not None:
            value = right.items.get(match[1], right if right.taints else None)
        elif match[1] or not is_tuple:
            value = right
        else:
            value = values[index] if index < len(values) else None
            index += 1
        if match[2] in "dfixXeEgGou":
            pieces.append(CLEAN_HOLE)
            continue
        pieces.append(_text(value))
        if value is not None:
            used.append(value)
    pieces.append(shape[position:])
    return _filled(template, pieces, used)


def format_braces(template: Value, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Return the value of `template.format(*args, **keywords)`."""
    pieces: list[str] = []
    used: list[Value] = []
    position = index = 0
    shape = template.shape or ""
    for match in _BRACES.finditer(shape):
        pieces.append(shape[position : match.start()])
        position = match.end()
        if match[0] in ("{{", "}}"):
            pieces.append(match[0][0])
            continue
        name = match[1]
        if not name:
            value = args[index] if index < len(args) else None
            index += 1
        elif name.isdigit():
            value = args[int(name[:3])] if int(name[:3]) < len(args) else None
        else:
            value = keywords.get(name, keywords.get("**"))
        if match[2] and value is not None:
            value = Value(taints=all_taints(value))
        if match[4] and match[4][-1] in "dfegxXbon%":
            pieces.append(CLEAN_HOLE)
            continue
        pieces.append(_text(value))
        if value is not None:
            used.append(value)
    pieces.append(shape[position:])
    return _filled(template, pieces, used)


def format_dollar(template: Value, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Return the value of `string.Template(template).substitute(...)`."""
    mapping = dict(args[0].items or {}) if args else {}
    mapping.update(keywords)
    rest = args[0] if args else UNKNOWN
    pieces: list[str] = []
    used: list[Value] = [rest]
    position = 0
    shape = template.shape or ""
    for match in _DOLLAR.finditer(shape):
        pieces.append(shape[position : match.start()])
        position = match.end()
        value = mapping.get(match[1])
        pieces.append(_text(value))
        if value is not None:
            used.append(value)
    pieces.append(shape[position:])
    return _assemble(pieces, used)


def _filled(template: Value, pieces: list[str], used: list[Value]) -> Value:
    """Return the pieces as one text, which carries what its template carried."""
    result = _assemble(pieces, used)
    result.taints = merge_taints(result.taints, template.taints)
    return result


def join_texts(separator: Value, parts: Value) -> Value:
    """Return the value of `separator.join(parts)`."""
    taints = merge_taints(separator.taints, all_taints(parts))
    if parts.items is not None and not parts.taints and parts.kind != "dict()":
        between = hole(separator)
        texts = [_text(item) for item in parts.items.values()]
        if sum(map(len, texts)) < MAX_SHAPE:
            return Value(shape=between.join(texts), taints=taints)
    if isinstance(parts.ref, Value):
        # a comprehension: two of its items stand for all
        one = hole(parts.ref)
        if len(one) < MAX_SHAPE // 2:
            return Value(shape=one + hole(separator) + one, taints=taints)
    if not taints and is_fixed(parts):
        return CLEAN_TEXT
    return Value(shape=HOLE if separator.is_const else None, taints=taints)
