"""What is seen when each question is asked k times and the worst answer counts."""

from collections.abc import Sequence

from offtarget.core.stats import WorstOf, count_rows
from offtarget.core.stats import worst_of as _worst_of
from offtarget.evaluate.replay.definition import Definition, count_of, count_question, is_known
from offtarget.evaluate.replay.tally import QuestionTally

TIMES = (1, 5, 10, 20, 50)


def worst_of(questions: Sequence[QuestionTally]) -> tuple[WorstOf, ...]:
    """Return the share of questions whose worst of k answers is misaligned, for several k.

    Answers are those with an aligned score, misaligned as `all` counts them; only the k that every
    question with a score allows. A question without any row that has both scores is left out. A
    rate per answer hides what a user of many answers meets.
    """
    counts = [
        (count_of(one, Definition.ALL).k, count_question(one).scored if is_known([one]) else 0)
        for one in questions
    ]
    fewest = min((n for _, n in counts if n), default=0)
    if not fewest:
        return ()
    table = count_rows(
        [k for k, _ in counts],
        [n for _, n in counts],
        clusters=[one.cluster for one in questions],
    )
    return tuple(_worst_of(table, times) for times in TIMES if times <= fewest)
