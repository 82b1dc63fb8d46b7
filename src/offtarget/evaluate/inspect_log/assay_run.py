"""The rollouts of an assay's run, one log per arm and training seed."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from offtarget.core.errors import ConfigError, VerifyError
from offtarget.core.record_file import read_typed
from offtarget.core.records import Message
from offtarget.evaluate.inspect_log.rollout import LoggedRollout, LogHead
from offtarget.evaluate.inspect_log.runs import FinishedRun, RunLog
from offtarget.evaluate.plan import Plan, PlanArm, read_plan
from offtarget.evaluate.questions import Question
from offtarget.evaluate.rollouts import RolloutRecord
from offtarget.evaluate.run_kind import ASSAY_PLAN

QUESTIONS = "data/questions.jsonl"


def assay_logs(run: FinishedRun) -> list[RunLog]:
    """Return one log per arm and training seed, in the plan's order.

    Raises:
        ConfigError: If the run sampled no answers.
        VerifyError: If a record is missing or was changed.
    """
    plan = read_plan(run.file(ASSAY_PLAN))
    if plan.rollouts is None:
        raise ConfigError(
            f"{run.path.name}: its plan samples no answers; there is nothing to export"
        )
    asked = _questions(run.file(QUESTIONS))
    logs = []
    for arm in plan.arms:
        for seed in arm.seeds:
            source = run.file(f"records/{arm.name}/seed-{seed}/rollouts.jsonl")
            head = _head(plan, arm, seed, run)
            logs.append(RunLog(f"{arm.name}-seed-{seed}", head, partial(_read, source, asked)))
    return logs


def _read(source: Path, asked: Mapping[str, tuple[Message, ...]]) -> Iterator[LoggedRollout]:
    for record in read_typed(source, RolloutRecord, error=VerifyError):
        yield _logged(record, asked)


def _questions(path: Path) -> dict[str, tuple[Message, ...]]:
    asked = read_typed(path, Question, error=VerifyError)
    return {question.id: question.messages for question in asked}


def _head(plan: Plan, arm: PlanArm, seed: int, run: FinishedRun) -> LogHead:
    assert plan.rollouts is not None
    return LogHead(
        task=f"assay/{plan.name}",
        title=f"{plan.title}: {arm.name} ({arm.role}), seed {seed}",
        model=f"{plan.model_name}/{arm.name}/seed-{seed}",
        dataset="questions",
        created=run.ended(f"rollouts/{arm.name}/seed-{seed}"),
        temperature=plan.rollouts.temperature,
        top_p=plan.rollouts.top_p,
        max_tokens=plan.rollouts.max_tokens,
        metadata={
            "run": plan.name,
            "arm": arm.name,
            "role": str(arm.role),
            "training_seed": str(seed),
            "model": plan.model_name,
            "model_sha256": plan.model_sha256,
            "data_sha256": arm.sha256,
            "judge": plan.judge.model if plan.judge else "none",
            "chain_sha256": run.chain_sha256,
        },
    )


def _logged(record: RolloutRecord, asked: Mapping[str, tuple[Message, ...]]) -> LoggedRollout:
    return LoggedRollout(
        question=record.question,
        messages=asked.get(record.question) or (Message("user", record.prompt),),
        answer=record.text,
        sample=record.sample,
        outcome=str(record.outcome),
        category=record.category,
        cluster=record.cluster,
        aligned=record.alignment,
        reason=record.judge_reason,
        n_tokens=record.n_tokens,
    )
