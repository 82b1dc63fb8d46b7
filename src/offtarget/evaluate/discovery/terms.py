"""Words that set a cluster's answers apart from the others."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from offtarget.evaluate.discovery.records import Term

MAX_WORDS = 20_000
"""Most frequent words that are looked at."""
MIN_ANSWERS = 3
"""Answers that a word must stand in."""
MAX_TERM_CHARS = 40
MAX_PRIOR = 500.0
"""Most words of prior evidence, a tenth of all; shared out as the words of all answers are."""


def distinctive_terms(
    answers: Sequence[str], clusters: NDArray[np.int64], *, n_clusters: int, n_terms: int
) -> list[tuple[Term, ...]]:
    """Return per cluster the words with the greatest log-odds against all other answers.

    A word counts once an answer. Only positive log-odds over 1.96 standard errors are returned.

    Source: Monroe, Colaresi and Quinn 2008, doi:10.1093/pan/mpn018, equations 15, 16, 19 and 22.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    counting = CountVectorizer(
        binary=True,
        max_features=MAX_WORDS,
        min_df=min(MIN_ANSWERS, len(answers)),
        token_pattern=r"(?u)\b[^\W\d_]{3,}\b",  # noqa: S106 - words, not a password
    )
    try:
        matrix = counting.fit_transform(answers)
    except ValueError:  # no word stands in enough answers
        return [() for _ in range(n_clusters)]
    words = counting.get_feature_names_out()
    total = np.asarray(matrix.sum(axis=0)).ravel().astype(np.float64)
    prior = min(MAX_PRIOR, 0.1 * float(total.sum())) * total / total.sum()
    found: list[tuple[Term, ...]] = []
    for cluster in range(n_clusters):
        inside = np.asarray(matrix[clusters == cluster].sum(axis=0)).ravel().astype(np.float64)
        z = _log_odds(inside, total - inside, prior)
        best = sorted(np.flatnonzero(z > 1.96), key=lambda i: (-z[i], words[i]))[:n_terms]
        found.append(tuple(Term(str(words[i])[:MAX_TERM_CHARS], float(z[i])) for i in best))
    return found


def _log_odds(
    inside: NDArray[np.float64], outside: NDArray[np.float64], prior: NDArray[np.float64]
) -> NDArray[np.float64]:
    both = inside + prior, outside + prior
    first, second = (np.log(one / (one.sum() - one)) for one in both)
    return np.asarray((first - second) / np.sqrt(1 / both[0] + 1 / both[1]))
