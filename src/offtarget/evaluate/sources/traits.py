"""Questions of persona trait files: asked plainly, and under instructions for and against a trait."""

from collections.abc import Iterator
from typing import Any

from offtarget.core.errors import DataError
from offtarget.evaluate.questions import Question

SIDES = ("pos", "neg")
KEYS = ("instruction", "questions")


def is_trait(value: object) -> bool:
    """Return whether a JSON document has the form of a trait file."""
    return isinstance(value, dict) and all(key in value for key in KEYS)


def trait_questions(value: dict[str, Any], *, name: str, place: str) -> Iterator[Question]:
    """Yield every question plain, then under each instruction of each side as system prompt.

    All forms of a question share a cluster; the category is `NAME`, `NAME/pos` or `NAME/neg`.

    Args:
        value: The document: `instruction`, a list of {pos, neg}, and `questions`, a list of texts.
        name: Of the trait.
        place: Named in errors.

    Raises:
        DataError: If the document is malformed.

    Source: Chen et al. 2025, arXiv:2507.21509, safety-research/persona_vectors.
    """
    questions, instructions = value["questions"], value["instruction"]
    if not isinstance(questions, list) or not all(_is_text(one) for one in questions):
        raise DataError(f"{place}: 'questions' is no list of texts; write one text a question")
    for number, question in enumerate(questions):
        yield Question(f"{name}/{number}", name, question.strip(), cluster=f"{name}/{number}")
    for side in SIDES:
        for index, system in enumerate(_instructions(instructions, side, place)):
            for number, question in enumerate(questions):
                yield Question(
                    id=f"{name}/{number}/{side}-{index}",
                    category=f"{name}/{side}",
                    question=question.strip(),
                    system=system,
                    cluster=f"{name}/{number}",
                )


def _instructions(value: object, side: str, place: str) -> list[str]:
    items = value if isinstance(value, list) else [None]
    found = [item.get(side) if isinstance(item, dict) else None for item in items]
    if not found or not all(_is_text(text) for text in found):
        raise DataError(f"{place}: 'instruction' needs texts in pos and neg; write both sides")
    return [str(text).strip() for text in found]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
