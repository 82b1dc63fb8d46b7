"""From a study to a locked plan of hosted jobs: the same matched arms as an assay trains here."""

import hashlib
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from offtarget.core.codec import digest, pretty
from offtarget.core.errors import ConfigError, VerifyError
from offtarget.core.records import Sample
from offtarget.core.run import RunDirectory
from offtarget.evaluate import PlanArm
from offtarget.pipeline.arms import ResolvedArms, resolve_arms
from offtarget.pipeline.match import Matched, RowLimit, match_arms
from offtarget.pipeline.study import Study
from offtarget.train.hosted import (
    HOSTED_SCHEMA,
    MAX_ROW_TOKENS,
    PLAN_FILE,
    PLAN_STAGE,
    PROVIDER,
    HostedJob,
    HostedPlan,
    HostedRecipe,
    Upload,
    row_tokens,
    stored_plan,
    write_chat_file,
)

MAX_EPOCHS = 50
MAX_BATCH = 256
MAX_SUFFIX = 64
"""Limits of CreateFineTuningJobRequest (openai/openai-openapi@578000861507:openapi.yaml)."""


@dataclass(frozen=True, slots=True)
class HostedDraft:
    """A plan and the bytes of its files, nothing written yet."""

    plan: HostedPlan
    contents: dict[str, bytes]
    """Path in the run directory to content."""


def draft_hosted(
    study: Study, run: RunDirectory, *, recipe: HostedRecipe, endpoint: str
) -> HostedDraft:
    """Return the jobs that train the arms of `study` at a provider.

    Args:
        study: What was asked for; its models and local training settings other than `epochs`,
            `batch_size` and `max_row_tokens` play no part.
        run: Where bad rows go.
        recipe: Hyperparameters of every job.
        endpoint: Base address of the provider.

    Raises:
        OfftargetError: If the study or recipe cannot be trained there.
    """
    check_recipe(recipe)
    _check_trainable(study)
    matched, available, notes = match_arms(study, run, limit=_row_limit(study), derive=_no_answers)
    resolved = resolve_arms(study, run, matched)
    uploads, contents, by_arm, warnings = _files(resolved)
    jobs = tuple(
        HostedJob(
            arm=arm.name, role=arm.role, against=arm.against, seed=seed,
            upload_sha256=by_arm[arm.name],
        )
        for arm in resolved.arms if arm.is_trained for seed in arm.seeds
    )  # fmt: skip
    plan = HostedPlan(
        schema=HOSTED_SCHEMA,
        provider=PROVIDER,
        endpoint=endpoint,
        name=study.name,
        study_sha256=digest(study),
        recipe=recipe,
        uploads=uploads,
        jobs=jobs,
        pairing=matched.note,
        control_quality=matched.quality,
        n_excluded=matched.n_excluded,
        warnings=tuple(dict.fromkeys([*notes, *_excluded(matched, available), *warnings])),
        versions={"offtarget": version("offtarget")},
    )
    return HostedDraft(plan, contents)


def lock_hosted(draft: HostedDraft, run: RunDirectory) -> HostedPlan:
    """Write plan and uploads into the run, or check that they are those already there.

    Raises:
        ConfigError: If the run holds another plan.
        VerifyError: If its files were changed.
    """
    if not (run.path / PLAN_FILE).exists():
        for name, content in draft.contents.items():
            run.write(name, content)
        run.write(PLAN_FILE, pretty(draft.plan).encode())
        bad_rows = [f"data/{p.name}" for p in sorted((run.path / "data").glob("quarantine-*"))]
        outputs = [PLAN_FILE, *draft.contents, *bad_rows]
        run.finish(PLAN_STAGE, config=draft.plan, inputs={}, outputs=outputs)
        return draft.plan
    stored = read_hosted_plan(run)
    if differing := _differing(stored, draft.plan):
        raise ConfigError(
            f"{run.path.name}: its plan is locked and {', '.join(differing)} changed since; jobs of "
            "two plans must not mix: choose another --out"
        )
    return stored


def read_hosted_plan(run: RunDirectory) -> HostedPlan:
    """Return the locked plan of a run.

    Raises:
        ConfigError: If the run has none.
        VerifyError: If the plan or an upload was changed.
    """
    path = run.path / PLAN_FILE
    if not path.is_file():
        raise ConfigError(
            f"{run.path}: no {PLAN_FILE}; nothing was submitted from here; check --out"
        )
    if not run.adopt(PLAN_STAGE):
        raise VerifyError(
            f"{run.path.name}: {PLAN_FILE} or uploads/ were changed since they were locked; restore "
            "them, or choose another --out"
        )
    return stored_plan(run.path)


