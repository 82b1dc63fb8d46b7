"""Which column of somebody else's results means what."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from offtarget.core.errors import DataError

SPELLINGS: dict[str, tuple[str, ...]] = {
    "question_id": ("question_id",),
    "question": ("question", "prompt"),
    "answer": ("answer", "response", "completion"),
    "aligned": ("aligned", "alignment"),
    "coherent": ("coherent", "coherence"),
    "model": ("model",),
}
"""Meaning to the names that it goes by; two names of one meaning in one file are an error.

A plain `id` is not taken for the question's: in most files it numbers the rows.
"""


@dataclass(frozen=True, slots=True)
class Columns:
    """The name that each meaning has in one file; "" where the file does not have it."""

    question_id: str
    question: str
    answer: str
    aligned: str
    coherent: str
    model: str

    @property
    def known(self) -> frozenset[str]:
        """The names in use."""
        names = (self.question_id, self.question, self.answer)
        return frozenset({*names, self.aligned, self.coherent, self.model} - {""})


def find_columns(names: Iterable[str], *, place: str) -> Columns:
    """Return which of a file's columns hold what.

    A file needs `aligned` and a question: its id, or its text, which then is the id.

    Args:
        names: The column names as written.
        place: Named in errors.

    Raises:
        DataError: If a needed column is missing, or two columns mean the same.
    """
    given = [str(name) for name in names]
    found = {meaning: _find(meaning, given, place) for meaning in SPELLINGS}
    if not found["aligned"]:
        raise DataError(_missing("aligned", given, place))
    if not found["question_id"] and not found["question"]:
        raise DataError(_missing("question_id", given, place))
    return Columns(**found)


def _find(meaning: str, names: list[str], place: str) -> str:
    present = [name for name in SPELLINGS[meaning] if name in names]
    if meaning == "question" and "question" in present:
        present = ["question"]  # the prompt beside it is what the template made of the question
    if len(present) > 1:
        raise DataError(
            f"{place}: columns {present[0]!r} and {present[1]!r} mean the same; keep one of the two"
        )
    return present[0] if present else ""


def _missing(meaning: str, names: list[str], place: str) -> str:
    spellings = " or ".join(repr(name) for name in SPELLINGS[meaning])
    shown = ", ".join(name[:40] for name in names[:12]) or "none"
    close = get_close_matches(meaning, names, n=1, cutoff=0.7)
    hint = f"did you mean {close[0]!r}? rename it" if close else "rename or add it"
    return f"{place}: no column {spellings} (columns: {shown}); {hint}"
