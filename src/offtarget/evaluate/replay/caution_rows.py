"""What makes rows no rollouts of their own, and ids no questions of their own."""

from collections.abc import Iterator, Sequence

from offtarget.evaluate.replay.tally import MAX_TEXTS, Tally

MANY_REPEATS = 0.05

Pairs = Iterator[tuple[str, str]]
"""Code and text of cautions."""


def question_pairs(tally: Tally) -> Pairs:
    """Yield what is wrong with the ids of questions."""
    n_ids, n_clusters = len(tally.questions), len({q.cluster for q in tally.questions.values()})
    if tally.n_named < n_ids:
        yield (
            "formats",
            f"{n_ids} question ids are {tally.n_named} questions in several formats or wordings: the "
            f"interval counts {n_clusters}, and the rate mixes them; see them apart",
        )
    if tally.same_text and n_clusters == tally.n_named:
        yield (
            "repeated_text",
            f"all {n_ids} question ids have the same text, which tells none of them apart: the "
            f"interval counts {n_clusters} questions by their ids; if they are one question, it "
            "speaks of that one alone, and nothing can be concluded about others",
        )
    elif tally.same_text:
        yield (
            "repeated_text",
            f"{len(tally.same_text)} of {n_ids} question ids have the same text as another one "
            f"({some(tally.same_text)}): a text counts as one question, so the interval counts "
            f"{n_clusters} questions, not {tally.n_named}; if they differ in what is not in the "
            "text, as in a system prompt, name what belongs together in a column `cluster`",
        )
    several = [
        one
        for one in tally.questions.values()
        if len(one.texts) > 1 and not (one.is_clustered or one.has_wordings)
    ]
    if several:
        most = max(several, key=lambda one: len(one.texts))
        n_texts = f"{len(most.texts)}{' or more' if len(most.texts) == MAX_TEXTS else ''}"
        yield (
            "several_texts",
            f"{len(several)} of {n_ids} question ids stand over several texts "
            f"({some([one.id for one in several])}; {n_texts} under {most.id[:60]}): an id counts as "
            "one question, so if they are no wordings of one question, there are more questions "
            "than the interval counts, and the rate of an id mixes them; give each its own id",
        )


def answer_pairs(tally: Tally) -> Pairs:
    """Yield what is wrong with the answers."""
    n_blank = tally.n - sum(one.n_answered for one in tally.questions.values())
    if n_blank == tally.n:
        yield (
            "no_answers",
            "no row has an answer: the scores cannot be checked, nor repeats told from answers",
        )
        return
    if n_blank:
        yield (
            "blank_answers",
            f"{n_blank:,} of {tally.n:,} answers are blank: what their scores mean cannot be "
            "concluded",
        )
    same = [one.id for one in tally.questions.values() if one.n_answered > 1 == len(one.answers)]
    if same:
        yield (
            "identical_answers",
            f"all answers to {len(same)} of {len(tally.questions)} questions are identical "
            f"({some(same)}): its rows are one observation, as in greedy decoding, and intervals "
            "over rows are too narrow",
        )
    if tally.n_repeated > MANY_REPEATS * tally.n:
        yield (
            "repeated_rows",
            f"{tally.n_repeated:,} of {tally.n:,} rows repeat another one with the same scores: "
            "whether they are rollouts of their own cannot be concluded; check that no file was "
            "appended to itself",
        )


def some(names: Sequence[str], most: int = 3) -> str:
    """Return the first names, shortened, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(name[:60] for name in names[:most]) + more
