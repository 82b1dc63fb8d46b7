"""Recompute what a run claims: files, chain, records, and every number from the raw records."""

from collections.abc import Iterator
from pathlib import Path

from offtarget.core.chain import ZERO, Chain, StageRecord, read_chain
from offtarget.core.codec import digest, parse, pretty, read_lines
from offtarget.core.errors import OfftargetError, VerifyError
from offtarget.evaluate import Plan, assess, facts_of, load_judge, load_replicates, read_plan
from offtarget.evaluate.run_kind import RunKind, kind_of
from offtarget.verify.files import check_files, check_strangers
from offtarget.verify.outcome import Check, attempt, check_of, differences
from offtarget.verify.records import record_faults

FREE_FILES = frozenset({"run.json", "timings.jsonl"})
"""Files that no stage lists: the chain itself, and times, which chain on their own."""


def check_run(path: Path) -> list[Check]:
    """Return the outcome of every check on the run at `path`, in order.

    A run that fails one check is checked on as far as it can be read.

    Raises:
        VerifyError: If there is no run at `path`.
    """
    if not (path / "run.json").is_file():
        raise VerifyError(f"{path}: no run.json; give the directory of a run")
    try:
        chain = read_chain(path)
    except VerifyError as error:
        return [Check("chain", False, str(error))]
    kind = kind_of(chain)
    if kind is RunKind.EVALUATION:
        from offtarget.verify.evaluation_run import check_evaluation  # loads scanner and judges

        return check_evaluation(path, chain)
    if kind is RunKind.HOSTED:
        from offtarget.verify.hosted_run import check_hosted

        return check_hosted(path, chain)
    checks = [
        Check("chain", True, f"{len(chain.stages)} stages, each sealing the one before"),
        check_files(path, chain),
        check_strangers(path, chain, free=FREE_FILES),
        attempt("times", lambda: _timing_faults(path), sound="every line seals the one before"),
    ]
    try:
        plan = read_plan(path / "plan.yaml")
    except OfftargetError as error:
        return [*checks, Check("plan", False, str(error))]
    checks += [
        check_of(
            "stages", _stage_faults(chain, plan), sound="every stage of the plan, once, in order"
        ),
        attempt(
            "records",
            lambda: record_faults(path, plan),
            sound="complete, in order, self-consistent",
        ),
        attempt(
            "numbers",
            lambda: _number_faults(path, chain, plan),
            sound="recomputed from raw records",
        ),
    ]
    return checks


def _timing_faults(path: Path) -> Iterator[str]:
    previous = ZERO
    file = path / "timings.jsonl"
    if not file.is_file():
        yield "timings.jsonl is missing"
        return
    for number, text in read_lines(file):
        try:
            entry = parse(text, place=f"timings.jsonl:{number}")
            sealed = entry.pop("sha256")
            is_sound = entry["previous"] == previous and digest(entry) == sealed
        except (OfftargetError, KeyError, TypeError, AttributeError):
            is_sound = False
        if not is_sound:
            yield f"timings.jsonl:{number} was changed, removed or moved"
            return
        previous = sealed


def _stage_faults(chain: Chain, plan: Plan) -> Iterator[str]:
    is_judged = plan.asks_judge is not None
    expected = ["plan"] + ["judge"] * is_judged
    for arm in plan.arms:
        for seed in arm.seeds:
            name = f"{arm.name}/seed-{seed}"
            expected += [f"train/{name}"] * arm.is_trained + [f"score/{name}"]
            if plan.rollouts is not None:
                expected.append(f"{'answers' if is_judged else 'rollouts'}/{name}")
    if is_judged:
        expected += [f"rollouts/{a.name}/seed-{seed}" for a in plan.arms for seed in a.seeds]
    expected += ["verdict", "report"]
    found = [record.name for record in chain.stages]
    for name in expected:
        if name not in found:
            yield f"stage {name!r} is missing: the run is not finished, or it was removed"
    for name in found:
        if name not in expected:
            yield f"stage {name!r} is not in the plan"
    if not set(expected) ^ set(found) and expected != found:
        first = next(i for i, (a, b) in enumerate(zip(expected, found, strict=False)) if a != b)
        yield f"stage {found[first]!r} stands where {expected[first]!r} belongs"


def _number_faults(path: Path, chain: Chain, plan: Plan) -> Iterator[str]:
    before = [record for record in chain.stages if record.name not in ("verdict", "report")]
    facts = facts_of(
        plan,
        plan_sha256=_recorded(before, "plan.yaml"),
        chain_sha256=before[-1].sha256 if before else ZERO,
        judge=load_judge(path, plan),
    )
    recomputed = parse(pretty(assess(facts, load_replicates(path, plan))), place="results")
    kept = parse((path / "verdict.json").read_text("utf-8"), place="verdict.json")
    shown = parse((path / "report/results.json").read_text("utf-8"), place="report/results.json")
    timed = {**recomputed, "seconds": _stage_seconds(path)}
    for name, claimed, actual in (
        ("verdict.json", kept, recomputed),
        ("report/results.json", shown, timed),
    ):
        for place, is_value, was in differences(claimed, actual):
            yield f"{name}: {place} says {is_value}, the records give {was}"


def _stage_seconds(path: Path) -> dict[str, float]:
    """Sum the wall time of each stage as the run did, without touching its files."""
    total: dict[str, float] = {}
    for number, text in read_lines(path / "timings.jsonl"):
        entry = parse(text, place=f"timings.jsonl:{number}")
        if "seconds" in entry and "step" not in entry:
            stage = str(entry["stage"])
            total[stage] = round(total.get(stage, 0.0) + float(entry["seconds"]), 3)
    return total


def _recorded(stages: list[StageRecord], relative: str) -> str:
    return next((r.outputs[relative] for r in stages if relative in r.outputs), "")
