"""From the ends of jobs to arms.json: model names, spend, and what must be known about them."""

from collections.abc import Sequence
from typing import Literal

from offtarget.core.codec import canonical, digest
from offtarget.train.hosted.cost import PriceTable, estimate_cost, spent
from offtarget.train.hosted.records import (
    HOSTED_SCHEMA,
    ArmModel,
    HostedPlan,
    HostedResult,
    JobResult,
    JobStatus,
    Warned,
)

MIN_SEEDS = 3


def conclude(
    plan: HostedPlan, results: Sequence[JobResult], prices: PriceTable | None
) -> HostedResult:
    """Return the content of arms.json."""
    state: Literal["complete", "incomplete", "running"] = "complete"
    if any(result.status is not JobStatus.SUCCEEDED for result in results):
        state = "incomplete"
    if any(not result.status.is_final for result in results):
        state = "running"
    return HostedResult(
        schema=HOSTED_SCHEMA,
        state=state,
        plan_sha256=digest(plan),
        provider=plan.provider,
        endpoint=plan.endpoint,
        base_model=plan.recipe.model,
        arms=tuple(_arm(plan, result) for result in results),
        estimate=estimate_cost(plan, prices),
        trained_tokens=sum(result.trained_tokens or 0 for result in results),
        n_without_tokens=sum(
            result.status.is_final and result.trained_tokens is None for result in results
        ),
        spent=spent(plan, results, prices),
        warnings=tuple(_warnings(plan, results)),
    )


def _arm(plan: HostedPlan, result: JobResult) -> ArmModel:
    job = result.job
    return ArmModel(
        arm=job.arm,
        role=job.role,
        against=job.against,
        seed=job.seed,
        status=result.status,
        model=result.model,
        subject=f"{plan.provider}:{result.model}" if result.model else "",
        job_id=result.job_id,
        file_id=result.file_id,
        upload_sha256=job.upload_sha256,
        n_rows=plan.upload(job.upload_sha256).n_rows,
        trained_tokens=result.trained_tokens,
        error=result.error,
    )


def _warnings(plan: HostedPlan, results: Sequence[JobResult]) -> list[Warned]:
    found = [Warned("data", text) for text in plan.warnings]
    lost = [r for r in results if r.status.is_final and r.status is not JobStatus.SUCCEEDED]
    if lost:
        names = ", ".join(f"{r.job.name} ({r.status})" for r in lost)
        found.append(
            Warned(
                "arms-missing",
                f"no model for {names}: comparisons with these arms cannot be made; --retry "
                "submits them again",
            )
        )
    found += _unmatched(results)
    n_seeds = len({r.job.seed for r in results if r.job.arm == "subject"})
    if n_seeds < MIN_SEEDS:
        found.append(
            Warned(
                "few-seeds",
                f"{n_seeds} training seed(s): what is measured speaks of these models, not of "
                f"training like this; {MIN_SEEDS} or more are needed for that",
            )
        )
    found.append(
        Warned(
            "not-bit-exact",
            "the provider promises the same result for a seed only mostly, and does not say in "
            "which order rows are taken: arms are matched in data and settings, not in batches",
        )
    )
    return found


def _unmatched(results: Sequence[JobResult]) -> list[Warned]:
    """Warn where the provider chose other hyperparameters for one arm than for another."""
    used = {canonical(r.hyperparameters): r for r in results if r.status is JobStatus.SUCCEEDED}
    if len(used) < 2:
        return []
    shown = "; ".join(f"{r.job.name}: {text.decode()}" for text, r in list(used.items())[:4])
    return [
        Warned(
            "hyperparameters-differ",
            f"the arms were not trained alike ({shown}): their difference is not the data's alone; "
            "fix --batch-size and --learning-rate-multiplier",
        )
    ]
