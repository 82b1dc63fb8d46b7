"""The fewest labels that a head is made of."""

from collections.abc import Sequence

from offtarget.core.errors import DataError
from offtarget.evaluate.labels import Label

MIN_HEAD_LABELS = 25
"""Labels of a head, as many as a question needs before a rate is given for it."""
MIN_QUESTIONS = 2
"""Questions with a misaligned answer, and with an aligned one: whichever question is held out,
the others still teach both, and what is held out has both to be told apart."""


def check_enough(labels: Sequence[Label]) -> None:
    """Raise DataError unless a head can be fitted and tried on questions that it has not seen.

    Variants of a question count as one.
    """
    kinds = {
        name: [one for one in labels if one.is_misaligned is is_misaligned]
        for name, is_misaligned in (("misaligned", True), ("aligned", False))
    }
    n_questions = {name: len({one.cluster for one in kind}) for name, kind in kinds.items()}
    if len(labels) >= MIN_HEAD_LABELS and min(n_questions.values()) >= MIN_QUESTIONS:
        return
    there = ", ".join(f"{len(kind)} {name} on {n_questions[name]}" for name, kind in kinds.items())
    raise DataError(
        f"too few labels for a head: {len(labels)} ({there} questions); it takes {MIN_HEAD_LABELS}, "
        f"misaligned and aligned ones on {MIN_QUESTIONS} questions each, so that it can be tried on "
        "questions that it has not seen; label more answers"
    )
