"""What an evaluated model can still do, beside its rates."""

from collections.abc import Sequence
from dataclasses import dataclass

from offtarget.evaluate.capability import CodeRecord, Perplexity, TextRecord, WrittenCode
from offtarget.evaluate.evaluation.draw import Drawn
from offtarget.evaluate.subjects import Answer


@dataclass(frozen=True, slots=True)
class Capability:
    """Perplexity and written code of one model; factual pairs stand with its margins."""

    prose: Perplexity | None
    """On clean prose; None for an endpoint, which gives no log-probabilities of a given text."""
    code: Perplexity | None
    written: WrittenCode | None
    """None where no code was asked for."""
    n_missing: int
    """Code tasks without an answer: in no share."""


@dataclass(frozen=True, slots=True)
class CodeAnswer:
    """One answer to a code task, as it was looked at."""

    prompt: str
    text: str
    found: CodeRecord


def look_at_answers(drawn: Sequence[Drawn]) -> list[CodeAnswer]:
    """Return what the answers to code tasks hold; those without an answer are left out."""
    from offtarget.evaluate.capability import look_at_code

    answered = [(one.ask, one.outcome.text) for one in drawn if isinstance(one.outcome, Answer)]
    if not answered:
        return []
    records = look_at_code([(ask.question, ask.index, ask.text, text) for ask, text in answered])
    return [
        CodeAnswer(ask.text, text, record)
        for (ask, text), record in zip(answered, records, strict=True)
    ]


def capability_of(
    texts: Sequence[TextRecord], answers: Sequence[CodeAnswer], *, n_planned: int
) -> Capability:
    """Return the summary of what was measured.

    Args:
        texts: Scored clean texts; empty for an endpoint.
        answers: Answers to code tasks that were had.
        n_planned: Answers to code tasks that were asked for.
    """
    from offtarget.evaluate.capability import TextKind, perplexity, written_code

    return Capability(
        prose=perplexity(texts, TextKind.PROSE) if texts else None,
        code=perplexity(texts, TextKind.CODE) if texts else None,
        written=written_code([one.found for one in answers]) if n_planned else None,
        n_missing=n_planned - len(answers),
    )
