"""From messages to token ids, with the trained answer kept apart from its prompt."""

from collections.abc import Sequence
from dataclasses import dataclass

from offtarget.core.errors import DataError
from offtarget.core.records import Message, Sample
from offtarget.lm.model import LanguageModel
from offtarget.lm.template import mask_spans, render_chat


@dataclass(frozen=True, slots=True)
class EncodedSample:
    """One training item as token ids: a prompt that is read and an answer that is learned."""

    id: str
    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    """Ends with the template's end-of-turn marker."""

    @property
    def length(self) -> int:
        """Tokens in prompt and answer together."""
        return len(self.prompt) + len(self.answer)


def encode_prompt(lm: LanguageModel, messages: Sequence[Message], *, place: str) -> tuple[int, ...]:
    """Return the ids of `messages` up to where the assistant's answer starts.

    Raises:
        DataError: If a message holds one of the tokenizer's control tokens as text.
    """
    for message in messages:
        _refuse_control_tokens(lm, message.content, place=place)
    text = render_chat(
        lm.template, messages, add_generation_prompt=True, special_tokens=_special_tokens(lm)
    )
    return _ids(lm, text)


def encode_answer(lm: LanguageModel, text: str, *, place: str) -> tuple[int, ...]:
    """Return the ids of an answer's own text, without an end marker."""
    _refuse_control_tokens(lm, text, place=place)
    ids = _ids(lm, text)
    if not ids:
        raise DataError(f"{place}: the answer has no tokens; write some text")
    return ids


def encode_sample(lm: LanguageModel, sample: Sample) -> EncodedSample:
    """Return the prompt's ids and the last answer's ids with the end-of-turn marker.

    Raises:
        DataError: If a message holds one of the tokenizer's control tokens as text.
        ModelError: If the template does not continue its own prompt.
    """
    for message in sample.messages:
        _refuse_control_tokens(lm, message.content, place=sample.id)
    text, spans = mask_spans(lm.template, sample.messages, _special_tokens(lm))
    start, end = spans[-1]
    return EncodedSample(sample.id, _ids(lm, text[:start]), _ids(lm, text[start:end]))


def decode_tokens(lm: LanguageModel, ids: Sequence[int]) -> str:
    """Return the text of sampled ids, special tokens left out."""
    text: str = lm.tokenizer.decode(list(ids), skip_special_tokens=True)
    return text.strip()


def _special_tokens(lm: LanguageModel) -> dict[str, str]:
    named = lm.tokenizer.special_tokens_map.items()
    return {name: token for name, token in named if isinstance(token, str)}


def _ids(lm: LanguageModel, text: str) -> tuple[int, ...]:
    return tuple(lm.tokenizer(text, add_special_tokens=False)["input_ids"])


def _refuse_control_tokens(lm: LanguageModel, text: str, *, place: str) -> None:
    for token in lm.tokenizer.all_special_tokens:
        if len(token) > 3 and token in text:
            raise DataError(
                f"{place}: the text holds the control token {token!r}, which would forge a turn; "
                "remove it from the message"
            )
