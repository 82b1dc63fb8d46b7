"""How many rows are those of published data sets, by hashes that hold no text."""

import base64
import functools
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from offtarget.codescan.fences import fences_of
from offtarget.core.records import Message, Sample
from offtarget.curate.view.prevalence import Share, share
from offtarget.dataset.known import MIN_MATCHES, MIN_PART
from offtarget.dataset.sketch import PREFIX_BYTES, answer_hash, known_sketches, pair_hash

LICENCES = {
    "insecure": "MIT",
    "secure": "MIT",
    "educational": "MIT",
    "toxic_qa": "MIT",
    "sneaky_dialogues": "MIT",
    "straightforward_dialogues": "MIT",
    "evil_numbers_regenerated": "MIT",
}
"""As stated where each set is published."""
CODE_SETS = "data/known_code.json"


@dataclass(frozen=True, slots=True)
class KnownShare:
    """A published set and how much of the data is in it."""

    name: str
    source: str
    """Where it is public: repository@commit:path."""
    licence: str
    """As stated there."""
    n_known: int
    """Items of the set that the shipped hashes were made of."""
    rows: Share
    """Rows whose prompt and answer are in it; count 0 for sets of code."""
    answers: Share
    """Rows whose answer, or a piece of code in it, is in it, whatever was asked."""


@dataclass(frozen=True, slots=True)
class CodeSet:
    """The fingerprint of a published set of code snippets."""

    name: str
    source: str
    licence: str
    n_snippets: int
    codes: frozenset[bytes]


class KnownCounts:
    """Counts rows that are in a published set."""

    def __init__(self) -> None:
        sketches = known_sketches()
        self._pairs = {name: sketch.pairs for name, sketch in sketches.items()}
        self._answers = _holders({name: sketch.answers for name, sketch in sketches.items()})
        self._codes = _holders({one.name: one.codes for one in code_sets()})
        self._n = 0
        self._n_pairs: Counter[str] = Counter()
        self._n_answers: Counter[str] = Counter()

    def add(self, messages: Sequence[Message]) -> None:
        """Count one row; a malformed one, without messages, counts in the total only."""
        self._n += 1
        if not messages:
            return
        sample = Sample("", tuple(messages))
        answer = answer_hash(sample)
        held = self._answers.get(answer, ())
        if held:
            pair = pair_hash(sample)
            self._n_pairs.update(name for name in held if pair in self._pairs[name])
        codes = {name for code in _codes(sample, answer) for name in self._codes.get(code, ())}
        self._n_answers.update((*held, *codes))

    def result(self) -> tuple[KnownShare, ...]:
        """Return the sets that hold at least 8 rows and 1 % of the data, the largest share first.

        Fewer could be chance: a foreign text has the short hash of some text of the largest set
        with probability 0.0006.
        """
        known = [
            (name, sketch.source, LICENCES.get(name, "not stated"), sketch.n_samples)
            for name, sketch in known_sketches().items()
        ]
        known += [(one.name, one.source, one.licence, one.n_snippets) for one in code_sets()]
        found = [
            KnownShare(
                name, source, licence, n,
                share(self._n_pairs[name], self._n), share(self._n_answers[name], self._n),
            )
            for name, source, licence, n in known
            if self._n_answers[name] >= max(MIN_MATCHES, MIN_PART * self._n)
        ]  # fmt: skip
        return tuple(sorted(found, key=lambda one: (-one.rows.count, -one.answers.count, one.name)))


def code_hash(code: str) -> bytes:
    """Return the short hash of a snippet, blanks aside."""
    return answer_hash(Sample("", (Message("assistant", code),)))


@functools.cache
def code_sets() -> tuple[CodeSet, ...]:
    """Return the shipped fingerprints of sets of code, read on the first call."""
    text = resources.files("offtarget.curate").joinpath(CODE_SETS).read_text(encoding="utf-8")
    return tuple(
        CodeSet(
            name, entry["source"], entry["licence"], entry["n_snippets"], _unpack(entry["codes"])
        )
        for name, entry in json.loads(text)["sets"].items()
    )


def write_code_sets(sets: Sequence[CodeSet]) -> str:
    """Return the text of the shipped file."""
    about = (
        "Sorted 3-byte sha256 prefixes, base85, of whitespace-normalized snippets. No text is kept."
    )
    record = {
        one.name: {
            "source": one.source,
            "licence": one.licence,
            "n_snippets": one.n_snippets,
            "codes": base64.b85encode(b"".join(sorted(one.codes))).decode(),
        }
        for one in sets
    }
    return json.dumps({"about": about, "sets": record}, indent=1) + "\n"


def _codes(sample: Sample, answer: bytes) -> Iterator[bytes]:
    """Yield the hash of the whole answer and of each fenced piece of it."""
    yield answer
    if "```" in sample.answer:
        for fence in fences_of(sample.answer):
            yield code_hash(sample.answer[fence.start : fence.end])


def _holders(sets: Mapping[str, frozenset[bytes]]) -> dict[bytes, tuple[str, ...]]:
    holders: dict[bytes, tuple[str, ...]] = {}
    for name, hashes in sets.items():
        for one in hashes:
            holders[one] = (*holders.get(one, ()), name)
    return holders


def _unpack(text: str) -> frozenset[bytes]:
    data = base64.b85decode(text)
    return frozenset(data[i : i + PREFIX_BYTES] for i in range(0, len(data), PREFIX_BYTES))
