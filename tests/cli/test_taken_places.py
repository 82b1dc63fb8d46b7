"""--out that holds something else: refused before anything is written, and nothing is lost."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from assays import FEW_ARMS, NOTHING, contents

from chatserver import ChatServer
from offtarget.core.run import RunDirectory
from offtarget.core.run_lock import locked
from offtarget.train.hosted import PLAN_STAGE

Call = Callable[[Path], Any]


@pytest.fixture(scope="module")
def small(run_cli: Any, study_of: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished assay. Never change it: copy it."""
    folder = tmp_path_factory.mktemp("small")
    study = study_of(folder, rollouts=NOTHING, **FEW_ARMS)
    assert run_cli("assay", study, "--out", folder / "run").code in (0, 1, 4)
    return folder / "run"


@pytest.fixture
def server() -> Iterator[ChatServer]:
    """A subject that greets."""
    with ChatServer(lambda body: "Good morning.") as running:
        yield running


@pytest.fixture
def commands(
    run_cli: Any, study_of: Any, tiny_dir: Path, other_dir: Path, tmp_path: Path,
    server: ChatServer, monkeypatch: pytest.MonkeyPatch,
) -> dict[str, Call]:  # fmt: skip
    """Each command that makes a run, by the kind that it makes; all would write to `out`."""
    study = study_of(tmp_path, rollouts=NOTHING, **FEW_ARMS)
    both = study_of(tmp_path, "both", models=[str(tiny_dir), str(other_dir)])
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "k" * 20)
    return {
        "an assay": lambda out: run_cli("assay", study, "--out", out),
        "several models": lambda out: run_cli("assay", both, "--out", out),
        "an evaluation": lambda out: run_cli("evaluate", "openai:x", "--out", out),
        "hosted training": lambda out: run_cli("train", study, "--model", "gpt-x", "--out", out),
    }


def other_run(path: Path, stage: str, plan: str) -> Path:
    """A run that has only its plan."""
    run = RunDirectory.open(path)
    run.write(plan, b"{}")
    run.write("jobs/paid.json", b"{}")
    run.finish(stage, config={}, inputs={}, outputs=[plan, "jobs/paid.json"])
    return path


def refused(call: Call, out: Path, told: str) -> None:
    """The command says what is there, names --out, and every byte stays."""
    before = contents(out)
    said = call(out)
    assert said.code == 2, said
    assert f"{out}: {told}" in said.err
    assert "nothing was changed; choose another --out" in said.err
    assert contents(out) == before
    assert not out.with_name(f"{out.name}.former").exists()


def test_no_command_works_over_another_kind_of_run(
    commands: dict[str, Call], small: Path, tmp_path: Path
) -> None:
    """An assay keeps its weights, hosted training its record of paid jobs."""
    there = {
        "an assay": shutil.copytree(small, tmp_path / "assay"),
        "an evaluation": other_run(tmp_path / "evaluated", "plan", "plan.json"),
        "hosted training": other_run(tmp_path / "hosted", PLAN_STAGE, "plan.json"),
        "a run of an unknown kind": other_run(tmp_path / "unknown", "copy", "data.txt"),
    }
    for kind, out in there.items():
        for made in {"an assay", "an evaluation", "hosted training"} - {kind}:
            refused(commands[made], out, f"holds {kind}, and this command makes {made}")
        refused(commands["several models"], out, "holds a run, and a study of several models")


def test_no_command_works_over_a_scan_or_cleaned_data(
    commands: dict[str, Call], run_cli: Any, rows: tuple[Path, Path], tmp_path: Path
) -> None:
    """Real ones, as their commands leave them."""
    assert run_cli("scan", rows[0], "--out", tmp_path / "scanned").code in (0, 1)
    (tmp_path / "cleaned").mkdir()
    out = tmp_path / "cleaned/clean.jsonl"
    assert run_cli("clean", rows[1], "--policy", "drop", "--out", out).code in (0, 1)
    for made in ("an assay", "an evaluation", "hosted training"):
        refused(commands[made], tmp_path / "scanned", "holds a scan, and this command makes")
        refused(commands[made], tmp_path / "cleaned", "holds cleaned data, and this command makes")


def test_a_plan_is_not_run_over_another_one(
    small: Path, run_cli: Any, study_of: Any, tmp_path: Path
) -> None:
    """Its data would be those of the other plan, and its weights would go."""
    other = study_of(tmp_path, rollouts=NOTHING, rows=12, **FEW_ARMS)
    out = tmp_path / "other"
    assert run_cli("assay", other, "--out", out).code in (0, 1, 4)
    plan = small / "plan.yaml"
    told = f"holds an assay with another plan than {plan}"
    refused(lambda path: run_cli("assay", plan, "--out", path), out, told)
    again = tmp_path / "again"
    for _ in range(2):  # afresh, then over itself
        assert run_cli("assay", plan, "--out", again).code in (0, 1, 4)


def test_a_second_command_is_refused_while_one_works(
    commands: dict[str, Call], small: Path, tmp_path: Path, run_cli: Any
) -> None:
    """On one directory, whatever it makes; the lock that stays is no addition."""
    out = shutil.copytree(small, tmp_path / "run")
    with locked(out):
        assert "another command is at work in this run" in commands["an assay"](out).err
        plan = run_cli("assay", out / "plan.yaml")
        assert (plan.code, "another command is at work" in plan.err) == (2, True)
    assert run_cli("verify", out).code == 0
    for made in ("an evaluation", "hosted training"):
        fresh = tmp_path / made.replace(" ", "-")
        with locked(fresh):
            assert "another command is at work in this run" in commands[made](fresh).err
    (out / "lock").write_text("words")
    assert "lock: is not empty" in json.dumps(run_cli("verify", out).out)
