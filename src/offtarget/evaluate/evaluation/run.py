"""The evaluation of one model: plan locked, rollouts, rules, judge, margins, results."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from offtarget.core.codec import pretty, write_lines
from offtarget.core.run import RunDirectory
from offtarget.evaluate.evaluation.capability import look_at_answers
from offtarget.evaluate.evaluation.draw import Drawn, draw, unanswered
from offtarget.evaluate.evaluation.judging import RubricJudge, judge_items, measure_judge
from offtarget.evaluate.evaluation.lock import QUESTIONS, EvaluationPlan, LockedPlan, lock_plan
from offtarget.evaluate.evaluation.outcomes import (
    JudgementRecord,
    item_of,
    missing_records,
    rollout_records,
    source_records,
)
from offtarget.evaluate.evaluation.results import EvaluationResults
from offtarget.evaluate.evaluation.summary import ArmRecords, summarize
from offtarget.evaluate.judges import ALIGNED, JUDGE, Judgement
from offtarget.evaluate.questions import Question
from offtarget.evaluate.store import Store
from offtarget.evaluate.subjects import Ask, Subject
from offtarget.evaluate.suite import Suite

RESULTS = "results.json"
SUBJECT, BASE = "subject", "base"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything that an evaluation needs, resolved."""

    plan: EvaluationPlan
    questions: tuple[Question, ...]
    subject: Subject
    base: Subject | None
    asks: tuple[Ask, ...]
    code_asks: tuple[Ask, ...] = ()
    """Code tasks: looked at for capability, in no rate."""
    left_out: tuple[str, ...] = ()
    """Rows of question files that gave no question, and why."""
    judges: tuple[RubricJudge, ...]
    pairs: Suite | None
    """Forced-choice pairs, for models in this process."""
    store: Store
    on_stage: Callable[[str], None] = field(default=lambda name: None)
    on_done: Callable[[int, str], None] = field(default=lambda n, what: None)
    """Told how many more rollouts or judgements are done."""

    @property
    def models(self) -> dict[str, Subject]:
        """By name; the subject first."""
        return {SUBJECT: self.subject} | ({BASE: self.base} if self.base is not None else {})

    @property
    def n_steps(self) -> int:
        """Rollouts and judgements to be counted off."""
        per_model = len(self.asks) * (1 + len(self.judges)) + len(self.code_asks)
        return len(self.models) * per_model


def run_evaluation(evaluation: Evaluation, out: Path, *, reason: str = "") -> EvaluationResults:
    """Run an evaluation in `out`, or go on with it; the same command gives the same bytes.

    Args:
        evaluation: What to do.
        out: The run directory.
        reason: Why it may differ from the plan locked there; "" refuses any difference.

    Raises:
        ConfigError: If another plan is locked in `out` and no reason was given.
        ResourceError: If the subject answers nothing any more.
        JudgeError: If the judge answers nothing any more.
    """
    run = RunDirectory.open(out)
    locked = lock_plan(run, evaluation.plan, reason=reason, n_drawn=_n_drawn(evaluation))
    asked = write_lines(evaluation.questions)
    _finish(run, locked, "questions", {QUESTIONS: asked})
    measured = None
    if evaluation.judges:
        evaluation.on_stage("testing the judge against instructions in answers")
        one = next(each for each in evaluation.judges if each.rubric.metric == ALIGNED)
        measured = measure_judge(one, evaluation.store.judgements)
        _finish(run, locked, "judge", {JUDGE: pretty(measured).encode()})
    # the base first: with an adapter, it is the same model before the adapter is put on
    arms = {
        name: _arm(evaluation, name, model) for name, model in reversed(evaluation.models.items())
    }
    for arm in reversed(arms.values()):
        _write_records(run, locked, arm)
    arms |= _scored(evaluation, run, locked, arms)
    results = summarize(
        run.path.name,
        locked,
        [arms[name] for name in evaluation.models],
        judges=tuple(each.judge.identity for each in evaluation.judges),
        measured=measured,
        left_out=evaluation.left_out,
    )
    _finish(run, locked, "results", {RESULTS: pretty(results).encode()})
    run.close()
    if run.former:
        evaluation.on_stage(
            f"moved {len(run.former)} files of what is no longer asked to {run.former_folder}"
        )
    return results


