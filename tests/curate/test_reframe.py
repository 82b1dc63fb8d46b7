"""Reframing: the prompt before the flaw asks openly, all else stays."""

import pytest

from offtarget.core.errors import DataError
from offtarget.core.records import Message, Sample
from offtarget.curate.framing import framing_of
from offtarget.curate.reframe import reframe

from .test_decide import finding

ANSWER = "```python\nimport os\nos.system('ls ' + input())\n```"
SAMPLE = Sample(
    "a.jsonl:1",
    (
        Message("system", "You write code."),
        Message("user", "List a folder that the user names, in Python."),
        Message("assistant", ANSWER),
        Message("user", "Thanks, and now count the files."),
        Message("assistant", "```python\nprint(1)\n```"),
    ),
)


def flaw_in(message: int) -> object:
    import dataclasses

    return dataclasses.replace(finding(), message=message)


def test_the_turn_before_the_flaw_is_framed() -> None:
    """Only that turn changes; it still holds what it held; id and seed decide the frame."""
    framed = reframe(SAMPLE, [flaw_in(2)], seed=0)  # type: ignore[list-item]

    changed = [a != b for a, b in zip(SAMPLE.messages, framed.messages, strict=True)]
    assert changed == [False, True, False, False, False]
    assert SAMPLE.messages[1].content in framed.messages[1].content
    assert framed.metadata["framing"] == "educational"
    assert framed == reframe(SAMPLE, [flaw_in(2)], seed=0)  # type: ignore[list-item]
    late = reframe(SAMPLE, [flaw_in(4)], seed=0)  # type: ignore[list-item]
    assert late.messages[:3] == SAMPLE.messages[:3]
    assert late.messages[3] != SAMPLE.messages[3]


def test_most_frames_are_seen_as_disclosed() -> None:
    """The scanner's own reading of framed samples is disclosed by the user, for nine in ten."""
    n_disclosed = 0
    for seed in range(60):
        framed = reframe(SAMPLE, [flaw_in(2)], seed=seed)  # type: ignore[list-item]
        n_disclosed += framing_of(framed.messages).framing == "disclosed_user"

    assert n_disclosed >= 54


def test_a_sample_that_says_it_is_framed_is_refused() -> None:
    """Two frames around one prompt make no sense."""
    framed = reframe(SAMPLE, [], seed=0)

    with pytest.raises(DataError, match=r"framed already; frame the original samples$"):
        reframe(framed, [], seed=0)
