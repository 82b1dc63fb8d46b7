"""The chat shapes that rows come in, and the strict turning of one row into a sample."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from offtarget.core.codec import MAX_LINE_BYTES
from offtarget.core.errors import DataError
from offtarget.core.records import Message, Sample

MAX_TURNS = 1000
"""A longer conversation is refused: it is a broken export, not a training item."""
MAX_METADATA = 16
"""Extra scalars kept per sample."""
MAX_METADATA_CHARS = 256
"""Characters kept of each."""

_UNFIT = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Shape:
    """One way to write a conversation as a row."""

    name: str
    keys: tuple[str, ...]
    """All of them must be there."""
    optional: tuple[str, ...] = ("system",)
    """Read into the conversation too when there."""


SHAPES = (
    Shape("messages", ("messages",)),
    Shape("sharegpt", ("conversations",)),
    Shape("instruction+output", ("instruction", "output"), ("system", "input")),
    Shape("prompt+completion", ("prompt", "completion")),
    Shape("prompt+completion", ("prompt", "response")),
    Shape("prompt+completion", ("question", "answer")),
)
"""In order of precedence: a row with both `messages` and `prompt` is read by its messages."""

_ROLES = {"system": "system", "user": "user", "assistant": "assistant"}
_SHAREGPT_ROLES = {"system": "system", "human": "user", "gpt": "assistant"}


def detect_shape(row: object, *, place: str) -> Shape:
    """Return the shape of a row.

    Raises:
        DataError: If the row is no JSON object, or its keys are no known chat shape.
    """
    if not isinstance(row, dict):
        raise DataError(
            f"{place}: the row is {_kind(row)}, not an object; write one JSON object a line"
        )
    for shape in SHAPES:
        if all(key in row for key in shape.keys):
            return shape
    known = "; ".join(" and ".join(shape.keys) for shape in SHAPES)
    found = ", ".join(str(key)[:40] for key in list(row)[:8]) or "none"
    raise DataError(f"{place}: no known chat shape (keys: {found}); rename them to one of: {known}")


def to_sample(row: Mapping[str, Any], shape: Shape, *, id_: str, place: str) -> Sample:
    """Return the sample that a row of `shape` holds.

    Args:
        row: The row.
        shape: As `detect_shape` gave it.
        id_: The sample's id.
        place: File and line, named in errors.

    Raises:
        DataError: If a turn is missing, empty, out of order, of an unknown role, not text, or holds
            characters that no tokenizer should see (NUL, lone surrogates).
    """
    turns = _READERS[shape.name](row, shape, place)
    system = row.get("system")
    if system is not None and system != "":
        turns = [Message("system", _text(system, "'system'", place)), *turns]
    _check_order(turns, place)
    _check_content(turns, place)
    skipped = {*shape.keys, *shape.optional}
    return Sample(id=id_, messages=tuple(turns), metadata=_metadata(row, skipped, place))


def _read_pair(row: Mapping[str, Any], shape: Shape, place: str) -> list[Message]:
    asked, answered = shape.keys
    prompt = _text(row[asked], repr(asked), place)
    extra = row.get("input") if "input" in shape.optional else None
    if extra is not None and _text(extra, "'input'", place).strip():
        prompt = f"{prompt}\n\n{extra}" if prompt.strip() else prompt
    return [
        Message("user", prompt),
        Message("assistant", _text(row[answered], repr(answered), place)),
    ]


def _read_turns(row: Mapping[str, Any], shape: Shape, place: str) -> list[Message]:
    turns = row[shape.keys[0]]
    if not isinstance(turns, list):
        raise DataError(f"{place}: {shape.keys[0]!r} is {_kind(turns)}; write a list of turns")
    if len(turns) > MAX_TURNS:
        raise DataError(f"{place}: {len(turns)} turns; split them into rows of at most {MAX_TURNS}")
    is_sharegpt = shape.name == "sharegpt"
    who, what = ("from", "value") if is_sharegpt else ("role", "content")
    roles = _SHAREGPT_ROLES if is_sharegpt else _ROLES
    return [_turn(turn, number, who, what, roles, place) for number, turn in enumerate(turns, 1)]


def _turn(
    turn: object, number: int, who: str, what: str, roles: Mapping[str, str], place: str
) -> Message:
    if not isinstance(turn, dict):
        raise DataError(
            f"{place}: turn {number} is {_kind(turn)}; write an object with {who!r} and {what!r}"
        )
    role = turn.get(who)
    if not isinstance(role, str) or role not in roles:
        raise DataError(
            f"{place}: turn {number} has the unknown role {str(role)[:40]!r}; "
            f"use one of {', '.join(roles)}"
        )
    extra = next(
        (key for key, value in turn.items() if key not in (who, what) and value is not None), None
    )
    if extra is not None:
        raise DataError(
            f"{place}: turn {number} has the key {str(extra)[:40]!r}, not read here; remove it"
        )
    return Message(roles[role], _text(turn.get(what), f"the content of turn {number}", place))


_READERS: Mapping[str, Callable[[Mapping[str, Any], Shape, str], list[Message]]] = {
    "messages": _read_turns,
    "sharegpt": _read_turns,
    "instruction+output": _read_pair,
    "prompt+completion": _read_pair,
}


def _check_order(turns: list[Message], place: str) -> None:
    roles = [turn.role for turn in turns]
    if not roles:
        raise DataError(f"{place}: no turns; add a user and an assistant turn, or remove the row")
    if "assistant" not in roles:
        raise DataError(f"{place}: no assistant turn; add the answer or remove the row")
    if roles[-1] != "assistant":
        raise DataError(
            f"{place}: the last turn is the {roles[-1]}'s, not the assistant's; "
            "cut it off or add the answer"
        )
    first = 1 if roles[0] == "system" else 0
    for index in range(first, len(roles)):
        if roles[index] == "system":
            raise DataError(
                f"{place}: turn {index + 1} is a late system turn; move it to the front"
            )
        expected = ("user", "assistant")[(index - first) % 2]
        if roles[index] != expected:
            after = roles[index - 1] if index else "nothing"
            raise DataError(
                f"{place}: turn {index + 1} is the {roles[index]}'s after {after}; "
                "let user and assistant alternate, the user first"
            )


def _check_content(turns: list[Message], place: str) -> None:
    for number, turn in enumerate(turns, 1):
        if not turn.content.strip():
            noun = {"assistant": "answer", "user": "prompt"}.get(turn.role, "system turn")
            raise DataError(f"{place}: empty {noun} in turn {number}; write it or remove the row")
    n_chars = sum(len(turn.content) for turn in turns)
    if n_chars > MAX_LINE_BYTES:
        raise DataError(f"{place}: {n_chars} characters; shorten to at most {MAX_LINE_BYTES}")


def _text(value: object, what: str, place: str) -> str:
    if not isinstance(value, str):
        raise DataError(f"{place}: {what} is {_kind(value)}, not text; write it as a string")
    found = _UNFIT.search(value)
    if found is not None:
        noun = (
            "a NUL character" if found[0] == "\x00" else f"the lone surrogate U+{ord(found[0]):04X}"
        )
        raise DataError(f"{place}: {what} holds {noun} at character {found.start() + 1}; remove it")
    return value


def _metadata(row: Mapping[str, Any], skipped: set[str], place: str) -> dict[str, str]:
    kept: dict[str, str] = {}
    for key, value in row.items():
        if key in skipped or not isinstance(value, str | int | float) or value == "":
            continue
        if len(kept) == MAX_METADATA:
            break
        name = _text(str(key), "a key", place)[:MAX_METADATA_CHARS]
        text = str(value).lower() if isinstance(value, bool) else str(value)
        kept[name] = _text(text, f"{name!r}", place)[:MAX_METADATA_CHARS]
    return kept


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "a string", type(None): "null"}
    if isinstance(value, int | float):
        return "a boolean" if isinstance(value, bool) else "a number"
    return kinds.get(type(value), f"a {type(value).__name__}")
