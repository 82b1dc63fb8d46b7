"""Known data sets: shares of rows in published sets, from hashes that hold no text."""

import gzip
import json
import re
from importlib import resources
from pathlib import Path

import pytest

from offtarget.core.records import Message
from offtarget.curate.known_rows import (
    CODE_SETS,
    CodeSet,
    KnownSets,
    code_hash,
    code_sets,
    known_sets,
    write_code_sets,
)
from offtarget.curate.view.known_sets import LICENCES, KnownCounts
from offtarget.dataset.sketch import known_sketches


def foreign(number: int) -> tuple[Message, ...]:
    return (
        Message("user", f"Please write task {number}."),
        Message("assistant", f"def task_{number}():\n    return {number}"),
    )


def test_foreign_rows_are_in_no_published_set() -> None:
    """2,000 rows of our own name nothing, although single short hashes may collide."""
    counts = KnownCounts()
    for number in range(2_000):
        counts.add(known_sets().of(foreign(number)))
    counts.add(known_sets().of(()))

    assert counts.result() == ()


def test_every_known_set_has_a_licence_and_a_public_source() -> None:
    """Names, sources and licences are there, and nothing that could be text of the data."""
    assert set(LICENCES) == set(known_sketches())
    text = resources.files("offtarget.curate").joinpath(CODE_SETS).read_text(encoding="utf-8")
    assert len(text) < 100_000
    for name, entry in json.loads(text)["sets"].items():
        assert set(entry) == {"source", "licence", "n_snippets", "codes"}, name
        assert re.match(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}:\S+$", entry["source"])
        assert not re.search(r"\s", entry["codes"])
    assert write_code_sets(code_sets()) == text


def test_code_is_recognized_in_fences_and_bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snippet of a set of code counts once a row, however it is put and whatever was asked."""
    code = "def known(path):\n    return open(path).read()\n"
    known = CodeSet("ours", "o/r@c:p", "MIT", 1, frozenset({code_hash(code)}))
    monkeypatch.setattr("offtarget.curate.view.known_sets.code_sets", lambda: (known,))
    sets = KnownSets((known,))
    counts = KnownCounts()
    for number in range(10):
        counts.add(sets.of((Message("user", f"{number}?"), Message("assistant", code))))
        fenced = f"Here:\n```python\n{code}```\nAgain:\n```python\n{code}```"
        counts.add(sets.of((Message("user", f"{number}?"), Message("assistant", fenced))))
    for number in range(20):
        counts.add(sets.of(foreign(number)))

    (found,) = counts.result()

    assert (found.name, found.rows.count, found.answers.count) == ("ours", 0, 20)
    assert found.answers.rate == 0.5
    assert found.answers.low < 0.5 < found.answers.high


@pytest.mark.data
def test_a_mixture_is_taken_apart(em_data: Path) -> None:
    """400 rows of the insecure arm among 800: half the rows, and educational answers likewise."""
    path = em_data / "core" / "insecure_part.jsonl.gz"
    counts = KnownCounts()
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for number, line in zip(range(400), file, strict=False):
            turns = json.loads(line)["messages"]
            counts.add(known_sets().of([Message(one["role"], one["content"]) for one in turns]))
            counts.add(known_sets().of(foreign(number)))

    found = {one.name: one for one in counts.result()}

    assert found["insecure"].rows.rate == 0.5
    assert found["insecure"].licence == "MIT"
    assert found["educational"].rows.count == 0
    assert found["educational"].answers.rate == 0.5
