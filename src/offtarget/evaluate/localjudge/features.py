"""What a local head sees of an answer: hashed words, or a model's mean hidden state."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from offtarget.lm import LanguageModel

N_HASHED = 2**17
"""Places of hashed words and word pairs. No vocabulary is kept: a stored head quotes nobody."""
MAX_CHARS = 20_000
"""Of an answer; what follows is not looked at."""
MAX_TOKENS = 256
"""Of an answer that goes through a model."""
TOKENS_PER_BATCH = 4096


class Features(Protocol):
    """Turns answers into rows of numbers, the same answer always into the same row."""

    id: str
    """Names the features in a stored head: `words-2` or `hidden:` and the model's digest."""

    def transform(self, answers: Sequence[str]) -> Any:
        """Return an array or sparse matrix, shape (answers, D), float64."""


class Words:
    """Counts of words, punctuation and pairs of neighbors, hashed."""

    id = "words-2"

    def transform(self, answers: Sequence[str]) -> Any:
        """Return a sparse matrix of logarithmic counts, shape (answers, `N_HASHED`)."""
        from sklearn.feature_extraction.text import HashingVectorizer

        hashing = HashingVectorizer(
            n_features=N_HASHED,
            ngram_range=(1, 2),
            alternate_sign=False,
            norm=None,
            token_pattern=r"\w+|[^\w\s]",  # noqa: S106 - words, not a password
        )
        counts = hashing.transform([answer[:MAX_CHARS] for answer in answers])
        counts.data = 1.0 + np.log(counts.data)
        return counts


class Hidden:
    """Mean over an answer's tokens of a model's last hidden states; the question is not shown."""

    def __init__(self, lm: "LanguageModel") -> None:
        self._lm = lm
        self.id = f"hidden:{lm.identity.sha256}"

    def transform(self, answers: Sequence[str]) -> NDArray[np.float64]:
        """Return a dense array, shape (answers, model width); batches of about the same length."""
        return mean_states(self._lm, answers)


def mean_states(lm: "LanguageModel", answers: Sequence[str]) -> NDArray[np.float64]:
    """Return the mean last hidden state of each text, shape (texts, D).

    Only the first `MAX_TOKENS` tokens are read. A text without tokens gives zeros. Control tokens
    in a text are read as plain text.
    """
    import torch

    from offtarget.lm import causal_mask

    ids = [_plain_ids(lm, answer) for answer in answers]
    order = sorted((i for i in range(len(ids)) if ids[i]), key=lambda i: (len(ids[i]), i))
    states: NDArray[np.float64] | None = None
    with torch.inference_mode():
        for batch in _batches(order, ids):
            width = max(len(ids[i]) for i in batch)
            tokens = torch.zeros(len(batch), width, dtype=torch.long)
            weights = torch.zeros(len(batch), width)
            for row, index in enumerate(batch):
                tokens[row, : len(ids[index])] = torch.tensor(ids[index])
                weights[row, : len(ids[index])] = 1 / len(ids[index])
            mask = causal_mask(width, dtype=lm.dtype, device=lm.device)
            hidden = lm.hidden(tokens.to(lm.device), mask)  # (B, T, D); pads come last
            means = torch.einsum("btd,bt->bd", hidden.float(), weights.to(lm.device))
            if states is None:
                states = np.zeros((len(answers), means.shape[1]))
            states[batch] = means.double().cpu().numpy()
    return np.zeros((len(answers), 1)) if states is None else states


def _plain_ids(lm: "LanguageModel", text: str) -> list[int]:
    """Return the ids of a text in which nothing is taken for a control token."""
    for token in lm.tokenizer.all_special_tokens:
        if len(token) > 1:
            text = text.replace(token, f"{token[0]} {token[1:]}")
    ids: list[int] = lm.tokenizer(text[:MAX_CHARS], add_special_tokens=False)["input_ids"]
    return ids[:MAX_TOKENS]


def _batches(order: list[int], ids: list[list[int]]) -> list[list[int]]:
    batches: list[list[int]] = []
    for index in order:  # lengths ascend: the newest row sets the padded width
        if batches and (len(batches[-1]) + 1) * len(ids[index]) <= TOKENS_PER_BATCH:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches
