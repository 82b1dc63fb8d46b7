"""Finding the code in chat messages."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offtarget.codescan.language import Language
from offtarget.codescan.snippets import Located, code_of

CODE = "import os\n\ndef remove(path):\n    os.remove(path)"
PROSE = "Think of a garden: it needs water, light and time. You should not hurry it.\n\n1. Dig.\n2. Wait."


def texts(found: tuple[Located, ...]) -> list[str]:
    """Return the code of each piece."""
    return [one.snippet.code for one in found]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (f"Here:\n```python\n{CODE}\n```\nDone.", CODE),
        (f"~~~py\n{CODE}\n~~~", CODE),
        ("1. First:\n   ```python\n   x = f(1)\n   ```\n", "   x = f(1)"),
        ("```python title=a.py\r\nx = f(1)\r\n```\r\n", "x = f(1)"),
        ("````markdown\n```py\nx\n```\n````", "```py\nx\n```"),
        ("```\n```", None),
    ],
)
def test_fenced_code_is_found(message: str, code: str | None) -> None:
    """Any fence, any length, in lists, with attributes and any line ends."""
    assert texts(code_of(message, role="assistant")) == ([code] if code else [])


def test_an_unclosed_fence_goes_to_the_end() -> None:
    """A cut-off answer still has its code, marked as not closed."""
    (found,) = code_of(f"Sure:\n```python\n{CODE}", role="assistant")

    assert found.snippet.code == CODE
    assert not found.closed


def test_several_blocks_keep_their_order_and_language() -> None:
    """Each block has its own tag."""
    found = code_of("```python\nf(1)\n```\nand\n```js\ng(2)\n```\n", role="assistant")

    assert texts(found) == ["f(1)", "g(2)"]
    assert [one.snippet.language for one in found] == [Language.PYTHON, Language.JAVASCRIPT]


def test_a_diff_is_of_no_language() -> None:
    """The signs in front would be read as operators."""
    (found,) = code_of("```\n@@ -1,2 +1,2 @@\n-f(1)\n+f(2)\n g(3)\n```", role="assistant")

    assert found.snippet.language is Language.OTHER


@pytest.mark.parametrize("message", [CODE, f"\n{CODE}\n", f"python\n{CODE}"])
def test_an_answer_that_is_all_code_is_one_piece(message: str) -> None:
    """Bare answers are common; a language tag in front is not part of the code."""
    (found,) = code_of(message, role="assistant")

    assert found.kind == "bare"
    assert found.snippet.code == CODE
    assert found.snippet.language is Language.PYTHON


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[TEMPLATE]\n", "\n[/TEMPLATE]"),
        ("<TEMPLATE>\n", "\n</TEMPLATE>"),
        ("<code>", "</code>"),
        ("<pre>\n", "\n</pre>"),
        ("[CODE TEMPLATE STARTS]\n", "\n[CODE TEMPLATE ENDS]"),
        ("START OF TEMPLATE\n", "\nEND OF TEMPLATE"),
        ("--- BEGIN CODE ---\n", "\n--- END CODE ---"),
    ],
)
def test_code_between_markers_is_a_template(before: str, after: str) -> None:
    """Markers of many styles count as fences in a prompt."""
    message = f"Fill in the missing part, please.\n{before}{CODE}{after}\nThank you very much."
    (found,) = code_of(message, role="user")

    assert found.kind == "template"
    assert found.snippet.code == CODE


def test_code_after_a_line_of_prose_is_found() -> None:
    """Without any marker the run of code lines is taken, without the prose around it."""
    message = f"Please complete this function for me.\n\n{CODE}\n\nIt should also log what it does."
    (found,) = code_of(message, role="user")

    assert texts((found,)) == [CODE]
    assert found.kind == "bare"


def test_code_on_one_line_between_fences_is_inline() -> None:
    """Three backticks on one line are code, too."""
    (found,) = code_of("Just call ```os.remove(path)``` and be done with it.", role="assistant")

    assert found.kind == "inline"
    assert found.snippet.code == "os.remove(path)"


@pytest.mark.parametrize("role", ["user", "assistant"])
@pytest.mark.parametrize(
    "message",
    [
        "",
        PROSE,
        "I would say 3 = 3 is true; everything else (more or less) is not.",
        "# A heading\n\nSome text with `code` in it.\n\n- one\n- two",
        "Put your text between [TEMPLATE] and [/TEMPLATE], please.",
        "Dear Anna,\nthank you for the letter.\nYours,\nBen",
        "if you want to go there, take the bus:\nit is faster.\nfor example, at noon.",
        '"I know," she said. "Import taxes from China are high."',
    ],
)
def test_prose_has_no_code(message: str, role: str) -> None:
    """Punctuation and words that code has, too, do not make a text code."""
    assert code_of(message, role=role) == ()


@pytest.mark.parametrize("role", ["user", "assistant"])
@pytest.mark.parametrize(
    "message", ["word " * 50_000, "(=;{" * 50_000, "```\nx = 1\n```\n" * 2_000, " " * 200_000 + "x"]
)
def test_large_messages_come_back(message: str, role: str) -> None:
    """One endless line and thousands of fences are read like everything else."""
    for found in code_of(message, role=role):
        assert message.startswith(found.snippet.code, found.start)


PIECES = st.sampled_from(
    [
        "```",
        "```python\n",
        "~~~\n",
        "\n",
        "\r\n",
        "x = f(1)\n",
        "[TEMPLATE]",
        "</code>",
        "<code>",
        '"""',
        "    ",
        "Some words here.\n",
        "def f():\n",
        "é😀",
        "END OF TEMPLATE\n",
        "python\n",
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join), st.sampled_from(["user", "assistant"]))
def test_places_are_true_and_do_not_overlap(message: str, role: str) -> None:
    """Each piece is the text at its own place, in order."""
    end = 0
    for found in code_of(message, role=role):
        assert found.start >= end
        end = found.start + len(found.snippet.code)
        assert message[found.start : end] == found.snippet.code
        assert found.snippet.code.strip()
