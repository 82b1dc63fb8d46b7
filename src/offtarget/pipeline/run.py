"""An assay from study to results: one run directory per model."""

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from offtarget.core.chain import StageRecord, read_chain
from offtarget.core.codec import digest, file_digest
from offtarget.core.errors import ConfigError, VerifyError
from offtarget.core.records import Sample
from offtarget.core.run import RunDirectory
from offtarget.evaluate import Plan, Results, load_suite, read_plan
from offtarget.evaluate.run_kind import RunKind, claimed, refuse_other
from offtarget.evaluate.store import DEFAULT_STORE
from offtarget.lm import Arithmetic, choose_arithmetic, directory_digest, model_directory
from offtarget.pipeline.costs import Estimate, arm_tokens, estimate, probe_speed
from offtarget.pipeline.engine import Engine
from offtarget.pipeline.judging import JudgeAccess, StudyJudge, judge_endpoint
from offtarget.pipeline.match import output_limit
from offtarget.pipeline.models import ModelSource, own_answers
from offtarget.pipeline.prepare import input_digests, plan_outputs, prepare
from offtarget.pipeline.progress import Silent, Watcher
from offtarget.pipeline.study import Study
from offtarget.report import render_index

PLAN_STAGE = "plan"
NO_ACCESS = JudgeAccess()


@dataclass(frozen=True, slots=True)
class Places:
    """Where runs and fetched models live."""

    runs: Path
    cache: Path


def run_study(
    study: Study,
    *,
    places: Places,
    out: Path | None = None,
    watcher: Watcher | None = None,
    judge: JudgeAccess = NO_ACCESS,
) -> list[tuple[Path, Results]]:
    """Run a study and return (run directory, results) per model; a study of several gets an index page.

    Args:
        study: What to assay.
        places: Default folders.
        out: Run directory; `places.runs / study.name` when None.
        watcher: Receives progress.
        judge: Key and permission for the judge, if the study names one.

    Raises:
        ConfigError: If a run directory holds something else, or another command works there.
        OfftargetError: For bad input or a machine that lacks something.
    """
    if study.judge is not None and study.rollouts is not None:
        judge_endpoint(study.judge, judge).close()  # a bad address or key is told at once
    target = out or places.runs / study.name
    watching = watcher or Silent()
    if len(study.models) == 1:
        only = _run_model(study, study.models[0], target, study.name, places, watching, judge)
        return [(target, only)]
    _refuse_run(target)
    folders = {model: target / _folder(model) for model in study.models}
    for folder in folders.values():
        refuse_other(folder, RunKind.ASSAY)  # before hours of work on the first
    results = []
    for model, folder in folders.items():
        watching.note(f"model {model}")
        name = f"{study.name}/{folder.name}"
        found = _run_model(study, model, folder, name, places, watching, judge)
        results.append((folder, found))
    page = render_index([r for _, r in results], folders=[folder.name for folder, _ in results])
    RunDirectory(target).write("index.html", page.encode())
    return results


def run_plan(
    path: Path,
    *,
    places: Places,
    model: str | None = None,
    out: Path | None = None,
    watcher: Watcher | None = None,
    judge: JudgeAccess = NO_ACCESS,
) -> Results:
    """Resume the run of a plan, or with `out` run it afresh there.

    Args:
        path: plan.yaml inside a run directory.
        places: Default folders.
        model: Where the model is, if not where the plan's name says.
        out: A new run directory; plan and data are copied into it.
        watcher: Receives progress.
        judge: Key and permission for the judge, if the plan names one.

    Raises:
        ConfigError: If `out` holds something else than a run of this plan, or another command works
            there.
        VerifyError: If the plan or its data were changed.
    """
    plan = read_plan(path)
    if plan.asks_judge is not None:
        judge_endpoint(plan.asks_judge, judge).close()
    source = path.parent
    if not (source / "run.json").is_file():
        raise ConfigError(
            f"{path}: stands alone; a plan needs the run.json and data/ of its run beside it"
        )
    target = source if out is None else out
    _refuse_other_plan(target, source)
    with claimed(target, RunKind.ASSAY):
        run = RunDirectory.open(target)
        if not run.adopt(PLAN_STAGE):
            if out is None:
                raise VerifyError(f"{target.name}: the plan or its data were changed; restore them")
            _copy_plan(source, run)
        models = ModelSource(
            model or plan.model, arithmetic=plan.arithmetic, cache=places.cache, train=plan.train
        )
        return _execute(run, plan, models, places, watcher or Silent(), judge)


