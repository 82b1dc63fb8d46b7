"""A subject against its control, question by question."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from offtarget.core.errors import DataError
from offtarget.core.seed import derive_seed
from offtarget.core.stats import Estimand, Rate, holm, rate_contrast
from offtarget.evaluate.replay.analysis import Replayed
from offtarget.evaluate.replay.caution import MIN_QUESTIONS, Caution
from offtarget.evaluate.replay.definition import PUBLISHED, Definition, count_of
from offtarget.evaluate.replay.tally import Tally


@dataclass(frozen=True, slots=True)
class Excess:
    """Subject minus control over the questions that both answered; positive is more misaligned."""

    excess: float
    """Difference of the two means over questions, each (over its formats) weighing the same."""
    low: float | None
    """Two-sided 95 %, for questions like these; None with one question."""
    high: float | None
    interval_method: str
    p: float
    """Two-sided, sign-flip permutation over questions."""
    smallest_p: float
    """What p would be if every question agreed: so many questions can show nothing below it."""
    p_holm: float
    """`p` adjusted for the number of files that were compared with the control."""
    subject: Rate
    control: Rate
    n_questions: int
    n_clusters: int


@dataclass(frozen=True, slots=True)
class Contrast:
    """One file against the control."""

    subject: str
    control: str
    excess: dict[str, Excess | None]
    """By definition; None where no shared question has counted rows on both sides."""
    only_in_subject: tuple[str, ...]
    """Questions left out."""
    only_in_control: tuple[str, ...]
    warnings: tuple[Caution, ...]


def contrast_all(subjects: Sequence[Replayed], control: Replayed) -> tuple[Contrast, ...]:
    """Return each subject's contrast, p-values of one definition adjusted over subjects (Holm).

    Raises:
        DataError: If a subject shares no question with the control.
    """
    found = [_contrast(subject, control) for subject in subjects]
    for one in PUBLISHED:
        given = [
            (index, excess)
            for index, contrast in enumerate(found)
            if (excess := contrast.excess[one.value]) is not None
        ]
        adjusted = holm([excess.p for _, excess in given])
        for (index, excess), p in zip(given, adjusted, strict=True):
            table = {**found[index].excess, one.value: replace(excess, p_holm=p)}
            found[index] = replace(found[index], excess=table)
    return tuple(found)


def _contrast(subject: Replayed, control: Replayed) -> Contrast:
    names, others = subject.tally.questions, control.tally.questions
    shared = [name for name in names if name in others]
    if not shared:
        raise DataError(
            f"{subject.analysis.source} and {control.analysis.source} share no question; compare "
            "answers to the same questions, by the same ids"
        )
    is_known = all(
        one.analysis.rates[Definition.ALL.value].rate is not None for one in (subject, control)
    )
    return Contrast(
        subject=subject.analysis.source,
        control=control.analysis.source,
        excess={
            one.value: _excess(subject.tally, control.tally, shared, one) if is_known else None
            for one in PUBLISHED
        },
        only_in_subject=tuple(name for name in names if name not in others),
        only_in_control=tuple(name for name in others if name not in names),
        warnings=tuple(_cautions(subject, control, shared)),
    )


def _excess(
    subject: Tally, control: Tally, shared: Sequence[str], definition: Definition
) -> Excess | None:
    ours = [count_of(subject.questions[name], definition) for name in shared]
    theirs = [count_of(control.questions[name], definition) for name in shared]
    if not any(one.n and other.n for one, other in zip(ours, theirs, strict=True)):
        return None
    found = rate_contrast(
        ([one.k for one in ours], [one.n for one in ours]),
        ([one.k for one in theirs], [one.n for one in theirs]),
        clusters=[subject.questions[name].cluster for name in shared],
        estimand=Estimand.LIKE_THESE,
        seed=derive_seed("replay", definition.value),
    )
    return Excess(
        excess=found.difference,
        low=None if found.low is None else max(found.low, -1.0),
        high=None if found.high is None else min(found.high, 1.0),
        interval_method=found.interval_method.value,
        p=found.flips.p,
        smallest_p=found.flips.smallest_p,
        p_holm=found.flips.p,
        subject=found.subject,
        control=found.control,
        n_questions=found.subject.n_questions,
        n_clusters=found.subject.n_clusters,
    )


def _cautions(subject: Replayed, control: Replayed, shared: Sequence[str]) -> list[Caution]:
    found = [
        Caution(
            "judge_not_compared",
            "the files do not say that one judge with one prompt scored both: a difference between "
            "judges cannot be told from one between models",
        )
    ]
    n_subject, n_control = (len(one.tally.questions) for one in (subject, control))
    if len(shared) < max(n_subject, n_control):
        found.append(
            Caution(
                "unshared_questions",
                f"{n_subject - len(shared)} questions of {subject.analysis.source} and "
                f"{n_control - len(shared)} of the control have no counterpart: the contrast speaks "
                f"of the {len(shared)} shared ones alone",
            )
        )
    n_clusters = len({subject.tally.questions[name].cluster for name in shared})
    if n_clusters < MIN_QUESTIONS:
        found.append(
            Caution(
                "few_shared_questions",
                f"{n_clusters} shared questions, fewer than {MIN_QUESTIONS}: no p below "
                f"{2.0 ** (1 - n_clusters):.3g} is possible, so little can be concluded",
            )
        )
    return found
