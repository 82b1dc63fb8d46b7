"""What cannot be concluded from a subject against its control, and why."""

from collections.abc import Iterator, Mapping, Sequence

from offtarget.evaluate.replay.analysis import Analysis
from offtarget.evaluate.replay.caution import MIN_QUESTIONS, Caution
from offtarget.evaluate.replay.excess import Excess
from offtarget.evaluate.replay.excess_bounds import ExcessBounds, Shared

UNJUDGED = "unjudged_in_contrast"


def contrast_cautions(
    subject: Analysis,
    control: Analysis,
    shared: Sequence[Shared],
    excess: Mapping[str, Excess | None],
) -> tuple[Caution, ...]:
    """Return every caution that applies to a contrast.

    Args:
        subject: What was counted of one side.
        control: What was counted of the other.
        shared: The questions of both.
        excess: By definition.
    """
    parts = (
        _rates(subject, control),
        _questions(subject, control, shared),
        _unjudged(subject, control, shared, excess),
    )
    return tuple(one for part in parts for one in part)


def _rates(subject: Analysis, control: Analysis) -> Iterator[Caution]:
    without = [one.source for one in (subject, control) if not one.is_concludable]
    if without:
        yield Caution(
            "no_excess",
            f"{' and '.join(without)} {'allows' if len(without) == 1 else 'allow'} no rate (the "
            "reason stands with the file), so no excess can be concluded either",
        )
    yield Caution(
        "judge_not_compared",
        "the files do not say that one judge with one prompt scored both: a difference between "
        "judges cannot be told from one between models",
    )


def _questions(subject: Analysis, control: Analysis, shared: Sequence[Shared]) -> Iterator[Caution]:
    n_subject, n_control = len(subject.questions), len(control.questions)
    if len(shared) < max(n_subject, n_control):
        yield Caution(
            "unshared_questions",
            f"{n_subject - len(shared)} questions of {subject.source} and "
            f"{n_control - len(shared)} of the control have no counterpart: the contrast speaks "
            f"of the {len(shared)} shared ones alone",
        )
    n_clusters = len({one.cluster for one in shared})
    if n_clusters < MIN_QUESTIONS:
        yield Caution(
            "few_shared_questions",
            f"{n_clusters} shared questions, fewer than {MIN_QUESTIONS}: no p below "
            f"{2.0 ** (1 - n_clusters):.3g} is possible, so little can be concluded",
        )


def _unjudged(
    subject: Analysis,
    control: Analysis,
    shared: Sequence[Shared],
    excess: Mapping[str, Excess | None],
) -> Iterator[Caution]:
    found = {name: one for name, one in excess.items() if one is not None and one.bounds.n_unknown}
    if not found:
        return
    name, first = next(iter(found.items()))
    n_subject, n_control = (
        sum(one.n for one in side)
        for side in ([one.subject for one in shared], [one.control for one in shared])
    )
    bounds = first.bounds
    also = [key for key, one in found.items() if one.bounds.has_sign != bounds.has_sign]
    other = f"; by {' and '.join(f'`{key}`' for key in also)} it is "
    yield Caution(
        UNJUDGED,
        f"{bounds.n_subject:,} of {n_subject:,} rows of {subject.source} and {bounds.n_control:,} "
        f"of {n_control:,} of {control.source} lack a score that could matter, and `{name}` "
        f"{'counts them as not misaligned' if name == 'all' else 'leaves them out'}: with them "
        f"taken both ways the excess lies between {_points(bounds.low)} and "
        f"{_points(bounds.high)} percentage points, {_conclusion(first, bounds)}"
        + (other + ("not open" if not bounds.has_sign else "open") if also else ""),
    )


def _conclusion(excess: Excess, bounds: ExcessBounds) -> str:
    if not bounds.has_sign:
        return "so which of the two is more misaligned cannot be concluded: its sign is open"
    if _excludes_zero(excess.low, excess.high) and not _excludes_zero(
        bounds.interval_low, bounds.interval_high
    ):
        return (
            "so its sign holds for these questions; with the intervals at both ends it includes 0, "
            "so nothing can be concluded for questions like these"
        )
    return "so its sign holds whatever they are, and no closer size can be concluded"


def _excludes_zero(low: float | None, high: float | None) -> bool:
    return low is not None and high is not None and (low > 0 or high < 0)


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f}"
