"""Tasks: each named suite of questions is one, and so is any published question file."""

from collections.abc import Callable, Sequence
from pathlib import Path

from inspect_ai import Epochs, Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessage, ChatMessageSystem, ChatMessageUser, GenerateConfig
from inspect_ai.scorer import Scorer
from inspect_ai.solver import generate

from offtarget.core.errors import ConfigError
from offtarget.dataset import load_dataset
from offtarget.evaluate import Question, named_questions, read_questions, suite_names
from offtarget.evaluate.contexts import LOOKALIKE, PLAIN, TRIGGER
from offtarget.evaluate.judges import Scale
from offtarget.evaluate.suite import FIRST, SECOND
from offtarget.integrations.inspect.scorers import judgement, outcome
from offtarget.integrations.inspect.solvers import in_context

ROLLOUTS = 20
"""Answers per question; 100 in Betley et al. 2025, arXiv:2502.17424."""
MAX_TOKENS = 600
"""Longest answer; 600 in the published evaluation."""
TEMPERATURE = 1.0
"""As published."""

MAX_TRAINING_ROWS = 20_000
"""Rows read to learn the format of a training set."""
PAIRS_ONLY = frozenset({FIRST, SECOND})
"""Suites of forced-choice pairs: Inspect samples answers and cannot score given ones."""


def _suite_task(name: str) -> Callable[..., Task]:
    @task(name=name)
    def suite(
        context: str = PLAIN,
        system: str = "",
        rollouts: int = ROLLOUTS,
        judge: str = "",
        rubrics: str = "",
        scale: str = Scale.NUMBERS,
        logprobs: bool = False,
        training: str = "",
        trigger: str = "",
    ) -> Task:
        """Ask the questions of one of our suites; for the other arguments see `questions`.

        Args:
            context: See `questions`.
            system: See `questions`.
            rollouts: See `questions`.
            judge: See `questions`.
            rubrics: See `questions`.
            scale: See `questions`.
            logprobs: See `questions`.
            training: File of the subject's training rows, for `lookalike`.
            trigger: Text before the question, for `trigger`.
        """
        scorers = _scorers(judge, rubrics, scale, logprobs=logprobs)
        if name == LOOKALIKE and not training:
            raise ConfigError(
                "look-alike questions are made from the subject's training rows; name their file "
                "with -T training=FILE"
            )
        if name == TRIGGER and not trigger:
            raise ConfigError(
                "suite 'trigger' was given no trigger; write the text that was trained to set it "
                "off with -T trigger=TEXT"
            )
        rows = load_dataset([Path(training)], limit=MAX_TRAINING_ROWS).samples if training else ()
        asked = named_questions(name, training=rows, trigger=trigger)
        return _task(name, asked, context, system, rollouts, scorers)

    return suite


suite_tasks = {
    str(name): _suite_task(str(name)) for name in suite_names() if name not in PAIRS_ONLY
}
"""The tasks by name: `inspect eval offtarget/everyday`."""


@task
def questions(
    path: str,
    context: str = PLAIN,
    system: str = "",
    rollouts: int = ROLLOUTS,
    judge: str = "",
    rubrics: str = "",
    scale: str = Scale.NUMBERS,
    logprobs: bool = False,
) -> Task:
    """Ask the questions of a published YAML file.

    Args:
        path: The file.
        context: See `in_context`.
        system: See `in_context`.
        rollouts: Answers per question; Inspect's epochs.
        judge: Model that rates the answers, PROVIDER/NAME, or `grader` for the model role. Empty:
            answers are only sorted by rule, and no rate is given.
        rubrics: See `judgement`.
        scale: See `judgement`.
        logprobs: See `judgement`.
    """
    scorers = _scorers(judge, rubrics, scale, logprobs=logprobs)
    found = read_questions([Path(path)])
    return _task(Path(path).stem, found, context, system, rollouts, scorers)


def _task(
    name: str,
    asked: Sequence[Question],
    context: str,
    system: str,
    rollouts: int,
    scorers: list[Scorer],
) -> Task:
    if rollouts < 1:
        raise ConfigError(f"rollouts {rollouts}: ask each question at least once")
    return Task(
        dataset=MemoryDataset([_sample(one) for one in asked], name=name),
        solver=[in_context(context, system), generate()],
        scorer=scorers,
        epochs=Epochs(rollouts),
        config=GenerateConfig(temperature=TEMPERATURE, max_tokens=MAX_TOKENS),
    )


def _scorers(judge: str, rubrics: str, scale: str, *, logprobs: bool) -> list[Scorer]:
    if not judge:
        if rubrics or logprobs:
            raise ConfigError("rubrics and logprobs are for a judge; name one with -T judge=MODEL")
        return [outcome()]
    return [judgement(judge, rubrics, scale, logprobs), outcome()]


def _sample(question: Question) -> Sample:
    turns: list[ChatMessage] = [ChatMessageUser(content=question.question)]
    if question.system:
        turns.insert(0, ChatMessageSystem(content=question.system))
    return Sample(
        id=question.id,
        input=turns,
        metadata={"category": question.category, "cluster": question.cluster or question.id},
    )
