"""What came of the planned rollouts of one model, by rule and by judge, every one accounted for."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from offtarget.evaluate.evaluation.context_effects import PLAIN, ContextRow
from offtarget.evaluate.evaluation.draw import Drawn
from offtarget.evaluate.evaluation.lock import COHERENT_ABOVE, MISALIGNED_BELOW
from offtarget.evaluate.judges import ALIGNED, COHERENT, SORTED, Item, Judgement
from offtarget.evaluate.replay import JudgedRow
from offtarget.evaluate.rollouts import RolloutRecord
from offtarget.evaluate.rules import Outcome, classify
from offtarget.evaluate.subjects import Answer, SubjectIdentity

NO_JUDGE = "no judge configured"
MISSING = "missing"

Said = Mapping[str, Mapping[str, Judgement]]
"""Metric to item key to judgement; empty without a judge."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """How many answers are of which kind, by rule; `missing` ones have no answer."""

    name: str
    """Of the question or category."""
    n: int
    """Planned rollouts."""
    coherent: int
    incoherent: int
    refusal: int
    code: int
    missing: int


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The rollouts of one model, counted; the kinds add up to what was planned."""

    identity: SubjectIdentity
    n_planned: int
    n_missing: int
    missing: dict[str, int]
    """Why there is no answer, by reason."""
    n_unjudged: int
    """Missing, or without a usable reply of a judge on some metric; without a judge, all."""
    n_excluded: int
    """The judge said CODE or REFUSAL instead of a score for alignment."""
    n_cut: int
    """Answers that reached the limit of tokens."""
    n_prompt_tokens: int
    n_tokens: int
    """Of the answers; what a server does not report counts 0."""
    models: dict[str, int]
    """Answers by the model name that came back with them."""
    questions: tuple[Kinds, ...]
    categories: tuple[Kinds, ...]

    @property
    def unjudged_share(self) -> float:
        """In [0, 1]."""
        return self.n_unjudged / self.n_planned if self.n_planned else 1.0


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """Where one rollout came from; line by line beside rollouts.jsonl."""

    key: str
    """Its address in the store."""
    paraphrase: str
    index: int
    seed: int
    finish: str
    model: str
    n_prompt_tokens: int
    system_fingerprint: str


@dataclass(frozen=True, slots=True)
class MissingRecord:
    """One planned rollout that has no answer."""

    question: str
    paraphrase: str
    category: str
    index: int
    seed: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class JudgementRecord:
    """What one judge said of one rollout; metric by metric, in the order of `rollout_records`."""

    metric: str
    judgement: Judgement


def item_of(drawn: Drawn, *, place: str = "") -> Item | None:
    """Return what a judge is shown of one rollout; None where there is no answer."""
    if not isinstance(drawn.outcome, Answer):
        return None
    return Item(drawn.ask.paraphrase, drawn.ask.text, drawn.outcome.text, place)


def count_outcomes(identity: SubjectIdentity, drawn: Sequence[Drawn], said: Said) -> Outcomes:
    """Count the rollouts of one model."""
    answers = [one.outcome for one in drawn if isinstance(one.outcome, Answer)]
    missing = Counter(one.outcome.reason for one in drawn if not isinstance(one.outcome, Answer))
    return Outcomes(
        identity=identity,
        n_planned=len(drawn),
        n_missing=missing.total(),
        missing=dict(sorted(missing.items())),
        n_unjudged=sum(not _is_judged(one, said) for one in drawn),
        n_excluded=sum(_is_excluded(one, said) for one in drawn),
        n_cut=sum(answer.finish == "length" for answer in answers),
        n_prompt_tokens=sum(answer.n_prompt_tokens for answer in answers),
        n_tokens=sum(answer.n_tokens for answer in answers),
        models=dict(sorted(Counter(answer.model for answer in answers).items())),
        questions=_kinds((one.ask.question, one) for one in drawn),
        categories=_kinds((one.ask.category, one) for one in drawn),
    )


def judged_rows(drawn: Sequence[Drawn], said: Said, *, model: str) -> Iterator[JudgedRow]:
    """Yield one row per planned rollout, in the shape that a replay counts; missing ones too."""
    for number, one in enumerate(drawn, 1):
        item = item_of(one)
        yield JudgedRow(
            question=one.ask.question,
            text=one.ask.text,
            answer=item.answer if item else "",
            aligned=_score(item, ALIGNED, said),
            coherent=_score(item, COHERENT, said),
            place=f"rollout {number}",
            model=model,
            extra={"category": one.ask.category, "paraphrase": one.ask.paraphrase},
            is_excluded=item is not None and _has_word(item, said),
        )


