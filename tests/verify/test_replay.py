"""Scoring again from the weights, and comparing runs record by record."""

from pathlib import Path
from typing import Any

from forging import MARGINS, edit, failed, reseal, reverdict, shift_margin

from offtarget.evaluate import read_plan
from offtarget.verify import check_run, compare_runs


def test_a_consistent_forgery_of_margins_and_verdict_is_caught_by_replay(
    copied: Path, run_cli: Any
) -> None:
    """Only the weights themselves can contradict records, verdict and chain forged together."""

    def shift(records: list[dict[str, Any]]) -> None:
        for record in records:
            record["misaligned"] += 0.3
            record["margin"] = record["aligned"] - record["misaligned"]

    edit(copied, MARGINS, shift)
    reverdict(copied)
    assert failed(check_run(copied)) == ""

    said = run_cli("verify", copied, "--replay", "1")

    assert said.code == 1
    assert "FAILED replay subject/seed-0: 378 margins scored again, largest" in said.out


def test_replay_of_an_honest_run_passes(finished: Path, run_cli: Any) -> None:
    """Two replicates scored again on the machine of the run give the same margins."""
    said = run_cli("verify", finished, "--replay", "2", "--json")

    assert said.code == 0
    names = [check["name"] for check in said.json]
    assert names[-2:] == ["replay subject/seed-0", "replay control/seed-0"]
    assert all("difference 0.000000" in check["detail"] for check in said.json[-2:])


def test_replay_refuses_another_model(copied: Path, other_dir: Path, run_cli: Any) -> None:
    """Weights are only scored on the model of the plan."""
    file = copied / "plan.yaml"
    plan = read_plan(file)
    text = file.read_text(encoding="utf-8").replace(plan.model, str(other_dir))
    file.write_text(text, encoding="utf-8")
    reverdict(copied)

    said = run_cli("verify", copied, "--replay", "1")

    assert said.code == 1
    assert "is not the one of the plan" in said.out


def test_runs_of_one_plan_compare_equal_and_a_changed_one_does_not(
    finished: Path, copied: Path
) -> None:
    """Comparison is by record files, stage by stage."""
    assert all(check.passed for check in compare_runs(finished, copied))

    edit(copied, MARGINS, shift_margin)
    reseal(copied)
    differing = [c for c in compare_runs(finished, copied) if not c.passed]

    assert [c.name for c in differing] == ["score/subject/seed-0"]
    assert differing[0].detail == f"differs in {MARGINS}"
