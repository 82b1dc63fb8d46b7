"""A subject against its control, question by question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from offtarget.core.errors import DataError
from offtarget.core.stats import holm
from offtarget.evaluate.replay.analysis import Replayed
from offtarget.evaluate.replay.caution import Caution
from offtarget.evaluate.replay.contrast_caution import contrast_cautions
from offtarget.evaluate.replay.definition import PUBLISHED
from offtarget.evaluate.replay.excess import Excess, excess_of
from offtarget.evaluate.replay.excess_bounds import Shared
from offtarget.evaluate.replay.same_text import joined
from offtarget.evaluate.replay.tally import QuestionTally


@dataclass(frozen=True, slots=True)
class Contrast:
    """One file against the control."""

    subject: str
    control: str
    excess: dict[str, Excess | None]
    """By definition; None where no shared question has counted rows on both sides, or a side allows
    no rate."""
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
    shared = _shared(names, others)
    if not shared:
        raise DataError(
            f"{subject.analysis.source} and {control.analysis.source} share no question; compare "
            "answers to the same questions, by the same ids"
        )
    is_known = subject.analysis.is_concludable and control.analysis.is_concludable
    excess = {one.value: excess_of(shared, one) if is_known else None for one in PUBLISHED}
    return Contrast(
        subject=subject.analysis.source,
        control=control.analysis.source,
        excess=excess,
        only_in_subject=tuple(name for name in names if name not in others),
        only_in_control=tuple(name for name in others if name not in names),
        warnings=contrast_cautions(subject.analysis, control.analysis, shared, excess),
    )


def _shared(
    names: Mapping[str, QuestionTally], others: Mapping[str, QuestionTally]
) -> list[Shared]:
    """Return the questions of both; they are one cluster where either side says so."""
    both = [(one, others[name]) for name, one in names.items() if name in others]
    same = joined([f"subject {one.cluster}", f"control {other.cluster}"] for one, other in both)
    return [Shared(one, other, same[f"subject {one.cluster}"]) for one, other in both]