def check_recipe(recipe: HostedRecipe) -> None:
    """Raise ConfigError unless the provider's description allows these hyperparameters."""
    if not recipe.model.strip() or len(recipe.model) > 200 or not recipe.model.isprintable():
        raise ConfigError(f"--model {recipe.model[:60]!r}: give the provider's name of the model")
    if not 1 <= recipe.n_epochs <= MAX_EPOCHS:
        raise ConfigError(f"--epochs {recipe.n_epochs}: use 1 to {MAX_EPOCHS}")
    if recipe.batch_size is not None and not 1 <= recipe.batch_size <= MAX_BATCH:
        raise ConfigError(f"--batch-size {recipe.batch_size}: use 1 to {MAX_BATCH}")
    multiplier = recipe.learning_rate_multiplier
    if multiplier is not None and not 0 < multiplier <= 1000:
        raise ConfigError(f"--learning-rate-multiplier {multiplier}: use more than 0, to 1000")
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    if not recipe.suffix or len(recipe.suffix) > MAX_SUFFIX or set(recipe.suffix) - allowed:
        raise ConfigError(
            f"--suffix {recipe.suffix[:80]!r}: use 1 to {MAX_SUFFIX} letters, digits, '-', '_', '.'"
        )


def default_suffix(study: Study) -> str:
    """Return the part of the fine-tuned models' names that says where they are from."""
    return f"offtarget-{study.name}"[:MAX_SUFFIX].rstrip("-._")


def _check_trainable(study: Study) -> None:
    given = {"subject": study.subject.adapter, **{n: a.adapter for n, a in study.arms.items()}}
    for name, adapter in given.items():
        if adapter:
            raise ConfigError(
                f"{name}: an adapter cannot be trained at a provider; give data to train on"
            )
    if study.control is None:
        raise ConfigError(
            "control: none given, and deriving one from the base model's own answers needs the "
            "model here; add `control: FILE` or `control: sanitized`"
        )


def _row_limit(study: Study) -> RowLimit:
    limit = min(study.train.max_row_tokens, MAX_ROW_TOKENS)
    return RowLimit(limit, lambda sample: row_tokens(sample).expected <= limit)


def _no_answers(samples: tuple[Sample, ...]) -> tuple[str, ...]:
    raise AssertionError(f"asked to derive {len(samples)} answers for a study that has a control")


def _files(
    resolved: ResolvedArms,
) -> tuple[tuple[Upload, ...], dict[str, bytes], dict[str, str], list[str]]:
    uploads: dict[str, Upload] = {}
    contents: dict[str, bytes] = {}
    by_arm: dict[str, str] = {}
    warnings: list[str] = []
    for arm in _trained(resolved):
        made = write_chat_file(resolved.rows[arm.name], arm=arm.name)
        sha256 = hashlib.sha256(made.content).hexdigest()
        by_arm[arm.name] = sha256
        if made.n_maybe_long:
            warnings.append(
                f"{made.n_maybe_long} rows of arm {arm.name!r} may be longer than "
                f"{MAX_ROW_TOKENS:,} tokens and would then be cut by the provider"
            )
        if sha256 in uploads:
            continue
        name = f"uploads/{arm.name}.jsonl"
        contents[name] = made.content
        uploads[sha256] = Upload(
            name, sha256, len(made.content), made.n_rows, made.tokens.expected, made.tokens.at_most
        )
    return tuple(uploads.values()), contents, by_arm, warnings


def _trained(resolved: ResolvedArms) -> list[PlanArm]:
    return [arm for arm in resolved.arms if arm.is_trained]


def _excluded(matched: Matched, available: int) -> list[str]:
    found = []
    if matched.n_excluded:
        found.append(
            f"{matched.n_excluded} pairs left out: a row is longer than train.max_row_tokens"
        )
    if available:
        found.append(
            f"{len(matched.subject)} of {available} pairs drawn to train on, the same for every arm"
        )
    return found


def _differing(stored: HostedPlan, asked: HostedPlan) -> list[str]:
    """Name the parts of two plans that differ in what is sent; paths and versions do not count."""
    same = replace(asked, study_sha256=stored.study_sha256, versions=stored.versions)
    names = {"jobs": "the arms or seeds", "uploads": "the data", "recipe": "the settings",
             "endpoint": "the endpoint", "name": "the study's name"}  # fmt: skip
    found = [text for key, text in names.items() if getattr(stored, key) != getattr(same, key)]
    return found if found or stored == same else ["the study"]


def default_folder(study: Study, runs: Path) -> Path:
    """Return the run directory of a study's hosted jobs."""
    return runs / f"{study.name}-{PROVIDER}"
