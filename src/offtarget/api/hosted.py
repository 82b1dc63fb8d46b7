"""Hosted fine-tuning of a study's arms: plan it, run it, stop it."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from offtarget.core.codec import file_digest, pretty
from offtarget.core.errors import ConfigError
from offtarget.core.run import RunDirectory
from offtarget.evaluate.run_kind import RunKind, claimed, refuse_other
from offtarget.lm.endpoint_client import check_url
from offtarget.pipeline import Study, check_study, read_study
from offtarget.pipeline.hosted import (
    check_recipe,
    default_folder,
    default_suffix,
    draft_hosted,
    lock_hosted,
    read_hosted_plan,
)
from offtarget.train.hosted import (
    JOURNAL_FILE,
    PLAN_FILE,
    PROVIDER,
    RESULT_FILE,
    RESULT_STAGE,
    HostedCost,
    HostedPlan,
    HostedRecipe,
    HostedResult,
    JobResult,
    Journal,
    Patience,
    PriceTable,
    Runner,
    Service,
    conclude,
    estimate_cost,
    job_file,
    read_prices,
    result_config,
    result_outputs,
    stored_result,
    used_prices,
)

RUNS = Path("runs")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedOptions:
    """What the command line may set for hosted training."""

    model: str
    """The provider's name of the base model; a dated one, so that it does not change."""
    provider: str = PROVIDER
    epochs: int | None = None
    """`train.epochs` of the study when None."""
    seeds: tuple[int, ...] = ()
    """The study's when empty."""
    batch_size: int | None = None
    """`train.batch_size` of the study when None."""
    learning_rate_multiplier: float | None = None
    """The provider's choice when None."""
    suffix: str = ""
    prices: Path | None = None
    max_cost: float | None = None
    """Refuse to send when the upper bound of the cost is above this."""


@dataclass(frozen=True, slots=True)
class HostedRun:
    """A run directory and what arms.json in it says."""

    path: Path
    result: HostedResult


def plan_hosted(
    study: Path, *, options: HostedOptions, url: str = ""
) -> tuple[HostedPlan, HostedCost]:
    """Return what `train_hosted` would send and what it may cost; nothing is sent or kept.

    Args:
        study: The study's YAML file.
        options: Model and settings.
        url: Base address of the provider; "" is OpenAI's own.

    Raises:
        ConfigError: If study and options do not fit, or the cost may be above `max_cost`.
        DataError: If a row or a file would be refused there.
    """
    asked, prices = _study(study, options), _prices(options)
    recipe = _recipe(asked, options)
    with tempfile.TemporaryDirectory(prefix="offtarget-plan-") as scratch:
        run = RunDirectory.open(Path(scratch))
        endpoint = check_url(url, allow_net=True)
        plan = draft_hosted(asked, run, recipe=recipe, endpoint=endpoint).plan
    return plan, _cost(plan, prices, options)


def train_hosted(
    study: Path,
    *,
    options: HostedOptions,
    out: Path | None = None,
    runs: Path = RUNS,
    url: str = "",
    api_key: str = "",
    allow_net: bool = False,
    wait: bool = True,
    retry: bool = False,
    say: Callable[[str], None] | None = None,
    patience: Patience | None = None,
    timeout_s: float = 60.0,
) -> HostedRun:
    """Fine-tune every arm of a study at a provider; call again to go on after a stop.

    Args:
        study: The study's YAML file.
        options: Model and settings.
        out: The run directory; `runs/NAME-openai` when None.
        runs: Folder for run directories.
        url: Base address of the provider; "" is OpenAI's own.
        api_key: Kept in memory only.
        allow_net: Let the data leave this machine.
        wait: Poll until every job has ended; else return once all are submitted.
        retry: Submit jobs that failed, were refused or cancelled again.
        say: Receives one line for people at each change.
        patience: How long to wait between requests.
        timeout_s: Limit on each request; uploads get more by their size.

    Raises:
        ConfigError: If the directory holds another kind of run, or another command is at work there.
        OfftargetError: For bad input or a service that cannot be used; see docs/errors.md.
    """
    asked, prices = _study(study, options), _prices(options)
    recipe = _recipe(asked, options)  # what is wrong here is told before anything of the network
    folder = out or default_folder(asked, runs)
    refuse_other(folder, RunKind.HOSTED)
    service = Service(url, api_key=api_key, allow_net=allow_net, timeout_s=timeout_s)
    tell = say or (lambda _: None)
    with claimed(folder, RunKind.HOSTED):
        run = RunDirectory.open(folder)
        draft = draft_hosted(asked, run, recipe=recipe, endpoint=service.url)
        tell(describe_cost(_cost(draft.plan, prices, options)))
        plan = lock_hosted(draft, run)
        stored = None if retry else _finished(run, plan, prices)
        if stored is not None:
            return HostedRun(run.path, stored)
        runner = _runner(plan, run, service, patience, tell)
        try:
            if retry:
                run.drop(RESULT_STAGE)
                runner.retry_ended()
            return _conclude(run, plan, runner.run(wait=wait), prices)
        finally:
            service.close()


