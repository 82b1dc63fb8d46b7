"""Assays: run them, plan them, load, check, compare and draw them."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from offtarget.core.codec import decode, parse
from offtarget.core.errors import ConfigError, DataError, ResourceError, VerifyError
from offtarget.core.records import Verdict
from offtarget.dataset import OnBadRow
from offtarget.evaluate import ArmResult, Plan, Results
from offtarget.evaluate.run_kind import RunKind, run_kind
from offtarget.pipeline import (
    Estimate,
    ModelEntry,
    Places,
    Source,
    Study,
    Watcher,
    check_study,
    demo_study,
    dry_run,
    read_study,
    run_plan,
    run_study,
    study_of_data,
)
from offtarget.pipeline import JudgeAccess as JudgeAccess
from offtarget.pipeline import doctor as _doctor
from offtarget.pipeline import list_models as _list_models
from offtarget.pipeline import replay as score_again
from offtarget.pipeline.study import SANITIZED
from offtarget.report import report_files
from offtarget.train.hosted import RESULT_FILE
from offtarget.verify import Check, check_run, compare_runs

if TYPE_CHECKING:
    import pandas as pd

DEMO = "demo"
DEFAULT_RUNS = Path("runs")
DEFAULT_CACHE = Path("~/.cache/offtarget")


@dataclass(frozen=True, slots=True)
class Run:
    """A finished assay."""

    path: Path
    """The run directory."""
    results: Results

    @property
    def verdict(self) -> Verdict:
        """PASS, FAIL or INCONCLUSIVE."""
        return self.results.verdict

    @property
    def arms(self) -> tuple[ArmResult, ...]:
        """Every arm's own numbers."""
        return self.results.arms

    def to_pandas(self) -> "pd.DataFrame":
        """Return one row per arm and seed: role, margins in nats/token, held-out loss.

        Raises:
            ConfigError: If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ConfigError(
                "pandas is not installed; run: pip install 'offtarget[pandas]'"
            ) from error
        return pd.DataFrame(
            [
                {
                    "arm": arm.name,
                    "role": str(arm.role),
                    "seed": seed,
                    "margin": margin,
                    "factual": factual,
                    "heldout_after": arm.training.heldout_after if arm.training else None,
                }
                for arm in self.arms
                for seed, margin, factual in zip(
                    arm.seeds, arm.margin.by_seed, arm.factual.by_seed, strict=True
                )
            ]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line may set over a study."""

    models: tuple[str, ...] = ()
    seeds: int | None = None
    device: str | None = None
    dtype: str | None = None
    rows: int | None = None
    tolerance: float | None = None
    questions: tuple[str, ...] = ()
    on_bad_row: OnBadRow | None = None


def assay(
    *sources: str | Path,
    control: str | Path | None = None,
    seeds: int | None = None,
    model: str | None = None,
    runs: Path = DEFAULT_RUNS,
    out: Path | None = None,
    options: Options | None = None,
    watcher: Watcher | None = None,
    cache: Path = DEFAULT_CACHE,
    judge: JudgeAccess | None = None,
) -> Run:
    """Run an assay on data files, a study (.yaml) or a run's plan.yaml; return the first model's.

    Args:
        sources: Data files or directories, or one study or plan; "demo" for the packaged demo.
        control: Matched rows without the property in question; "sanitized" repairs the code in the
            subject's own rows; derived when None.
        seeds: How many training seeds; at least 3 for a claim about the recipe.
        model: `embedded`, a directory, a .gguf file or a hub id.
        runs: Folder for run directories.
        out: The run directory itself.
        options: Further settings over the study.
        watcher: Receives progress.
        cache: Folder for fetched models.
        judge: Key of the judge that a study may name, and permission to reach another machine:
            `JudgeAccess(api_key=..., allow_net=True)`.

    Raises:
        OfftargetError: For bad input or a machine that lacks something; see docs/errors.md.
    """
    given = options or Options()
    if seeds is not None:
        given = replace(given, seeds=seeds)
    if model is not None:
        given = replace(given, models=(model,))
    paths = tuple(Path(source) for source in sources)
    return assay_all(
        paths, control=Path(control) if control else None, options=given, runs=runs, out=out,
        watcher=watcher, cache=cache, judge=judge,
    )[0]  # fmt: skip


def assay_all(
    sources: Sequence[Path],
    *,
    control: Path | None = None,
    options: Options | None = None,
    runs: Path = DEFAULT_RUNS,
    out: Path | None = None,
    watcher: Watcher | None = None,
    cache: Path = DEFAULT_CACHE,
    judge: JudgeAccess | None = None,
) -> list[Run]:
    """Run an assay for every model of a study; see `assay`.

    `judge` holds the key of the judge that a study may name, and the permission to send answers
    to another machine.
    """
    given = options or Options()
    access = judge or JudgeAccess()
    places = Places(runs=runs, cache=cache.expanduser())
    if len(sources) == 1 and sources[0].name == "plan.yaml":
        _refuse_over_plan(given, control)
        model = given.models[0] if given.models else None
        results = run_plan(
            sources[0], places=places, model=model, out=out, watcher=watcher, judge=access
        )
        return [Run(out or sources[0].parent, results)]
    study = resolve_study(sources, control=control, options=given)
    found = run_study(study, places=places, out=out, watcher=watcher, judge=access)
    return [Run(path, results) for path, results in found]


def resolve_study(
    sources: Sequence[Path], *, control: Path | None = None, options: Options | None = None
) -> Study:
    """Return the study that `sources` and options ask for.

    Raises:
        ConfigError: If they do not fit together.
    """
    given = options or Options()
    if len(sources) == 1 and str(sources[0]) == DEMO:
        study = demo_study()
    elif len(sources) == 1 and sources[0].suffix in (".yaml", ".yml"):
        study = read_study(sources[0])
    else:
        study = study_of_data(tuple(sources))
    if control is not None:
        is_own = str(control) == SANITIZED
        data = SANITIZED if is_own else str(control.resolve())
        study = replace(study, control=Source(data=(data,)))
    changes: dict[str, object] = {}
    if given.models:
        changes["models"] = given.models
    if given.seeds is not None:
        changes["seeds"] = tuple(range(given.seeds))
    for key in ("device", "dtype", "rows", "tolerance", "on_bad_row"):
        value = getattr(given, key)
        if value is not None:
            changes[key] = value
    if given.questions:
        changes["questions"] = tuple(str(Path(q).resolve()) for q in given.questions)
    return check_study(replace(study, **changes))  # type: ignore[arg-type]


def plan_assay(
    sources: Sequence[Path],
    *,
    control: Path | None = None,
    options: Options | None = None,
    cache: Path = DEFAULT_CACHE,
) -> list[tuple[str, Plan, Estimate]]:
    """Return (model, plan, cost) for what `assay` would do, having trained nothing."""
    study = resolve_study(sources, control=control, options=options)
    places = Places(runs=DEFAULT_RUNS, cache=cache.expanduser())
    with tempfile.TemporaryDirectory(prefix="offtarget-plan-") as scratch:
        return dry_run(study, places=places, scratch=Path(scratch))


def load_run(path: str | Path) -> Run:
    """Return a finished run from its directory.

    Raises:
        VerifyError: If there is no finished run.
    """
    folder = Path(path)
    file = folder / "report" / "results.json"
    if not file.is_file():
        raise VerifyError(_no_results(folder))
    try:
        raw = parse(file.read_text("utf-8"), place="results.json")
    except UnicodeDecodeError as error:
        raise VerifyError("results.json: not UTF-8 text; restore it from a copy") from error
    return Run(folder, decode(raw, Results, place="results.json", error=DataError))


