"""One parsed snippet as plain stretches of text: calls, assignments, functions, conditions."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from ast_grep_py import Config, SgNode

from offtarget.codescan.patterns.grammar import GRAMMARS

MAX_STEPS = 1_500_000
"""Work on one snippet, in steps of about a microsecond; the count, unlike a clock, repeats."""
NAME = re.compile(r"[$@]?[A-Za-z_]\w*")
_INLINE = re.compile(r"\{([a-z_]\w*)[:}]")
_SPACE = re.compile(r"\s+")
_ARROW = re.compile(r"\?\.|\?->|->|::|\\")
_TYPE_ARGUMENTS = re.compile(r"(?:\.)?<[\w\s,.\[\]?&']{0,200}>")
_ELEMENT = re.compile(r"([$@]?[A-Za-z_][\w.$]*)\[")
_DOTTED = re.compile(r"[$@]?[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_ARGUMENTS = frozenset({"arguments", "argument_list", "token_tree"})
_LEFT = ("left", "declarator", "name", "pattern")
_RIGHT = ("right", "value")
_PARAMETERS = frozenset(
    {"parameters", "parameter_list", "formal_parameters", "method_parameters"}
    | {"closure_parameters", "inferred_parameters"}
)
_CHECKS = re.compile(
    r"(?i)assert|check|ensure|require|verif|valid|bug_on|warn_on|is_err|(?:min|max|clamp)$"
)


class WorkLimitError(Exception):
    """A snippet took more steps than any code that a person wrote."""


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """Character offsets into the snippet; `end` is exclusive."""

    start: int
    end: int

    def holds(self, at: int) -> bool:
        """Return whether the offset `at` lies inside."""
        return self.start <= at < self.end


@dataclass(frozen=True, slots=True)
class Call:
    """A call, its callee written with dots only (`a->b::c` is `a.b.c`)."""

    at: Stretch
    callee: str
    arguments: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Assign:
    """`target = value`."""

    at: Stretch
    target: str
    """Without spaces, stars and declared types."""
    names: frozenset[str]
    """Every name bound here: `a, err` binds two."""
    value: Stretch
    is_partial: bool = False
    """The old value stays part of the new one, as in `+=`."""
    is_loop: bool = False
    is_element: bool = False
    """One element of `target` is set, as in `a[i] = x`; the others stay."""

    def keeps(self, name: str) -> bool:
        """Return whether some of what `name` held before is still there afterwards."""
        is_field = name != self.target and self.target.startswith(f"{name}.")
        return self.is_partial or self.is_loop or self.is_element or is_field


@dataclass(frozen=True, slots=True)
class Function:
    """A function and what it is given."""

    at: Stretch
    name: str
    head: Stretch
    """Its parameter list."""
    parameters: frozenset[str]


class Source:
    """A snippet, parsed once; each list is built when a rule first asks for it."""

    def __init__(self, code: str, language: str, root: SgNode) -> None:
        """Hold the tree `root` of `code`."""
        self.code = code
        self.language = language
        self.root = root
        self.grammar = GRAMMARS[language]
        self.steps = 0
        self._searched: dict[tuple[str, int, int], bool] = {}

    def spend(self, steps: int) -> None:
        """Count work that grows with the code; raise WorkLimitError when it is too much."""
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise WorkLimitError

    @cached_property
    def masked(self) -> str:
        """The code with the inside of strings and comments blanked, same length."""
        pieces: list[str] = []
        last = 0
        kinds = (*self.grammar.strings, *self.grammar.comments)
        for node in self.nodes(kinds):
            at = stretch(node)
            if at.start < last:
                continue
            pieces += [self.code[last : at.start], self._blank(self.code[at.start : at.end])]
            last = at.end
        return "".join([*pieces, self.code[last:]])

    def _blank(self, text: str) -> str:
        """Return spaces; of Rust's strings the names inside braces stay."""
        if self.language != "rust" or "{" not in text:
            return " " * len(text)
        kept = [match.span(1) for match in _INLINE.finditer(text)]
        inside = {at for start, end in kept for at in range(start, end)}
        return "".join(char if at in inside else " " for at, char in enumerate(text))

    def nodes(self, kinds: Sequence[str]) -> list[SgNode]:
        """Return the nodes of any of `kinds`, in the order of their start."""
        if not self.grammar.kinds.issuperset(kinds):
            return self.root.find_all({"rule": {"any": [{"kind": kind} for kind in kinds]}})
        lists = [self._ranked[kind] for kind in kinds if kind in self._ranked]
        ranked = lists[0] if len(lists) == 1 else sorted(pair for part in lists for pair in part)
        return [node for _, node in ranked]

    @cached_property
    def _ranked(self) -> dict[str, list[tuple[int, SgNode]]]:
        """Every node of a kind that the grammar names, with its rank; the tree is walked once."""
        wanted: list[dict[str, object]] = [{"kind": kind} for kind in sorted(self.grammar.kinds)]
        wanted.append({"kind": "ERROR"})
        if self.grammar.logical is not None:
            operator = {"field": "operator", "regex": r"^(?:&&|\|\||\?\?)$"}
            wanted.append({"kind": self.grammar.logical, "has": operator})
        table: dict[str, list[tuple[int, SgNode]]] = {}
        for rank, node in enumerate(self.root.find_all(cast(Config, {"rule": {"any": wanted}}))):
            table.setdefault(node.kind(), []).append((rank, node))
        return table

    @property
    def errors(self) -> list[SgNode]:
        """The nodes that the parser could not place."""
        return [node for _, node in self._ranked.get("ERROR", [])]

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """Every call and `new`."""
        found = (self._call(node) for node in self.nodes(self.grammar.calls))
        return tuple(call for call in found if call is not None)

    @cached_property
    def assigns(self) -> tuple[Assign, ...]:
        """Assignments, declarations with a value, and names that loops bind."""
        kinds = dict.fromkeys(self.grammar.assigns, False)
        kinds.update(dict.fromkeys(self.grammar.loops, True))
        found = []
        for node in self.nodes(tuple(kinds)):
            assign = self._assign(node, is_loop=kinds[node.kind()])
            if assign is not None:
                found.append(assign)
        return tuple(found)

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """Functions, methods and closures, outer before inner."""
        return tuple(self._function(node) for node in self.nodes(self.grammar.functions))

    @cached_property
    def conditions(self) -> tuple[Stretch, ...]:
        """What decides: conditions, operands of `&&` and `||`, and arguments of assertions."""
        found = []
        for node in self.nodes(self.grammar.tests):
            part = node.field("condition") or node.field("value")
            if part is None:  # Go's for clause, a broken statement
                part = next(iter(node.named_children()), None)
            if part is not None:
                found.append(stretch(part))
        found += [call.at for call in self.calls if _CHECKS.search(call.callee)]
        if self.grammar.logical is not None:
            found += [stretch(node) for _, node in self._ranked.get(self.grammar.logical, [])]
        return tuple(sorted(set(found)))

    @cached_property
    def name_starts(self) -> dict[str, list[int]]:
        """Where each name stands, outside strings and comments."""
        table: dict[str, list[int]] = {}
        for match in NAME.finditer(self.masked):
            table.setdefault(match[0], []).append(match.start())
        return table

    @cached_property
    def blocks(self) -> tuple[Stretch, ...]:
        """Every `{...}`, sorted by start; an unclosed one ends with the code."""
        opened: list[int] = []
        found: list[Stretch] = []
        for match in re.finditer(r"[{}]", self.masked):
            if match[0] == "{":
                opened.append(match.start())
            elif opened:
                found.append(Stretch(opened.pop(), match.end()))
        found += [Stretch(start, len(self.code)) for start in opened]
        return tuple(sorted(found))

    @cached_property
    def _block_parents(self) -> tuple[int, ...]:
        """For each block the index of the block around it, -1 for none."""
        parents: list[int] = []
        for index, block in enumerate(self.blocks):
            around = index - 1
            while around >= 0 and self.blocks[around].end < block.end:
                around = parents[around]
            parents.append(around)
        return tuple(parents)

    def block_of(self, at: int) -> Stretch:
        """Return the innermost `{...}` around the offset, or the whole snippet."""
        index = bisect_right(self.blocks, Stretch(at, at)) - 1
        while index >= 0 and not self.blocks[index].start < at < self.blocks[index].end:
            index = self._block_parents[index]
        return self.blocks[index] if index >= 0 else Stretch(0, len(self.code))

    def function_of(self, at: int) -> Function | None:
        """Return the innermost function around the offset."""
        self.spend(1 + len(self.functions) // 8)
        around = [one for one in self.functions if one.at.holds(at)]
        return around[-1] if around else None

    def scope_of(self, at: int) -> Stretch:
        """Return the outermost function around the offset, or the whole snippet."""
        self.spend(1 + len(self.functions) // 8)
        around = (one.at for one in self.functions if one.at.holds(at))
        return next(around, Stretch(0, len(self.code)))

    def searched(self, pattern: re.Pattern[str], part: Stretch) -> bool:
        """Return whether the regex matches in the text of `part`; remembers the answer."""
        key = (pattern.pattern, part.start, part.end)
        if key not in self._searched:
            self.spend((part.end - part.start) // 20)
            self._searched[key] = pattern.search(self.code, part.start, part.end) is not None
        return self._searched[key]

    def text(self, part: Stretch) -> str:
        """Return the code of `part` as it stands."""
        return self.code[part.start : part.end]

    def bare(self, part: Stretch) -> str:
        """Return the code of `part` with strings and comments blanked."""
        return self.masked[part.start : part.end]

    def _call(self, node: SgNode) -> Call | None:
        listed = node.field("arguments")
        if listed is None:
            listed = next((c for c in node.children() if c.kind() in _ARGUMENTS), None)
        at = stretch(node)
        inside = at if listed is None else stretch(listed)
        end = at.end if listed is None else inside.start
        callee = written(self.code[at.start : min(end, at.start + 2000)])
        if not callee:
            return None
        if listed is None:
            return Call(at, callee, ())
        if listed.kind() == "token_tree":  # the arguments of a Rust macro have no tree
            between = Stretch(inside.start + 1, max(at.start, inside.end - 1))
            return Call(at, callee, _split(self.masked, between))
        comments = self.grammar.comments
        parts = (c for c in listed.named_children() if c.kind() not in comments)
        return Call(at, callee, tuple(stretch(part) for part in parts))

    def _assign(self, node: SgNode, *, is_loop: bool) -> Assign | None:
        left, value = _field(node, _LEFT), _field(node, _RIGHT)
        if left is None or value is None:
            children = node.named_children()
            if len(children) >= 2:
                left, value = left or children[0], value or children[-1]
        if left is None or value is None:
            return None
        at, given = stretch(left), stretch(value)
        if given.start < at.end:
            return None
        target = _SPACE.sub("", self.masked[at.start : at.end])
        between = self.masked[at.end : given.start].strip()
        target = _ARROW.sub(".", target.lstrip("*&"))
        return Assign(
            stretch(node), target, _bound(target), given,
            is_partial=len(between) > 1 and between not in (":=", "=>") and not is_loop, is_loop=is_loop,
            is_element=_ELEMENT.match(target) is not None and node.kind() != "init_declarator",
        )  # fmt: skip

    def _function(self, node: SgNode) -> Function:
        at = stretch(node)
        holder = node.field("declarator") or node
        listed = holder.field("parameters")
        while listed is None and holder is not node and (inner := holder.field("declarator")):
            holder, listed = inner, inner.field("parameters")
        if listed is None:
            listed = next((c for c in node.children() if c.kind() in _PARAMETERS), None)
        head = Stretch(at.start, at.start) if listed is None else stretch(listed)
        named = node.field("name") or holder.field("declarator")
        inside = self.masked[head.start : head.end]
        return Function(
            at, "" if named is None else named.text(), head, frozenset(NAME.findall(inside))
        )


def _field(node: SgNode, names: Sequence[str]) -> SgNode | None:
    """Return the first of the fields that the node has."""
    for name in names:
        if (found := node.field(name)) is not None:
            return found
    return None


def stretch(node: SgNode) -> Stretch:
    """Return where `node` stands."""
    span = node.range()
    return Stretch(span.start.index, span.end.index)


def written(callee: str) -> str:
    """Return a callee without spaces and type arguments, with dots for every arrow."""
    text = callee.strip()
    is_new = text.startswith("new ")
    text = _ARROW.sub(".", _SPACE.sub("", text[4:] if is_new else text))
    text = _TYPE_ARGUMENTS.sub("", text).lstrip(".")
    return f"new {text}" if is_new else text


def _bound(target: str) -> frozenset[str]:
    """Return the names that an assignment to `target` binds: `a.b[i]` binds a.b and a, not i."""
    if match := _ELEMENT.match(target):
        target = match[1]
    if not _DOTTED.fullmatch(target):
        return frozenset(NAME.findall(target)) | {target}
    pieces = target.split(".")
    return frozenset(".".join(pieces[:count]) for count in range(1, len(pieces) + 1))


def _split(code: str, part: Stretch) -> tuple[Stretch, ...]:
    """Return the pieces of `part` between commas that stand in no bracket."""
    found: list[Stretch] = []
    depth, start = 0, part.start
    for match in re.finditer(r"[(){}\[\],]", code[part.start : part.end]):
        at = part.start + match.start()
        if match[0] == "," and depth == 0:
            found.append(Stretch(start, at))
            start = at + 1
        elif match[0] != ",":
            depth += 1 if match[0] in "([{" else -1
    if code[start : part.end].strip() or found:
        found.append(Stretch(start, part.end))
    return tuple(found)
