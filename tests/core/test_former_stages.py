"""What becomes of the files of stages that a changed plan no longer has."""

import json
from pathlib import Path

import pytest

from offtarget.core.chain import ZERO, read_chain, seal_chain, seal_stage
from offtarget.core.codec import pretty
from offtarget.core.errors import ResourceError, VerifyError
from offtarget.core.run import RunDirectory


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
    run = tmp_path / "run"
    both = ("plan", ["plan.txt"]), ("judge", ["records/judge.txt"])
    finish(run, *both)
    again = finish(run, both[0])
    assert files(run) == ["plan.txt", "run.json"]
    assert again.former == ["records/judge.txt"]
    assert not (run / "records").exists()
    assert (tmp_path / "run.former/1/records/judge.txt").read_text("utf-8") == "records/judge.txt"


def test_nothing_former_is_written_over(tmp_path: Path) -> None:
    """What goes in a later pass lies beside what went before."""
    run, plan = tmp_path / "run", ("plan", ["plan.txt"])
    for text in ("first", "second"):
        pass_ = finish(run, plan)
        pass_.write("arms/weights.txt", text.encode())
        pass_.finish("train", config=text, inputs={}, outputs=["arms/weights.txt"])
        finish(run, plan)
    assert {
        name: (tmp_path / "run.former" / name).read_text("utf-8")
        for name in files(tmp_path / "run.former")
    } == {"1/arms/weights.txt": "first", "2/arms/weights.txt": "second"}


def test_what_took_hours_is_set_aside_before_it_is_made_anew(tmp_path: Path) -> None:
    """The weights of other settings stay, and a kill meanwhile leaves a chain without them."""
    run = tmp_path / "run"
    finish(run, ("plan", ["plan.txt"]), ("train", ["weights.txt"]))
    changed = RunDirectory.open(run)
    work(changed, "plan", "plan.txt")
    assert not changed.is_done("train", config=2, inputs={})
    changed.set_aside("train")
    assert [stage.name for stage in read_chain(run).stages] == ["plan"]
    assert files(run) == ["plan.txt", "run.json"]
    assert (tmp_path / "run.former/1/weights.txt").read_text("utf-8") == "weights.txt"
    changed.set_aside("train")  # nothing is left to be moved
    assert changed.former == ["weights.txt"]


def test_a_former_file_that_cannot_be_moved_is_named(tmp_path: Path) -> None:
    """It stays where it is, and the same command goes on."""
    run = tmp_path / "run"
    finish(run, ("plan", ["plan.txt"]), ("judge", ["judge.txt"]))
    (tmp_path / "run.former").write_text("a file", encoding="utf-8")
    with pytest.raises(ResourceError, match=r"cannot move 'judge.txt' of a former stage to .*/1'"):
        finish(run, ("plan", ["plan.txt"]))
    assert (run / "judge.txt").is_file()


def test_another_way_to_a_kept_file_does_not_move_it(tmp_path: Path) -> None:
    """A link makes two names of one file; the stage that stays keeps it."""
    run = tmp_path / "run"
    (run / "a").mkdir(parents=True)
    (run / "b").symlink_to(run / "a")
    finish(run, ("former", ["b/w.txt"]))
    kept = RunDirectory.open(run)
    kept.finish("train", config=1, inputs={}, outputs=["a/w.txt"])
    kept.close()
    assert kept.former == []
    assert (run / "a/w.txt").is_file()


def test_a_stage_that_writes_less_than_before_removes_the_rest(tmp_path: Path) -> None:
    """They are moved when it is finished: a kill leaves nothing that the chain does not know."""
    finish(tmp_path, ("score", ["a/rates.txt", "a/said.txt"]))
    killed = RunDirectory.open(tmp_path)
    work(killed, "score", "a/rates.txt", config=2)
    assert files(tmp_path) == ["a/rates.txt", "run.json"]


def test_a_file_that_another_stage_writes_now_stays(tmp_path: Path) -> None:
    """Ownership may move from one stage to another."""
    finish(tmp_path, ("judged", ["rates.txt"]))
    finish(tmp_path, ("sampled", ["rates.txt"]))
    assert files(tmp_path) == ["rates.txt", "run.json"]


def test_nothing_is_moved_before_the_pass_is_whole(tmp_path: Path) -> None:
    """A killed pass keeps what the next one may still use."""
    finish(tmp_path, ("plan", ["plan.txt"]), ("train", ["weights.txt"]))
    killed = RunDirectory.open(tmp_path)
    work(killed, "plan", "plan.txt", config=2)
    assert files(tmp_path) == ["plan.txt", "run.json", "weights.txt"]


def test_a_file_that_was_changed_since_stays(tmp_path: Path) -> None:
    """It is not the run's any more: an audit names it, and its owner decides."""
    finish(tmp_path, ("plan", ["plan.txt"]), ("judge", ["judge.txt"]))
    (tmp_path / "judge.txt").write_text("my notes", encoding="utf-8")
    assert finish(tmp_path, ("plan", ["plan.txt"])).former == []
    assert (tmp_path / "judge.txt").read_text("utf-8") == "my notes"


def test_a_file_behind_a_link_stays(tmp_path: Path) -> None:
    """What lies elsewhere is not the run's, whatever a chain says of it."""
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    finish(run, ("plan", ["plan.txt"]), ("judge", ["records/judge.txt"]))
    (run / "records").rename(elsewhere)
    (run / "records").symlink_to(elsewhere)
    assert finish(run, ("plan", ["plan.txt"])).former == []
    assert (elsewhere / "judge.txt").is_file()


OUTSIDE = ["../precious.txt", "a/../../precious.txt", "/etc/x", "C:\\x"]


@pytest.mark.parametrize("name", [*OUTSIDE, "./a/w.txt", "a//w.txt", "a/w.txt/"])
def test_a_chain_that_names_files_outside_its_run_is_refused(tmp_path: Path, name: str) -> None:
    """Nor a second spelling of one: somebody else's run must not have our files moved or read."""
    (tmp_path / "run").mkdir()
    stage = seal_stage("judge", ZERO, {}, {name: ZERO}, ZERO)
    (tmp_path / "run/run.json").write_text(pretty(seal_chain("run", [stage])), encoding="utf-8")
    with pytest.raises(
        VerifyError, match=r"which is outside the run .*; do not use this run"
    ) as told:
        RunDirectory.open(tmp_path / "run")
    assert repr(name) in str(told.value)


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_run_writes_nothing_outside_of_it(tmp_path: Path, name: str) -> None:
    """Names may come from a plan that somebody else made."""
    with pytest.raises(VerifyError, match=r"is outside the run .*; do not use this run"):
        RunDirectory.open(tmp_path / "run").write(name, b"")
    assert list(tmp_path.iterdir()) == []


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
