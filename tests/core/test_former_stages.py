"""What becomes of the files of stages that a changed plan no longer has."""

import json
from pathlib import Path

import pytest

from offtarget.core.codec import pretty
from offtarget.core.errors import VerifyError
from offtarget.core.run import ZERO, RunDirectory, read_chain, seal_chain, seal_stage


def work(run: RunDirectory, name: str, *files: str, config: object = 1) -> None:
    """Do a stage unless it is done; each file holds its own name."""
    if run.is_done(name, config=config, inputs={}):
        return
    for file in files:
        run.write(file, file.encode())
    run.finish(name, config=config, inputs={}, outputs=files)


def files(run: Path) -> list[str]:
    return sorted(p.relative_to(run).as_posix() for p in run.rglob("*") if p.is_file())


def finish(run: Path, *stages: tuple[str, list[str]], config: object = 1) -> RunDirectory:
    """One whole pass over these stages."""
    found = RunDirectory.open(run)
    for name, made in stages:
        work(found, name, *made, config=config)
    found.close()
    return found


def test_the_files_of_a_stage_that_is_gone_go_with_it(tmp_path: Path) -> None:
    """Once the pass is whole, and with the folders that held nothing else."""
    both = ("plan", ["plan.txt"]), ("judge", ["records/judge.txt"])
    finish(tmp_path, *both)
    again = finish(tmp_path, both[0])
    assert files(tmp_path) == ["plan.txt", "run.json"]
    assert again.removed == ["records/judge.txt"]
    assert not (tmp_path / "records").exists()


def test_a_stage_that_writes_less_than_before_removes_the_rest(tmp_path: Path) -> None:
    """When it is finished: a kill after it leaves nothing that the chain does not know."""
    finish(tmp_path, ("score", ["a/rates.txt", "a/said.txt"]))
    killed = RunDirectory.open(tmp_path)
    work(killed, "score", "a/rates.txt", config=2)
    assert files(tmp_path) == ["a/rates.txt", "run.json"]


def test_a_file_that_another_stage_writes_now_stays(tmp_path: Path) -> None:
    """Ownership may move from one stage to another."""
    finish(tmp_path, ("judged", ["rates.txt"]))
    finish(tmp_path, ("sampled", ["rates.txt"]))
    assert files(tmp_path) == ["rates.txt", "run.json"]


def test_nothing_is_removed_before_the_pass_is_whole(tmp_path: Path) -> None:
    """A killed pass keeps what the next one may still use."""
    finish(tmp_path, ("plan", ["plan.txt"]), ("train", ["weights.txt"]))
    killed = RunDirectory.open(tmp_path)
    work(killed, "plan", "plan.txt", config=2)
    assert files(tmp_path) == ["plan.txt", "run.json", "weights.txt"]


def test_a_file_that_was_changed_since_stays(tmp_path: Path) -> None:
    """It is not the run's any more: an audit names it, and its owner decides."""
    finish(tmp_path, ("plan", ["plan.txt"]), ("judge", ["judge.txt"]))
    (tmp_path / "judge.txt").write_text("my notes", encoding="utf-8")
    assert finish(tmp_path, ("plan", ["plan.txt"])).removed == []
    assert (tmp_path / "judge.txt").read_text("utf-8") == "my notes"


def test_a_file_behind_a_link_stays(tmp_path: Path) -> None:
    """What lies elsewhere is not the run's, whatever a chain says of it."""
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    finish(run, ("plan", ["plan.txt"]), ("judge", ["records/judge.txt"]))
    (run / "records").rename(elsewhere)
    (run / "records").symlink_to(elsewhere)
    assert finish(run, ("plan", ["plan.txt"])).removed == []
    assert (elsewhere / "judge.txt").is_file()


@pytest.mark.parametrize("name", ["../precious.txt", "a/../../precious.txt", "/etc/x", "C:\\x"])
def test_a_chain_that_names_files_outside_its_run_is_refused(tmp_path: Path, name: str) -> None:
    """A run made by somebody else must not have files of ours copied over or removed."""
    (tmp_path / "run").mkdir()
    stage = seal_stage("judge", ZERO, {}, {name: ZERO}, ZERO)
    (tmp_path / "run/run.json").write_text(pretty(seal_chain("run", [stage])), encoding="utf-8")
    with pytest.raises(VerifyError, match=r"which is outside the run; do not use this run") as told:
        RunDirectory.open(tmp_path / "run")
    assert repr(name) in str(told.value)


def test_a_dropped_stage_is_out_of_the_chain_at_once(tmp_path: Path) -> None:
    """Its files stay until it is done again, and it takes its place again only then."""
    finish(tmp_path, ("plan", ["plan.txt"]), ("results", ["results.txt", "more.txt"]))
    run = RunDirectory.open(tmp_path)
    work(run, "plan", "plan.txt")
    run.drop("results")
    assert [stage.name for stage in read_chain(tmp_path).stages] == ["plan"]
    assert files(tmp_path) == ["more.txt", "plan.txt", "results.txt", "run.json"]
    work(run, "results", "results.txt")
    assert [stage.name for stage in read_chain(tmp_path).stages] == ["plan", "results"]
    assert files(tmp_path) == ["plan.txt", "results.txt", "run.json"]
    assert "more.txt" not in json.dumps(json.loads((tmp_path / "run.json").read_text("utf-8")))
