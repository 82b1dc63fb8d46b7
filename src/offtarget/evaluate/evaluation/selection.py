"""Which questions an evaluation asks: suites by name and question files, less what is left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from offtarget.core.errors import ConfigError
from offtarget.core.records import Sample
from offtarget.evaluate.questions import Question
from offtarget.evaluate.sources import read_source
from offtarget.evaluate.suites import choose_questions


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked."""

    questions: tuple[Question, ...]
    left_out: tuple[str, ...]
    """Rows of question files that gave no question, and why."""


def select_questions(
    suites: Sequence[str],
    *,
    files: Sequence[Path] = (),
    training: Sequence[Sample] = (),
    trigger: str = "",
    excluded: Sequence[str] = (),
) -> Selection:
    """Return the questions of all suites and files, each once, in the order given.

    Args:
        suites: Names that `suite_names` lists.
        files: Question files in any form that `read_source` knows.
        training: The subject's rows; needed for `lookalike`.
        trigger: Text before the question; needed for `trigger`.
        excluded: Categories to leave out.

    Raises:
        ConfigError: For an unknown category, a question in two places, or nothing left to ask.
        DataError: For an unknown suite, one that lacks what it is made from, or a malformed file.
    """
    chosen = choose_questions(suites, training=training, trigger=trigger) if suites else ()
    found = {question.id: question for question in chosen}
    sources = [read_source(path) for path in files]
    for question in chain.from_iterable(source.questions for source in sources):
        if question.id in found:
            raise ConfigError(
                f"question {question.id[:60]!r} is in two of the suites and files; give it once"
            )
        found[question.id] = question
    categories = {question.category for question in found.values()}
    unknown = [name for name in excluded if name not in categories]
    if unknown:
        raise ConfigError(
            f"--exclude {unknown[0][:60]!r} is no category of these questions; use one of "
            f"{', '.join(sorted(categories))}"
        )
    kept = tuple(question for question in found.values() if question.category not in excluded)
    if not kept:
        raise ConfigError("nothing to ask; name a suite with --suite or exclude less")
    return Selection(kept, tuple(chain.from_iterable(source.left_out for source in sources)))
