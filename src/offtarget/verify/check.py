"""Recompute what a run claims: files, chain, records, and every number from the raw records."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offtarget.core.codec import digest, file_digest, parse, pretty, read_lines
from offtarget.core.errors import OfftargetError, VerifyError
from offtarget.core.run import ZERO, Chain, StageRecord, read_chain
from offtarget.evaluate import Plan, assess, facts_of, load_replicates, read_plan
from offtarget.verify.records import record_faults

FREE_FILES = frozenset({"run.json", "timings.jsonl"})
"""Files that no stage lists: the chain itself, and times, which chain on their own."""
MAX_NAMED = 5


@dataclass(frozen=True, slots=True)
class Check:
    """One audit test."""

    name: str
    passed: bool
    detail: str


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
    checks = [
        Check("chain", True, f"{len(chain.stages)} stages, each sealing the one before"),
        _files(path, chain),
        _strangers(path, chain),
        _try("times", lambda: _timing_faults(path), "every line seals the one before"),
    ]
    try:
        plan = read_plan(path / "plan.yaml")
    except OfftargetError as error:
        return [*checks, Check("plan", False, str(error))]
    checks += [
        _named("stages", _stage_faults(chain, plan), "every stage of the plan, once, in order"),
        _try("records", lambda: record_faults(path, plan), "complete, in order, self-consistent"),
        _try("numbers", lambda: _number_faults(path, chain, plan), "recomputed from raw records"),
    ]
    return checks


def _files(path: Path, chain: Chain) -> Check:
    faults = []
    for record in chain.stages:
        for relative, sha256 in record.outputs.items():
            file = path / relative
            if not file.is_file():
                faults.append(f"{relative} is missing")
            elif file_digest(file) != sha256:
                faults.append(f"{relative} was changed after stage {record.name!r}")
    n_files = sum(len(record.outputs) for record in chain.stages)
    return _named("files", faults, f"{n_files} files as they were written")


def _strangers(path: Path, chain: Chain) -> Check:
    known = {relative for record in chain.stages for relative in record.outputs} | FREE_FILES
    found = sorted(
        file.relative_to(path).as_posix() for file in path.rglob("*") if not file.is_dir()
    )
    faults = [f"{name} was added: no stage wrote it" for name in found if name not in known]
    return _named("no additions", faults, "no file that no stage wrote")


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
    expected = ["plan"]
    for arm in plan.arms:
        for seed in arm.seeds:
            name = f"{arm.name}/seed-{seed}"
            expected += [f"train/{name}"] * arm.is_trained + [f"score/{name}"]
            expected += [f"rollouts/{name}"] * (plan.rollouts is not None)
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


def differences(claimed: Any, actual: Any, place: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield (place, claimed, actual) for each leaf in which two plain values differ."""
    if isinstance(claimed, dict) and isinstance(actual, dict):
        for key in sorted(claimed.keys() | actual.keys()):
            inner = f"{place}.{key}" if place else str(key)
            yield from differences(claimed.get(key), actual.get(key), inner)
    elif isinstance(claimed, list) and isinstance(actual, list) and len(claimed) == len(actual):
        for index, (one, other) in enumerate(zip(claimed, actual, strict=True)):
            yield from differences(one, other, f"{place}[{index}]")
    elif claimed != actual:
        yield place, _short(claimed), _short(actual)


def _recorded(stages: list[StageRecord], relative: str) -> str:
    return next((r.outputs[relative] for r in stages if relative in r.outputs), "")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _try(name: str, find: Callable[[], Iterator[str]], sound: str) -> Check:
    try:
        return _named(name, find(), sound)
    except (OfftargetError, OSError) as error:
        return Check(name, False, str(error))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        return Check(name, False, f"cannot be recomputed ({type(error).__name__}: {error})")


def _named(name: str, faults: Iterator[str] | list[str], sound: str) -> Check:
    found = list(faults)
    if not found:
        return Check(name, True, sound)
    more = f"; and {len(found) - MAX_NAMED} more" if len(found) > MAX_NAMED else ""
    return Check(name, False, "; ".join(found[:MAX_NAMED]) + more)
