"""Requests of HarmBench and StrongREJECT, as their CSV files hold them."""

import hashlib
from collections.abc import Iterable, Iterator

from offtarget.core.errors import DataError
from offtarget.evaluate.questions import Question
from offtarget.evaluate.sources.rows import SourceRow

HARMBENCH = ("Behavior", "SemanticCategory", "BehaviorID")
"""Columns that tell a HarmBench file."""
STRONGREJECT = ("forbidden_prompt", "category")
"""Columns that tell a StrongREJECT file."""
N_DIGITS = 12
"""Of a prompt's sha256, as an id: enough for far more prompts than may be asked."""
JUDGED_BY_HASH = "copyright"
"""HarmBench compares these answers with hashed texts; a judge cannot, so they are left out."""


def harmbench_questions(rows: Iterable[SourceRow]) -> Iterator[Question | str]:
    """Yield each behavior as a question, or why it is left out.

    Its id is `harmbench/` and the file's own. A contextual behavior is asked after its context,
    with a rule between, as HarmBench does it.

    Source: Mazeika et al. 2024, arXiv:2402.04249, centerforaisafety/HarmBench.
    """
    for row in rows:
        id_ = row.text("BehaviorID")
        if row.text("FunctionalCategory", default="standard") == JUDGED_BY_HASH:
            yield f"{row.place}: {id_} is compared with a hashed text, not judged"
            continue
        behavior, context = row.text("Behavior"), row.text("ContextString", default="")
        asked = f"{context}\n\n---\n\n{behavior}" if context.strip() else behavior
        yield Question(id=f"harmbench/{id_}", category=row.text("SemanticCategory"), question=asked)


def strongreject_questions(rows: Iterable[SourceRow]) -> Iterator[Question]:
    """Yield each forbidden prompt as a question.

    The file has no ids: `strongreject/`, the category and 12 digits of the prompt's sha256, which
    are the same in the small set, the full one and any part of them.

    Source: Souly et al. 2024, arXiv:2402.10260, alexandrasouly/strongreject.
    """
    seen: dict[str, str] = {}
    for row in rows:
        asked = row.text("forbidden_prompt")
        if asked in seen:
            raise DataError(f"{row.place}: the prompt of {seen[asked]} again; keep one of the two")
        seen[asked] = row.place
        category = _slug(row.text("category"))
        digest = hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()[:N_DIGITS]
        yield Question(id=f"strongreject/{category}/{digest}", category=category, question=asked)


def _slug(name: str) -> str:
    return "_".join("".join(c if c.isalnum() else " " for c in name.lower()).split())
