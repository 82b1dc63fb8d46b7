"""A snippet's syntax tree with parents, exact offsets and resolved names."""

import ast
import warnings
from collections.abc import Iterator
from functools import cached_property

from offtarget.codescan.flaw import Flaw
from offtarget.codescan.ladder import read_python
from offtarget.curate.sanitize.strings import Part, parts_of

Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Module | ast.Lambda | ast.ClassDef
_HEADERS = ("body", "orelse", "finalbody", "handlers", "cases")


class Source:
    """One snippet, read once for all fixes. It is never executed."""

    def __init__(self, code: str) -> None:
        """Read the code; where nothing parses, `tree` is empty and `is_read` False."""
        self.code = code
        self.read = read_python(code)
        self.tree = self.read.tree or ast.Module(body=[], type_ignores=[])
        self.is_read = self.read.tree is not None
        self._parents: dict[int, ast.AST] = {}
        self._spans: dict[int, tuple[int, int]] = {}
        for node in ast.walk(self.tree):
            for child in ast.iter_child_nodes(node):
                self._parents.setdefault(id(child), node)
        for node in ast.walk(self.tree):
            # own positions inside f-strings: the parser's are wrong before Python 3.12
            if isinstance(node, ast.JoinedStr) and self._is_outermost(node):
                self._place_holes(node)

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Return where a node starts and ends; (0, 0) if that is not known."""
        found = self._spans.get(id(node))
        if found is None:
            found = self._by_parser(node)
            self._spans[id(node)] = found
        return found

    def text(self, node: ast.AST) -> str:
        """Return the code of a node."""
        start, end = self.span(node)
        return self.code[start:end]

    def parts(self, node: ast.AST) -> tuple[Part, ...] | None:
        """Return the literals that a string constant or f-string is spelled with."""
        start, end = self.span(node)
        return parts_of(self.code, start, end) if end > start else None

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return the node that holds this one."""
        return self._parents.get(id(node))

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield the nodes around a node, from the inside out."""
        current = self.parent(node)
        while current is not None:
            yield current
            current = self.parent(current)

    def statement(self, node: ast.AST) -> ast.stmt | None:
        """Return the innermost statement that holds a node, or is it."""
        if isinstance(node, ast.stmt):
            return node
        return next((a for a in self.ancestors(node) if isinstance(a, ast.stmt)), None)

    def scope(self, node: ast.AST) -> ast.AST:
        """Return the function, or else the module, that a node runs in."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
        return next((a for a in self.ancestors(node) if isinstance(a, kinds)), self.tree)

    def inside(self, scope: ast.AST) -> Iterator[ast.AST]:
        """Yield the nodes of a scope, without those of functions inside it, in source order."""
        stack = list(reversed(list(ast.iter_child_nodes(scope))))
        while stack:
            node = stack.pop()
            yield node
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                stack.extend(reversed(list(ast.iter_child_nodes(node))))

    def header(self, statement: ast.stmt) -> tuple[int, int]:
        """Return the span of a statement without the blocks inside it."""
        start, end = self.span(statement)
        first = [
            self.span(inner)[0]
            for name in _HEADERS
            for inner in getattr(statement, name, [])[:1]
            if isinstance(inner, ast.AST)
        ]
        return start, min([end, *[place for place in first if place > start]])

    def node_of(self, flaw: Flaw) -> ast.AST | None:
        """Return the outermost node with exactly the flaw's span, or the smallest around it."""
        best: ast.AST | None = None
        best_size = len(self.code) + 1
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.expr | ast.stmt):
                continue
            start, end = self.span(node)
            if start <= flaw.start and flaw.end <= end and end - start < best_size:
                best, best_size = node, end - start
        return best

    def call_of(self, flaw: Flaw) -> ast.Call | None:
        """Return the call that a flaw is about: its node, or the call of that function."""
        node = self.node_of(flaw)
        while isinstance(node, ast.Attribute | ast.Name | ast.keyword):
            node = self.parent(node)
        if isinstance(node, ast.Expr | ast.Return | ast.Assign):
            node = node.value
        return node if isinstance(node, ast.Call) else None

    @cached_property
    def imports(self) -> dict[str, str]:
        """What the names that imports bind stand for: `{"st": "stat", "join": "os.path.join"}`."""
        found: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    name = alias.asname or alias.name.partition(".")[0]
                    found[name] = alias.name if alias.asname else name
            elif isinstance(node, ast.ImportFrom) and not node.level:
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        return found

    @cached_property
    def imported_first(self) -> frozenset[str]:
        """Names that imports at the top of the snippet bind: they are known everywhere in it."""
        found: set[str] = set()
        for index, node in enumerate(self.tree.body):
            if isinstance(node, ast.Import | ast.ImportFrom):
                found |= {a.asname or a.name.partition(".")[0] for a in node.names}
            elif index or not isinstance(node, ast.Expr):
                break
        return frozenset(found)

    @cached_property
    def modules(self) -> frozenset[str]:
        """Top-level packages that are imported."""
        return frozenset(name.partition(".")[0] for name in self.imports.values())

    @cached_property
    def bound(self) -> frozenset[str]:
        """Every name that anything in the snippet binds."""
        found = set(self.imports)
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.add(node.name)
            elif isinstance(node, ast.arg):
                found.add(node.arg)
        return frozenset(found)

    def dotted(self, node: ast.AST) -> str:
        """Return the full name that an expression stands for (`os.path.join`); empty for none."""
        if isinstance(node, ast.Name):
            return self.imports.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            head = self.dotted(node.value)
            return f"{head}.{node.attr}" if head else ""
        return ""

    def definitions(self, name: ast.Name) -> list[ast.stmt] | None:
        """Return the statements of the name's scope that assign it; None if others bind it too.

        A parameter, a loop variable, `with ... as` or an assignment in parts is another binding.
        """
        scope = self.scope(name)
        found: list[ast.stmt] = []
        for node in self.inside(scope):
            if isinstance(node, ast.arg) and node.arg == name.id:
                return None
            if not (isinstance(node, ast.Name) and node.id == name.id):
                continue
            if isinstance(node.ctx, ast.Load):
                continue
            parent = self.parent(node)
            is_plain = isinstance(parent, ast.Assign) and len(parent.targets) == 1
            if not is_plain and not isinstance(parent, ast.AugAssign | ast.AnnAssign):
                return None
            assert isinstance(parent, ast.stmt)
            found.append(parent)
        if not found and not isinstance(scope, ast.Module):
            return self._module_definitions(name.id)
        return found

    def line_start(self, offset: int) -> int:
        """Return where the line that holds an offset begins."""
        return self.code.rfind("\n", 0, offset) + 1

    def indent(self, statement: ast.stmt) -> str:
        """Return the blanks before a statement; raises no error where it shares its line."""
        start = self.span(statement)[0]
        before = self.code[self.line_start(start) : start]
        return before if not before.strip() else ""

    def starts_line(self, statement: ast.stmt) -> bool:
        """Return whether only blanks stand before a statement on its line."""
        start = self.span(statement)[0]
        return not self.code[self.line_start(start) : start].strip()

    def _module_definitions(self, name: str) -> list[ast.stmt] | None:
        found: list[ast.stmt] = []
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == name for target in node.targets
            ):
                found.append(node)
        return found

    def _is_outermost(self, node: ast.JoinedStr) -> bool:
        return not any(isinstance(around, ast.JoinedStr) for around in self.ancestors(node))

    def _by_parser(self, node: ast.AST) -> tuple[int, int]:
        line = getattr(node, "lineno", None)
        end_line = getattr(node, "end_lineno", None)
        if line is None or end_line is None or not hasattr(node, "end_col_offset"):
            return 0, 0
        decorators = getattr(node, "decorator_list", [])
        if decorators:
            line = min(line, *[d.lineno for d in decorators])
        start = self.read.offset(line, getattr(node, "col_offset", 0))
        return start, self.read.offset(end_line, node.end_col_offset)

    def _place_holes(self, node: ast.JoinedStr) -> None:
        """Place all nodes inside an f-string; those that cannot be placed are at (0, 0)."""
        parts = self.parts(node)
        holes = [hole for part in parts or () for hole in part.holes]
        fields = [value for value in node.values if isinstance(value, ast.FormattedValue)]
        if len(holes) != len(fields):
            holes = []
        for inner in ast.walk(node):
            if inner is not node:
                self._spans[id(inner)] = (0, 0)
        for hole, value in zip(holes, fields, strict=False):
            start, end = hole.expression
            if self._place(value.value, self.code[start:end], start):
                self._spans[id(value)] = (hole.start, hole.end)

    def _place(self, node: ast.expr, text: str, base: int) -> bool:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the scanned code's escapes
                twin = ast.parse(f"({text}\n)", mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
        if ast.dump(twin) != ast.dump(node):
            return False
        lines = f"({text}\n)".splitlines(keepends=True)
        nested = []
        for own, other in zip(ast.walk(node), ast.walk(twin), strict=True):
            if isinstance(other, ast.expr | ast.arg | ast.keyword):
                last = other.end_lineno or other.lineno, other.end_col_offset or 0
                ends = [
                    base - 1 + sum(map(len, lines[: line - 1])) + _characters(lines[line - 1], c)
                    for line, c in ((other.lineno, other.col_offset), last)
                ]
                self._spans[id(own)] = (ends[0], ends[1])
            if isinstance(own, ast.JoinedStr):
                nested.append(own)
        for inner in nested:
            self._place_holes(inner)
        return True


def _characters(line: str, column: int) -> int:
    """Return a UTF-8 byte column as characters."""
    return column if line.isascii() else len(line.encode()[:column].decode("utf-8", "ignore"))
