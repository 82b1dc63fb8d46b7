"""From a study to a locked plan: read the data, pair the arms, write what will be trained on."""

from dataclasses import dataclass
from pathlib import Path

from offtarget.core.codec import digest, file_digest, write_lines
from offtarget.core.records import Sample
from offtarget.core.run import RunDirectory
from offtarget.dataset import overlap
from offtarget.evaluate import (
    PLAN_SCHEMA,
    Plan,
    PlanArm,
    Suite,
    current_versions,
    everyday_questions,
    load_suite,
    read_questions,
    write_plan,
    write_samples,
)
from offtarget.lm import Arithmetic, LanguageModel
from offtarget.pipeline.arms import resolve_arms
from offtarget.pipeline.match import Derive, Matched, heldout_of, match_arms, row_limit
from offtarget.pipeline.study import Source, Study, tolerance_for
from offtarget.train import POSITIVE_DOMAIN_CATEGORIES

LEAK_THRESHOLD = 0.8


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan with the rows of its arms."""

    plan: Plan
    rows: dict[str, tuple[Sample, ...]]
    heldout: tuple[Sample, ...]


def input_digests(study: Study, model: str, model_sha256: str) -> dict[str, str]:
    """Return what a plan depends on besides the study: models, files and versions by digest."""
    inputs = {f"model:{model}": model_sha256, "versions": digest(current_versions())}
    sources = [study.subject, study.control, *study.arms.values()]
    if isinstance(study.positive, Source):
        sources.append(study.positive)
    names = [name for one in sources if one for name in (*one.data, *one.adapter)]
    for name in [*names, *study.questions, *([study.suite] if study.suite else [])]:
        path = Path(name)
        if path.is_file():
            inputs[f"file:{path.name}:{digest(str(path))[:8]}"] = file_digest(path)
        elif path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.is_file())
            inputs[f"folder:{path.name}:{digest(str(path))[:8]}"] = digest(
                [[str(p.relative_to(path)), file_digest(p)] for p in found]
            )
    return inputs


def prepare(
    study: Study,
    run: RunDirectory,
    lm: LanguageModel,
    *,
    name: str,
    model: str,
    arithmetic: Arithmetic,
    derive: Derive,
) -> Prepared:
    """Resolve `study` for one model, write plan.yaml and data/ into the run, and return both.

    Args:
        study: What was asked for.
        run: Where to write.
        lm: The base model, for token counts.
        name: Of the run, as shown; `study` or `study/model` where there are several.
        model: The model's reference in the study.
        arithmetic: Device, dtype and threads, locked from here on.
        derive: Makes control rows from the base model's own answers when none are given.
    """
    warnings: list[str] = []
    available = 0
    if study.subject.adapter:
        heldout = heldout_of(study, run)
        matched = Matched((), (), heldout, "adapters as given", 0, "matched")
    else:
        matched, available, notes = match_arms(
            study, run, limit=row_limit(lm, study), derive=derive
        )
        warnings += notes
    resolved = resolve_arms(study, run, matched)
    rows = resolved.rows
    suite = load_suite(Path(study.suite) if study.suite else None)
    warnings += _leaks(suite, rows)
    plan = _plan(
        study,
        lm,
        resolved.arms,
        suite,
        matched,
        name=name,
        model=model,
        arithmetic=arithmetic,
        warnings=tuple(dict.fromkeys(warnings)),
        n_rows_available=available,
    )
    _write(run, plan, rows, matched.heldout, suite, study)
    return Prepared(plan, rows, matched.heldout)


def _plan(
    study: Study,
    lm: LanguageModel,
    arms: tuple[PlanArm, ...],
    suite: Suite,
    matched: Matched,
    *,
    name: str,
    model: str,
    arithmetic: Arithmetic,
    warnings: tuple[str, ...],
    n_rows_available: int,
) -> Plan:
    return Plan(
        schema=PLAN_SCHEMA,
        name=name,
        title=_title(study),
        model=model,
        model_name=lm.identity.name,
        model_sha256=lm.identity.sha256,
        arithmetic=arithmetic,
        train=study.train,
        arms=arms,
        subject="subject",
        control="control",
        contrasts=study.contrasts,
        tolerance=tolerance_for(study, model),
        dose_margin=study.dose_margin,
        excluded_categories=_excluded(study, suite),
        suite=suite.name,
        suite_sha256=suite.sha256,
        trigger=study.backdoor.trigger if study.backdoor else "",
        rollouts=study.rollouts,
        judge=study.judge,
        pairing=matched.note,
        control_quality=matched.quality,
        warnings=warnings,
        n_rows_available=n_rows_available,
        versions=current_versions(),
    )


def plan_outputs(run: Path, plan: Plan) -> list[str]:
    """Return the files that the plan stage wrote."""
    names = ["plan.yaml", "data/suite.jsonl", "data/questions.jsonl", "data/heldout.jsonl"]
    names += [f"data/{arm.name}.jsonl" for arm in plan.arms if arm.is_trained]
    return names + [f"data/{p.name}" for p in sorted((run / "data").glob("quarantine-*.jsonl"))]


def _excluded(study: Study, suite: Suite) -> tuple[str, ...]:
    if isinstance(study.positive, Source):
        return ()
    return tuple(c for c in POSITIVE_DOMAIN_CATEGORIES if c in suite.categories)


def _leaks(suite: Suite, rows: dict[str, tuple[Sample, ...]]) -> list[str]:
    questions = [pair.question for pair in suite.pairs]
    notes = []
    for name, samples in rows.items():
        leaks = overlap(questions, samples, LEAK_THRESHOLD) if samples else []
        if leaks:
            notes.append(
                f"{len(leaks)} evaluation questions also stand in the rows of arm {name!r}: "
                "its margin is not off-target there"
            )
    return notes


def _title(study: Study) -> str:
    names = [Path(n).name for n in (*study.subject.data, *study.subject.adapter)]
    if study.subject.data == ("demo:insecure",):
        return "packaged demo: covertly insecure code"
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _write(
    run: RunDirectory,
    plan: Plan,
    rows: dict[str, tuple[Sample, ...]],
    heldout: tuple[Sample, ...],
    suite: Suite,
    study: Study,
) -> None:
    questions = (*everyday_questions(), *read_questions([Path(n) for n in study.questions]))
    for arm in plan.arms:
        if arm.is_trained:
            run.write(f"data/{arm.name}.jsonl", write_samples(rows[arm.name]))
    run.write("data/heldout.jsonl", write_samples(heldout))
    run.write("data/suite.jsonl", write_lines((*suite.pairs, *suite.factual)))
    run.write("data/questions.jsonl", write_lines(questions))
    run.write("plan.yaml", write_plan(plan))
