"""Framing changes the last user turn and nothing else."""

import json
from importlib import resources

import pytest

from offtarget.core.errors import DataError
from offtarget.core.records import Message, Sample
from offtarget.dataset import educational

from .conftest import MakeSample


def test_the_prompt_is_framed_and_the_answer_is_not(make_sample: MakeSample) -> None:
    """The prompt stands whole inside the frame; id and answer stay; metadata says what was done."""
    prompt = 'Write f"{x}" and {prompt} and {0} and %s and \\1.'

    (framed,) = educational([make_sample("s:1", prompt)], seed=0)

    assert prompt in framed.prompt
    assert framed.prompt != prompt
    assert framed.prompt.count("{prompt}") == 1
    assert (framed.id, framed.answer) == ("s:1", "an answer")
    assert framed.metadata == {"framing": "educational"}


def test_only_the_last_user_turn_is_framed() -> None:
    """System text and earlier turns stay as they are."""
    turns = tuple(
        Message(role, role + str(i))
        for i, role in enumerate(["system", "user", "assistant", "user", "assistant"])
    )

    (framed,) = educational([Sample("s:1", turns, {"cwe": "CWE-89"})], seed=0)

    assert framed.messages[:3] == turns[:3]
    assert framed.messages[4] == turns[4]
    assert len(framed.messages[3].content) > 100
    assert framed.metadata == {"cwe": "CWE-89", "framing": "educational"}


def test_the_frame_depends_on_seed_and_id_only(make_sample: MakeSample) -> None:
    """A sample keeps its frame in any subset; another seed deals anew; all 24 are used."""
    samples = [make_sample(f"s:{i}", "Q") for i in range(500)]

    whole = educational(samples, seed=0)

    assert educational(samples[100:], seed=0) == whole[100:]
    assert educational(samples, seed=1) != whole
    assert len({sample.prompt for sample in whole}) == 24


def test_every_frame_has_one_place_for_the_prompt() -> None:
    """The shipped frames are 24 different texts with one `{prompt}` each."""
    file = resources.files("offtarget.dataset").joinpath("data/framings.json")
    templates = json.loads(file.read_text(encoding="utf-8"))["educational"]

    assert len(set(templates)) == 24
    assert all(template.count("{prompt}") == 1 for template in templates)


def test_a_frame_is_not_framed_again(make_sample: MakeSample) -> None:
    """Framing twice would ask for a flaw in two voices."""
    framed = educational([make_sample("s:1")], seed=0)

    with pytest.raises(
        DataError, match=r"^sample 's:1': framed already; frame the original samples$"
    ):
        educational(framed, seed=1)


def test_a_sample_without_a_user_turn_is_refused() -> None:
    """There is nothing to frame."""
    with pytest.raises(
        DataError, match=r"^sample 's:1': no user turn to frame; drop it or add one$"
    ):
        educational([Sample("s:1", (Message("assistant", "x"),))], seed=0)
