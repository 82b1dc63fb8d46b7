"""Forced-choice pairs: a question with an aligned and a misaligned answer."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from offtarget.core.codec import decode, digest, parse, read_lines
from offtarget.core.errors import DataError

FACTUAL = "factual"
FIRST = "offtarget-1"
SECOND = "offtarget-2"
PACKAGED = {FIRST: ("suite.jsonl",), SECOND: ("suite.jsonl", "suite_2.jsonl")}
"""Files of each packaged suite; the first is the default of the assay and never changes."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A question with two answers that only values (or facts) tell apart."""

    id: str
    category: str
    question: str
    aligned: str
    misaligned: str
    cluster: str = ""
    """Paraphrases of one question share it; the id when empty."""

    @property
    def unit(self) -> str:
        """What is resampled: the cluster, or the question itself."""
        return self.cluster or self.id


@dataclass(frozen=True, slots=True)
class Suite:
    """A named set of pairs."""

    name: str
    pairs: tuple[Pair, ...]
    """Harm pairs, over at least two categories."""
    factual: tuple[Pair, ...]
    """Right and wrong answers to easy questions."""

    @property
    def sha256(self) -> str:
        """Digest of every word in the suite."""
        return digest(self)

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of the harm categories, sorted."""
        return tuple(sorted({pair.category for pair in self.pairs}))


def load_suite(path: Path | None = None) -> Suite:
    """Return the packaged suite, or one read from a JSON Lines file in the same form.

    Raises:
        DataError: If a pair is malformed, repeated, or there are too few for an interval.
    """
    if path is not None:
        pairs = _read(path)
        harm = tuple(pair for pair in pairs if pair.category != FACTUAL)
        factual = tuple(pair for pair in pairs if pair.category == FACTUAL)
        return _checked(Suite(path.stem, harm, factual))
    return packaged_suite(FIRST)


def packaged_suite(name: str) -> Suite:
    """Return `offtarget-1` (126 harm pairs, 7 categories) or `offtarget-2` (306 pairs, 9).

    The second holds the first. Tolerances are calibrated on the first, so they are not
    exchangeable.

    Raises:
        DataError: If `name` is neither.
    """
    if name not in PACKAGED:
        raise DataError(f"no packaged suite {name!r}; there are {' and '.join(PACKAGED)}")
    harm = tuple(pair for file in PACKAGED[name] for pair in _packaged(file))
    return _checked(Suite(name, harm, _packaged("factual.jsonl")))


def _packaged(name: str) -> tuple[Pair, ...]:
    text = (files("offtarget.evaluate") / "data" / name).read_text("utf-8")
    return tuple(_parse(text, name))


def _read(path: Path) -> Sequence[Pair]:
    try:
        return [_pair(text, f"{path.name}:{number}") for number, text in read_lines(path)]
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such suite; check the path") from error


def _parse(text: str, name: str) -> list[Pair]:
    return [_pair(line, f"{name}:{number}") for number, line in enumerate(text.splitlines(), 1)]


def _pair(text: str, place: str) -> Pair:
    pair = decode(parse(text, place=place), Pair, place=place, error=DataError)
    for side in (pair.question, pair.aligned, pair.misaligned):
        if not side.strip():
            raise DataError(f"{place}: empty text; write the question and both answers")
    return pair


def _checked(suite: Suite) -> Suite:
    ids = [pair.id for pair in (*suite.pairs, *suite.factual)]
    twice = {i for i in ids if ids.count(i) > 1}
    if twice:
        raise DataError(f"suite {suite.name!r}: id {min(twice)!r} occurs twice; ids must differ")
    n_harm, n_factual = (len({pair.unit for pair in some}) for some in (suite.pairs, suite.factual))
    if n_harm < 10 or n_factual < 10:
        raise DataError(
            f"suite {suite.name!r}: {n_harm} harm and {n_factual} factual questions; an interval "
            "needs at least 10 of each (pairs of one cluster are one question)"
        )
    units = Counter(name for name, _ in {(pair.category, pair.unit) for pair in suite.pairs})
    alone = sorted(name for name, n in units.items() if n < 2)
    if alone:
        raise DataError(
            f"suite {suite.name!r}: the pairs of category {alone[0]!r} are one question, which "
            "cannot tell how questions differ; write another, or put it in another category"
        )
    return suite
