"""What an evaluation's plan asks: rebuilt from the packaged questions, or read off the records."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from offtarget.core.codec import digest
from offtarget.core.errors import ConfigError, DataError
from offtarget.core.seed import derive_seed
from offtarget.evaluate.evaluation.lock import EvaluationPlan
from offtarget.evaluate.evaluation.selection import select_questions
from offtarget.evaluate.subjects import Ask, allocate
from offtarget.verify.order import order_faults
from offtarget.verify.stored_arm import Name, StoredArm


@dataclass(frozen=True, slots=True)
class PlannedAsks:
    """The rollouts of one model, in the plan's order."""

    names: tuple[Name, ...]
    asks: tuple[Ask, ...]
    """Empty where the questions are not in this version: then their words cannot be compared."""


def rebuild_asks(plan: EvaluationPlan) -> tuple[Ask, ...]:
    """Return what the plan asks, if the packaged questions give its digest; else nothing.

    Question files, training rows and triggers are not kept in a run directory.
    """
    try:
        questions = select_questions(plan.suites, excluded=plan.excluded).questions
    except (ConfigError, DataError):
        return ()
    if digest(list(questions)) != plan.questions_sha256:
        return ()
    return allocate(questions, n_rollouts=plan.n_rollouts, seed=plan.seed)


def planned_asks(
    stored: StoredArm, rebuilt: tuple[Ask, ...], *, questions: Sequence[str]
) -> PlannedAsks:
    """Return the order in which the rollouts of one model belong.

    Args:
        stored: Its records.
        rebuilt: From `rebuild_asks`.
        questions: In the order that the results name them; used where nothing could be rebuilt,
            since the records do not place a question that was never answered.
    """
    if rebuilt:
        names = tuple((ask.question, ask.paraphrase, ask.index) for ask in rebuilt)
        return PlannedAsks(names, rebuilt)
    found = dict.fromkeys((*stored.answered, *stored.unanswered))
    wordings: dict[str, Counter[str]] = {name: Counter() for name in questions}
    for question, paraphrase, _ in found:
        wordings.setdefault(question, Counter())[paraphrase] += 1
    return PlannedAsks(
        tuple(
            (question, paraphrase, index)
            for question, counts in wordings.items()
            for paraphrase, n in counts.items()
            for index in range(n)
        ),
        (),
    )


def plan_faults(stored: StoredArm, planned: PlannedAsks, plan: EvaluationPlan) -> Iterator[str]:
    """Yield a line per planned rollout that is not accounted for once, in its place."""
    known = set(planned.names)
    missing = set(stored.unanswered)
    answered = set(stored.answered)
    yield from order_faults(
        f"{stored.folder}/rollouts.jsonl",
        stored.answered,
        [name for name in planned.names if name not in missing],
    )
    yield from order_faults(
        f"{stored.folder}/missing.jsonl",
        stored.unanswered,
        [name for name in planned.names if name in missing],
    )
    for name in sorted((answered & missing) | ((answered | missing) - known)):
        where = "answered and missing" if name in answered & missing else "not in the plan"
        yield f"{stored.folder}: {' '.join(map(str, name))} is {where}"
    yield from _count_faults(stored, planned, plan)
    for file, ask in _asks(stored):
        seed = derive_seed("rollout", plan.seed, ask.question, ask.paraphrase, ask.index)
        if ask.seed != seed:
            yield f"{stored.folder}/{file}: seed is {ask.seed}, the plan's is {seed}"


def _count_faults(stored: StoredArm, planned: PlannedAsks, plan: EvaluationPlan) -> Iterator[str]:
    per_question = Counter(question for question, _, _ in planned.names)
    if len(per_question) != plan.n_questions:
        yield (
            f"{stored.folder}: rollouts of {len(per_question)} questions, the plan asks "
            f"{plan.n_questions}"
        )
    for question, n in per_question.items():
        if n != plan.n_rollouts:
            yield (
                f"{stored.folder}: {n} rollouts of {question}, the plan asks for {plan.n_rollouts}"
            )
    wordings = Counter((question, wording) for question, wording, _ in planned.names)
    if len(wordings) > plan.n_paraphrases:
        yield (f"{stored.folder}: {len(wordings)} wordings, the plan has {plan.n_paraphrases}")
    sizes: dict[str, list[int]] = {}
    for (question, _), n in wordings.items():
        sizes.setdefault(question, []).append(n)
    for question, counts in sizes.items():
        if max(counts) - min(counts) > 1:
            yield f"{stored.folder}: rollouts of {question} are not spread over its wordings"


def _asks(stored: StoredArm) -> Iterator[tuple[str, Ask]]:
    for n, (rollout, source) in enumerate(zip(stored.rollouts, stored.sources, strict=False), 1):
        yield (
            f"sources.jsonl:{n}",
            Ask(
                rollout.cluster, rollout.question, rollout.category, (), rollout.sample, source.seed
            ),
        )
    for n, one in enumerate(stored.missing, 1):
        yield (
            f"missing.jsonl:{n}",
            Ask(one.question, one.paraphrase, one.category, (), one.index, one.seed),
        )
