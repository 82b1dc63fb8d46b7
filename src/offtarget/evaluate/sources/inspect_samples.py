"""Questions of Inspect data sets: one sample a row, `input` a text or a conversation."""

from collections.abc import Iterable, Iterator
from typing import Any

from offtarget.core.errors import DataError
from offtarget.evaluate.questions import Question
from offtarget.evaluate.sources.rows import SourceRow

UNSUPPORTED = ("choices", "files", "sandbox", "setup")
"""Fields of a sample that need more than one question and one answer."""


def inspect_questions(rows: Iterable[SourceRow], *, name: str) -> Iterator[Question | str]:
    """Yield each sample as a question, or why it is left out.

    What is asked is `input`: a text, or a conversation of one user turn, perhaps after a system
    turn. `target` is not used: judges here do not compare. A text category in `metadata` is kept.

    Args:
        rows: Of the file, in Inspect's own field names.
        name: Of the file: begins the ids of samples that have none, and is their category.

    Raises:
        DataError: If `input` is neither.

    Source: https://inspect.aisi.org.uk/datasets.html
    """
    for number, row in enumerate(rows, 1):
        unfit = [key for key in UNSUPPORTED if row.value.get(key)]
        if unfit:
            yield f"{row.place}: the sample has {unfit[0]}, which a single answer cannot serve"
            continue
        asked = _asked(row)
        if asked is None:
            yield f"{row.place}: the conversation has more than one turn to answer"
            continue
        system, question = asked
        given = row.value.get("id")
        id_ = str(given) if isinstance(given, str | int) and str(given) else f"{name}/{number}"
        yield Question(
            id=id_, category=_category(row) or name, question=question, system=system, cluster=id_
        )


def _asked(row: SourceRow) -> tuple[str, str] | None:
    """Return the system turn and the question; None for a longer conversation."""
    value = row.value.get("input")
    if isinstance(value, str):
        return "", row.text("input")
    turns = value if isinstance(value, list) else []
    if not turns or not all(isinstance(turn, dict) for turn in turns):
        raise DataError(f"{row.place}: 'input' is no text and no conversation; write one of them")
    roles = [turn.get("role") for turn in turns]
    if roles not in (["user"], ["system", "user"]):
        return None
    texts = [_content(turn, row.place) for turn in turns]
    return (texts[0], texts[1]) if len(texts) == 2 else ("", texts[0])


def _content(turn: dict[str, Any], place: str) -> str:
    content = turn.get("content")
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "\n".join(part for part in parts if isinstance(part, str))
        if len(parts) != len(turn["content"]) or None in parts:
            content = None
    if not isinstance(content, str) or not content.strip():
        raise DataError(f"{place}: a turn without text (images are not asked); write its content")
    return content


def _category(row: SourceRow) -> str:
    metadata = row.value.get("metadata")
    found = metadata.get("category") if isinstance(metadata, dict) else None
    return found if isinstance(found, str) else ""
