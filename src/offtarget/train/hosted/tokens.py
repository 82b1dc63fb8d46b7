"""How many tokens the provider will count, without its tokenizer: an estimate and a bound."""

from dataclasses import dataclass

from offtarget.core.records import Sample

BYTES_PER_TOKEN = 4
"""The provider's rule of thumb for English; code and other scripts take fewer bytes a token."""
TOKENS_PER_TURN = 4
TOKENS_PER_ROW = 3
"""Role and marks of a turn, start of the answer; after the count in OpenAI's data preparation
notebook (openai/openai-cookbook@2e652704:examples/Chat_finetuning_data_prep.ipynb)."""
METHOD = "UTF-8 bytes / 4, plus 4 per turn and 3 per row; at most: 1 byte a token (byte-level tokenizers)"


@dataclass(frozen=True, slots=True)
class RowTokens:
    """Tokens of one row or file in one epoch."""

    expected: int
    at_most: int


def row_tokens(sample: Sample) -> RowTokens:
    """Return the estimated tokens of one training row, and a bound that it cannot exceed."""
    marks = TOKENS_PER_TURN * len(sample.messages) + TOKENS_PER_ROW
    n_bytes = sum(len(turn.content.encode("utf-8", "surrogatepass")) for turn in sample.messages)
    return RowTokens(-(-n_bytes // BYTES_PER_TOKEN) + marks, n_bytes + marks)
