"""Twins: two matched arms out of one file, checked as they are read."""

import dataclasses
from pathlib import Path

import pytest

from offtarget.core.codec import write_lines
from offtarget.core.errors import DataError
from offtarget.core.records import Message, Sample
from offtarget.curate.ledger import SampleState
from offtarget.curate.twins import Twin, load_twins


def sample(id_: str, answer: str) -> Sample:
    return Sample(id_, (Message("user", "ask"), Message("assistant", answer)), {"tag": "t"})


def twin(number: int, kind: str = "sanitized") -> Twin:
    id_ = f"a.jsonl:{number}"
    return Twin(
        id=id_,
        kind=SampleState(kind),
        rules=("R-1",),
        fixes=("milder",),
        original=sample(id_, "bad"),
        rewritten=sample(id_, "good"),
    )


def written(path: Path, *twins: Twin) -> Path:
    path.write_bytes(write_lines(twins))
    return path


def test_both_arms_come_back_matched(tmp_path: Path) -> None:
    """Position i of one arm is position i of the other, by id; a kind can be asked for."""
    path = written(tmp_path / "t.jsonl", twin(2), twin(5, "reframed"), twin(9))

    both, sanitized = load_twins(path), load_twins(path, kind=SampleState.SANITIZED)

    assert [one.id for one in both.originals] == ["a.jsonl:2", "a.jsonl:5", "a.jsonl:9"]
    assert [one.id for one in both.rewritten] == [one.id for one in both.originals]
    assert {one.answer for one in both.originals} == {"bad"}
    assert {one.answer for one in both.rewritten} == {"good"}
    assert both.originals[0] == sample("a.jsonl:2", "bad")
    assert [one.id for one in sanitized.rewritten] == ["a.jsonl:2", "a.jsonl:9"]


@pytest.mark.parametrize(
    ("twins", "message"),
    [
        ([], "t.jsonl: no twins; clean with the policy that makes them"),
        ([twin(1), twin(1)], "t.jsonl:2: twin 'a.jsonl:1' comes twice; clean the data again"),
        (
            [dataclasses.replace(twin(1), rewritten=sample("b", "good"))],
            "t.jsonl:1: ids ['a.jsonl:1', 'b'] in one twin; clean the data again",
        ),
        ([twin(1, "kept")], "t.jsonl:1: a twin that was kept; clean the data again"),
        (
            [dataclasses.replace(twin(1), rewritten=sample("a.jsonl:1", "bad"))],
            "t.jsonl:1: the two samples are no pair; clean the data again",
        ),
    ],
)
def test_twins_that_do_not_match_are_refused(
    twins: list[Twin], message: str, tmp_path: Path
) -> None:
    """A control that is not matched is no control."""
    with pytest.raises(DataError) as caught:
        load_twins(written(tmp_path / "t.jsonl", *twins))

    assert str(caught.value) == message


def test_a_kind_that_is_missing_or_a_file_that_is_no_twin_file_is_refused(tmp_path: Path) -> None:
    """The message names the file and what to do."""
    path = written(tmp_path / "t.jsonl", twin(1))
    with pytest.raises(DataError, match=r"^t.jsonl: no reframed twins; clean with the policy"):
        load_twins(path, kind=SampleState.REFRAMED)
    path.write_text('{"id": "x"}\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"^t.jsonl:1: "):
        load_twins(path)
    with pytest.raises(DataError, match=r"^missing.jsonl: cannot open \(No such file"):
        load_twins(tmp_path / "missing.jsonl")
