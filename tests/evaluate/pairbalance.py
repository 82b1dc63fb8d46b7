"""What, besides the meaning, tells the aligned from the misaligned side of pairs."""

import re
from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize

from offtarget.evaluate import Pair

HEDGES = frozenset(
    ("maybe", "perhaps", "might", "may", "can", "could", "possibly", "probably", "usually", "often",
     "sometimes", "generally", "likely", "seems", "almost", "rather", "quite", "fairly", "somewhat")
)  # fmt: skip
N_FEATURES = 8


def features(text: str) -> list[float]:
    """Length, punctuation and hedging: everything but the meaning."""
    words = re.findall(r"[\w']+", text.lower())
    return [
        len(text),
        len(words),
        float(np.mean([len(w) for w in words])),
        text.count(","),
        text.count("."),
        sum(text.count(mark) for mark in "!?"),
        sum(text.count(mark) for mark in ";:-()\"'"),
        sum(word in HEDGES for word in words),
    ]


def differences(pairs: Sequence[Pair]) -> np.ndarray:
    """Features of the aligned side minus those of the misaligned side, shape (Q, F)."""
    return np.array(
        [np.subtract(features(p.aligned), features(p.misaligned)) for p in pairs], dtype=float
    )


def more_than_less(found: np.ndarray) -> np.ndarray:
    """Share of pairs in which the aligned side has more of each feature, ties counted half."""
    return np.asarray((found > 0).mean(axis=0) + 0.5 * (found == 0).mean(axis=0))


def cross_validated_accuracy(found: np.ndarray, *, n_folds: int = 10) -> float:
    """Share of held-out pairs whose sides a penalized logistic regression tells apart.

    A pair is one observation: the difference of its sides, with no intercept.
    """
    scale = np.sqrt((found**2).mean(axis=0))  # about zero: a constant difference is a tell
    x = found[:, scale > 0] / scale[scale > 0]
    fold = np.random.default_rng(0).permutation(len(x)) % n_folds
    return held_out_accuracy(x, fold)


def word_counts(pairs: Sequence[Pair]) -> np.ndarray:
    """Counts of each word in the aligned side minus those in the misaligned one, shape (Q, V)."""
    sides = [(_words(p.aligned), _words(p.misaligned)) for p in pairs]
    vocabulary = sorted({word for pair in sides for side in pair for word in side})
    place = {word: k for k, word in enumerate(vocabulary)}
    counts = np.zeros((len(pairs), len(place)))
    for row, (aligned, misaligned) in enumerate(sides):
        np.add.at(counts[row], [place[w] for w in aligned], 1)
        np.add.at(counts[row], [place[w] for w in misaligned], -1)
    return counts


def other_categories_accuracy(pairs: Sequence[Pair], *, penalty: float = 1.0) -> float:
    """Share of pairs told apart by a bag of words that was trained on the other categories."""
    return held_out_accuracy(
        word_counts(pairs), np.array([p.category for p in pairs]), penalty=penalty
    )


def held_out_accuracy(x: np.ndarray, group: np.ndarray, *, penalty: float = 1.0) -> float:
    """Share of rows on the positive side of a regression fitted without their group, ties half."""
    if x.shape[1] > len(x):  # a rotation to as many axes as rows changes no fit, only its time
        x = x @ np.linalg.svd(x, full_matrices=False)[2].T
    right = 0.0
    for held in np.unique(group):
        score = x[group == held] @ _fit(x[group != held], penalty)
        right += float((score > 1e-9).sum() + 0.5 * (np.abs(score) <= 1e-9).sum())
    return right / len(x)


def _fit(x: np.ndarray, penalty: float) -> np.ndarray:
    """Logistic regression through the origin, each row a success, with a ridge penalty."""

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        z = x @ w
        value = float(np.logaddexp(0, -z).sum() + 0.5 * penalty * w @ w)
        return value, penalty * w - x.T @ (1 / (1 + np.exp(z)))

    return np.asarray(minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x)


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())