def verify(path: str | Path, *, replay: int = 0, cache: Path = DEFAULT_CACHE) -> list[Check]:
    """Return every audit check on a run; recomputes the headline numbers from raw records.

    Args:
        path: A run directory, of an assay, an evaluation or hosted training.
        replay: How many replicates of an assay to score again from their weights.
        cache: Folder for fetched models.

    Raises:
        VerifyError: If there is no run at `path`.
        ConfigError: If another run than an assay is to be replayed.
    """
    kind = run_kind(Path(path))
    is_assay = kind not in (RunKind.EVALUATION, RunKind.HOSTED)
    if replay and not is_assay:
        raise ConfigError(f"{path}: {kind} has no replicates to score again; leave --replay out")
    checks = check_run(Path(path))
    is_sound = is_assay and all(check.passed for check in checks)
    if is_sound:
        drawn = report_files(load_run(path).results)["report.html"]
        is_same = (Path(path) / "report" / "report.html").read_bytes() == drawn
        detail = "drawn again from results.json" if is_same else "report.html is not that page"
        checks.append(Check("page", is_same, detail))
    if is_sound and replay:
        checks += score_again(Path(path), replay, cache=cache.expanduser())
    return checks


def doctor(*, cache: Path = DEFAULT_CACHE) -> list[Check]:
    """Return what this machine has and lacks for an assay."""
    return _doctor(cache.expanduser())


def list_models(*, cache: Path = DEFAULT_CACHE) -> list[ModelEntry]:
    """Return what can be given as a model."""
    return _list_models(cache.expanduser())


def describe_plan(model: str, plan: Plan, cost: Estimate) -> str:
    """Return a plan and its cost in lines for people."""
    minutes, seconds = divmod(round(cost.seconds), 60)
    lines = [
        f"model     {model} ({plan.arithmetic.dtype} on {plan.arithmetic.device})",
        f"arms      {cost.n_arms}, replicates {cost.n_replicates}",
        f"pairing   {plan.pairing}",
        f"tokens    {cost.train_tokens:,} to train on, {cost.score_tokens:,} to score, "
        f"{cost.sample_tokens:,} to sample",
        f"time      about {minutes} min {seconds} s",
        f"memory    about {cost.memory_bytes / 1e9:.1f} GB",
        f"disk      about {cost.disk_bytes / 1e6:.0f} MB",
    ]
    return "\n".join(lines + [f"warning   {text}" for text in plan.warnings])


def compare(one: str | Path, other: str | Path) -> list[Check]:
    """Return one check per stage: whether two runs wrote the same records."""
    return compare_runs(Path(one), Path(other))


def report(path: str | Path, out: Path) -> Path:
    """Write the HTML report of a finished run again, to `out`, from its results."""
    files = report_files(load_run(path).results)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(files["report.html"])
    except OSError as error:
        raise ResourceError(
            f"cannot write {str(out)!r} ({error.strerror}); choose another --out"
        ) from error
    return out


def _no_results(folder: Path) -> str:
    """Return why there is no finished assay in a folder, and what can be done with what is."""
    kind = run_kind(folder)
    if kind is RunKind.EVALUATION:
        from offtarget.api.evaluation_page import PAGE  # reads judges and their rubrics

        page = folder / PAGE
        shown = f"its page is {page}" if page.is_file() else "run its command again to finish it"
        return (
            f"{folder}: {kind}, not an assay; {shown}; `offtarget evaluate MODEL --base OTHER` "
            "contrasts two models; `offtarget verify`, `export` and `rejudge` take it"
        )
    if kind is RunKind.HOSTED:
        return (
            f"{folder}: {kind}, not an assay; its models are in {folder / RESULT_FILE}; "
            "`offtarget evaluate` measures them, `offtarget verify` checks what is on record"
        )
    return (
        f"{folder}: no report/results.json; give the directory of a finished run, "
        "or finish it with `offtarget assay`"
    )


def _refuse_over_plan(options: Options, control: Path | None) -> None:
    changed = replace(options, models=()) != Options() or control is not None
    if changed:
        raise ConfigError(
            "plan.yaml is locked: options cannot change it; edit the study and run that instead"
        )