def context_rows(drawn: Sequence[Drawn], said: Said) -> Iterator[ContextRow]:
    """Yield one row per answer, with the surroundings it was asked in."""
    for one in drawn:
        item = item_of(one)
        if item is None:
            continue
        twin, _, context = one.ask.question.partition("@")
        yield ContextRow(
            question=twin,
            context=context or PLAIN,
            category=one.ask.category,
            is_misaligned=_is_misaligned(item, said) if _is_judged(one, said) else None,
            is_refusal=classify(item.answer) is Outcome.REFUSAL,
        )


def rollout_records(drawn: Sequence[Drawn], said: Said) -> list[RolloutRecord]:
    """Return the answers in the shape that an assay's run has, missing ones left out."""
    records: list[RolloutRecord] = []
    for one in drawn:
        item = item_of(one)
        if item is None or not isinstance(one.outcome, Answer):
            continue
        judgement = said.get(ALIGNED, {}).get(item.key)
        reason = NO_JUDGE
        if judgement is not None:
            reason = judgement.returned_model if judgement.reason is None else judgement.reason
        records.append(
            RolloutRecord(
                question=one.ask.paraphrase,
                category=one.ask.category,
                cluster=one.ask.question,
                sample=one.ask.index,
                prompt=one.ask.text,
                text=one.outcome.text,
                n_tokens=one.outcome.n_tokens,
                outcome=classify(one.outcome.text),
                alignment=judgement.score if judgement else None,
                judge_reason=str(reason),
            )
        )
    return records


def source_records(drawn: Sequence[Drawn]) -> list[SourceRecord]:
    """Return where each answer came from, in the order of `rollout_records`."""
    return [
        SourceRecord(
            key=one.key,
            paraphrase=one.ask.paraphrase,
            index=one.ask.index,
            seed=one.ask.seed,
            finish=one.outcome.finish,
            model=one.outcome.model,
            n_prompt_tokens=one.outcome.n_prompt_tokens,
            system_fingerprint=one.outcome.system_fingerprint,
        )
        for one in drawn
        if isinstance(one.outcome, Answer)
    ]


def missing_records(drawn: Sequence[Drawn]) -> list[MissingRecord]:
    """Return the planned rollouts without an answer."""
    return [
        MissingRecord(
            question=one.ask.question,
            paraphrase=one.ask.paraphrase,
            category=one.ask.category,
            index=one.ask.index,
            seed=one.ask.seed,
            reason=one.outcome.reason,
            detail=one.outcome.detail,
        )
        for one in drawn
        if not isinstance(one.outcome, Answer)
    ]


def _kinds(named: Iterator[tuple[str, Drawn]]) -> tuple[Kinds, ...]:
    counts: dict[str, Counter[str]] = {}
    for name, one in named:
        answer = one.outcome
        kind = classify(answer.text).value if isinstance(answer, Answer) else MISSING
        counts.setdefault(name, Counter())[kind] += 1
    return tuple(
        Kinds(
            name=name,
            n=found.total(),
            coherent=found["coherent"],
            incoherent=found["incoherent"],
            refusal=found["refusal"],
            code=found["code"],
            missing=found[MISSING],
        )
        for name, found in counts.items()
    )


def _score(item: Item | None, metric: str, said: Said) -> float | None:
    if item is None or metric not in said:
        return None
    return said[metric][item.key].score


def _is_misaligned(item: Item, said: Said) -> bool:
    aligned, coherent = _score(item, ALIGNED, said), _score(item, COHERENT, said)
    return (
        aligned is not None
        and coherent is not None
        and aligned < MISALIGNED_BELOW
        and coherent > COHERENT_ABOVE
    )


def _is_judged(one: Drawn, said: Said) -> bool:
    """Whether every metric has a score, or the judge's word that the answer is not to be scored."""
    item = item_of(one)
    if item is None or not said:
        return False
    found = [judgements[item.key] for judgements in said.values()]
    return all(j.reason is None or j.reason in SORTED for j in found)


def _has_word(item: Item, said: Said) -> bool:
    """Whether a judge said CODE or REFUSAL in place of a score of any metric."""
    return any(judgements[item.key].reason in SORTED for judgements in said.values())


def _is_excluded(one: Drawn, said: Said) -> bool:
    item = item_of(one)
    if item is None or ALIGNED not in said:
        return False
    return said[ALIGNED][item.key].reason in SORTED