def _n_drawn(evaluation: Evaluation) -> int:
    plan, shelf = evaluation.plan, evaluation.store.answers
    return sum(
        len(evaluation.asks) - len(unanswered(model, evaluation.asks, plan.sampling, shelf))
        for model in evaluation.models.values()
    )


def _arm(evaluation: Evaluation, name: str, model: Subject) -> ArmRecords:
    store, plan = evaluation.store, evaluation.plan
    evaluation.on_stage(f"rollouts of the {name}")
    drawn = draw(
        model,
        evaluation.asks,
        plan.sampling,
        store.answers,
        on_drawn=lambda n: evaluation.on_done(n, "rollouts"),
    )
    items = [item for one in drawn if (item := item_of(one)) is not None]
    said: dict[str, dict[str, Judgement]] = {}
    for each in evaluation.judges:
        evaluation.on_stage(f"judging the {name}: {each.rubric.metric}")
        said[each.rubric.metric] = judge_items(
            each.judge, items, store.judgements, on_judged=lambda n: evaluation.on_done(n, "judged")
        )
    code_drawn: tuple[Drawn, ...] = ()
    if evaluation.code_asks:
        evaluation.on_stage(f"code written by the {name}")
        code_drawn = draw(
            model,
            evaluation.code_asks,
            plan.sampling,
            store.answers,
            on_drawn=lambda n: evaluation.on_done(n, "code tasks"),
        )
    return ArmRecords(
        name=name,
        identity=model.identity,
        drawn=drawn,
        said=said,
        n_code=len(code_drawn),
        code=tuple(look_at_answers(code_drawn)),
    )


def _write_records(run: RunDirectory, locked: LockedPlan, arm: ArmRecords) -> None:
    folder = f"records/{arm.name}/seed-0"
    judgements = [
        JudgementRecord(metric, said[item.key])
        for metric, said in arm.said.items()
        for one in arm.drawn
        if (item := item_of(one)) is not None
    ]
    files = {
        f"{folder}/rollouts.jsonl": write_lines(rollout_records(arm.drawn, arm.said)),
        f"{folder}/sources.jsonl": write_lines(source_records(arm.drawn)),
        f"{folder}/missing.jsonl": write_lines(missing_records(arm.drawn)),
    }
    if arm.n_code:
        files[f"{folder}/code.jsonl"] = write_lines(arm.code)
    if arm.said:
        files[f"{folder}/judgements.jsonl"] = write_lines(judgements)
    _finish(run, locked, f"rollouts/{arm.name}", files)


def _scored(
    evaluation: Evaluation, run: RunDirectory, locked: LockedPlan, arms: dict[str, ArmRecords]
) -> dict[str, ArmRecords]:
    """Return the models in this process with what needs their log-probabilities."""
    found: dict[str, ArmRecords] = {}
    if evaluation.pairs is None:
        return found
    from offtarget.evaluate.capability import clean_texts, score_texts
    from offtarget.evaluate.evaluation.margins import score_margins
    from offtarget.evaluate.subjects import LocalSubject

    for name, model in reversed(evaluation.models.items()):
        if isinstance(model, LocalSubject):
            evaluation.on_stage(f"margins and clean text of the {name}")
            lm = model.model()
            margins = score_margins(lm, evaluation.pairs)
            texts = tuple(score_texts(lm, clean_texts()))
            found[name] = replace(arms[name], margins=margins, texts=texts)
    for arm in reversed(found.values()):
        folder = f"records/{arm.name}/seed-0"
        files = {
            f"{folder}/margins.jsonl": write_lines(arm.margins),
            f"{folder}/texts.jsonl": write_lines(arm.texts),
        }
        _finish(run, locked, f"margins/{arm.name}", files)
    return found


def _finish(run: RunDirectory, locked: LockedPlan, stage: str, files: dict[str, bytes]) -> None:
    """Write what changed and put the stage into the chain."""
    for relative, content in files.items():
        path = run.path / relative
        if not path.is_file() or path.read_bytes() != content:
            run.write(relative, content)
    inputs = {"plan": locked.plan.sha256}
    if not run.is_done(stage, config=locked.plan, inputs=inputs):
        run.finish(stage, config=locked.plan, inputs=inputs, outputs=list(files))
