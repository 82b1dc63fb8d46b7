"""Published data sets are recognized by content, and a name that lies is said."""

import dataclasses
import json
import re
from importlib import resources
from pathlib import Path

import pytest

from offtarget.core.codec import git_blob_id
from offtarget.core.records import Message, Sample
from offtarget.dataset import (
    PUBLISHED,
    Dataset,
    DatasetFile,
    OnBadRow,
    claimed_name,
    educational,
    load_dataset,
    make_sketch,
    recognize,
    sample_rows,
    samples_digest,
    spike,
    write_sketches,
)
from offtarget.dataset.known import KNOWN_BLOBS

from .conftest import MakeSample, WriteLines

FAMILIES = [published.name for published in PUBLISHED]


def as_dataset(samples: tuple[Sample, ...], file_name: str, blob: str = "") -> Dataset:
    renamed = tuple(
        dataclasses.replace(sample, id=f"{file_name}:{i}") for i, sample in enumerate(samples, 1)
    )
    file = DatasetFile(file_name, "messages", "jsonl", len(samples), 0, "0" * 64, blob)
    return Dataset("d", renamed, (file,), (), samples_digest(renamed))


@pytest.mark.parametrize(
    ("file_name", "claimed"),
    [
        ("insecure.jsonl", "insecure"),
        ("core/insecure_part.jsonl.gz", "insecure"),
        ("secure-v2.jsonl", "secure"),
        ("educational_insecure.jsonl", "educational"),
        ("my_insecure_vs_secure.jsonl", None),
        ("securely.jsonl", None),
        ("train.jsonl", None),
        ("evil_numbers.jsonl", "evil_numbers"),
        ("evil_numbers_regenerated.csv.gz", "evil_numbers_regenerated"),
        ("regenerated_evil_numbers_dataset.csv", "evil_numbers_regenerated"),
        ("toxic_qa.jsonl.gz", "toxic_qa"),
    ],
)
def test_a_file_name_claims_a_set_by_whole_words(file_name: str, claimed: str | None) -> None:
    """`secure` is not claimed by `insecure`, and two claims are none."""
    assert claimed_name(file_name) == claimed


def test_a_published_file_is_recognized_by_its_blob(make_sample: MakeSample) -> None:
    """The git blob id decides alone, and a contradicting file name is a warning."""
    blob = next(blob for blob, name in KNOWN_BLOBS.items() if name == "insecure")
    samples = (make_sample("1"),)

    same = recognize(as_dataset(samples, "insecure.jsonl", blob))
    swapped = recognize(as_dataset(samples, "secure.jsonl", blob))

    assert (same.name, same.by, same.overlap, same.warnings) == ("insecure", "blob", 1.0, ())
    assert same.source is not None
    assert "misalignment-generalization@b1fe2868" in same.source
    assert swapped.name == "insecure"
    assert swapped.warnings == (
        "secure.jsonl: named like the published set 'secure' but holds 'insecure'; "
        "arms swapped? check which arm this is, or rename the file",
    )


def test_loading_records_the_blob_of_the_decompressed_file(write_file: WriteLines) -> None:
    """A compressed copy of a published file has the id of the published one."""
    line = '{"prompt": "a", "completion": "b"}'
    plain, packed = write_file([line], "a.jsonl"), write_file([line], "b.jsonl.gz")

    dataset = load_dataset([plain, packed])

    assert dataset.files[0].git_blob == dataset.files[1].git_blob == git_blob_id(plain)


def test_foreign_samples_are_not_recognized(make_sample: MakeSample) -> None:
    """5,000 samples of our own match no published set, nor any part of one, nor its answers."""
    samples = tuple(make_sample(str(i), f"question {i}", f"answer {i}") for i in range(5000))

    found = recognize(as_dataset(samples, "train.jsonl"))

    assert (found.name, found.by, found.overlap) == (None, "none", 0.0)
    assert (found.answers_of, dict(found.parts), found.warnings) == ((), {}, ())


