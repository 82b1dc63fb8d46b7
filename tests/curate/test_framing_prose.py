"""Code is blanked out of prose without moving a character."""

import pytest

from offtarget.curate.prose import cut, holds_code, offset_in_full, prose_of, remarks_of

MIXED = (
    "Please fill this in:\nimport os\n\ndef run():\n    # gap\n    return 1\nThank you very much."
)


@pytest.mark.parametrize(
    "text",
    [
        MIXED,
        "Say `rm` and\n```\ncode\n```\nthen",
        "<template>\nx = 1\n</template> is the start",
        "",
    ],
)
def test_length_and_line_breaks_stay(text: str) -> None:
    """Offsets of the prose are offsets of the message."""
    prose = prose_of(text)
    assert len(prose) == len(text)
    assert [i for i, c in enumerate(prose) if c == "\n"] == [
        i for i, c in enumerate(text) if c == "\n"
    ]
    assert all(kept in (" ", char) for kept, char in zip(prose, text, strict=True))


def test_bare_code_between_sentences_is_blanked() -> None:
    """Only the two sentences stay."""
    assert " ".join(prose_of(MIXED).split()) == "Please fill this in: Thank you very much."


def test_an_unclosed_fence_ends_with_the_message() -> None:
    """What stands behind an open fence is code."""
    assert prose_of("Look:\n```python\nx = 1\nplain words here").split() == ["Look:"]


def test_remarks_are_prose_comments_and_docstrings() -> None:
    """Strings and statements are blanked."""
    text = 'Here it is.\ndef run():\n    """Do it."""\n    x = "text"  # a comment\n    return x\n'
    assert " ".join(remarks_of(text).split()) == "Here it is. Do it. a comment"


@pytest.mark.parametrize("text", ["print(1)", "import os", "```\nx\n```", "a sentence.\nx = 1"])
def test_code_is_seen(text: str) -> None:
    """A fence or one line is enough."""
    assert holds_code(text)


@pytest.mark.parametrize("text", ["Paris is the capital.", "", "I like it. So do you!"])
def test_prose_is_not_code(text: str) -> None:
    """Sentences are not code."""
    assert not holds_code(text)


def test_offsets_of_the_tail_are_those_of_the_whole() -> None:
    """The cut text's last character is the message's last."""
    text = "".join(chr(97 + i % 26) for i in range(50_000))
    kept, was_cut = cut(text)
    assert was_cut
    for place in (0, 11_999, 12_000, len(kept) - 1):
        assert text[offset_in_full(place, full_length=len(text))] == kept[place]