def dry_run(study: Study, *, places: Places, scratch: Path) -> list[tuple[str, Plan, Estimate]]:
    """Return (model, plan, cost) per model, having read the data but trained nothing.

    Args:
        study: What would be assayed.
        places: Default folders.
        scratch: An empty folder for the plan and its data.
    """
    found = []
    for model in study.models:
        arithmetic = _arithmetic(study)
        models = ModelSource(model, arithmetic=arithmetic, cache=places.cache, train=study.train)
        run = RunDirectory.open(scratch / _folder(model))
        lm = models.plain()
        prepared = prepare(
            study, run, lm, name=study.name, model=model, arithmetic=arithmetic,
            derive=lambda samples: tuple(sample.answer for sample in samples),
        )  # fmt: skip
        plan = prepared.plan
        suite = load_suite(run.path / "data/suite.jsonl")
        tokens = {a.name: arm_tokens(plan, a, run.path) for a in plan.arms if a.is_trained}
        size = lm.identity.n_parameters
        cost = estimate(
            plan,
            tokens_by_arm=tokens,
            n_pairs=len(suite.pairs) + len(suite.factual),
            n_parameters=size,
            speed=probe_speed(arithmetic, size),
        )
        found.append((model, plan, cost))
    return found


def _run_model(
    study: Study,
    model: str,
    target: Path,
    name: str,
    places: Places,
    watcher: Watcher,
    judge: JudgeAccess,
) -> Results:
    watcher.stage("reading data and model (the embedded model is fetched on first use)")
    directory, _ = model_directory(model, cache=places.cache)
    inputs = input_digests(study, model, directory_digest(directory))
    config = replace(study, models=(model,))
    with claimed(target, RunKind.ASSAY):
        run = RunDirectory.open(target)
        if run.is_done(PLAN_STAGE, config=config, inputs=inputs):
            plan = read_plan(run.path / "plan.yaml")
            models = ModelSource(
                model, arithmetic=plan.arithmetic, cache=places.cache, train=plan.train
            )
            return _execute(run, plan, models, places, watcher, judge)
        arithmetic = _arithmetic(study)
        models = ModelSource(model, arithmetic=arithmetic, cache=places.cache, train=study.train)
        plan = _prepared(study, run, models, name, model, arithmetic, watcher)
        run.finish(PLAN_STAGE, config=config, inputs=inputs, outputs=plan_outputs(run.path, plan))
        return _execute(run, plan, models, places, watcher, judge)


def _prepared(
    study: Study,
    run: RunDirectory,
    models: ModelSource,
    name: str,
    model: str,
    arithmetic: Arithmetic,
    watcher: Watcher,
) -> Plan:
    lm = models.plain()

    def derive(samples: tuple[Sample, ...]) -> tuple[str, ...]:
        watcher.stage(f"deriving a control: the base model answers {len(samples)} prompts")
        limit = output_limit(samples, lm)
        return own_answers(lm, samples, max_tokens=limit)

    return prepare(
        study, run, lm, name=name, model=model, arithmetic=arithmetic, derive=derive
    ).plan


def _arithmetic(study: Study) -> Arithmetic:
    """Probe the machine; full fine-tuning needs float32 weights."""
    dtype = "float32" if study.train.method == "full" else study.dtype
    return choose_arithmetic(study.device, dtype)


def _execute(
    run: RunDirectory,
    plan: Plan,
    models: ModelSource,
    places: Places,
    watcher: Watcher,
    access: JudgeAccess,
) -> Results:
    for warning in plan.warnings:
        watcher.note(f"warning: {warning}")
    speed = probe_speed(plan.arithmetic, models.n_parameters())
    if plan.asks_judge is None:
        return Engine(run, plan, models, watcher, speed).execute()
    with closing(StudyJudge(plan.asks_judge, access, store=places.cache / DEFAULT_STORE)) as judge:
        return Engine(run, plan, models, watcher, speed, judge).execute()


def _copy_plan(source: Path, run: RunDirectory) -> None:
    """Start a run from the plan and data of another; the chain begins with the same record."""
    record = _plan_record(source)
    if record is None:
        raise ConfigError(f"{source.name}: its chain has no plan; give plan.yaml of a run")
    for relative, sha256 in record.outputs.items():
        if not (source / relative).is_file() or file_digest(source / relative) != sha256:
            raise VerifyError(
                f"{relative}: missing or changed since the plan was locked; restore it"
            )
        run.write(relative, (source / relative).read_bytes())
    run.repeat(record)


def _plan_record(run: Path) -> StageRecord | None:
    return next((r for r in read_chain(run).stages if r.name == PLAN_STAGE), None)


def _refuse_run(target: Path) -> None:
    """Raise ConfigError if the folder for several models is itself a run."""
    if (target / "run.json").exists():
        raise ConfigError(
            f"{target}: holds a run, and a study of several models needs a folder for each of them "
            "below --out; nothing was changed; choose another --out"
        )


def _refuse_other_plan(target: Path, source: Path) -> None:
    """Raise ConfigError if `target` holds something else than a run of the plan in `source`."""
    refuse_other(target, RunKind.ASSAY)
    there = _plan_record(target) if (target / "run.json").is_file() else None
    if there is not None and there != _plan_record(source):
        raise ConfigError(
            f"{target}: holds an assay with another plan than {source / 'plan.yaml'}; nothing was "
            "changed; choose another --out"
        )


def _folder(model: str) -> str:
    name = Path(model).name if "/" in model or "\\" in model else model
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in name)
    return f"{safe.strip('.-') or 'model'}-{digest(model)[:6]}"
