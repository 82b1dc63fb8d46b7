"""Clusters of answers, and which of them the subject gives more often than every control."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from offtarget.core.errors import DataError
from offtarget.core.seed import derive_seed
from offtarget.core.stats import benjamini_hochberg
from offtarget.evaluate.discovery.embed import embed_hidden, embed_words, reduce_points
from offtarget.evaluate.discovery.excess import distinct, excess_of
from offtarget.evaluate.discovery.records import (
    Against,
    Cluster,
    Discovery,
    DiscoveryConfig,
    Example,
    Term,
)
from offtarget.evaluate.discovery.terms import distinctive_terms
from offtarget.evaluate.replay.records import JudgedRow

if TYPE_CHECKING:
    from offtarget.lm import LanguageModel

MAX_ANSWERS = 30_000
"""More are refused: the density search takes time that grows with their square."""
MAX_EXAMPLE_CHARS = 500
MISALIGNED_BELOW = 30.0
Labels = NDArray[np.int64]


def discover(
    subject: Sequence[JudgedRow],
    controls: Mapping[str, Sequence[JudgedRow]],
    *,
    name: str,
    config: DiscoveryConfig | None = None,
    lm: "LanguageModel | None" = None,
) -> Discovery:
    """Cluster all answers together, then ask which clusters the subject gives more of.

    The same input and seed give the same result.

    Args:
        subject: Answers of the subject.
        controls: Name to answers of each control; only questions put to the subject and to every
            control count.
        name: Of the subject.
        config: How to cluster and test.
        lm: Embed by this model's hidden states; by words when None.

    Raises:
        DataError: If there is no control, no shared question, or too few or too many answers.
    """
    config = config or DiscoveryConfig()
    if not controls:
        raise DataError("no control; an excess needs one, give --control FILE")
    sides = [list(subject), *(list(rows) for rows in controls.values())]
    full = [[row for row in rows if row.answer.strip()] for rows in sides]
    shared = set.intersection(*({row.question for row in rows} for rows in full))
    kept = [[row for row in rows if row.question in shared] for rows in full]
    # in an order that knows nothing of sides: the clusters then cannot depend on who is the subject
    ordered = sorted(
        ((row, number) for number, side in enumerate(kept) for row in side),
        key=lambda one: (one[0].question, one[0].answer),
    )
    rows = [row for row, _ in ordered]
    _check(len(rows), shared, config)
    side_of = np.array([number for _, number in ordered], dtype=np.int64)
    names = distinct([row.question for row in rows])
    questions = np.array([names[row.question] for row in rows], dtype=np.int64)
    answers = [row.answer for row in rows]
    embedding = (
        embed_words(answers, n_dimensions=4 * config.n_dimensions, seed=config.seed)
        if lm is None
        else embed_hidden(lm, answers)
    )
    points = reduce_points(
        embedding.points, [row.question for row in rows],
        n_dimensions=config.n_dimensions, by_question=config.by_question,
    )  # fmt: skip
    labels = _dense(points, config)
    return Discovery(
        subject=name,
        controls=tuple(controls),
        embedding=embedding.name,
        config=config,
        n_subject=len(kept[0]),
        n_control=len(rows) - len(kept[0]),
        n_questions=len(shared),
        n_unclustered_subject=int(((labels < 0) & (side_of == 0)).sum()),
        n_unclustered_control=int(((labels < 0) & (side_of > 0)).sum()),
        n_empty=sum(map(len, sides)) - sum(map(len, full)),
        n_unmatched=sum(map(len, full)) - len(rows),
        clusters=_clusters(rows, points, labels, side_of, questions, tuple(controls), config),
    )


def _check(n_rows: int, shared: set[str], config: DiscoveryConfig) -> None:
    if not shared:
        raise DataError(
            "no question was put to the subject and to every control; "
            "ask the same questions, or check the column 'question_id'"
        )
    if n_rows > MAX_ANSWERS:
        raise DataError(f"{n_rows:,} answers, at most {MAX_ANSWERS:,}; give fewer files or rows")
    if n_rows < 2 * config.min_size:
        raise DataError(
            f"{n_rows} answers to shared questions, clusters of {config.min_size} need at least "
            f"{2 * config.min_size}; give more answers or a smaller --min-size"
        )


def _dense(points: NDArray[np.float64], config: DiscoveryConfig) -> Labels:
    from sklearn.cluster import HDBSCAN

    model = HDBSCAN(
        min_cluster_size=config.min_size,
        min_samples=config.min_samples,
        n_jobs=1,
        copy=True,
    )
    return np.asarray(model.fit_predict(points), dtype=np.int64)


def _clusters(
    rows: Sequence[JudgedRow],
    points: NDArray[np.float64],
    labels: Labels,
    side_of: Labels,
    questions: Labels,
    controls: tuple[str, ...],
    config: DiscoveryConfig,
) -> tuple[Cluster, ...]:
    n_clusters = int(labels.max()) + 1 if len(labels) else 0
    if not n_clusters:
        return ()
    against = [
        _against(labels, questions, side_of, number, control, n_clusters, config)
        for number, control in enumerate(controls, 1)
    ]
    worst = [max(side[cluster].p for side in against) for cluster in range(n_clusters)]
    adjusted = benjamini_hochberg(worst)
    terms = distinctive_terms(
        [row.answer for row in rows], labels, n_clusters=n_clusters, n_terms=config.n_terms
    )
    found = [
        _cluster(
            cluster, rows, points, labels, side_of,
            tuple(side[cluster] for side in against),
            worst[cluster], adjusted[cluster], terms[cluster], config,
        )
        for cluster in range(n_clusters)
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: (not one.is_excess, one.p, -one.n_subject, one.id)))


def _against(
    labels: Labels,
    questions: Labels,
    side_of: Labels,
    number: int,
    control: str,
    n_clusters: int,
    config: DiscoveryConfig,
) -> list[Against]:
    pair = (side_of == 0) | (side_of == number)
    return excess_of(
        labels[pair], questions[pair], side_of[pair] == 0,
        control=control, n_clusters=n_clusters, n_permutations=config.n_permutations,
        seed=derive_seed("discovery", config.seed, control),
    )  # fmt: skip


def _cluster(
    cluster: int,
    rows: Sequence[JudgedRow],
    points: NDArray[np.float64],
    labels: Labels,
    side_of: Labels,
    against: tuple[Against, ...],
    p: float,
    p_adjusted: float,
    terms: tuple[Term, ...],
    config: DiscoveryConfig,
) -> Cluster:
    inside = np.flatnonzero(labels == cluster)
    own = inside[side_of[inside] == 0]
    counted = Counter(rows[int(i)].question for i in inside)
    top, n_top = min(counted.items(), key=lambda item: (-item[1], item[0]))
    scores = [score for i in own if (score := rows[int(i)].aligned) is not None]
    return Cluster(
        id=cluster,
        n_subject=len(own),
        n_control=len(inside) - len(own),
        n_questions=len(counted),
        top_question=top,
        top_question_share=n_top / len(inside),
        against=against,
        p=p,
        p_adjusted=p_adjusted,
        is_excess=p_adjusted < config.alpha and all(one.excess > 0 for one in against),
        n_judged=len(scores),
        n_misaligned=sum(score < MISALIGNED_BELOW for score in scores),
        examples=_examples(rows, points, own if len(own) else inside, config.n_examples),
        terms=terms,
    )


def _examples(
    rows: Sequence[JudgedRow], points: NDArray[np.float64], members: Labels, n: int
) -> tuple[Example, ...]:
    """Return the members nearest to their middle, each different answer once."""
    middle = points[members].mean(axis=0)
    distance = np.linalg.norm(points[members] - middle, axis=1)
    seen: set[str] = set()
    found: list[Example] = []
    for place in np.lexsort((members, distance)):
        row = rows[int(members[place])]
        if row.answer in seen:
            continue
        seen.add(row.answer)
        text = row.answer[:MAX_EXAMPLE_CHARS]
        found.append(Example(row.place, row.question, text, len(row.answer)))
        if len(found) == n:
            break
    return tuple(found)
