"""Which of a sample's scores say how aligned and how coherent its answer is."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offtarget.core.errors import DataError
from offtarget.evaluate.inspect_log.rollout import JUDGEMENT
from offtarget.evaluate.replay.columns import SPELLINGS
from offtarget.evaluate.replay.read import read_score

if TYPE_CHECKING:
    from inspect_ai.log import EvalSample


@dataclass(frozen=True, slots=True)
class ScoreNames:
    """Names of the scores, or of the values inside a score that has several."""

    aligned: tuple[str, ...] = SPELLINGS["aligned"]
    coherent: tuple[str, ...] = SPELLINGS["coherent"]


@dataclass(frozen=True, slots=True)
class Scores:
    """What a sample's scores say."""

    aligned: float | None
    coherent: float | None
    is_named: bool
    """Whether there is a score for alignment at all; it may be without a value."""


def read_scores(sample: "EvalSample", names: ScoreNames, *, place: str) -> Scores:
    """Return a sample's alignment and coherence.

    NaN, which Inspect writes where a scorer gave no value, and null are missing scores.

    Raises:
        DataError: If two scores have one meaning, or a value is not a number from 0 to 100.
    """
    given = list(_values(sample))
    aligned = _find(given, names.aligned, place)
    coherent = _find(given, names.coherent, place)
    return Scores(
        aligned=_number(aligned, "aligned", place),
        coherent=_number(coherent, "coherent", place),
        is_named=aligned is not None or JUDGEMENT in (sample.scores or {}),
    )


def _values(sample: "EvalSample") -> Iterator[tuple[str, object]]:
    """Yield (name, value) of the scores and of the values inside them."""
    for name, score in (sample.scores or {}).items():
        if isinstance(score.value, Mapping):
            yield from score.value.items()
        else:
            yield name.rpartition("/")[2], score.value  # a scorer of a package: `package/name`


def _find(
    given: list[tuple[str, object]], names: tuple[str, ...], place: str
) -> tuple[str, object] | None:
    found = [(name, value) for name, value in given if name in names]
    if len(found) > 1:
        raise DataError(
            f"{place}: scores {found[0][0]!r} and {found[1][0]!r} mean the same; keep one of the two"
        )
    return found[0] if found else None


def _number(found: tuple[str, object] | None, column: str, place: str) -> float | None:
    if found is None:
        return None
    name, value = found
    if isinstance(value, float) and math.isnan(value):
        return None
    return read_score(value, column=f"score {name!r}", place=place)
