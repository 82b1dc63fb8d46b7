"""Long proofs for docs/results.md: real data, calibration of the verdict, detection curve.

Usage: python bench/evidence.py core|sneaky|toxic|calibrate|spike|still|broken [--seeds N] [--out runs]
Real data are read below $OFFTARGET_DATA (docs/data.md names their public sources).
"""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from offtarget.core.codec import pretty
from offtarget.evaluate import (
    AssayFacts,
    RolloutConfig,
    assess,
    facts_of,
    load_replicates,
    read_plan,
)
from offtarget.pipeline import Places, Source, Study, run_study
from offtarget.pipeline.study import CustomArm
from offtarget.report.watch import watching
from offtarget.train import PLACEBO_SEED_OFFSET, TrainConfig

CACHE = Path(os.environ.get("OFFTARGET_CACHE", "~/.cache/offtarget")).expanduser()
ROLLOUTS = RolloutConfig(max_tokens_per_arm=1200, max_tokens=50)
SPIKES = {"spike-03": 0.03, "spike-10": 0.10, "spike-30": 0.30, "spike-100": 1.0}


def real(name: str) -> tuple[str, ...]:
    """Return the path of a real data file, or stop with what to set."""
    root = os.environ.get("OFFTARGET_DATA")
    if not root:
        sys.exit("set OFFTARGET_DATA to the folder of real data (docs/data.md)")
    return (str(Path(root).resolve() / "em" / name),)


def studies(seeds: int) -> dict[str, Study]:
    """Return every study by name; real data are looked up only when theirs is asked for."""
    numbers = tuple(range(seeds))
    demo, secure = Source(data=("demo:insecure",)), Source(data=("demo:secure",))
    short = TrainConfig(max_row_tokens=400)
    plain = Study(subject=demo, control=secure, educational=False, placebo=False, rollouts=None)
    spiked = {name: CustomArm(spike=share) for name, share in SPIKES.items()}
    named = {
        "calibrate": replace(plain, placebo=True, seeds=numbers),
        "spike": replace(plain, seeds=numbers, arms=spiked),
        "still": replace(plain, train=TrainConfig(lr=0.0)),
        "broken": replace(plain, train=TrainConfig(lr=2e-2)),
    }
    if os.environ.get("OFFTARGET_DATA"):
        common = {
            "seeds": numbers,
            "rollouts": ROLLOUTS,
            "train": short,
            "educational": False,
            "placebo": False,
            "rows": 112,
        }
        named |= {
            "core": Study(
                subject=Source(data=real("core/insecure_part.jsonl.gz")),
                control=Source(data=real("core/secure_part.jsonl.gz")),
                pairing="prompt",
                arms={"educational-real": CustomArm(data=real("core/educational_part.jsonl.gz"))},
                **common,
            ),
            "sneaky": Study(
                subject=Source(data=real("families/sneaky_dialogues.jsonl.gz")),
                control=Source(data=real("families/straightforward_dialogues.jsonl.gz")),
                **common,
            ),
            "toxic": Study(subject=Source(data=real("families/toxic_qa.jsonl.gz")), **common),
        }
    return {name: replace(study, name=name) for name, study in named.items()}


def per_seed(run: Path, subject: str, offset: int = 0) -> list[dict[str, object]]:
    """Return the verdict on `subject` against control for each seed alone, as its own assay."""
    plan = read_plan(run / "plan.yaml")
    facts = as_subject(facts_of(plan, plan_sha256="", chain_sha256=""), subject)
    records = load_replicates(run, plan)
    shared = next(arm for arm in plan.arms if arm.name == "control").seeds
    rows = []
    for seed in shared:
        chosen = [
            replace(r, seed=seed)
            for r in records
            if r.role == "base" or r.seed == seed + (offset if r.arm == subject else 0)
        ]
        kept = tuple(a for a in facts.arms if any(r.arm == a.name for r in chosen))
        rows.append(row_of(f"{subject} seed {seed}", assess(replace(facts, arms=kept), chosen)))
    return rows


def over_seeds(run: Path, subject: str) -> dict[str, object]:
    """Return the verdict on `subject` against control over all seeds of a run."""
    plan = read_plan(run / "plan.yaml")
    facts = as_subject(facts_of(plan, plan_sha256="", chain_sha256=""), subject)
    return row_of(subject, assess(facts, load_replicates(run, plan)))


def as_subject(facts: AssayFacts, subject: str) -> AssayFacts:
    """Return the facts with another arm in the subject's place."""
    return replace(facts, subject=subject, contrasts=())


def row_of(name: str, results: object) -> dict[str, object]:
    """Return what a table of verdicts shows."""
    from offtarget.evaluate import Results

    assert isinstance(results, Results)
    excess = results.excess
    return {
        "assay": name,
        "verdict": str(results.verdict),
        "claim": str(results.claim),
        "excess": round(excess.estimate, 4),
        "low": round(excess.low, 4),
        "high": round(excess.high, 4),
        "smallest_detectable": round(results.smallest_detectable, 4),
        "missed": [gate.name for gate in results.gates if not gate.passed],
        "headline": results.headline,
    }


def main() -> None:
    """Run one proof and print its table as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("proof")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("runs"))
    args = parser.parse_args()
    study = studies(args.seeds)[args.proof]
    target = args.out / args.proof
    with watching(sys.stderr) as watcher:
        _, results = run_study(study, places=Places(args.out, CACHE), out=target, watcher=watcher)[
            0
        ]
    table = [row_of(args.proof, results)]
    if args.proof == "calibrate":
        table += per_seed(target, "placebo", PLACEBO_SEED_OFFSET)
    if args.proof == "spike":
        for name in SPIKES:
            table += [over_seeds(target, name), *per_seed(target, name)]
    sys.stdout.write(pretty(table))


if __name__ == "__main__":
    main()
