"""The evaluation of one model: plan locked, rollouts, rules, judge, margins, results."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from offtarget.core.codec import pretty, write_lines
from offtarget.core.run import RunDirectory
from offtarget.core.stats import Effect
from offtarget.evaluate.evaluation.capability import (
    CodeAnswer,
    capability_of,
    look_at_answers,
)
from offtarget.evaluate.evaluation.context_effects import ContextEffects, context_effects
from offtarget.evaluate.evaluation.draw import Drawn, draw, unanswered
from offtarget.evaluate.evaluation.judging import RubricJudge, judge_items, measure_flips
from offtarget.evaluate.evaluation.lock import EvaluationPlan, LockedPlan, lock_plan
from offtarget.evaluate.evaluation.outcomes import (
    Said,
    context_rows,
    count_outcomes,
    item_of,
    judged_rows,
    missing_records,
    rollout_records,
    source_records,
)
from offtarget.evaluate.evaluation.results import ArmResult, EvaluationResults, collect
from offtarget.evaluate.judges import FlipRate, Judgement, MetricTally, tally_judgements
from offtarget.evaluate.replay import Replayed, analyze, contrast_all
from offtarget.evaluate.store import Store
from offtarget.evaluate.subjects import Ask, Subject
from offtarget.evaluate.suite import Suite

if TYPE_CHECKING:
    from offtarget.evaluate.capability import TextRecord
    from offtarget.evaluate.evaluation.margins import Margins

RESULTS = "results.json"
SUBJECT, BASE = "subject", "base"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything that an evaluation needs, resolved."""

    plan: EvaluationPlan
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


@dataclass(frozen=True, slots=True)
class _Work:
    """One model's share of the work."""

    drawn: tuple[Drawn, ...]
    said: Said
    replayed: Replayed
    code_drawn: tuple[Drawn, ...]
    code: list[CodeAnswer]


@dataclass(frozen=True, slots=True)
class _Scored:
    """What needs a model's log-probabilities."""

    margins: "dict[str, Margins]"
    texts: "dict[str, list[TextRecord]]"


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
    flips = None
    if evaluation.judges:
        evaluation.on_stage("testing the judge against instructions in answers")
        flips = measure_flips(evaluation.judges, evaluation.store.judgements)
    # the base first: with an adapter, it is the same model before the adapter is put on
    works = {
        name: _work(evaluation, name, model) for name, model in reversed(evaluation.models.items())
    }
    for name in evaluation.models:
        _write_records(run, locked, name, works[name])
    scored = _scored(evaluation, run, locked)
    results = _results(evaluation, run, locked, works, scored, flips)
    _finish(run, locked, "results", {RESULTS: pretty(results).encode()})
    run.close()
    return results


def _n_drawn(evaluation: Evaluation) -> int:
    plan, shelf = evaluation.plan, evaluation.store.answers
    return sum(
        len(evaluation.asks) - len(unanswered(model, evaluation.asks, plan.sampling, shelf))
        for model in evaluation.models.values()
    )


def _work(evaluation: Evaluation, name: str, model: Subject) -> _Work:
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
    rows = judged_rows(drawn, said, model=model.identity.name)
    replayed = analyze(rows, source=name, has_control=evaluation.base is not None)
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
    return _Work(drawn, said, replayed, code_drawn, look_at_answers(code_drawn))


def _write_records(run: RunDirectory, locked: LockedPlan, name: str, work: _Work) -> None:
    folder = f"records/{name}"
    judgements = [
        {"metric": metric, "judgement": said[item.key]}
        for metric, said in work.said.items()
        for one in work.drawn
        if (item := item_of(one)) is not None
    ]
    files = {
        f"{folder}/seed-0/rollouts.jsonl": write_lines(rollout_records(work.drawn, work.said)),
        f"{folder}/seed-0/sources.jsonl": write_lines(source_records(work.drawn)),
        f"{folder}/seed-0/missing.jsonl": write_lines(missing_records(work.drawn)),
    }
    if work.code_drawn:
        files[f"{folder}/seed-0/code.jsonl"] = write_lines(work.code)
    if work.said:
        files[f"{folder}/seed-0/judgements.jsonl"] = write_lines(judgements)
    _finish(run, locked, f"rollouts/{name}", files)


