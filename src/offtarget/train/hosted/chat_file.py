"""Training files in the provider's chat format, checked before anything is sent."""

from collections.abc import Sequence
from dataclasses import dataclass

from offtarget.core.codec import canonical
from offtarget.core.errors import DataError
from offtarget.core.records import Sample
from offtarget.train.hosted.tokens import RowTokens, row_tokens

MIN_ROWS = 10
"""Fewer are refused by the provider (OpenAI's supervised fine-tuning guide)."""
MAX_FILE_BYTES = 512 * 1000 * 1000
"""`files.create` of openai 3.54.0: individual files can be up to 512 MB."""
MAX_ROW_TOKENS = 65_536
"""Training context of the GPT-4o and GPT-4.1 families (OpenAI's supervised fine-tuning guide);
16,385 for gpt-3.5-turbo-0125. Longer rows would be cut there without a word."""
ROLES = ("system", "user", "assistant")
"""Of FinetuneChatRequestInput (openai/openai-openapi@578000861507:openapi.yaml); tool and function
turns do not occur in samples."""
MAX_SHOWN = 3


@dataclass(frozen=True, slots=True)
class ChatFile:
    """The bytes of one training file and what is in it."""

    content: bytes
    n_rows: int
    tokens: RowTokens
    """Summed over the rows."""
    n_maybe_long: int
    """Rows whose estimate fits the limit but whose upper bound does not."""


def write_chat_file(
    samples: Sequence[Sample], *, arm: str, max_row_tokens: int = MAX_ROW_TOKENS
) -> ChatFile:
    """Return the rows as JSON Lines of `{"messages": [{"role", "content"}]}`.

    Args:
        samples: Rows in training order.
        arm: Named in errors.
        max_row_tokens: Of the base model's training context.

    Raises:
        DataError: If the provider would refuse or silently cut a row or the file.
    """
    problems = [
        f"row {number} ({sample.id}): {problem}"
        for number, sample in enumerate(samples, 1)
        if (problem := row_problem(sample, max_row_tokens=max_row_tokens))
    ]
    if problems:
        more = f" (and {len(problems) - MAX_SHOWN} more rows)" if len(problems) > MAX_SHOWN else ""
        raise DataError(
            f"arm {arm!r}: {'; '.join(problems[:MAX_SHOWN])}{more}; repair or drop them before "
            "they are sent"
        )
    if len(samples) < MIN_ROWS:
        raise DataError(
            f"arm {arm!r}: {len(samples)} rows, hosted fine-tuning needs at least {MIN_ROWS}; "
            "give more, or raise `rows` in the study"
        )
    lines = [_line(sample) for sample in samples]
    content = b"".join(lines)
    if len(content) > MAX_FILE_BYTES:
        raise DataError(
            f"arm {arm!r}: the training file has {len(content):,} bytes, at most "
            f"{MAX_FILE_BYTES:,} can be uploaded; lower `rows` in the study"
        )
    counts = [row_tokens(sample) for sample in samples]
    total = RowTokens(sum(c.expected for c in counts), sum(c.at_most for c in counts))
    n_maybe = sum(c.at_most > max_row_tokens for c in counts)
    return ChatFile(content, len(samples), total, n_maybe)


def row_problem(sample: Sample, *, max_row_tokens: int = MAX_ROW_TOKENS) -> str:
    """Return why the provider would not train on this row as it is, or "" if it would."""
    turns = sample.messages
    if not turns:
        return "no turns"
    for number, turn in enumerate(turns, 1):
        if turn.role not in ROLES:
            return f"turn {number} has the role {turn.role[:40]!r}; use {', '.join(ROLES)}"
        if not turn.content.strip():
            return f"turn {number} is empty"
        if "\0" in turn.content:
            return f"turn {number} holds a NUL character"
        if any("\ud800" <= char <= "\udfff" for char in turn.content):
            return f"turn {number} holds half a surrogate pair, which UTF-8 cannot carry"
    if turns[-1].role != "assistant":
        return f"the last turn is the {turns[-1].role}'s, not the assistant's"
    if not any(turn.role == "user" for turn in turns):
        return "no user turn"
    n_tokens = row_tokens(sample).expected
    if n_tokens > max_row_tokens:
        return f"about {n_tokens:,} tokens, the model trains on at most {max_row_tokens:,}"
    return ""


def _line(sample: Sample) -> bytes:
    turns = [{"role": turn.role, "content": turn.content} for turn in sample.messages]
    return canonical({"messages": turns}) + b"\n"
