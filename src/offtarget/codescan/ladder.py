"""Read a Python snippet as well as it can be read: whole, repaired, or by a tolerant parser."""

import ast
import warnings
from dataclasses import dataclass
from functools import cached_property

from offtarget.codescan.flaw import Reading
from offtarget.codescan.place import Line, Places, lines_of, text_of
from offtarget.codescan.repair import (
    Wrapped,
    complete_tail,
    dedent,
    heads,
    prefixes,
    strip_markers,
    unwrap,
    wrap,
)
from offtarget.codescan.tolerant import Tolerated, parse_tolerant

MAX_CHARACTERS = 1_000_000
"""Longer code is not read at all: parsing it could stall a scan."""

_MAX_TAIL_PARSES = 6
_MIN_KEPT = 0.75
"""Share of the lines that must be left when a tail is dropped; else too much goes unread."""


@dataclass(frozen=True)
class ReadCode:
    """A syntax tree of one snippet, and the way back to the snippet's characters."""

    code: str
    tree: ast.Module | None
    """None where nothing parses, not even in part."""
    reading: Reading
    repaired: tuple[Line, ...] | None = None
    """The lines that were parsed; None where these are the code's own."""

    def offset(self, line: int, column: int) -> int:
        """Return the character offset in the code of a position in the tree.

        Args:
            line: 1-based line of a node.
            column: Its UTF-8 byte column, 0-based, as `ast` counts.
        """
        return min(self._places.offset(line, column), len(self.code))

    @cached_property
    def _places(self) -> Places:
        return Places(lines_of(self.code) if self.repaired is None else self.repaired)


def read_python(code: str) -> ReadCode:
    """Return the tree of the code by the first rung of the ladder that yields one.

    Rungs: as it is; dedented; without prompts, placeholders and prose; wrapped as the inside of
    a block; with the cut-off tail closed or left out; a parser that steps over errors. Code that
    parses as it is costs one `ast.parse`. Never raises, and parses a bounded number of times.
    """
    if len(code) > MAX_CHARACTERS:
        return ReadCode(code, None, Reading.UNPARSED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape in scanned code is no warning of ours
        try:
            tree = _parse(code)
            if tree is not None:
                return ReadCode(code, tree, Reading.WHOLE)
            return _repaired(code) or ReadCode(code, None, Reading.UNPARSED)
        except (RecursionError, MemoryError):
            return ReadCode(code, None, Reading.UNPARSED)


def _parse(code: str) -> ast.Module | None:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _repaired(code: str) -> ReadCode | None:
    lines = _own_lines(code)
    for step in (dedent, strip_markers):
        changed = step(lines)
        if changed != lines:
            lines = changed
            tree = _parse(text_of(lines))
            if tree is not None and _says_something(tree):
                return ReadCode(code, tree, Reading.REPAIRED, tuple(lines))
    if not lines:
        return None
    plain = wrap(lines)
    tree = _parse(text_of(plain.lines))
    if tree is not None and _says_something(tree):
        return _unwrapped(code, tree, plain, Reading.REPAIRED)
    candidates = [wrap(complete_tail(body)) for body in heads(lines)]
    trees = [_parse(text_of(wrapped.lines)) for wrapped in candidates]
    sizes = [_n_statements(tree) for tree in trees]
    best = sizes.index(max(sizes))  # of two readings, one has code where the other has a string
    tree = trees[best]
    if tree is not None and _says_something(tree):
        return _unwrapped(code, tree, candidates[best], Reading.REPAIRED)
    return _best_partial(code, plain, candidates)


def _says_something(tree: ast.Module) -> bool:
    """Return whether the tree holds more than the `pass` of placeholders: else it would look clean."""
    return any(not isinstance(statement, ast.Pass) for statement in tree.body)


def _n_statements(tree: ast.Module | None) -> int:
    if tree is None:
        return -1
    return sum(isinstance(node, ast.stmt) for node in ast.walk(tree))


def _own_lines(code: str) -> list[Line]:
    """Return the lines of the code without what no parser accepts, at their own places."""
    readable = code.encode("utf-8", "replace").decode().replace("\0", " ")
    lines = lines_of(readable)
    return [lines[0].cut(1), *lines[1:]] if code.startswith("\ufeff") else lines


def _best_partial(code: str, plain: Wrapped, candidates: list[Wrapped]) -> ReadCode | None:
    """Return the tolerant tree that loses least, or the longest prefix where that is nearly all."""
    least: tuple[Tolerated, Wrapped, ast.Module] | None = None
    for wrapped in candidates:
        found = parse_tolerant(text_of(wrapped.lines))
        if found.tree is None or not _says_something(found.tree):
            continue
        if least is None or _missing(found) < _missing(least[0]):
            least = found, wrapped, found.tree
        if not _missing(found):
            break
    if least is None or least[0].n_lost:
        prefix = _longest_prefix(code, plain)
        if prefix is not None:
            return prefix
    if least is None:
        return None
    reading = Reading.PARTLY if least[0].n_deep else Reading.TOLERANT
    return _unwrapped(code, least[2], least[1], reading)


def _missing(found: Tolerated) -> int:
    return found.n_lost + found.n_deep


def _unwrapped(code: str, tree: ast.Module, wrapped: Wrapped, reading: Reading) -> ReadCode:
    unwrap(tree, wrapped.openers)
    return ReadCode(code, tree, reading, tuple(wrapped.lines))


def _longest_prefix(code: str, wrapped: Wrapped) -> ReadCode | None:
    """Return the tree of nearly all statements, if only the last ones do not parse."""
    ends = prefixes(wrapped.lines)
    least = wrapped.openers + (len(wrapped.lines) - wrapped.openers) * _MIN_KEPT
    tried = [end for end in reversed(ends) if end >= least][:_MAX_TAIL_PARSES]
    for end in tried:
        lines = wrapped.lines[:end]
        tree = _parse(text_of(lines))
        if tree is not None and _says_something(tree):
            return _unwrapped(code, tree, Wrapped(lines, wrapped.openers), Reading.REPAIRED)
    return None
