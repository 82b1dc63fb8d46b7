"""One reader for question files: the form is told by what a file holds."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from pathlib import Path

from offtarget.core.codec import decode
from offtarget.core.errors import DataError
from offtarget.dataset.sources import clean_name
from offtarget.evaluate.questions import MAX_QUESTIONS, Question, read_questions
from offtarget.evaluate.sources.benchmarks import (
    HARMBENCH,
    STRONGREJECT,
    harmbench_questions,
    strongreject_questions,
)
from offtarget.evaluate.sources.inspect_samples import inspect_questions
from offtarget.evaluate.sources.rows import SourceRow, read_json, source_rows
from offtarget.evaluate.sources.traits import is_trait, trait_questions

OWN = ("id", "category", "question")


class SourceForm(StrEnum):
    """What kind of question file it is."""

    PUBLISHED = "published"
    """YAML in the form of Betley et al. 2025."""
    HARMBENCH = "harmbench"
    STRONGREJECT = "strongreject"
    INSPECT = "inspect"
    TRAIT = "trait"
    OWN = "own"
    """JSON Lines in the form of the packaged questions."""


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """The questions of one file."""

    name: str
    form: SourceForm
    questions: tuple[Question, ...]
    left_out: tuple[str, ...] = ()
    """Why each row that gave no question was left out, with its place."""


def read_source(path: Path) -> QuestionSet:
    """Return the questions of a file in any known form; rows left out are named.

    Raises:
        DataError: If the file cannot be read, has no known form, holds no question, too many, or
            two of the same id.
    """
    found = _read(path)
    label = clean_name(path.name)
    if not found.questions:
        reason = f" (first: {found.left_out[0]})" if found.left_out else ""
        raise DataError(f"{label}: no question{reason}; give a file that holds questions")
    if len(found.questions) > MAX_QUESTIONS:
        raise DataError(
            f"{label}: {len(found.questions)} questions; at most {MAX_QUESTIONS} are asked, cut it"
        )
    id_, n = Counter(one.id for one in found.questions).most_common(1)[0]
    if n > 1:
        raise DataError(f"{label}: {n} questions with the id {id_!r}; ids must differ")
    return found


def _read(path: Path) -> QuestionSet:
    name = path.name.partition(".")[0]
    if path.suffix in (".yaml", ".yml"):
        return QuestionSet(name, SourceForm.PUBLISHED, read_questions([path]))
    if path.suffix == ".json" and path.is_file():
        value = read_json(path) if not _is_lines(path) else None
        if isinstance(value, dict) and is_trait(value):
            questions = tuple(trait_questions(value, name=name, place=clean_name(path.name)))
            return QuestionSet(name, SourceForm.TRAIT, questions)
    rows = source_rows(path)
    first = next(rows, None)
    if first is None:
        return QuestionSet(name, SourceForm.OWN, ())
    return _of_rows(name, first, chain([first], rows))


def _of_rows(name: str, first: SourceRow, rows: Iterable[SourceRow]) -> QuestionSet:
    keys = set(first.value)
    if keys.issuperset(HARMBENCH):
        return _parted(name, SourceForm.HARMBENCH, harmbench_questions(rows))
    if keys.issuperset(STRONGREJECT):
        return _parted(name, SourceForm.STRONGREJECT, strongreject_questions(rows))
    if keys.issuperset(OWN):
        own = (decode(dict(r.value), Question, place=r.place, error=DataError) for r in rows)
        return _parted(name, SourceForm.OWN, own)
    if "input" in keys:
        return _parted(name, SourceForm.INSPECT, inspect_questions(rows, name=name))
    known = "; ".join(", ".join(one) for one in (HARMBENCH, STRONGREJECT, OWN, ("input",)))
    found = ", ".join(sorted(map(str, keys))[:8]) or "none"
    raise DataError(
        f"{first.place}: no known question file (columns: {found}); rename them to one of: {known}"
    )


def _parted(name: str, form: SourceForm, found: Iterable[Question | str]) -> QuestionSet:
    questions: list[Question] = []
    left_out: list[str] = []
    for one in found:
        if isinstance(one, str):
            left_out.append(one)
        else:
            questions.append(one)
    return QuestionSet(name, form, tuple(questions), tuple(left_out))


def _is_lines(path: Path) -> bool:
    """Whether a `.json` file holds one object a line rather than one document."""
    with path.open("rb") as file:
        first, second = file.readline(1 << 20).strip(), file.readline(1 << 20).strip()
    return first.startswith(b"{") and first.endswith(b"}") and second.startswith(b"{")
