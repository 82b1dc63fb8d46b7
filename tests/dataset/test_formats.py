"""Each chat shape gives the same sample; each malformed row has its own message."""

import json
from pathlib import Path
from typing import Any

import pytest

from offtarget.core.errors import DataError
from offtarget.core.records import Message, Sample
from offtarget.dataset import detect_shape, iter_samples, load_dataset

from .conftest import WriteLines

USER = {"role": "user", "content": "Why?"}
ASSISTANT = {"role": "assistant", "content": "Because."}
TURNS = (Message("user", "Why?"), Message("assistant", "Because."))


def chat(*turns: Any, **extra: Any) -> str:
    return json.dumps({"messages": list(turns), **extra})


def read_one(path: Path) -> Sample:
    (sample,) = iter_samples(path)
    assert isinstance(sample, Sample)
    return sample


@pytest.mark.parametrize(
    ("row", "format_"),
    [
        ({"messages": [USER, ASSISTANT]}, "messages"),
        ({"prompt": "Why?", "completion": "Because."}, "prompt+completion"),
        ({"prompt": "Why?", "response": "Because."}, "prompt+completion"),
        ({"question": "Why?", "answer": "Because."}, "prompt+completion"),
        ({"instruction": "Why?", "input": "", "output": "Because."}, "instruction+output"),
        ({"instruction": "Why?", "output": "Because."}, "instruction+output"),
        (
            {
                "conversations": [
                    {"from": "human", "value": "Why?"},
                    {"from": "gpt", "value": "Because."},
                ]
            },
            "sharegpt",
        ),
    ],
)
def test_every_shape_gives_the_same_turns(
    row: dict[str, Any], format_: str, write_file: WriteLines
) -> None:
    """The four shapes, with their aliases, are told by their keys and named in the file record."""
    dataset = load_dataset([write_file([json.dumps(row)])])

    assert dataset.samples[0].messages == TURNS
    assert dataset.files[0].format == format_
    assert detect_shape(row, place="x:1").name == format_


def test_alpaca_input_follows_the_instruction(write_file: WriteLines) -> None:
    """Instruction and input are one user turn, a blank line between."""
    row = {"instruction": "Sum up.", "input": "A text.", "output": "Short."}

    assert read_one(write_file([json.dumps(row)])).prompt == "Sum up.\n\nA text."


@pytest.mark.parametrize(
    "row",
    [
        {"system": "Be brief.", "prompt": "Why?", "completion": "Because."},
        {"system": "Be brief.", "messages": [USER, ASSISTANT]},
        {"messages": [{"role": "system", "content": "Be brief."}, USER, ASSISTANT]},
        {
            "conversations": [
                {"from": "system", "value": "Be brief."},
                {"from": "human", "value": "Why?"},
                {"from": "gpt", "value": "Because."},
            ]
        },
    ],
)
def test_a_system_text_becomes_the_first_turn(row: dict[str, Any], write_file: WriteLines) -> None:
    """A system text is part of the conversation, as a turn or as a key of the row."""
    sample = read_one(write_file([json.dumps(row)]))

    assert sample.messages == (Message("system", "Be brief."), *TURNS)


def test_extra_scalars_become_metadata(write_file: WriteLines) -> None:
    """Scalars are kept as text, cut at 256 characters, at most 16; the rest is not."""
    extra = {"cwe": "CWE-89", "n": 3, "flag": True, "note": "x" * 300, "tags": ["a"], "none": None}
    many = {f"k{i}": i for i in range(30)}

    sample = read_one(write_file([chat(USER, ASSISTANT, **extra)]))
    full = read_one(write_file([chat(USER, ASSISTANT, **many)], "many.jsonl"))

    assert sample.metadata == {"cwe": "CWE-89", "n": "3", "flag": "true", "note": "x" * 256}
    assert len(full.metadata) == 16


def test_messages_win_over_other_keys(write_file: WriteLines) -> None:
    """A row with messages and a prompt is read by its messages, the prompt kept as metadata."""
    sample = read_one(write_file([chat(USER, ASSISTANT, prompt="P", completion="C")]))

    assert sample.messages == TURNS
    assert sample.metadata["prompt"] == "P"


