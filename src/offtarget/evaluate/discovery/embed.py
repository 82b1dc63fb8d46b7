"""Answers as points: by their words, or by a model's hidden states."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from offtarget.evaluate.localjudge import Words, mean_states

if TYPE_CHECKING:
    from offtarget.lm import LanguageModel

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)  # arrays have no single truth value
class Embedding:
    """Points, one an answer, before any reduction."""

    name: str
    points: Array
    """Shape (N, D)."""


def embed_words(answers: Sequence[str], *, n_dimensions: int, seed: int) -> Embedding:
    """Return TF-IDF of hashed words and pairs, reduced by a truncated SVD (latent semantics).

    Args:
        answers: The texts.
        n_dimensions: Of the points; fewer where there are fewer answers.
        seed: Of the randomized SVD.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfTransformer

    matrix = TfidfTransformer().fit_transform(Words().transform(answers))
    size = min(n_dimensions, len(answers) - 1)
    points = TruncatedSVD(size, random_state=seed).fit_transform(matrix)
    return Embedding("words: TF-IDF, truncated SVD", np.asarray(points, dtype=np.float64))


def embed_hidden(lm: "LanguageModel", answers: Sequence[str]) -> Embedding:
    """Return mean-pooled hidden states of a local model, which sees the answer alone."""
    return Embedding(f"hidden states of {lm.identity.name}", mean_states(lm, answers))


def reduce_points(
    points: Array, questions: Sequence[str], *, n_dimensions: int, by_question: bool
) -> Array:
    """Return points of length 1 in at most `n_dimensions`; who gave an answer plays no part.

    Args:
        points: Shape (N, D).
        questions: The question of each.
        n_dimensions: Principal components to keep.
        by_question: Take each question's mean off first.
    """
    moved = points - points.mean(axis=0)
    if by_question:
        names = np.asarray(questions)
        for question in sorted(set(questions)):
            rows = names == question
            moved[rows] -= moved[rows].mean(axis=0)
    size = min(n_dimensions, *moved.shape)
    _, _, axes = np.linalg.svd(moved, full_matrices=False)
    kept = moved @ axes[:size].T
    lengths = np.linalg.norm(kept, axis=1, keepdims=True)
    return np.asarray(kept / np.where(lengths > 0, lengths, 1.0), dtype=np.float64)
