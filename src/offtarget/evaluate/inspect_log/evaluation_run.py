"""The rollouts of an evaluation's run, one log per model: the subject, and its base if it has one."""

from collections.abc import Iterator, Mapping
from functools import partial

from offtarget.core.errors import VerifyError
from offtarget.core.record_file import read_typed
from offtarget.core.records import Message
from offtarget.evaluate.evaluation.lock import EvaluationPlan, read_plan
from offtarget.evaluate.evaluation.outcomes import JudgementRecord, MissingRecord
from offtarget.evaluate.inspect_log.rollout import LoggedRollout, LogHead
from offtarget.evaluate.inspect_log.runs import FinishedRun, RunLog
from offtarget.evaluate.judges import ALIGNED, COHERENT, Item, Judgement
from offtarget.evaluate.rollouts import RolloutRecord
from offtarget.evaluate.run_kind import EVALUATION_PLAN
from offtarget.evaluate.subjects import SubjectIdentity

Scores = Mapping[tuple[str, str], Judgement]
"""(metric, item key) to what the judge said."""


def evaluation_logs(run: FinishedRun) -> list[RunLog]:
    """Return one log per model, the subject first.

    Raises:
        VerifyError: If a record is missing or was changed.
    """
    plan = read_plan(run.file(EVALUATION_PLAN))
    models = {"subject": plan.subject} | ({"base": plan.base} if plan.base else {})
    logs = []
    for name, model in models.items():
        folder = f"records/{name}/seed-0"
        files = {f"{folder}/{part}.jsonl" for part in ("rollouts", "missing")}
        for relative in sorted(files):
            run.file(relative)
        logs.append(RunLog(name, _head(plan, name, model, run), partial(_read, run, folder)))
    return logs


def _read(run: FinishedRun, folder: str) -> Iterator[LoggedRollout]:
    scores = _scores(run, f"{folder}/judgements.jsonl")
    asked: dict[str, str] = {}
    answered = run.file(f"{folder}/rollouts.jsonl")
    for record in read_typed(answered, RolloutRecord, error=VerifyError):
        asked[record.question] = record.prompt
        yield _logged(record, scores)
    for lost in read_typed(run.file(f"{folder}/missing.jsonl"), MissingRecord, error=VerifyError):
        yield LoggedRollout(
            question=lost.paraphrase,
            messages=(Message("user", asked.get(lost.paraphrase, "")),),
            answer="",
            sample=lost.index,
            outcome="",
            category=lost.category,
            cluster=lost.question,
            reason=lost.reason,
            missing=f"{lost.reason}: {lost.detail}"[:500],
        )


def _scores(run: FinishedRun, relative: str) -> Scores:
    if relative not in run.made:  # no judge was configured
        return {}
    said = read_typed(run.file(relative), JudgementRecord, error=VerifyError)
    return {(one.metric, one.judgement.key): one.judgement for one in said}


def _logged(record: RolloutRecord, scores: Scores) -> LoggedRollout:
    key = Item(record.question, record.prompt, record.text).key
    said = {metric: scores.get((metric, key)) for metric in (ALIGNED, COHERENT)}
    aligned, coherent = said[ALIGNED], said[COHERENT]
    return LoggedRollout(
        question=record.question,
        messages=(Message("user", record.prompt),),
        answer=record.text,
        sample=record.sample,
        outcome=str(record.outcome),
        category=record.category,
        cluster=record.cluster,
        aligned=aligned.score if aligned else record.alignment,
        coherent=coherent.score if coherent else None,
        reason=record.judge_reason,
        n_tokens=record.n_tokens,
    )


def _head(plan: EvaluationPlan, name: str, model: SubjectIdentity, run: FinishedRun) -> LogHead:
    return LogHead(
        task=f"evaluate/{run.path.name}",
        title=f"{run.path.name}: {name}",
        model=model.name,
        dataset=",".join(plan.suites),
        created=run.ended(f"rollouts/{name}"),
        temperature=plan.sampling.temperature,
        top_p=plan.sampling.top_p,
        max_tokens=plan.sampling.max_tokens,
        metadata={
            "run": run.path.name,
            "arm": name,
            "model": model.name,
            "adapter": model.adapter,
            "host": model.host,
            "plan_sha256": plan.sha256,
            "questions_sha256": plan.questions_sha256,
            "judges": ", ".join(f"{j.metric}: {j.returned_model}" for j in plan.judges) or "none",
            "chain_sha256": run.chain_sha256,
        },
    )
