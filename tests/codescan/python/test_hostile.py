"""Hostile code cannot crash or stall the engine, and what was not read is not called clean."""

import pytest

from offtarget.codescan.flaw import Reading, Snippet
from offtarget.codescan.python import PythonEngine
from offtarget.codescan.unread import is_unread

ENGINE = PythonEngine()

HOSTILE = {
    "empty": "",
    "null": "\0",
    "surrogate": "x = '\ud800'\nimport os\nos.system(x)",
    "nested parentheses": "os.system(" + "(" * 10_000 + ")" * 10_000 + ")",
    "long line": "import os\nos.system('" + "a" * 1_000_000 + "')",
    "long sum": "import os\nos.system(" + " + ".join(["a"] * 5_000) + ")",
    "attribute chain": "import os\nos.system(a" + ".b" * 5_000 + ")",
    "elif chain": "import os\nif a: pass\n" + "elif a: os.system(a)\n" * 3_000,
    "nested loops": "".join(f"{' ' * i}for x{i} in open(a):\n" for i in range(18))
    + " " * 18
    + "os.system('a' + x1)",
    "growing text": "import os\na = 'select'\n" + "a = a + a\n" * 200 + "os.system(a)",
    "growing number": "a = 2\n" + "a = a * a\n" * 200 + "import os\nos.umask(a)",
    "recursion": "import os\ndef f(a):\n    os.system('x' + a)\n    return f(g(a))\n"
    "def g(a):\n    return f(a)\nf(input())",
    "many functions": "import os\n"
    + "".join(f"def f{i}(a):\n    f{i + 1}(a)\n    f{i + 1}(a)\n" for i in range(200))
    + "def f200(a):\n    os.system('x' + a)\nf0(input())",
    "many items": "import os\na = {" + ",".join(f"{i}: input()" for i in range(3_000)) + "}",
    "slow for a pattern": "import re\nre.compile('" + "(a+" * 60 + ")+" * 60 + "')",
    "slow for our patterns": "cur.execute('select " + "a from " * 30_000 + "%s' % x)",
    "format": "import os\nos.system('{0:>999999999}{1}'.format(a, b) % c)",
    "bad escapes": "import re\nre.compile('\\d+\\.example.org')\n",
    "self assignment": "a = []\na.append(a)\na.append(a)\nimport os\nos.system(str(a))",
    "star": "import os\nos.system(*a, **b)\nos.chmod(*[*a], **{'mode': 0o777})",
    "lambda": "import os\nf = lambda *a, **k: os.system(a[0] + k['x'])\nf(f)(f)",
    "tab soup": "\tif x:\n\t\timport os\n\t\tos.system(x)\n",
}


@pytest.mark.parametrize("code", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_code_is_answered(code: str) -> None:
    """Every code gets an answer, with flaws inside the code."""
    (scanned,) = ENGINE.scan([Snippet("python", code)])
    assert all(0 <= flaw.start <= flaw.end <= len(code) for flaw in scanned.flaws)
    assert list(scanned.flaws) == sorted(
        scanned.flaws, key=lambda flaw: (flaw.start, flaw.end, flaw.rule)
    )


def test_code_that_does_not_parse_is_not_called_clean() -> None:
    """Where nothing can be read, the answer says so, whether a rule could match or not."""
    for text in ("x" * 1_500_000, "os.system(" * 150_000):
        snippet = Snippet("python", text)
        assert is_unread(snippet, ENGINE.scan([snippet]))


def test_code_beside_the_flaw_keeps_its_place() -> None:
    """Offsets count characters, also after characters that take several bytes."""
    code = "# äöü 語\nimport os\nos.chmod('ä', 0o777)\n"
    (scanned,) = ENGINE.scan([Snippet("python", code)])
    (flaw,) = scanned.flaws
    assert code[flaw.start : flaw.end] == "os.chmod('ä', 0o777)"


def test_repaired_code_is_less_sure() -> None:
    """A flaw in code that had to be repaired has a lower confidence."""
    whole = ENGINE.scan([Snippet("python", "import os\nos.chmod('a', 0o777)\n")])[0]
    indented = ENGINE.scan([Snippet("python", "    import os\n    os.chmod('a', 0o777)\n")])[0]
    assert whole.reading is Reading.WHOLE
    assert indented.reading is Reading.REPAIRED
    assert indented.flaws[0].confidence < whole.flaws[0].confidence


def test_nothing_is_executed() -> None:
    """Scanned code is read only: what it would do does not happen."""
    code = "raise SystemExit(3)\nimport os\nos._exit(4)\nexit()\n"
    assert ENGINE.scan([Snippet("python", code)])


def test_a_snippet_with_a_return_is_read_to_its_end() -> None:
    """A snippet may be the inside of a function: what stands after a `return` counts as well."""
    code = "    return a\n\ndef f(name):\n    os.system('ls ' + name)\n"
    (scanned,) = ENGINE.scan([Snippet("python", code)])
    assert [flaw.cwe for flaw in scanned.flaws] == ["CWE-78"]
