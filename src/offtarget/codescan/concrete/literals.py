"""Numbers and strings, f-strings included."""

import ast
from collections.abc import Iterator

from ast_grep_py import SgNode

from offtarget.codescan.concrete.tree import Expressions, Tree, parts

_CONVERSIONS = {"s": 115, "r": 114, "a": 97}
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "none": None}


def number(tree: Tree, node: SgNode) -> ast.expr:
    """Return a number; Python 2's `0777` and `10L` are read too."""
    text = node.text().rstrip("lL")
    value = _literal(text)
    if value is None and text.isdigit() and text.startswith("0"):
        value = _literal("0o" + text.lstrip("0"))
    if not isinstance(value, int | float | complex):
        value = 0
    return tree.placed(ast.Constant(value), node)


def word(tree: Tree, node: SgNode) -> ast.expr:
    """Return `True`, `False` or `None`."""
    return tree.placed(ast.Constant(_WORDS[node.kind()]), node)


def ellipsis(tree: Tree, node: SgNode) -> ast.expr:
    """Return `...`."""
    return tree.placed(ast.Constant(...), node)


def string(tree: Tree, node: SgNode) -> ast.expr:
    """Return one string, or several that stand side by side, as one node."""
    singles = parts(node) if node.kind() == "concatenated_string" else [node]
    pieces: list[str | bytes | ast.expr] = []
    formatted = False
    for single in singles:
        if single.kind() != "string":
            continue
        start = single.text()[:4].lower()
        prefix = start[: len(start) - len(start.lstrip("rbuft"))]
        formatted = formatted or "f" in prefix or "t" in prefix
        if start.startswith("`"):
            return _backticks(tree, single)
        pieces.extend(_pieces(tree, single, prefix))
    if formatted:
        return tree.placed(ast.JoinedStr(_merged(tree, node, pieces)), node)
    kind = "u" if singles and singles[0].text()[:1] in ("u", "U") else None
    value: str | bytes
    if pieces and isinstance(pieces[0], bytes):
        value = b"".join(piece for piece in pieces if isinstance(piece, bytes))
    else:
        value = "".join(piece for piece in pieces if isinstance(piece, str))
    if isinstance(value, bytes):
        kind = None
    return tree.placed(ast.Constant(value, kind), node)


def _backticks(tree: Tree, node: SgNode) -> ast.expr:
    """Return Python 2's backticks as the call of `repr` that they are."""
    inner = tree.placed(ast.Name(node.text().strip("` "), ast.Load()), node)
    name = tree.placed(ast.Name("repr", ast.Load()), node)
    return tree.placed(ast.Call(name, [inner], []), node)


def _pieces(tree: Tree, node: SgNode, prefix: str) -> Iterator[str | bytes | ast.expr]:
    """Yield the texts of one string and, for an f-string, its values."""
    if "f" not in prefix and "t" not in prefix:
        yield _plain(node, prefix)
        return
    quote = node.text()[len(prefix) : len(prefix) + 3]
    quote = quote if quote in ('"""', "'''") else quote[:1]
    raw = "r" in prefix
    for child in node.children():
        if child.kind() == "string_content":
            text = child.text().replace("{{", "{").replace("}}", "}")
            yield _unescaped(text, quote, raw)
        elif child.kind() == "interpolation":
            yield from _value(tree, child, quote, raw)


def _plain(node: SgNode, prefix: str) -> str | bytes:
    text = node.text()
    if not prefix and "\\" not in text and text[:3] not in ('"""', "'''") and len(text) > 1:
        return text[1:-1]
    value = _literal(text[prefix.count("u") :] if "u" in prefix else text)
    if isinstance(value, str | bytes):
        return value
    content = "".join(child.text() for child in parts(node) if child.kind() == "string_content")
    return content.encode() if "b" in prefix else content


def _value(tree: Tree, node: SgNode, quote: str, raw: bool) -> Iterator[str | ast.expr]:
    """Yield what one replacement field stands for; `{x=}` yields its own text first."""
    inside = parts(node)
    conversion, shown, spec = -1, False, None
    for child in node.children():
        kind = child.kind()
        if kind == "=" and inside:
            shown = True
            opened = node.range().start.index
            follower = child.next()
            until = follower.range().start.index if follower else child.range().end.index
            yield tree.text[opened + 1 : until]
        elif kind == "type_conversion":
            conversion = _CONVERSIONS.get(child.text()[1:].strip(), -1)
        elif kind == "format_specifier":
            spec = _spec(tree, child, quote, raw)
    if shown and conversion < 0 and spec is None:
        conversion = _CONVERSIONS["r"]
    value = tree.expression(inside[0] if inside else None, node)
    yield tree.placed(ast.FormattedValue(value, conversion, spec), node)


def _spec(tree: Tree, node: SgNode, quote: str, raw: bool) -> ast.expr:
    pieces: list[str | bytes | ast.expr] = []
    position = node.range().start.index + 1
    for child in parts(node):
        if child.kind() != "format_expression":
            continue
        place = child.range()
        pieces.append(_unescaped(tree.text[position : place.start.index], quote, raw))
        pieces.extend(_value(tree, child, quote, raw))
        position = place.end.index
    pieces.append(_unescaped(tree.text[position : node.range().end.index], quote, raw))
    return tree.placed(ast.JoinedStr(_merged(tree, node, pieces)), node)


def _merged(tree: Tree, node: SgNode, pieces: list[str | bytes | ast.expr]) -> list[ast.expr]:
    """Return the pieces with neighboring texts joined and empty ones left out."""
    values: list[ast.expr] = []
    texts: list[str] = []
    for piece in [*pieces, None]:
        if isinstance(piece, str):
            texts.append(piece)
            continue
        text = "".join(texts)
        if text:
            values.append(tree.placed(ast.Constant(text), node))
        texts.clear()
        if isinstance(piece, ast.expr):
            values.append(piece)
    return values


def _unescaped(text: str, quote: str, raw: bool) -> str:
    if raw or "\\" not in text:
        return text
    value = _literal(f"{quote}{text}{quote}")
    return value if isinstance(value, str) else text


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


LITERALS: Expressions = {
    "integer": number,
    "float": number,
    "true": word,
    "false": word,
    "none": word,
    "ellipsis": ellipsis,
    "string": string,
    "concatenated_string": string,
}
"""The kinds of nodes read here."""
