"""How surprised a model is by clean text: damage shows here before it shows in answers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from offtarget.core.errors import DataError
from offtarget.core.stats import crossed_effect
from offtarget.evaluate.capability.items import CleanText, TextKind

if TYPE_CHECKING:
    from offtarget.lm import LanguageModel


@dataclass(frozen=True, slots=True)
class TextRecord:
    """One clean text scored by one model."""

    text: str
    """Id of the text."""
    kind: TextKind
    nats_per_token: float
    """Mean negative log-probability of all tokens but the first."""
    n_tokens: int
    """Tokens that were scored."""
    nats_per_byte: float
    """The same sum over UTF-8 bytes: comparable between tokenizers."""


@dataclass(frozen=True, slots=True)
class Perplexity:
    """Perplexity over texts of one kind, each text with equal weight."""

    kind: TextKind
    n_texts: int
    nats_per_token: float
    low: float
    """Two-sided 95 % interval of `nats_per_token` over texts like these (Student's t)."""
    high: float
    perplexity: float
    """exp(nats_per_token)."""
    nats_per_byte: float


def score_texts(lm: "LanguageModel", texts: Sequence[CleanText]) -> list[TextRecord]:
    """Return one record a text: its own tokens alone, without a chat template.

    Raises:
        DataError: If a text has fewer than two tokens.
    """
    from offtarget.lm import Choice, answer_logprobs, encode_answer  # torch takes seconds

    encoded = [encode_answer(lm, one.text, place=one.id) for one in texts]
    for one, ids in zip(texts, encoded, strict=True):
        if len(ids) < 2:
            raise DataError(f"{one.id}: {len(ids)} token; the first one cannot be scored, add text")
    scores = answer_logprobs(lm, [Choice(ids[:1], (ids[1:],)) for ids in encoded])
    records = []
    for one, ids, (logprob,) in zip(texts, encoded, scores, strict=True):
        n = len(ids) - 1
        n_bytes = len(one.text.encode())
        records.append(TextRecord(one.id, one.kind, -logprob, n, -logprob * n / n_bytes))
    return records


def perplexity(records: Sequence[TextRecord], kind: TextKind) -> Perplexity:
    """Return the perplexity over the texts of one kind.

    Raises:
        DataError: If there are fewer than two: no interval can be given.
    """
    chosen = [one for one in records if one.kind is kind]
    if len(chosen) < 2:
        raise DataError(f"{len(chosen)} texts of {kind}; an interval needs at least 2")
    values = np.array([[one.nats_per_token] for one in chosen])
    names = [one.text for one in chosen]
    effect = crossed_effect(values, [""] * len(chosen), names)
    return Perplexity(
        kind=kind,
        n_texts=len(chosen),
        nats_per_token=effect.estimate,
        low=effect.low,
        high=effect.high,
        perplexity=math.exp(effect.estimate),
        nats_per_byte=float(np.mean([one.nats_per_byte for one in chosen])),
    )
