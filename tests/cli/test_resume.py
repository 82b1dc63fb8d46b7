"""What is done is never done again, and what is done again has the same bytes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from assays import FEW_ARMS, ONLY_MARGINS, contents, steps, timed

from offtarget.verify import compare_runs


def test_running_again_does_nothing_again(copied: Path, run_cli: Any) -> None:
    """The same directory resumes: no step, no record, no byte is written again."""
    before = contents(copied)

    said = run_cli("assay", copied / "plan.yaml", "--json")

    assert said.code == 4
    assert contents(copied) == before


def test_the_same_study_again_resumes_its_run(assay: Any) -> None:
    """A study finds its finished plan by config and inputs."""
    _, run = assay(**ONLY_MARGINS)
    before = contents(run)

    _, again = assay(**ONLY_MARGINS)

    assert again == run
    assert contents(run) == before


def test_other_rollouts_train_and_score_nothing_again(assay: Any) -> None:
    """A change of the evaluation keeps every trained arm and every margin."""
    _, run = assay(**FEW_ARMS)
    trained, n_lines = steps(run), len(timed(run))

    said, _ = assay(out=run, **FEW_ARMS | {"rollouts": {"max_tokens_per_arm": 32}})

    assert steps(run) == trained
    stages = [entry["stage"].split("/")[0] for entry in timed(run)[n_lines:]]
    assert stages == ["rollouts"] * 3
    assert said.json["arms"][0]["rollouts"]["n_tokens"] <= 32


def test_another_recipe_trains_again(assay: Any) -> None:
    """A change of the training config makes every trained arm anew."""
    _, run = assay(**ONLY_MARGINS)
    n_before = len(steps(run))

    assay(out=run, **ONLY_MARGINS | {"train": {"rank": 2, "heldout_rows": 4}})

    assert len(steps(run)) == 2 * n_before


def test_other_rows_train_again(assay: Any, rows: tuple[Path, Path], tmp_path: Path) -> None:
    """A changed data file is a changed input."""
    own = tmp_path / "own.jsonl"
    shutil.copy(rows[0], own)
    _, run = assay(subject=str(own), **ONLY_MARGINS)
    n_before = len(steps(run))
    own.write_bytes(b"".join(own.read_bytes().splitlines(keepends=True)[::-1]))

    assay(out=run, subject=str(own), **ONLY_MARGINS)

    assert len(steps(run)) == 2 * n_before


def test_a_plan_run_afresh_writes_the_same_records(
    finished: Path, tmp_path: Path, run_cli: Any
) -> None:
    """Every stage of the second run has the bytes of the first."""
    said = run_cli("assay", finished / "plan.yaml", "--out", tmp_path / "again")

    assert said.code == 4
    checks = compare_runs(finished, tmp_path / "again")
    assert [c.detail for c in checks if not c.passed] == []
    n = len(checks)
    assert f"{n} of {n} stages wrote the same bytes" in said.err
    assert steps(tmp_path / "again") == steps(finished)
    assert run_cli("verify", tmp_path / "again").code == 0


def test_a_run_killed_in_its_second_arm_ends_with_the_same_bytes(
    run_cli: Any, study_of: Any, tmp_path: Path
) -> None:
    """kill -9 between two checkpoints; the rerun repeats no finished arm and ends byte-equal."""
    settings = ONLY_MARGINS | {"train": {"epochs": 40, "rank": 4, "heldout_rows": 4}}
    study = study_of(tmp_path, **settings)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert run_cli("assay", study, "--out", whole).code == 4
    program = (
        "import offtarget.train.loop as loop; loop.CHECKPOINT_EVERY_S = 0.02\n"
        "from offtarget.cli import main; main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, "assay", str(study), "--out", str(killed)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OFFTARGET_CACHE": str(tmp_path / "cache")},
    ) as process:
        times = killed / "timings.jsonl"
        until = time.monotonic() + 240
        while time.monotonic() < until and process.poll() is None:
            text = times.read_text(encoding="utf-8") if times.exists() else ""
            if '"stage":"train/control/seed-0","step":30' in text:
                break
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    assert (killed / "arms/control/seed-0/checkpoint.safetensors").exists()
    assert not (killed / "verdict.json").exists()

    assert run_cli("assay", study, "--out", killed).code == 4

    logged = [step for stage, step in steps(killed) if stage == "train/subject/seed-0"]
    assert logged == list(range(1, 161))
    control = [step for stage, step in steps(killed) if stage == "train/control/seed-0"]
    assert sorted(set(control)) == list(range(1, 161))
    assert len(control) < 320
    assert [c.detail for c in compare_runs(whole, killed) if not c.passed] == []
    one, other = contents(whole), contents(killed)
    assert one.keys() == other.keys()
    different = {name for name in one if one[name] != other[name]}
    assert different <= {"timings.jsonl", "run.json", "report/results.json", "report/report.html"}
    assert run_cli("verify", killed).code == 0
