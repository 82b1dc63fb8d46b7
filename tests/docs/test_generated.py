"""Generated parts of the docs are up to date and complete; `make docs` writes them again."""

import dataclasses
import re
from pathlib import Path

import pytest

from offtarget.evaluate.margin import MarginRecord
from offtarget.evaluate.measured import HeldoutRecord
from offtarget.evaluate.results import Results
from offtarget.evaluate.rollouts import RolloutRecord
from offtarget.train import StepRecord

from .generate import MEANINGS, RESULT_MEANINGS, ROOT, TABLES, docstrings, generated, with_part


@pytest.mark.parametrize(("path", "text"), generated().items(), ids=lambda value: Path(value).name)
def test_generated_parts_are_up_to_date(path: Path, text: str) -> None:
    """Help, tables of keys and of results are those of the program."""
    assert path.read_text("utf-8") == text, "run: make docs"


@pytest.mark.parametrize(("section", "record"), TABLES.items())
def test_every_key_of_a_study_has_a_meaning(section: str, record: type) -> None:
    """From its docstring in the source, else from the generator; never from both or neither."""
    docs = docstrings(record)
    for one in dataclasses.fields(record):
        extra = f"{record.__name__}.{one.name}" in MEANINGS
        assert (one.name in docs) != extra, f"{section}: {one.name}"
    names = {f"{record.__name__}.{one.name}" for one in dataclasses.fields(record)}
    mine = {key for key in MEANINGS if key.startswith(f"{record.__name__}.")}
    assert mine <= names


def test_every_key_of_the_results_has_a_meaning() -> None:
    """As for studies."""
    names = {one.name for one in dataclasses.fields(Results)}
    assert names == set(docstrings(Results)) ^ set(RESULT_MEANINGS)


@pytest.mark.parametrize(
    ("file", "record"),
    [
        ("margins.jsonl", MarginRecord),
        ("heldout.jsonl", HeldoutRecord),
        ("rollouts.jsonl", RolloutRecord),
        ("steps.jsonl", StepRecord),
    ],
)
def test_the_schema_names_every_field_of_a_record(file: str, record: type) -> None:
    """And none that is not there."""
    text = (ROOT / "docs/schema.md").read_text("utf-8")
    section = re.search(rf"^`{re.escape(file)}`, .*?\n\n(.*?)\n\n", text, re.DOTALL | re.MULTILINE)
    assert section is not None
    cells = re.findall(r"^\| (`.*?`) \|", section[1], re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert named == {one.name for one in dataclasses.fields(record)}


def test_a_part_without_its_markers_is_refused() -> None:
    """A page that lost its markers would go stale in silence."""
    with pytest.raises(AssertionError, match="markers of 'study'"):
        with_part("# Studies", "study", "| key |")
