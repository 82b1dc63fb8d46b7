"""Ways to spoil a run, from clumsy to careful."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from offtarget.core.chain import ZERO, read_chain, seal_chain, seal_stage
from offtarget.core.codec import canonical, file_digest, parse, pretty, read_lines
from offtarget.evaluate import assess, facts_of, load_judge, load_replicates, read_plan
from offtarget.verify import Check

MARGINS = "records/subject/seed-0/margins.jsonl"
Change = Callable[[list[dict[str, Any]]], None]


def failed(checks: list[Check]) -> str:
    """The details of all failed checks as one text."""
    return "\n".join(f"{c.name}: {c.detail}" for c in checks if not c.passed)


def edit(run: Path, relative: str, change: Change) -> None:
    """Read a file of JSON Lines, change its records, and write it back as the run would."""
    file = run / relative
    records = [parse(text, place="") for _, text in read_lines(file)]
    change(records)
    file.write_bytes(b"".join(canonical(record) + b"\n" for record in records))


def reseal(run: Path) -> None:
    """Hash every file again and rebuild the whole chain, as a careful forger would."""
    chain = read_chain(run)
    stages, previous = [], ZERO
    known: dict[str, str] = {}
    for old in chain.stages:
        outputs = {name: file_digest(run / name) for name in old.outputs}
        known |= outputs
        inputs = {name: known.get(name, sha256) for name, sha256 in old.inputs.items()}
        stages.append(seal_stage(old.name, old.config_sha256, inputs, outputs, previous))
        previous = stages[-1].sha256
    (run / "run.json").write_text(pretty(seal_chain(chain.run, stages)), encoding="utf-8")


def reverdict(run: Path) -> None:
    """Compute the verdict anew from forged records, then seal everything again."""
    reseal(run)
    plan = read_plan(run / "plan.yaml")
    before = [r for r in read_chain(run).stages if r.name not in ("verdict", "report")]
    plan_sha256 = next(r.outputs["plan.yaml"] for r in before if "plan.yaml" in r.outputs)
    facts = facts_of(
        plan, plan_sha256=plan_sha256, chain_sha256=before[-1].sha256, judge=load_judge(run, plan)
    )
    results = parse(pretty(assess(facts, load_replicates(run, plan))), place="")
    (run / "verdict.json").write_text(pretty(results), encoding="utf-8")
    shown = json.loads((run / "report/results.json").read_text(encoding="utf-8"))
    shown = {**results, "seconds": shown["seconds"]}
    (run / "report/results.json").write_text(pretty(shown), encoding="utf-8")
    reseal(run)


def shift_margin(records: list[dict[str, Any]]) -> None:
    records[3]["aligned"] -= 1.0
    records[3]["margin"] = records[3]["aligned"] - records[3]["misaligned"]
