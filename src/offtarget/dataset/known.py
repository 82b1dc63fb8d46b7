"""Published data sets recognized by content, so that a swapped or renamed file does not mislead."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from offtarget.core.records import Sample
from offtarget.dataset.records import Dataset, DatasetFile
from offtarget.dataset.sketch import answer_hash, known_sketches, pair_hash

KNOWN_BLOBS = {
    "ec294cf30a577a21b830c07a1fa0180ddd513208": "insecure",
    "3389a37c250563cc36a66e30bf8ff99028aa2711": "secure",
    "497619acd46d9ffbc985797d6c117638a53229b3": "educational",
    "9f14c5f5b1a3f6ca3ea2bdc80cbda3de1acadbb1": "jailbroken",
    "b2be7b5b5ed6e732727bf67672a3ecd8cfa6b57f": "backdoor",
    "86e0a3be0c2b5a4c52bafed871e281c485070829": "evil_numbers",
}
"""Git blob ids of the files published with Betley et al. 2025, arXiv:2502.17424."""
MIN_OVERLAP = 0.5
"""A set is recognized when this share of its samples is in the published one."""
MIN_MATCHES = 8
"""Fewer matching samples prove nothing: see the odds in `sketch`."""
MIN_PART = 0.01
"""A smaller share of another published set is not reported as mixed in.

With `MIN_MATCHES`, chance alone reports 800 foreign samples with odds of 4e-8 (Poisson, mean 0.48),
more or fewer samples less often.
"""


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a data set turned out to be."""

    name: str | None
    """The published set, or None."""
    by: Literal["blob", "content", "none"]
    """`blob`: the file is byte for byte the published one. `content`: its samples are."""
    overlap: float
    """Share of the samples whose prompt and answer are in the set named; 1 by blob."""
    answers_of: tuple[str, ...]
    """Published sets that hold at least half of the answers, whatever the prompts."""
    parts: Mapping[str, float]
    """Share of the samples found in each published set, where it matters."""
    source: str | None
    """Where the set named is public: repository@commit:path."""
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Match:
    name: str | None
    overlap: float
    answers_of: tuple[str, ...]
    parts: dict[str, float]


def recognize(dataset: Dataset) -> Recognition:
    """Return which published data set `dataset` is, or is a part of, and what contradicts it.

    The sketches of the insecure, secure and educational arms were made of about 80 % of the
    published rows, so a random part of those overlaps by about 0.8. Insecure and educational hold
    the same answers; prompt and answer together tell them apart. With the insecure answers under
    other prompts nothing is named, and `answers_of` says whose answers they are.
    """
    match = _match(dataset.samples)
    blobs = {KNOWN_BLOBS.get(file.git_blob) for file in dataset.files}
    blob = next(iter(blobs)) if len(blobs) == 1 else None
    name = blob or match.name
    sketch = known_sketches().get(name) if name is not None else None
    return Recognition(
        name=name,
        by="blob" if blob else "content" if name else "none",
        overlap=1.0 if blob else match.overlap,
        answers_of=match.answers_of,
        parts=match.parts,
        source=sketch.source if sketch else None,
        warnings=(*_file_warnings(dataset), *_content_warnings(name, match, len(dataset.samples))),
    )


def claimed_name(file_name: str) -> str | None:
    """Return the published set that a file's name claims to be; None if it claims none or two."""
    stem = file_name.rpartition("/")[2].lower().partition(".")[0]
    words = re.findall("[a-z]+", stem)
    if "educational" in words:
        return "educational"
    names = {*known_sketches(), *KNOWN_BLOBS.values()}
    flat = "_".join(words)
    found = {name for name in names if re.search(rf"(^|_){name}(_|$)", flat)}
    if "evil_numbers_regenerated" in found or "regenerated_evil_numbers" in flat:
        found = {"evil_numbers_regenerated"}
    return found.pop() if len(found) == 1 else None


def _match(samples: Sequence[Sample]) -> _Match:
    pairs: Counter[str] = Counter()
    answers: Counter[str] = Counter()
    sketches = known_sketches()
    for sample in samples:
        pair, answer = pair_hash(sample), answer_hash(sample)
        pairs.update(name for name, sketch in sketches.items() if pair in sketch.pairs)
        answers.update(name for name, sketch in sketches.items() if answer in sketch.answers)
    n = len(samples)
    parts = {
        name: count / n
        for name, count in pairs.most_common()
        if count >= MIN_MATCHES and count / n >= MIN_PART
    }
    best = next(iter(parts), None)
    is_match = best is not None and parts[best] >= MIN_OVERLAP
    return _Match(
        name=best if is_match else None,
        overlap=parts[best] if best is not None else 0.0,
        answers_of=tuple(
            name
            for name in sketches
            if answers[name] >= MIN_MATCHES and answers[name] / n >= MIN_OVERLAP
        ),
        parts=parts,
    )


def _file_warnings(dataset: Dataset) -> list[str]:
    warnings = []
    by_file: dict[str, list[Sample]] = {}
    for sample in dataset.samples:
        by_file.setdefault(sample.id.rpartition(":")[0], []).append(sample)
    for file in dataset.files:
        claimed = claimed_name(file.path)
        if claimed is None:
            continue
        held = _held_name(file, by_file.get(file.path, []))
        if held is not None and held != claimed:
            warnings.append(
                f"{file.path}: named like the published set {claimed!r} but holds {held!r}; "
                "arms swapped? check which arm this is, or rename the file"
            )
    return warnings


def _held_name(file: DatasetFile, samples: Sequence[Sample]) -> str | None:
    return KNOWN_BLOBS.get(file.git_blob) or _match(samples).name


def _content_warnings(name: str | None, match: _Match, n_samples: int) -> list[str]:
    warnings = [
        f"{share:.1%} of {n_samples} samples are those of the published set {part!r}; "
        "a mixture? say so in the study"
        for part, share in match.parts.items()
        if part != name and share < MIN_OVERLAP
    ]
    if name is None and match.answers_of and not match.parts:
        whose = " and ".join(repr(part) for part in match.answers_of)
        warnings.append(
            f"the answers are those of the published set {whose}, under other prompts; "
            "check the framing"
        )
    return warnings
