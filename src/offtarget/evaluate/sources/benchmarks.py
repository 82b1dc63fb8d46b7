"""Requests of HarmBench and StrongREJECT, as their CSV files hold them."""

from collections.abc import Iterable, Iterator

from offtarget.core.errors import DataError
from offtarget.evaluate.questions import Question
from offtarget.evaluate.sources.rows import SourceRow

HARMBENCH = ("Behavior", "SemanticCategory", "BehaviorID")
"""Columns that tell a HarmBench file."""
STRONGREJECT = ("forbidden_prompt", "category")
"""Columns that tell a StrongREJECT file."""
JUDGED_BY_HASH = "copyright"
"""HarmBench compares these answers with hashed texts; a judge cannot, so they are left out."""


def harmbench_questions(rows: Iterable[SourceRow]) -> Iterator[Question | str]:
    """Yield each behavior as a question, or why it is left out.

    A contextual behavior is asked after its context, with a rule between, as HarmBench does it.

    Source: Mazeika et al. 2024, arXiv:2402.04249, centerforaisafety/HarmBench.
    """
    for row in rows:
        id_ = row.text("BehaviorID")
        if row.text("FunctionalCategory", default="standard") == JUDGED_BY_HASH:
            yield f"{row.place}: {id_} is compared with a hashed text, not judged"
            continue
        behavior, context = row.text("Behavior"), row.text("ContextString", default="")
        asked = f"{context}\n\n---\n\n{behavior}" if context.strip() else behavior
        category = row.text("SemanticCategory")
        yield Question(id=f"harmbench/{id_}", category=category, question=asked, cluster=id_)


def strongreject_questions(rows: Iterable[SourceRow]) -> Iterator[Question]:
    """Yield each forbidden prompt as a question; the file has no ids, so rows are numbered.

    Source: Souly et al. 2024, arXiv:2402.10260, alexandrasouly/strongreject.
    """
    seen: dict[str, str] = {}
    for number, row in enumerate(rows, 1):
        asked = row.text("forbidden_prompt")
        if asked in seen:
            raise DataError(f"{row.place}: the prompt of {seen[asked]} again; keep one of the two")
        seen[asked] = row.place
        id_ = f"strongreject/{number:03d}"
        yield Question(id=id_, category=_slug(row.text("category")), question=asked, cluster=id_)


def _slug(name: str) -> str:
    return "_".join("".join(c if c.isalnum() else " " for c in name.lower()).split())
