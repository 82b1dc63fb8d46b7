"""The tolerant parser against the interpreter's own, and where that one gives up."""

import ast
import os
import sys
import warnings
from pathlib import Path

import pytest

from offtarget.codescan.tolerant import parse_tolerant

LIBRARY = Path(os.__file__).parent
MODULES = [
    "ast",
    "contextlib",
    "dataclasses",
    "functools",
    "inspect",
    "enum",
    "typing",
    "string",
    "textwrap",
    "argparse",
    "shlex",
    "tempfile",
    "zipfile",
    "subprocess",
    "hashlib",
    "secrets",
    "random",
    "pickle",
    "glob",
    "configparser",
    "logging/__init__",
    "http/client",
    "http/server",
    "json/decoder",
    "json/encoder",
    "urllib/parse",
    "email/message",
    "asyncio/tasks",
    "asyncio/base_events",
    "xml/sax/saxutils",
    "importlib/abc",
    "concurrent/futures/thread",
    "unittest/mock",
]


def own(code: str) -> str:
    """Return the interpreter's tree as text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.dump(ast.parse(code))


def tolerant(code: str) -> str:
    """Return the tolerant parser's tree as text."""
    tree = parse_tolerant(code).tree
    return ast.dump(tree) if tree is not None else "nothing"


def call_places(tree: ast.Module) -> set[tuple[int, int, int | None, int | None]]:
    """Return the places of all calls outside f-strings, whose places differ by version."""
    places = set()
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.JoinedStr):
            continue
        if isinstance(node, ast.Call):
            places.add((node.lineno, node.col_offset, node.end_lineno, node.end_col_offset))
        waiting.extend(ast.iter_child_nodes(node))
    return places


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="later trees name type parameters")
@pytest.mark.parametrize("name", MODULES)
def test_standard_library_reads_as_the_interpreter_reads_it(name: str) -> None:
    """Trees are equal node by node, and so are the places of calls."""
    code = (LIBRARY / f"{name}.py").read_text(encoding="utf-8")
    found = parse_tolerant(code)

    assert found.tree is not None
    assert found.n_lost == 0
    assert ast.dump(found.tree) == own(code)
    assert call_places(found.tree) == call_places(ast.parse(code))


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="later trees name type parameters")
@pytest.mark.parametrize(
    "code",
    [
        "match a, b:\n    case [1, -2, *r] | (A(x=1, y=_), 'p' 'q') if c: f()\n"
        "    case {'k': 1 + 2j, **z} as w: g()\n    case m.n | None: pass\n    case _: pass\n",
        "try:\n    f()\nexcept* (A, B) as e:\n    g()\nelse:\n    h()\nfinally:\n    i()\n",
        "with (open(a) as b, c): pass\nasync def f():\n    async with d as (e, g): await h\n",
        "def f(a, /, b: int = 1, *c: int, d=2, **e) -> list[int] | None: return lambda *x, y=1: 0\n",
        "x = y = a if b else c or d or e and not f\nx[1:2, ::3] += (yield)\n",
        "f'{a!r:>{w}.2}{b=}{{x}}' 'tail'\nr'\\d'\nu'ü'\n",
        "[a async for b, c in d if e if f]\n{**a, 'b': c}\n{x: y for x in z}\nf(*a, b=1, **c)\n",
        "(n := 3)\nglobal g\ndel a, b[0]\nassert a, 'm'\nraise A from b\nx: int\nself.y: str = 'z'\n",
        "from ..a import (b as c, d)\nfrom . import *\nimport e.f as g\nfrom __future__ import h\n",
        "@a.b(c)\nclass D(E, metaclass=F):\n    x = 1\nwhile 1:\n    break\nelse:\n    pass\n",
        "type(self).x = 1\nf(*a.b())\n0x1F + 1_000 - 1e3j ** ~1\n",
    ],
)
def test_each_syntax_reads_as_the_interpreter_reads_it(code: str) -> None:
    """Every statement and expression of Python 3.11 becomes the same tree."""
    assert tolerant(code) == own(code)


@pytest.mark.parametrize(
    ("newer", "same"),
    [
        ("f'{d['k']}'", "f'{d[\"k\"]}'"),
        ("f'{f'{x}'}'", "f'{f\"{x}\"}'"),
        ("def f[T: int](a: T) -> T: g(a)", "def f(a: T) -> T: g(a)"),
        ("class A[T](B): pass", "class A(B): pass"),
        ("type X[T] = list[T]", "X = list[T]"),
        ("print 'a', b", "print('a', b)"),
        ("print >>f, a", "print(a, file=f)"),
        ("exec code in scope", "exec(code, scope)"),
        ("try:\n    a\nexcept E, e:\n    b", "try:\n    a\nexcept E as e:\n    b"),
        ("raise E, 'text'", "raise E('text')"),
        ("x = `a`", "x = repr(a)"),
        ("x = 0777 + 10L", "x = 0o777 + 10"),
    ],
)
def test_other_versions_are_read_as_what_they_mean(newer: str, same: str) -> None:
    """Newer f-strings and type parameters, and Python 2, have the tree of their equivalent."""
    assert tolerant(newer + "\n") == own(same + "\n")


def test_broken_code_around_a_call_does_not_hide_it() -> None:
    """What stands whole inside or beside a broken stretch is still read."""
    for code in ("f(1)\nx = = 3\ng(2)\n", "h(a b g(2), f(1))\n", "if a == 1\n  f(1)\ng(2)\n"):
        found = parse_tolerant(code)

        assert found.tree is not None
        assert found.n_lost > 0
        names = {n.id for n in ast.walk(found.tree) if isinstance(n, ast.Name)}
        assert {"f", "g"} <= names


def test_nothing_readable_is_no_tree() -> None:
    """A text without one statement has no tree, rather than an empty one."""
    assert parse_tolerant("").tree is None


def test_a_very_long_line_is_refused() -> None:
    """Placing nodes far to the right is slow, so such code is left unread and counted as lost."""
    code = "x = 1;" * 20_000
    found = parse_tolerant(code)

    assert found.tree is None
    assert found.n_lost == len(code)


def test_code_that_nests_too_deep_is_counted() -> None:
    """What is read as `_`, or left out, has its characters counted; ordinary depth costs none."""
    calls = parse_tolerant("x = " + "f(" * 300 + "run(a)" + ")" * 300 + "\n")
    blocks = parse_tolerant("\n".join(" " * depth + "if x:" for depth in range(300)) + " y\n")
    shallow = parse_tolerant("x = " + "f(" * 50 + "run(a)" + ")" * 50 + "\n")

    assert calls.tree is not None
    assert len("run(a)") < calls.n_deep < 3 * 300
    assert blocks.n_deep > 0
    assert (shallow.n_deep, shallow.n_lost) == (0, 0)