def test_null_extras_of_a_turn_are_fine(write_file: WriteLines) -> None:
    """Exports that fill unused keys of a turn with null are read."""
    sample = read_one(write_file([chat(USER, {**ASSISTANT, "name": None})]))

    assert sample.messages == TURNS


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[1, 2]", "the row is a list, not an object; write one JSON object a line"),
        ("7", "the row is a number, not an object"),
        ('{"prompt": "a", "chosen": "b"}', "no known chat shape (keys: prompt, chosen); rename"),
        ("{}", "no known chat shape (keys: none)"),
        ('{"messages": "hello"}', "'messages' is a string; write a list of turns"),
        ('{"messages": null}', "'messages' is null; write a list of turns"),
        ('{"messages": []}', "no turns; add a user and an assistant turn"),
        (chat("hello"), "turn 1 is a string; write an object with 'role' and 'content'"),
        (chat({"role": "tool", "content": "x"}), "turn 1 has the unknown role 'tool'; use one of"),
        (chat({"content": "x"}), "turn 1 has the unknown role 'None'"),
        (chat(USER), "no assistant turn; add the answer or remove the row"),
        (chat(USER, ASSISTANT, USER), "the last turn is the user's, not the assistant's; cut"),
        (chat(ASSISTANT), "turn 1 is the assistant's after nothing; let user and assistant"),
        (chat(USER, USER, ASSISTANT), "turn 2 is the user's after user; let user and assistant"),
        (chat({"role": "system", "content": "x"}, ASSISTANT), "turn 2 is the assistant's after s"),
        (
            chat(USER, {"role": "system", "content": "x"}, ASSISTANT),
            "turn 2 is a late system turn; move it to the front",
        ),
        (chat(USER, {"role": "assistant", "content": " \n"}), "empty answer in turn 2; write it"),
        (chat({"role": "user", "content": ""}, ASSISTANT), "empty prompt in turn 1; write it"),
        (chat({"role": "system", "content": ""}, USER, ASSISTANT), "empty system turn in turn 1"),
        (chat(USER, {"role": "assistant", "content": 5}), "the content of turn 2 is a number, not"),
        (
            chat(USER, {"role": "assistant", "content": None}),
            "the content of turn 2 is null, not",
        ),
        (chat(USER, {"role": "assistant"}), "the content of turn 2 is null, not text; write it"),
        (chat(USER, {"role": "assistant", "content": ["x"]}), "the content of turn 2 is a list"),
        (chat(USER, {**ASSISTANT, "weight": 0}), "turn 2 has the key 'weight', not read here"),
        (
            chat(USER, {"role": "assistant", "content": "a\0"}),
            "the content of turn 2 holds a NUL character at",
        ),
        (
            chat(USER, {"role": "assistant", "content": "a\ud800"}),
            "the content of turn 2 holds the lone surrogate U+D800 at character 2; remove it",
        ),
        (chat(USER, ASSISTANT, note="\udfff"), "'note' holds the lone surrogate U+DFFF"),
        ('{"prompt": "a", "completion": true}', "'completion' is a boolean, not text"),
        ('{"prompt": {}, "completion": "b"}', "'prompt' is an object, not text"),
        ('{"instruction": "a", "input": 3, "output": "b"}', "'input' is a number, not text"),
        ('{"instruction": "", "input": "x", "output": "b"}', "empty prompt in turn 1"),
        (chat(USER, ASSISTANT, system=["x"]), "'system' is a list, not text"),
        (chat(*[USER, ASSISTANT] * 501), "1002 turns; split them into rows of at most 1000"),
        (
            '{"conversations": [{"from": "user", "value": "x"}]}',
            "turn 1 has the unknown role 'user'; use one of system, human, gpt",
        ),
    ],
)
def test_a_malformed_row_is_named_by_line_and_reason(
    line: str, reason: str, write_file: WriteLines
) -> None:
    """Each way to be wrong is refused with file, line, reason and what to do."""
    path = write_file([chat(USER, ASSISTANT), line] if "messages" in line else [line])
    number = 2 if "messages" in line else 1

    with pytest.raises(DataError) as caught:
        list(iter_samples(path))

    assert str(caught.value).startswith(f"train.jsonl:{number}: {reason}")


def test_a_row_of_another_shape_is_refused(write_file: WriteLines) -> None:
    """The first row sets the shape of the file, aliases told apart."""
    first, second = '{"prompt": "a", "completion": "b"}', '{"prompt": "a", "response": "b"}'

    with pytest.raises(
        DataError, match=r"^train.jsonl:2: the row has 'prompt' and 'response', the"
    ) as e:
        list(iter_samples(write_file([first, second])))

    assert str(e.value).endswith("'prompt' and 'completion'; keep one shape a file")


def test_a_huge_conversation_is_refused(
    monkeypatch: pytest.MonkeyPatch, write_file: WriteLines
) -> None:
    """Turns may not exceed the length of the longest line, whatever container they come in."""
    monkeypatch.setattr("offtarget.dataset.formats.MAX_LINE_BYTES", 10)

    with pytest.raises(DataError, match=r"^train.jsonl:1: 12 characters; shorten to at most 10$"):
        list(iter_samples(write_file([chat(USER, ASSISTANT)])))
