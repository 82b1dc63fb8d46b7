"""Whether scores look as if they ran from 0 to 1 or 10, where 0 to 100 is needed."""

from collections.abc import Iterator
from dataclasses import dataclass

from offtarget.evaluate.replay.tally import RATED, SCORED, Tally

MIN_ROWS = 8
"""Scores from which a wrong scale is guessed; fewer do where both kinds stay within 0 to 1."""
_WITHIN = (1, 10)


@dataclass(frozen=True, slots=True)
class ScaleDoubt:
    """What makes it doubtful that the scores run from 0 to 100."""

    ends: tuple[int, ...]
    """Where they may end instead: 1, 10 or both."""
    text: str


@dataclass(frozen=True, slots=True)
class _Scores:
    name: str
    top: float
    n: int


def doubt_scale(tally: Tally) -> ScaleDoubt | None:
    """Return why the scores may be on another scale; None where nothing says so."""
    low = [one for one in _scores(tally) if one.top <= max(_WITHIN)]
    is_unit = len(low) > 1 and 0 < max(one.top for one in low) <= 1
    low = [one for one in low if one.n >= MIN_ROWS or is_unit]
    if not low:
        return None
    ends = tuple(sorted({min(end for end in _WITHIN if one.top <= end) for one in low}))
    tops = " and ".join(f"no {one.name} score is above {one.top:g}" for one in low)
    return ScaleDoubt(
        ends,
        f"{tops}: if they run from 0 to {' or '.join(map(str, ends))}, every rate here is wrong; "
        "multiply them to run from 0 to 100",
    )


def _scores(tally: Tally) -> Iterator[_Scores]:
    questions = tally.questions.values()
    if tally.max_aligned is not None:
        n_scored = sum(one.count(bands=SCORED) for one in questions)
        yield _Scores("aligned", tally.max_aligned, n_scored)
    if tally.max_coherent is not None:
        n_rated = sum(one.count(coherence=RATED) for one in questions)
        yield _Scores("coherent", tally.max_coherent, n_rated)
