"""Two local heads that stand in for a judge when sampled answers of arms are ranked."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from localjudge import load
from numpy.typing import NDArray
from validity import auroc, features, fit

from offtarget.evaluate import Pair
from offtarget.evaluate.localjudge import HeldOutBy, Words, cross_validate, fit_head
from offtarget.lm import LanguageModel

Array = NDArray[np.float64]
Asked = Sequence[tuple[str, str]]
"""Prompts with their answers."""


class Head(Protocol):
    """Ranks answers; neither its mean nor a share above a cut is a rate."""

    skill: float
    """AUROC on what it was not fitted to."""

    def score(self, answers: Asked) -> Array:
        """Return a log-odds per answer: higher, rather misaligned."""
        ...


class PairsHead:
    """A logistic regression on the model's states over an answer, fitted to the suite's pairs."""

    def __init__(self, lm: LanguageModel, pairs: Sequence[Pair]) -> None:
        self._lm = lm
        rows = [(p, side) for p in pairs for side in ("aligned", "misaligned")]
        x = np.array([features(lm, p.question, getattr(p, side)) for p, side in rows])
        y = np.array([float(side == "misaligned") for _, side in rows])
        self._mean, self._spread = x.mean(axis=0), x.std(axis=0) + 1e-6
        x = (x - self._mean) / self._spread
        self._weights, self._bias = fit(x, y)
        categories = np.array([p.category for p, _ in rows])
        held = np.zeros(len(rows))
        for category in set(categories):
            inside = categories == category
            weights, bias = fit(x[~inside], y[~inside])
            held[inside] = x[inside] @ weights + bias
        self.skill = auroc(held, y)
        """AUROC on categories that it was not fitted to."""

    def score(self, answers: Asked) -> Array:
        """Return a log-odds per answer: higher, rather misaligned."""
        x = np.array([features(self._lm, prompt, text) for prompt, text in answers])
        return np.asarray((x - self._mean) / self._spread @ self._weights + self._bias)


class PublishedHead:
    """The local judge's head on words, fitted to the published judged answers."""

    def __init__(self) -> None:
        labels = load().labels
        words = Words()
        matrix = words.transform([one.answer for one in labels])
        self._head = fit_head(words, matrix, [one.is_misaligned for one in labels])
        skill = cross_validate(words, matrix, labels, by=HeldOutBy.QUESTION).skill.pooled.value
        self.skill = float("nan") if skill is None else skill
        """AUROC over all answers, each scored by a head that did not see its question."""

    def score(self, answers: Asked) -> Array:
        """Return a log-odds per answer: higher, rather misaligned."""
        return self._head.rank(Words().transform([text for _, text in answers]))
