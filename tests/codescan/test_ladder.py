"""Reading Python snippets rung by rung."""

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offtarget.codescan.flaw import Reading
from offtarget.codescan.ladder import ReadCode, read_python


def calls(read: ReadCode) -> list[str]:
    """Return the texts of all calls in the original code, in order."""
    assert read.tree is not None
    found = [node for node in ast.walk(read.tree) if isinstance(node, ast.Call)]
    places = [
        (
            read.offset(node.lineno, node.col_offset),
            read.offset(node.end_lineno or 0, node.end_col_offset or 0),
        )
        for node in found
    ]
    return [read.code[start:end] for start, end in sorted(places)]


def test_code_that_parses_is_whole() -> None:
    """Nothing is changed where nothing has to be."""
    read = read_python("import os\nos.stat(p)\n")

    assert read.reading is Reading.WHOLE
    assert read.repaired is None
    assert calls(read) == ["os.stat(p)"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("é = 'ü'; f('é')\r\ng(1)\rh(2)", ["f('é')", "g(1)", "h(2)"]),
        ("    é = 1\r\n    f('😀', é)\r\n", ["f('😀', é)"]),
        ("\ufeffx = f(1)\n", ["f(1)"]),
        ("\tif x:\n\t\tf(x)\n", ["f(x)"]),
        ("        f(1)\n    else:\n        g(2)\nh(3)\n", ["f(1)", "g(2)", "h(3)"]),
        ("    f(1)\nexcept OSError:\n    g(2)\n", ["f(1)", "g(2)"]),
        ("        return f(1)\n\n    def later(self):\n        g(2)\n", ["f(1)", "g(2)"]),
        ("elif x:\n    f(1)\n", ["f(1)"]),
        (">>> x = f(1)\n>>> if x:\n...     g(x)\n7\n", ["f(1)", "g(x)"]),
        ("def a():\n    ## COMPLETE THE CODE\n\nf(1)\n", ["f(1)"]),
        ("def a():\n    [YOUR CODE HERE]\n\nf(1)\n", ["f(1)"]),
        ("Here is the code that you asked for:\n\nimport a\nf(1)\n", ["f(1)"]),
        ("1: import a\n2: def b():\n3:     f(1)\n", ["f(1)"]),
        ("<<<<<<< HEAD\nf(1)\n=======\ng(2)\n>>>>>>> main\n", ["f(1)", "g(2)"]),
        ("```python\nf(1)\n```\n", ["f(1)"]),
        ("x = f(1)\ny = g(2, [3", ["f(1)", "g(2, [3"]),
        ("try:\n    f(1)\n", ["f(1)"]),
        ("if f(1):\n", ["f(1)"]),
        ("the end of a docstring\n    '''\n    f(1)\n", ["f(1)"]),
        ("  b=2)\nf(1)\n", ["f(1)"]),
    ],
)
def test_fragments_are_repaired_and_places_stay_true(code: str, expected: list[str]) -> None:
    """Whatever the repair, each call is found at its own characters of the original."""
    read = read_python(code)

    assert read.reading in (Reading.WHOLE, Reading.REPAIRED)
    assert calls(read) == expected


def test_old_python_is_read_tolerantly() -> None:
    """Python 2 does not parse, but its calls are found where they stand."""
    read = read_python("print 'é', f(1)\ntry:\n    g(2)\nexcept E, e:\n    print e\n")

    assert read.reading is Reading.TOLERANT
    assert {"f(1)", "g(2)"} <= set(calls(read))


def test_the_wrapper_is_not_in_the_tree() -> None:
    """A fragment's tree begins with the fragment's own statement."""
    read = read_python("        f(1)\n    g(2)\n")

    assert read.tree is not None
    assert isinstance(read.tree.body[0], ast.Expr)


def test_an_invalid_escape_warns_nobody() -> None:
    """Warnings about scanned code stay inside, also where warnings are errors."""
    assert read_python("x = '\\d'\n").reading is Reading.WHOLE


@pytest.mark.parametrize(
    "code",
    [
        "x = " + "(" * 10_000 + "f(1)" + ")" * 10_000,
        "(" * 10_000,
        "x = " + "-" * 50_000 + "1",
        "x = " + "not " * 5_000 + "1",
        "x = 1" + " + 1" * 20_000 + " )",
        "if a: pass\n" + "elif b: pass\n" * 2_000 + "print 1\n",
        "\n".join(" " * depth + "if x:" for depth in range(300)),
        "a\0b = f(1)",
        "x = '\ud800'; f(",
        "lambda: " * 3_000,
    ],
)
def test_hostile_code_yields_a_reading(code: str) -> None:
    """Deep nesting, null bytes and lone surrogates end in a reading, not in a crash."""
    assert read_python(code).reading in set(Reading)


def test_nested_parentheses_hide_nothing() -> None:
    """What 10,000 parentheses enclose is still found."""
    code = "x = " + "(" * 10_000 + "f(1)" + ")" * 10_000

    assert calls(read_python(code)) == ["f(1)"]


@pytest.mark.parametrize(
    "code",
    [
        "g(1)\nx = " + "[" * 300 + "f(1)" + "]" * 300,
        "g(1)\n" + "\n".join(" " * depth + "if x:" for depth in range(300)) + " f(1)\n",
    ],
    ids=["lists", "blocks"],
)
def test_code_below_the_deepest_nesting_that_is_read_is_reported(code: str) -> None:
    """What stands too deep is not in the tree, and the reading says that a part is missing."""
    read = read_python(code)

    assert calls(read) == ["g(1)"]
    assert read.reading is Reading.PARTLY


def test_very_long_code_is_unparsed() -> None:
    """Beyond a million characters nothing is read, and it says so."""
    read = read_python("x = 1\n" * 200_000)

    assert read.reading is Reading.UNPARSED
    assert read.tree is None


@pytest.mark.parametrize("code", ["```\n```\n", "```", ">>>>>>>", "[", "\ufeff)"])
def test_what_holds_no_code_is_not_read_as_empty_code(code: str) -> None:
    """A tree without statements is no reading: it would look clean."""
    read = read_python(code)

    assert read.reading is Reading.UNPARSED


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="abé😀 \t\r\n()[]{}:=.,'\"#\\@>ifdefreturnprint0", max_size=80))
def test_any_text_has_a_reading_and_places_inside_it(code: str) -> None:
    """No text makes it raise, and every position maps into the text."""
    read = read_python(code)

    assert (read.tree is None) == (read.reading is Reading.UNPARSED)
    for node in ast.walk(read.tree) if read.tree is not None else ():
        if isinstance(node, ast.expr | ast.stmt):
            start = read.offset(node.lineno, node.col_offset)
            end = read.offset(node.end_lineno or 0, node.end_col_offset or 0)
            assert 0 <= start <= end <= len(code)
