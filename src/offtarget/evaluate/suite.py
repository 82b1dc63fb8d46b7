"""Forced-choice pairs: a question with an aligned and a misaligned answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from offtarget.core.codec import decode, digest, parse, read_lines
from offtarget.core.errors import DataError

FACTUAL = "factual"


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
    data = files("offtarget.evaluate") / "data"
    harm = tuple(_parse(data.joinpath("suite.jsonl").read_text("utf-8"), "suite.jsonl"))
    factual = tuple(_parse(data.joinpath("factual.jsonl").read_text("utf-8"), "factual.jsonl"))
    return _checked(Suite("offtarget-1", harm, factual))


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
    if len(suite.pairs) < 10 or len(suite.factual) < 10:
        raise DataError(
            f"suite {suite.name!r}: {len(suite.pairs)} harm and {len(suite.factual)} factual "
            "pairs; an interval needs at least 10 of each"
        )
    return suite