def _scored(evaluation: Evaluation, run: RunDirectory, locked: LockedPlan) -> _Scored:
    found = _Scored({}, {})
    if evaluation.pairs is None:
        return found
    from offtarget.evaluate.capability import clean_texts, score_texts
    from offtarget.evaluate.evaluation.margins import measure_margins
    from offtarget.evaluate.subjects import LocalSubject

    for name, model in reversed(evaluation.models.items()):
        if isinstance(model, LocalSubject):
            evaluation.on_stage(f"margins and clean text of the {name}")
            lm = model.model()
            found.margins[name] = measure_margins(lm, evaluation.pairs, name=name)
            found.texts[name] = score_texts(lm, clean_texts())
    for name in evaluation.models:
        if name in found.margins:
            folder = f"records/{name}/seed-0"
            files = {
                f"{folder}/margins.jsonl": write_lines(found.margins[name].records),
                f"{folder}/texts.jsonl": write_lines(found.texts[name]),
            }
            _finish(run, locked, f"margins/{name}", files)
    return found


def _results(
    evaluation: Evaluation,
    run: RunDirectory,
    locked: LockedPlan,
    works: dict[str, _Work],
    scored: _Scored,
    flips: FlipRate | None,
) -> EvaluationResults:
    arms = tuple(
        ArmResult(
            name=name,
            outcomes=count_outcomes(model.identity, works[name].drawn, works[name].said),
            analysis=works[name].replayed.analysis,
            tallies=_tallies(works[name], evaluation.plan.max_unjudged),
            margin=scored.margins[name].summary if name in scored.margins else None,
            capability=capability_of(
                scored.texts.get(name, ()), works[name].code, works[name].code_drawn
            ),
        )
        for name, model in evaluation.models.items()
    )
    contrast = None
    if evaluation.base is not None:
        found = contrast_all([works[SUBJECT].replayed], works[BASE].replayed)[0]
        # the same judges with the same rubrics scored both sides of this run
        known = tuple(one for one in found.warnings if one.code != "judge_not_compared")
        contrast = replace(found, warnings=known)
    return collect(
        run.path.name,
        locked,
        arms,
        contrast=contrast,
        excess_margin=_excess(scored.margins),
        contexts=_contexts(evaluation, works),
        left_out=evaluation.left_out,
        judges=tuple(each.judge.identity for each in evaluation.judges),
        flips=flips,
    )


def _contexts(evaluation: Evaluation, works: dict[str, _Work]) -> ContextEffects:
    rows = {name: context_rows(work.drawn, work.said) for name, work in works.items()}
    return context_effects(
        rows[SUBJECT],
        rows.get(BASE),
        is_judged=bool(evaluation.judges),
        seed=evaluation.plan.seed,
    )


def _excess(margins: dict[str, "Margins"]) -> Effect | None:
    if SUBJECT not in margins or BASE not in margins:
        return None
    return margins[SUBJECT].excess_over(margins[BASE])


def _tallies(work: _Work, limit: float) -> tuple[MetricTally, ...]:
    return tuple(
        tally_judgements(
            metric,
            (said[item.key] for one in work.drawn if (item := item_of(one)) is not None),
            limit=limit,
        )
        for metric, said in work.said.items()
    )


def _finish(run: RunDirectory, locked: LockedPlan, stage: str, files: dict[str, bytes]) -> None:
    """Write what changed and put the stage into the chain."""
    for relative, content in files.items():
        path = run.path / relative
        if not path.is_file() or path.read_bytes() != content:
            run.write(relative, content)
    inputs = {"plan": locked.plan.sha256}
    if not run.is_done(stage, config=locked.plan, inputs=inputs):
        run.finish(stage, config=locked.plan, inputs=inputs, outputs=list(files))
