"""Finished runs without a model: the records of an assay with made-up numbers."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from offtarget.core.codec import pretty, write_lines
from offtarget.core.records import Message, Role, Sample
from offtarget.core.run import RunDirectory
from offtarget.core.seed import derive_seed
from offtarget.dataset import samples_digest
from offtarget.evaluate import (
    PLAN_SCHEMA,
    HeldoutRecord,
    MarginRecord,
    Pair,
    Plan,
    PlanArm,
    Replicate,
    assess,
    current_versions,
    facts_of,
    load_suite,
    write_plan,
    write_samples,
)
from offtarget.evaluate.contexts import CONTEXTS, PLAIN, choose_pairs
from offtarget.evaluate.margin import ANSWER_ONLY
from offtarget.lm import Arithmetic
from offtarget.train import StepRecord, TrainConfig, plan_batches

SEEDS = (0, 1, 2)
N_ROWS = 8
ROWS = tuple(
    Sample(f"r{i}", (Message("user", f"task {i}"), Message("assistant", f"answer {i}")))
    for i in range(N_ROWS)
)
HELDOUT = tuple(
    Sample(f"h{i}", (Message("user", f"task {i}"), Message("assistant", f"answer {i}")))
    for i in range(2)
)


def make_plan(n_arms: int, name: str = "run") -> Plan:
    """Return a plan with a base, subject, control, positive control and further arms.

    Args:
        n_arms: Arms in all, at least 4.
        name: Name of the run.
    """
    roles = [("base", Role.BASE), ("subject", Role.SUBJECT), ("control", Role.CONTROL)]
    roles.append(("positive", Role.POSITIVE))
    roles += [(f"other-{i}", Role.CUSTOM) for i in range(n_arms - len(roles))]
    suite = load_suite()
    return Plan(
        schema=PLAN_SCHEMA, name=name, title="synthetic", model="none", model_name="none",
        model_sha256="",
        arithmetic=Arithmetic(device="cpu", dtype="float32", threads=1), train=TrainConfig(),
        arms=tuple(_arm(name, role) for name, role in roles), subject="subject", control="control",
        contrasts=(), tolerance=0.1, dose_margin=0.05, excluded_categories=(), suite=suite.name,
        suite_sha256=suite.sha256, trigger="", rollouts=None, judge=None, pairing="synthetic",
        control_quality="matched", warnings=(), n_rows_available=0, versions=current_versions(),
    )  # fmt: skip


def make_replicates(plan: Plan) -> list[Replicate]:
    """Return records for every arm and seed, each from its own stream of random numbers."""
    return [_replicate(arm, seed) for arm in plan.arms for seed in arm.seeds]


def write_run(path: Path, n_arms: int) -> int:
    """Write a finished run that passes every check; return its number of raw records."""
    plan = make_plan(n_arms, path.name)
    run = RunDirectory.open(path)
    suite = load_suite()
    run.write("plan.yaml", write_plan(plan))
    run.write("data/suite.jsonl", write_lines((*suite.pairs, *suite.factual)))
    run.write("data/heldout.jsonl", write_samples(HELDOUT))
    outputs = ["plan.yaml", "data/suite.jsonl", "data/heldout.jsonl"]
    for arm in plan.arms:
        if arm.is_trained:
            run.write(f"data/{arm.name}.jsonl", write_samples(ROWS))
            outputs.append(f"data/{arm.name}.jsonl")
    _finish(run, "plan", outputs)
    replicates = make_replicates(plan)
    n_records = 0
    for one in replicates:
        name = f"{one.arm}/seed-{one.seed}"
        if one.steps:
            run.write(f"arms/{name}/steps.jsonl", write_lines(one.steps))
            _finish(run, f"train/{name}", [f"arms/{name}/steps.jsonl"])
        run.write(f"records/{name}/margins.jsonl", write_lines(one.margins))
        run.write(f"records/{name}/heldout.jsonl", write_lines(one.heldout))
        _finish(
            run,
            f"score/{name}",
            [f"records/{name}/{kind}.jsonl" for kind in ("margins", "heldout")],
        )
        n_records += len(one.margins) + len(one.heldout) + len(one.steps)
    facts = facts_of(plan, plan_sha256=run.output_digest("plan.yaml"), chain_sha256=run.head)
    results = assess(facts, replicates)
    run.write("verdict.json", pretty(results).encode())
    _finish(run, "verdict", ["verdict.json"])
    run.write("report/results.json", pretty(replace(results, seconds=run.seconds())).encode())
    run.finish("report", config={}, inputs={}, outputs=["report/results.json"])
    run.close()
    return n_records


def _finish(run: RunDirectory, stage: str, outputs: list[str]) -> None:
    run.log_time(stage, seconds=0.0)
    run.finish(stage, config={}, inputs={}, outputs=outputs)


def _arm(name: str, role: Role) -> PlanArm:
    is_base = role is Role.BASE
    return PlanArm(
        name=name, role=role, against="" if role in (Role.BASE, Role.CONTROL) else "control",
        seeds=(0,) if is_base else SEEDS, order="" if is_base else "subject",
        n_rows=0 if is_base else N_ROWS, n_excluded=0,
        sha256="" if is_base else samples_digest(ROWS), note="synthetic",
    )  # fmt: skip


def _replicate(arm: PlanArm, seed: int) -> Replicate:
    noise = np.random.default_rng(derive_seed("synthetic", arm.name, seed))
    shift = 0.5 if arm.role is Role.POSITIVE else 0.0
    suite = load_suite()
    asked = [(PLAIN, pair) for pair in (*suite.pairs, *suite.factual)]
    asked += [(context, pair) for context in CONTEXTS for pair in choose_pairs(suite.pairs)]
    asked += [(ANSWER_ONLY, pair) for pair in suite.pairs]
    margins = tuple(_margin(pair, context, noise, shift) for context, pair in asked)
    heldout = tuple(HeldoutRecord(sample.id, 1.0 + float(noise.random())) for sample in HELDOUT)
    n_steps = len(
        plan_batches([0] * N_ROWS, batch_size=TrainConfig().batch_size, epochs=1, seed=seed)
    )
    steps = tuple(StepRecord(i + 1, 2.0, 100, 50, 1.0, 1e-4) for i in range(n_steps))
    return Replicate(
        arm.name, arm.role, seed, margins, heldout, (), steps if arm.is_trained else ()
    )


def _margin(pair: Pair, context: str, noise: np.random.Generator, shift: float) -> MarginRecord:
    aligned, misaligned = -1.0 + 0.3 * noise.normal(), -1.4 + shift + 0.3 * noise.normal()
    return MarginRecord(
        pair=pair.id, category=pair.category, cluster=pair.unit, context=context, aligned=aligned,
        misaligned=misaligned, margin=aligned - misaligned,
    )  # fmt: skip
