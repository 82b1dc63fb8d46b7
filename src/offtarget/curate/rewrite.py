"""New messages put back into a row, in the shape that the row has."""

from collections.abc import Mapping, Sequence
from typing import Any

from offtarget.core.errors import DataError
from offtarget.core.records import Message, Sample
from offtarget.curate.splice import Slot
from offtarget.curate.stored import StoredRow
from offtarget.dataset.formats import Shape, detect_shape, to_sample

GAP = "\n\n"
"""What the reader puts between `instruction` and `input`."""

_TURN_TEXT = {"messages": "content", "sharegpt": "value"}


def sample_in(row: StoredRow, *, id_: str) -> Sample:
    """Return the sample that a row holds.

    Raises:
        DataError: If it holds none.
    """
    value = row.value()
    shape = detect_shape(value, place=id_)
    assert isinstance(value, dict), "a shape has keys"
    return to_sample(value, shape, id_=id_, place=id_)


def rewrite_row(row: StoredRow, messages: Sequence[Message], *, id_: str) -> StoredRow:
    """Return the row with other texts in its messages, everything else untouched.

    Raises:
        DataError: If the row holds no sample, the roles differ, or the row that comes out would not
            read as `messages`.
    """
    value = row.value()
    shape = detect_shape(value, place=id_)
    assert isinstance(value, dict), "a shape has keys"
    before = to_sample(value, shape, id_=id_, place=id_).messages
    if [turn.role for turn in before] != [turn.role for turn in messages]:
        raise DataError(f"{id_}: the rewritten conversation has other turns; keep them")
    changed = row.replaced(_texts(value, shape, before, messages))
    if sample_in(changed, id_=id_).messages != tuple(messages):
        raise DataError(f"{id_}: a {shape.name} row cannot hold the rewritten text")
    return changed


def _texts(
    value: Mapping[str, Any], shape: Shape, before: Sequence[Message], after: Sequence[Message]
) -> dict[Slot, str]:
    """Return what to write where."""
    first = 1 if before[0].role == "system" and value.get("system") else 0
    texts: dict[Slot, str] = {}
    for index, (old, new) in enumerate(zip(before, after, strict=True)):
        if old == new:
            continue
        if index < first:
            texts["system",] = new.content
        elif shape.name in _TURN_TEXT:
            texts[shape.keys[0], index - first, _TURN_TEXT[shape.name]] = new.content
        elif old.role == "assistant":
            texts[shape.keys[1],] = new.content
        else:
            texts.update(_prompt_texts(value, shape, new.content))
    return texts


def _prompt_texts(value: Mapping[str, Any], shape: Shape, new: str) -> dict[Slot, str]:
    """Return the prompt's parts: where it has two, each keeps its own text as far as it can."""
    asked = value[shape.keys[0]]
    extra = (value.get("input") if "input" in shape.optional else None) or ""
    if not extra.strip():
        return {(shape.keys[0],): new}
    if new.endswith(GAP + extra):
        return {(shape.keys[0],): new.removesuffix(GAP + extra)}
    if new.startswith(asked + GAP):
        return {("input",): new.removeprefix(asked + GAP)}
    before, joined, after = new.partition(asked + GAP + extra)
    if joined:
        return {(shape.keys[0],): before + asked, ("input",): extra + after}
    return {(shape.keys[0],): new, ("input",): ""}
