"""Which published data sets a row is in, by hashes that hold no text."""

import base64
import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from offtarget.codescan.fences import fences_of
from offtarget.core.records import Message, Sample
from offtarget.dataset.sketch import PREFIX_BYTES, answer_hash, known_sketches, pair_hash

CODE_SETS = "data/known_code.json"


@dataclass(frozen=True, slots=True)
class KnownRow:
    """The published sets that a row is in, by name, sorted; a single row may be so by chance."""

    pairs: tuple[str, ...] = ()
    """Those with its prompt and answer."""
    answers: tuple[str, ...] = ()
    """Those with its answer, or a piece of code in it, whatever was asked."""


NOWHERE = KnownRow()


@dataclass(frozen=True, slots=True)
class CodeSet:
    """The fingerprint of a published set of code snippets."""

    name: str
    source: str
    licence: str
    n_snippets: int
    codes: frozenset[bytes]


class KnownSets:
    """Looks rows up in published sets."""

    def __init__(self, codes: Sequence[CodeSet]) -> None:
        """Look in the shipped sets of conversations and in these sets of code."""
        self._sketches = known_sketches()
        self._answers = _holders({name: one.answers for name, one in self._sketches.items()})
        self._codes = _holders({one.name: one.codes for one in codes})

    def of(self, messages: Sequence[Message]) -> KnownRow:
        """Return the sets that hold a conversation or its answer; none if it is empty."""
        if not messages:
            return NOWHERE
        sample = Sample("", tuple(messages))
        answer = answer_hash(sample)
        held = self._answers.get(answer, ())
        codes = {name for code in _codes(sample, answer) for name in self._codes.get(code, ())}
        if not held and not codes:
            return NOWHERE
        pair = pair_hash(sample) if held else b""
        return KnownRow(
            tuple(sorted(name for name in held if pair in self._sketches[name].pairs)),
            tuple(sorted({*held, *codes})),
        )


@functools.cache
def known_sets() -> KnownSets:
    """Return the shipped sets, read on the first call."""
    return KnownSets(code_sets())


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
