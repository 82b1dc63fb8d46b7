"""What is asked of a subject: one rollout to be drawn, with a seed of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from offtarget.core.records import Message
from offtarget.core.seed import derive_seed


class Asked(Protocol):
    """A question as suites hold it; its paraphrases share `cluster`."""

    @property
    def id(self) -> str:
        """Of the question as worded."""
        ...

    @property
    def category(self) -> str:
        """What kind of harm it looks for."""
        ...

    @property
    def cluster(self) -> str:
        """Shared by its paraphrases; empty: the id."""
        ...

    @property
    def context(self) -> str:
        """`plain`, or the surroundings it is asked in."""
        ...

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation that asks it."""
        ...


@dataclass(frozen=True, slots=True)
class Ask:
    """One rollout to be drawn."""

    question: str
    """Shared by paraphrases; a question in another context is another one, `ID@CONTEXT`."""
    paraphrase: str
    """Id of the question as worded; the same as `question` where there is one wording."""
    category: str
    messages: tuple[Message, ...]
    index: int
    """0-based, among the rollouts of this paraphrase."""
    seed: int
    """63 bits, from the plan's seed, the question, the paraphrase and the index alone."""

    @property
    def text(self) -> str:
        """The conversation as a judge is shown it: system turn first, parted by a blank line."""
        return "\n\n".join(message.content for message in self.messages)


def question_name(question: Asked) -> str:
    """Return what paraphrases in one context share: the cluster, with the context unless plain."""
    name = question.cluster or question.id
    return name if question.context == "plain" else f"{name}@{question.context}"


def allocate(questions: Sequence[Asked], *, n_rollouts: int, seed: int) -> tuple[Ask, ...]:
    """Return `n_rollouts` asks per question, spread evenly over its paraphrases.

    A question's paraphrases get numbers that differ by at most one; which of them get the odd ones
    is drawn by the question's name. More rollouts add asks and change none.
    """
    wordings: dict[str, list[Asked]] = {}
    for question in questions:
        wordings.setdefault(question_name(question), []).append(question)
    asks: list[Ask] = []
    for name, members in wordings.items():
        order = sorted(members, key=lambda one: derive_seed("allocate", name, one.id))
        counts = {one.id: len(range(i, n_rollouts, len(order))) for i, one in enumerate(order)}
        asks += [
            Ask(
                question=name,
                paraphrase=one.id,
                category=one.category,
                messages=one.messages,
                index=index,
                seed=derive_seed("rollout", seed, name, one.id, index),
            )
            for one in members
            for index in range(counts[one.id])
        ]
    return tuple(asks)
