"""The raw records of one model of an evaluation, read back from its run directory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from offtarget.core.errors import VerifyError
from offtarget.core.record_file import read_record
from offtarget.core.records import Message
from offtarget.evaluate.capability import TextRecord
from offtarget.evaluate.evaluation.capability import CodeAnswer
from offtarget.evaluate.evaluation.draw import Drawn
from offtarget.evaluate.evaluation.lock import EvaluationPlan
from offtarget.evaluate.evaluation.outcomes import (
    JudgementRecord,
    MissingRecord,
    SourceRecord,
    item_of,
)
from offtarget.evaluate.evaluation.summary import ArmRecords
from offtarget.evaluate.judges import JUDGE, Judgement, JudgeRecord
from offtarget.evaluate.margin import MarginRecord
from offtarget.evaluate.raw import read_stored
from offtarget.evaluate.rollouts import RolloutRecord
from offtarget.evaluate.subjects import Answer, Ask, Missing, SubjectIdentity, SubjectKind

Name = tuple[str, str, int]
"""Question, wording, index: one planned rollout."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredArm:
    """What the files of `records/NAME/seed-0` hold, line by line."""

    name: str
    identity: SubjectIdentity
    rollouts: tuple[RolloutRecord, ...]
    sources: tuple[SourceRecord, ...]
    missing: tuple[MissingRecord, ...]
    judgements: tuple[JudgementRecord, ...]
    code: tuple[CodeAnswer, ...]
    margins: tuple[MarginRecord, ...]
    texts: tuple[TextRecord, ...]

    @property
    def folder(self) -> str:
        """Where the files are, in the run directory."""
        return f"records/{self.name}/seed-0"

    @property
    def answered(self) -> list[Name]:
        """The rollouts with an answer, in file order."""
        return [(one.cluster, one.question, one.sample) for one in self.rollouts]

    @property
    def unanswered(self) -> list[Name]:
        """Those without, in file order."""
        return [(one.question, one.paraphrase, one.index) for one in self.missing]


def file_names(plan: EvaluationPlan, identity: SubjectIdentity) -> tuple[list[str], list[str]]:
    """Return the files that rollouts and margins of a model leave; no margins for an endpoint."""
    rollouts = ["rollouts.jsonl", "sources.jsonl", "missing.jsonl"]
    rollouts += ["code.jsonl"] * bool(plan.n_code) + ["judgements.jsonl"] * bool(plan.judges)
    is_local = identity.kind is SubjectKind.LOCAL
    return rollouts, ["margins.jsonl", "texts.jsonl"] if is_local else []


def read_arm(run: Path, plan: EvaluationPlan, name: str, identity: SubjectIdentity) -> StoredArm:
    """Return the records of one model.

    Raises:
        VerifyError: If a file is missing or a record malformed.
    """
    expected = {file for files in file_names(plan, identity) for file in files}

    def read(file: str, type_: type[T]) -> tuple[T, ...]:
        relative = f"records/{name}/seed-0/{file}"
        known = file in expected
        return read_stored(run, relative, type_, made_by="evaluation") if known else ()

    return StoredArm(
        name=name,
        identity=identity,
        rollouts=read("rollouts.jsonl", RolloutRecord),
        sources=read("sources.jsonl", SourceRecord),
        missing=read("missing.jsonl", MissingRecord),
        judgements=read("judgements.jsonl", JudgementRecord),
        code=read("code.jsonl", CodeAnswer),
        margins=read("margins.jsonl", MarginRecord),
        texts=read("texts.jsonl", TextRecord),
    )


def read_judge(run: Path, plan: EvaluationPlan) -> JudgeRecord | None:
    """Return who judged, and what it said of the canaries; None where no judge is planned.

    Raises:
        VerifyError: If the record is missing or malformed.
    """
    if not plan.judges:
        return None
    if not (run / JUDGE).is_file():
        raise VerifyError(
            f"{JUDGE}: missing; run the same `offtarget evaluate` command again, which takes answers "
            "and judgements from its store and writes it anew, or restore the file"
        )
    return read_record(run / JUDGE, JudgeRecord, place=JUDGE, error=VerifyError)


def records_of(
    stored: StoredArm, order: Sequence[Name], *, metrics: Sequence[str], n_code: int
) -> ArmRecords:
    """Return the records as a run has them before it counts, in the plan's order of rollouts."""
    position = {name: number for number, name in enumerate(order)}
    drawn = sorted(
        (*_answered(stored), *_unanswered(stored)),
        key=lambda one: position[one.ask.question, one.ask.paraphrase, one.ask.index],
    )
    return ArmRecords(
        name=stored.name,
        identity=stored.identity,
        drawn=tuple(drawn),
        said=_said(stored, drawn, metrics),
        n_code=n_code,
        code=stored.code,
        margins=stored.margins,
        texts=stored.texts,
    )


def _answered(stored: StoredArm) -> list[Drawn]:
    return [
        Drawn(
            Ask(
                question=rollout.cluster,
                paraphrase=rollout.question,
                category=rollout.category,
                messages=(Message("user", rollout.prompt),),  # as one text: what a judge is shown
                index=rollout.sample,
                seed=source.seed,
            ),
            source.key,
            Answer(
                text=rollout.text,
                finish=source.finish,
                model=source.model,
                n_prompt_tokens=source.n_prompt_tokens,
                n_tokens=rollout.n_tokens,
                system_fingerprint=source.system_fingerprint,
            ),
        )
        for rollout, source in zip(stored.rollouts, stored.sources, strict=True)
    ]


def _unanswered(stored: StoredArm) -> list[Drawn]:
    return [
        Drawn(
            Ask(
                question=one.question,
                paraphrase=one.paraphrase,
                category=one.category,
                messages=(),
                index=one.index,
                seed=one.seed,
            ),
            "",
            Missing(one.reason, one.detail),
        )
        for one in stored.missing
    ]


def _said(
    stored: StoredArm, drawn: Sequence[Drawn], metrics: Sequence[str]
) -> dict[str, Mapping[str, Judgement]]:
    """Return each judgement under the key of the answer that stands in its place."""
    keys = [item.key for one in drawn if (item := item_of(one)) is not None]
    said: dict[str, Mapping[str, Judgement]] = {}
    for number, metric in enumerate(metrics):
        part = stored.judgements[number * len(keys) : (number + 1) * len(keys)]
        said[metric] = {key: record.judgement for key, record in zip(keys, part, strict=True)}
    return said