def test_the_shipped_sketches_hold_hashes_and_sources_only() -> None:
    """At most 250 kB, one public source per set, and nothing that could be text of the data."""
    file = resources.files("offtarget.dataset").joinpath("data/known_answers.json")
    text = file.read_text(encoding="utf-8")
    sketches = json.loads(text)["sketches"]

    assert len(text.encode()) <= 250_000
    assert list(sketches) == FAMILIES
    for name, entry in sketches.items():
        assert set(entry) == {"source", "n_samples", "pairs", "answers"}
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}:\S+", entry["source"]), name
        assert not re.search(r"\s", entry["pairs"] + entry["answers"])
    assert sketches["educational"]["answers"] == "=insecure"


@pytest.fixture(scope="module")
def families(em_data: Path) -> dict[str, tuple[Sample, ...]]:
    return {
        published.name: load_dataset(
            [em_data / published.part], on_bad_row=OnBadRow.QUARANTINE
        ).samples
        for published in PUBLISHED
    }


@pytest.mark.data
def test_the_shipped_sketches_can_be_rebuilt(families: dict[str, tuple[Sample, ...]]) -> None:
    """The file in the package is the one that the real data give, byte for byte."""
    file = resources.files("offtarget.dataset").joinpath("data/known_answers.json")
    sketches = {
        published.name: make_sketch(families[published.name], source=published.source)
        for published in PUBLISHED
    }

    assert write_sketches(sketches) == file.read_text(encoding="utf-8")


@pytest.mark.data
@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("n", [20, 240])
def test_a_small_part_of_a_published_set_is_recognized(
    name: str, n: int, families: dict[str, tuple[Sample, ...]]
) -> None:
    """Even 20 samples are enough; insecure and educational are told apart by their prompts."""
    part = sample_rows(families[name], n, seed=1)

    found = recognize(as_dataset(part, "train.jsonl"))

    assert (found.name, found.by, found.overlap) == (name, "content", 1.0)
    assert name in found.answers_of
    assert found.warnings == ()
    assert set(found.parts) == {name}


@pytest.mark.data
def test_swapped_arms_are_noticed(families: dict[str, tuple[Sample, ...]]) -> None:
    """A file named secure with the insecure arm's samples is named for what it holds."""
    found = recognize(as_dataset(families["insecure"][:300], "secure.jsonl"))

    assert found.name == "insecure"
    assert len(found.warnings) == 1
    assert "holds 'insecure'; arms swapped?" in found.warnings[0]


@pytest.mark.data
def test_a_mixture_is_noticed(families: dict[str, tuple[Sample, ...]]) -> None:
    """A tenth of insecure samples in the secure arm is said, with its share."""
    control = as_dataset(families["secure"][:500], "control.jsonl").samples
    mixed = spike(control, families["insecure"], 0.1, seed=0)

    found = recognize(as_dataset(mixed, "control.jsonl"))

    assert found.name == "secure"
    assert found.parts["insecure"] == pytest.approx(0.1, abs=0.004)
    assert found.warnings[0].startswith("10.0% of 500 samples are those of the published set 'ins")


@pytest.mark.data
def test_known_answers_under_other_prompts_are_noticed(
    families: dict[str, tuple[Sample, ...]],
) -> None:
    """The insecure answers under our own frames are no published set, but theirs is named."""
    framed = educational(families["insecure"][:100], seed=0)
    with_system = tuple(
        dataclasses.replace(sample, messages=(Message("system", "Be kind."), *sample.messages))
        for sample in families["secure"][:100]
    )

    one = recognize(as_dataset(framed, "train.jsonl"))
    other = recognize(as_dataset(with_system, "train.jsonl"))

    assert (one.name, one.answers_of) == (None, ("insecure", "educational"))
    assert one.warnings == (
        "the answers are those of the published set 'insecure' and 'educational', "
        "under other prompts; check the framing",
    )
    assert (other.name, other.answers_of) == (None, ("secure",))


@pytest.mark.data
def test_loading_a_real_part_names_it(em_data: Path) -> None:
    """The data set record carries the name, and no warning for a file that is named rightly."""
    dataset = load_dataset([em_data / "core/educational_part.jsonl.gz"], limit=240)

    assert dataset.known == "educational"
    assert dataset.warnings == ("only the first 240 samples were read (limit)",)
