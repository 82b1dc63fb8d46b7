"""Score replicates again from their saved weights: the check that re-hashing cannot fool."""

from pathlib import Path

from offtarget.core.records import Role
from offtarget.evaluate import (
    encode_suite,
    load_replicates,
    load_suite,
    read_plan,
    read_samples,
    score_suite,
)
from offtarget.lm import resolve_device
from offtarget.pipeline.models import ModelSource
from offtarget.verify import Check

TOLERANCE = 2e-2
"""nats/token. On the machine of the run the margins are equal; other kernels round otherwise."""


def replay(run: Path, n: int, *, cache: Path) -> list[Check]:
    """Return one check per replicate scored again: the first `n` trained ones of the plan."""
    plan = read_plan(run / "plan.yaml")
    resolve_device(plan.arithmetic.device)
    models = ModelSource(plan.model, arithmetic=plan.arithmetic, cache=cache, train=plan.train)
    checks: list[Check] = []
    sha256 = models.plain().identity.sha256
    if sha256 != plan.model_sha256:
        return [Check("replay", False, f"model {plan.model!r} is not the one of the plan")]
    suite = load_suite(run / "data/suite.jsonl")
    rows = run / f"data/{plan.subject}.jsonl"
    training = read_samples(rows) if rows.exists() else ()
    chosen = [r for r in load_replicates(run, plan) if r.role is not Role.BASE][:n]
    for record in chosen:
        folder = run / "arms" / record.arm / f"seed-{record.seed}"
        arm = next(arm for arm in plan.arms if arm.name == record.arm)
        if arm.adapters:
            lm = models.with_adapter(Path(arm.adapters[record.seed]))
        else:
            lm = models.workbench().restore(folder)
        again = score_suite(lm, encode_suite(lm, suite, training=training, trigger=plan.trigger))
        gaps = [abs(a.margin - b.margin) for a, b in zip(again, record.margins, strict=True)]
        worst = max(range(len(gaps)), key=gaps.__getitem__)
        place = f"{record.arm}/seed-{record.seed}"
        checks.append(
            Check(
                f"replay {place}",
                gaps[worst] <= TOLERANCE,
                f"{len(gaps)} margins scored again, largest difference {gaps[worst]:.6f} nats/token "
                f"({record.margins[worst].pair}, {record.margins[worst].context})",
            )
        )
    return checks