def cancel_hosted(
    study: Path,
    *,
    out: Path | None = None,
    runs: Path = RUNS,
    api_key: str = "",
    allow_net: bool = False,
    prices: Path | None = None,
    say: Callable[[str], None] | None = None,
    patience: Patience | None = None,
    timeout_s: float = 60.0,
) -> HostedRun:
    """Stop every job of a study's run that has not ended, at the provider it was sent to.

    Args:
        study: The study's YAML file; only its name is used, to find the run directory.
        out: The run directory, if not the default one.
        runs: Folder for run directories.
        api_key: Kept in memory only.
        allow_net: Let requests leave this machine.
        prices: The price table, for what was spent.
        say: Receives one line for people at each change.
        patience: How long to wait between requests.
        timeout_s: Limit on each request.

    Raises:
        ConfigError: If there is no such run, or another command is at work there.
        OfftargetError: If the service cannot be used.
    """
    run = RunDirectory.open(out or default_folder(read_study(study), runs))
    if not (run.path / PLAN_FILE).is_file():
        read_hosted_plan(run)  # says what is missing, and makes no folder
    with claimed(run.path, RunKind.HOSTED):
        run = RunDirectory.open(run.path)  # as it is now that no other command writes it
        plan = read_hosted_plan(run)
        service = Service(plan.endpoint, api_key=api_key, allow_net=allow_net, timeout_s=timeout_s)
        runner = _runner(plan, run, service, patience, say or (lambda _: None))
        try:
            results = runner.cancel()
        finally:
            service.close()
        return _conclude(run, plan, results, read_prices(prices) if prices else None)


def describe_cost(cost: HostedCost) -> str:
    """Return an estimate in one line for people."""
    text = (
        f"{cost.n_jobs} jobs, {cost.n_uploads} files of {cost.upload_bytes:,} bytes, about "
        f"{cost.n_tokens:,} training tokens (at most {cost.n_tokens_at_most:,})"
    )
    if cost.cost is None:
        return f"{text}; cost unknown: give your prices with --prices"
    return (
        f"{text}; about {cost.cost:,.2f} {cost.currency} (at most {cost.cost_at_most:,.2f}) at "
        f"prices from: {cost.price_source}"
    )


def _study(path: Path, options: HostedOptions) -> Study:
    if options.provider != PROVIDER:
        hint = "; `offtarget assay` trains locally" if options.provider == "local" else ""
        raise ConfigError(f"--provider {options.provider[:40]!r}: only {PROVIDER} is known{hint}")
    study = read_study(path)
    if options.seeds:
        study = replace(study, seeds=options.seeds)
    return check_study(study)


def _recipe(study: Study, options: HostedOptions) -> HostedRecipe:
    recipe = HostedRecipe(
        model=options.model,
        n_epochs=study.train.epochs if options.epochs is None else options.epochs,
        batch_size=study.train.batch_size if options.batch_size is None else options.batch_size,
        learning_rate_multiplier=options.learning_rate_multiplier,
        suffix=options.suffix or default_suffix(study),
    )
    check_recipe(recipe)
    return recipe


def _prices(options: HostedOptions) -> PriceTable | None:
    if options.max_cost is not None and options.prices is None:
        raise ConfigError("--max-cost: a limit needs prices; add --prices FILE")
    return read_prices(options.prices) if options.prices else None


def _cost(plan: HostedPlan, prices: PriceTable | None, options: HostedOptions) -> HostedCost:
    cost = estimate_cost(plan, prices)
    if options.max_cost is not None and (cost.cost_at_most or 0.0) > options.max_cost:
        raise ConfigError(
            f"--max-cost {options.max_cost:g}: the plan may cost up to {cost.cost_at_most:,.2f} "
            f"{cost.currency} (about {cost.cost:,.2f}); nothing was sent; lower rows, seeds or "
            "epochs, or raise the limit"
        )
    return cost


def _runner(
    plan: HostedPlan,
    run: RunDirectory,
    service: Service,
    patience: Patience | None,
    say: Callable[[str], None],
) -> Runner:
    journal = Journal.open(run.path / JOURNAL_FILE)
    return Runner(plan, run.path, service, journal, patience or Patience(), say)


def _finished(
    run: RunDirectory, plan: HostedPlan, prices: PriceTable | None
) -> HostedResult | None:
    """Return the stored result of a run whose jobs have all ended; it needs no request."""
    config = result_config(plan, used_prices(plan, prices))
    if not run.is_done(RESULT_STAGE, config=config, inputs=_result_inputs(run)):
        return None
    return stored_result(run.path)


def _result_inputs(run: RunDirectory) -> dict[str, str]:
    """Return what the result follows from: the plan, and what the provider was asked and said."""
    files = [name for name in (PLAN_FILE, JOURNAL_FILE) if (run.path / name).is_file()]
    return {name: file_digest(run.path / name) for name in files}


def _conclude(
    run: RunDirectory,
    plan: HostedPlan,
    results: tuple[JobResult, ...],
    prices: PriceTable | None,
) -> HostedRun:
    """Write arms.json and one file a job; the stage is finished once every job has ended."""
    prices = used_prices(plan, prices)
    result = conclude(plan, results, prices)
    run.drop(RESULT_STAGE)
    for one in results:
        run.write(job_file(one.job), pretty(one).encode())
    run.write(RESULT_FILE, pretty(result).encode())
    if result.state != "running":
        run.finish(
            RESULT_STAGE,
            config=result_config(plan, prices),
            inputs=_result_inputs(run),
            outputs=result_outputs(plan),
        )
    return HostedRun(run.path, result)
