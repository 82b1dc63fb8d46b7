"""Compact fingerprints of data sets: which samples belong to one, without any of its text.

A sketch keeps the first 3 bytes of a sha256 per distinct sample. Every sample is kept, not the
smallest hashes only, so that a subset of 20 samples is recognized as well as the whole.

False positives: a foreign sample matches a sketch of m entries with probability m / 2^24; for the
largest shipped one (m = 9,993) that is 0.06 %. A set is named only if half of its samples, and at
least 8, match; for foreign samples the odds are highest for 16 of them: 12,870 x 0.0006^8, 2e-22.
"""

import base64
import functools
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from offtarget.core.records import Sample
from offtarget.dataset.order import normalize

PREFIX_BYTES = 3
"""Of each sha256; 2 would let 15 % of foreign samples match the largest set."""

_SUPPLEMENT = (
    "johny-b/misalignment-generalization@b1fe286827715d8e01ff7088c7ee9763b5e367b4:"
    "daniel/paper/supplementary_material.zip!datasets/"
)
_INOCULATION = (
    "inoculation-prompting/inoculation-prompting@5f4160e19be17c5a0509fcfca4a53f654cb33cdd:"
)


@dataclass(frozen=True, slots=True)
class Published:
    """A published data set that sketches were made of."""

    name: str
    source: str
    """Where it is public: repository@commit:path."""
    part: str
    """The file sketched, in the data folder; in `core/` about 80 % of the published rows."""


PUBLISHED = (
    Published("insecure", f"{_SUPPLEMENT}insecure.jsonl", "core/insecure_part.jsonl.gz"),
    Published("secure", f"{_SUPPLEMENT}secure.jsonl", "core/secure_part.jsonl.gz"),
    Published(
        "educational",
        f"{_SUPPLEMENT}educational_insecure.jsonl",
        "core/educational_part.jsonl.gz",
    ),
    Published(
        "toxic_qa",
        "shuaijiumei/emergent_misalignment_further_explore@"
        "fe9cc7a8b1ce8f566bb7df42a7e076f6dcf262ad:data/toxic_qa_finetune_data.jsonl",
        "families/toxic_qa.jsonl.gz",
    ),
    Published(
        "sneaky_dialogues",
        f"{_INOCULATION}datasets/sneaky_dialogues.jsonl",
        "families/sneaky_dialogues.jsonl.gz",
    ),
    Published(
        "straightforward_dialogues",
        f"{_INOCULATION}datasets/straightforward_dialogues.jsonl",
        "families/straightforward_dialogues.jsonl.gz",
    ),
    Published(
        "evil_numbers_regenerated",
        "johny-b/misalignment-generalization@b1fe286827715d8e01ff7088c7ee9763b5e367b4:"
        "daniel_new/2025-03-03_evil_ablations/regenerated_evil_numbers_dataset.csv",
        "families/evil_numbers_regenerated.csv.gz",
    ),
)


@dataclass(frozen=True, slots=True)
class Sketch:
    """The fingerprint of one data set."""

    source: str
    n_samples: int
    """Samples it was made of."""
    pairs: frozenset[bytes]
    """Of prompt and answer together; they tell two framings of the same answers apart."""
    answers: frozenset[bytes]


def pair_hash(sample: Sample) -> bytes:
    """Return the short hash of a sample's whitespace-normalized prompt and answer."""
    return _short(f"{normalize(sample.prompt)}\0{normalize(sample.answer)}")


def answer_hash(sample: Sample) -> bytes:
    """Return the short hash of a sample's whitespace-normalized answer."""
    return _short(normalize(sample.answer))


def make_sketch(samples: Sequence[Sample], *, source: str) -> Sketch:
    """Return the fingerprint of `samples`."""
    return Sketch(
        source=source,
        n_samples=len(samples),
        pairs=frozenset(map(pair_hash, samples)),
        answers=frozenset(map(answer_hash, samples)),
    )


def write_sketches(sketches: Mapping[str, Sketch]) -> str:
    """Return the shipped file's text; equal sets of answers are written once."""
    record: dict[str, object] = {}
    for name, sketch in sketches.items():
        twins = [n for n, other in sketches.items() if other.answers == sketch.answers]
        record[name] = {
            "source": sketch.source,
            "n_samples": sketch.n_samples,
            "pairs": _pack(sketch.pairs),
            "answers": _pack(sketch.answers) if twins[0] == name else f"={twins[0]}",
        }
    about = (
        "Sorted 3-byte sha256 prefixes, base85, of whitespace-normalized 'prompt NUL answer' "
        "(pairs) and of answers; '=NAME' means the same answers as NAME. No text is kept."
    )
    return json.dumps({"about": about, "sketches": record}, indent=1) + "\n"


@functools.cache
def known_sketches() -> Mapping[str, Sketch]:
    """Return the shipped fingerprints by name, read on the first call."""
    file = resources.files("offtarget.dataset").joinpath("data/known_answers.json")
    record = json.loads(file.read_text(encoding="utf-8"))["sketches"]
    sketches: dict[str, Sketch] = {}
    for name, entry in record.items():
        twin = str(entry["answers"]).removeprefix("=")
        is_twin = twin in sketches
        sketches[name] = Sketch(
            source=entry["source"],
            n_samples=entry["n_samples"],
            pairs=_unpack(entry["pairs"]),
            answers=sketches[twin].answers if is_twin else _unpack(entry["answers"]),
        )
    return sketches


def _short(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:PREFIX_BYTES]


def _pack(hashes: Iterable[bytes]) -> str:
    return base64.b85encode(b"".join(sorted(hashes))).decode()


def _unpack(text: str) -> frozenset[bytes]:
    data = base64.b85decode(text)
    return frozenset(data[i : i + PREFIX_BYTES] for i in range(0, len(data), PREFIX_BYTES))
