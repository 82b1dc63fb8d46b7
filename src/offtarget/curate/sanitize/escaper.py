"""Follow the HTML that a snippet puts together to the values that enter it.

Values that are HTML themselves, because the snippet built them from tags, are followed back to
their own values, so that no tag of the page's author turns into text.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final

from offtarget.curate.sanitize.building import built, literal, operands
from offtarget.curate.sanitize.source import Source

_TAG: Final = re.compile(r"<\s*[a-zA-Z!/]")
_SAFE: Final = re.compile(
    r"(?:^|\.)(?:escape|escape_silent|clean|int|float|len|round|sum|abs|url_for|quote|quote_plus|"
    r"urlencode|render_template|render_template_string|jsonify|redirect|hexdigest|isoformat|"
    r"strftime|conditional_escape|xhtml_escape|format_html|hex|ord|bool|range|id|b64encode)$"
)
_NUMERIC: Final = re.compile(r"[:%].*[dfgeEx%]$")
_MAX_DEPTH: Final = 8


class Escaper:
    """Collects the expressions of one page that must be escaped."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.formatted: list[ast.expr] = []
        """Values that are formatted into text: of any type."""
        self.added: list[ast.expr] = []
        """Operands of `+` or items of `join`: text already."""
        self.lists: list[ast.expr] = []
        """Lists of values that are joined."""
        self.problem = ""
        self._seen: set[int] = set()
        self._fuel = 2_000

    def visit(self, node: ast.expr, depth: int = 0) -> None:
        """Look for values in an expression whose text becomes HTML."""
        if self._fuel < 0:
            self.problem = "the page is put together in too many steps"
        if depth > _MAX_DEPTH or id(node) in self._seen:
            return
        self._seen.add(id(node))
        whole = built(self.source, node)
        if whole is not None and whole.style != "+":
            for gap in whole.gaps:
                if not _NUMERIC.search(gap.suffix):
                    self._value(gap.node, depth + 1, self.formatted)
        elif isinstance(node, ast.JoinedStr):
            self.problem = "the text is spelled in a way that cannot be edited"
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            for one in operands(node):
                self._value(one, depth + 1, self.added)
        elif isinstance(node, ast.IfExp):
            self._value(node.body, depth + 1, self.added)
            self._value(node.orelse, depth + 1, self.added)
        elif is_format(node):
            self._format_of_name(node, depth)
        elif isinstance(node, ast.Call) and is_join(node):
            self._joined(node.args[0], depth + 1)
        else:
            self._value(node, depth + 1, self.added)

    def is_markup(self, node: ast.expr) -> bool:
        """Return whether a value is HTML that the snippet itself puts together."""
        if isinstance(node, ast.Call) and not is_format(node) and not is_join(node):
            return False
        return self._has_tag(node, 0)

    def _value(self, node: ast.expr, depth: int, into: list[ast.expr]) -> None:
        if isinstance(node, ast.Constant) or self._is_safe(node):
            return
        if self._is_text(node):
            self.visit(node, depth)
        elif isinstance(node, ast.Name) and self._follow(node, depth):
            return
        elif depth == 1 and self._is_whole_page(node):
            self.problem = "the whole page comes from a file or another function"
        elif self.source.span(node) == (0, 0):
            self.problem = "a value stands in a text that cannot be edited"
        elif not any(node is one for one in (*self.formatted, *self.added)):
            into.append(node)

    def _is_whole_page(self, node: ast.expr) -> bool:
        """Return whether a value may be HTML on purpose: what is read, or what is named so."""
        values: list[ast.AST] = [node]
        if isinstance(node, ast.Name):
            values += [getattr(one, "value", one) for one in self.source.definitions(node) or ()]
            if re.search(r"html|page|markup|template", node.id, re.I):
                return True
        return any(
            isinstance(value, ast.Call)
            and getattr(value.func, "attr", "") in ("read", "read_text", "decode")
            for value in values
        )

    def _is_safe(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Call) and bool(
            _SAFE.search(self.source.dotted(node.func) or getattr(node.func, "attr", ""))
        )

    def _is_text(self, node: ast.expr) -> bool:
        """Return whether an expression is a text that is put together from parts."""
        if isinstance(node, ast.JoinedStr | ast.IfExp):
            return True
        if isinstance(node, ast.BinOp):
            return isinstance(node.op, ast.Add) or literal(self.source, node.left) is not None
        return is_format(node) or is_join(node)

    def _follow(self, name: ast.Name, depth: int) -> bool:
        """Look into what a name was assigned; False if it is a plain value."""
        found = self.source.definitions(name)
        if found is None or not found:
            return False
        values = [one.value for one in found if isinstance(one, ast.Assign | ast.AugAssign)]
        if len(values) < len(found):
            return False
        if all(isinstance(value, ast.Constant) or self._is_safe(value) for value in values):
            return True
        if any(isinstance(value, ast.Name) and value.id == name.id for value in values):
            return False
        if not any(self._has_tag(value, 0) for value in values):
            return False
        for value in values:
            self._value(value, depth, self.added)
        return True

    def _has_tag(self, node: ast.expr, depth: int) -> bool:
        """Return whether the snippet's author wrote tags in an expression, or where it is from."""
        self._fuel -= 1
        if depth > _MAX_DEPTH or self._fuel < 0:
            return False
        for inner in ast.walk(node):
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                if _TAG.search(inner.value):
                    return True
            elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load):
                for one in self.source.definitions(inner) or ():
                    value = getattr(one, "value", None)
                    if value is not None and id(value) not in self._seen and value is not node:
                        self_named = any(
                            isinstance(part, ast.Name) and part.id == inner.id
                            for part in ast.walk(value)
                        )
                        if not self_named and self._has_tag(value, depth + 1):
                            return True
        return False

    def _format_of_name(self, node: ast.expr, depth: int) -> None:
        """`page.format(...)`: the template is a constant of the snippet."""
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return
        text = node.func.value
        if isinstance(text, ast.Name):
            found = self.source.definitions(text) or []
            if not found or not all(
                literal(self.source, getattr(one, "value", one)) for one in found
            ):
                self.problem = "the page's text is not in the snippet"
        for value in (*node.args, *[keyword.value for keyword in node.keywords]):
            if isinstance(value, ast.Starred):
                self.problem = "the values of the page are not written out"
            else:
                self._value(value, depth + 1, self.formatted)

    def _joined(self, node: ast.expr, depth: int) -> None:
        """`"".join(...)`: every item becomes part of the page."""
        if isinstance(node, ast.GeneratorExp | ast.ListComp):
            self._value(node.elt, depth, self.added)
        elif isinstance(node, ast.List | ast.Tuple):
            for one in node.elts:
                self._value(one, depth, self.added)
        elif isinstance(node, ast.Name):
            self._grown(node, depth)
        elif self._has_tag(node, 0):
            self.problem = "the items that are joined cannot be followed"
        else:
            self._list(node)

    def _list(self, node: ast.expr) -> None:
        if self.source.span(node) == (0, 0):
            self.problem = "a value stands in a text that cannot be edited"
        else:
            self.lists.append(node)

    def _grown(self, name: ast.Name, depth: int) -> None:
        """Follow a list to its first value and to everything that is appended."""
        found = self.source.definitions(name) or []
        values = [getattr(one, "value", None) for one in found]
        grown = list(self._appended(name))
        if not any(
            self._has_tag(value, 0) for value in [*values, *grown] if isinstance(value, ast.expr)
        ):
            self._list(name)
            return
        for value in values:
            if isinstance(value, ast.List | ast.ListComp):
                self._joined(value, depth)
            else:
                self.problem = "the items that are joined cannot be followed"
        for value in grown:
            self._value(value, depth, self.added)

    def _appended(self, name: ast.Name) -> Iterator[ast.expr]:
        """Yield what is appended to a list by name."""
        for node in self.source.inside(self.source.scope(name)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "append"
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == name.id
                and node.args
            ):
                yield node.args[0]


def is_format(node: ast.expr) -> bool:
    """Return whether an expression is a call of `.format`."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "format"
    )


def is_join(node: ast.expr) -> bool:
    """Return whether an expression joins items by a fixed text."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "join"
        and isinstance(node.func.value, ast.Constant)
        and len(node.args) == 1
    )
