"""The chain of stages: what is skipped, what is kept, what is refused."""

import json
from pathlib import Path

import pytest

from offtarget.core import run as run_module
from offtarget.core.chain import SCHEMA, ZERO, read_chain, seal_chain, seal_stage
from offtarget.core.codec import canonical, digest, pretty
from offtarget.core.errors import ResourceError, VerifyError
from offtarget.core.run import RunDirectory, read_timings
from offtarget.core.seed import derive_seed

CONFIG = {"lr": 0.1}
INPUTS = {"data": "a" * 64}


def work(run: RunDirectory, name: str, text: str = "made", *, config: object = CONFIG) -> bool:
    """Do a stage unless it is done; return whether it was skipped."""
    if run.is_done(name, config=config, inputs=INPUTS):
        return True
    run.write(f"out/{name}.txt", text.encode())
    run.finish(name, config=config, inputs=INPUTS, outputs=[f"out/{name}.txt"])
    return False


def test_a_stage_is_skipped_if_nothing_changed(tmp_path: Path) -> None:
    """Same config, inputs and outputs: the chain comes out with the same bytes."""
    first = RunDirectory.open(tmp_path)
    assert [work(first, name) for name in "abc"] == [False] * 3
    first.close()
    before = (tmp_path / "run.json").read_bytes()

    again = RunDirectory.open(tmp_path)
    assert [work(again, name) for name in "abc"] == [True] * 3
    again.close()

    assert (tmp_path / "run.json").read_bytes() == before
    assert [r.name for r in read_chain(tmp_path).stages] == ["a", "b", "c"]


@pytest.mark.parametrize("change", ["config", "inputs", "output changed", "output missing"])
def test_a_stage_is_done_again_if_anything_changed(tmp_path: Path, change: str) -> None:
    """Each of the three alone is enough."""
    work(RunDirectory.open(tmp_path), "a")
    file = tmp_path / "out/a.txt"
    config: object = CONFIG
    inputs = dict(INPUTS)
    if change == "config":
        config = {"lr": 0.2}
    elif change == "inputs":
        inputs["data"] = "b" * 64
    elif change == "output changed":
        file.write_text("spoiled", encoding="utf-8")
    else:
        file.unlink()

    assert not RunDirectory.open(tmp_path).is_done("a", config=config, inputs=inputs)


def test_finished_stages_outlive_a_pass_that_was_cut_short(tmp_path: Path) -> None:
    """A new plan re-does its first stage and is killed: later stages are still there to be used."""
    first = RunDirectory.open(tmp_path)
    for name in ("plan", "train", "score"):
        work(first, name)
    first.close()

    killed = RunDirectory.open(tmp_path)
    assert not work(killed, "plan", "another plan", config={"lr": 0.2})
    assert [r.name for r in read_chain(tmp_path).stages] == ["plan", "train", "score"]

    third = RunDirectory.open(tmp_path)
    assert work(third, "plan", config={"lr": 0.2})
    assert work(third, "train")
    third.close()
    assert [r.name for r in read_chain(tmp_path).stages] == ["plan", "train"]


def test_a_stage_can_be_adopted_only_unchanged(tmp_path: Path) -> None:
    """Taking over a plan asks for its files as they were."""
    work(RunDirectory.open(tmp_path), "plan")
    assert RunDirectory.open(tmp_path).adopt("plan")
    assert not RunDirectory.open(tmp_path).adopt("other")

    (tmp_path / "out/plan.txt").write_text("spoiled", encoding="utf-8")
    assert not RunDirectory.open(tmp_path).adopt("plan")


def test_each_stage_seals_the_one_before(tmp_path: Path) -> None:
    """The head changes with everything below it."""
    run = RunDirectory.open(tmp_path)
    assert run.head == ZERO
    work(run, "a")
    one = run.head
    work(run, "b")

    assert run.stages[1].previous == one
    assert run.head == run.stages[1].sha256
    assert run.output_digest("out/a.txt") == run.stages[0].outputs["out/a.txt"]
    assert run.output_digest("nothing") == ""


def _chain(tmp_path: Path) -> dict[str, object]:
    run = RunDirectory.open(tmp_path)
    work(run, "a")
    work(run, "b")
    raw: dict[str, object] = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    return raw


def test_a_chain_that_was_tampered_with_is_refused(tmp_path: Path) -> None:
    """Whatever is changed in run.json, reading names it."""
    raw = _chain(tmp_path)
    file = tmp_path / "run.json"

    def refused(match: str) -> None:
        with pytest.raises(VerifyError, match=match):
            RunDirectory.open(tmp_path)

    file.write_text(pretty({**raw, "schema": SCHEMA + 1}), encoding="utf-8")
    refused(rf"schema {SCHEMA + 1} is newer than this version reads \({SCHEMA}\); upgrade")
    file.write_text(pretty({**raw, "run": "other"}), encoding="utf-8")
    refused(r"run\.json: its own digest does not match; restore it from a copy")
    stages = json.loads(json.dumps(raw["stages"]))
    stages[1]["inputs"] = {"data": "c" * 64}
    file.write_text(pretty({**raw, "stages": stages}), encoding="utf-8")
    refused(r"run\.json: stage 'b' was changed or the chain is broken there; restore it")
    file.write_text(pretty({**raw, "extra": 1}), encoding="utf-8")
    refused(r"run\.json: unknown key 'extra'")
    file.write_text("{", encoding="utf-8")
    refused(r"run\.json: unreadable \(run\.json: not JSON .+\); restore it from a copy")
    file.write_bytes(b"\xff")
    refused(r"run\.json: unreadable \(.+\); restore it from a copy")
    file.unlink()
    with pytest.raises(VerifyError, match=r"no run\.json; give the directory of a run"):
        read_chain(tmp_path)


def test_a_chain_is_sealed_by_schema_name_and_head() -> None:
    """The worked example of the digest over a chain."""
    stage = seal_stage("a", ZERO, {}, {}, ZERO)

    assert seal_chain("r", [stage]).sha256 == digest([SCHEMA, "r", stage.sha256])
    assert seal_chain("r", []).sha256 == digest([SCHEMA, "r", ZERO])


def test_times_are_chained_and_summed(tmp_path: Path) -> None:
    """Steps are not stages: they are logged, and left out of the sums."""
    run = RunDirectory.open(tmp_path)
    run.log_time("train/a", step=1, seconds=9.0)
    run.log_time("train/a", seconds=1.5)
    run.log_time("train/a", seconds=2.0)
    run.log_time("score/a", seconds=0.25)

    assert run.seconds() == {"train/a": 3.5, "score/a": 0.25}
    entries = read_timings(tmp_path)
    previous = ZERO
    for entry in entries:
        sealed = entry.pop("sha256")
        assert entry["previous"] == previous
        assert digest(entry) == sealed
        previous = sealed


@pytest.mark.parametrize("torn", [b'{"stage":"tr', b"\xff\xfe", b"{"])
def test_a_line_of_times_torn_by_a_kill_is_mended(tmp_path: Path, torn: bytes) -> None:
    """The torn end is cut off; what follows chains onto the last whole line."""
    run = RunDirectory.open(tmp_path)
    run.log_time("a", seconds=1.0)
    whole = (tmp_path / "timings.jsonl").read_bytes()
    with (tmp_path / "timings.jsonl").open("ab") as file:
        file.write(torn)

    run.log_time("a", seconds=2.0)

    text = (tmp_path / "timings.jsonl").read_bytes()
    assert text.startswith(whole)
    assert len(text.splitlines()) == 2
    assert run.seconds() == {"a": 3.0}


def test_a_single_torn_line_leaves_an_empty_log(tmp_path: Path) -> None:
    """A kill in the very first line loses that line only."""
    (tmp_path / "timings.jsonl").write_bytes(b'{"sta')

    assert read_timings(tmp_path) == []
    RunDirectory.open(tmp_path).log_time("a", seconds=1.0)
    assert len(read_timings(tmp_path)) == 1


def test_no_times_are_no_seconds(tmp_path: Path) -> None:
    """A run that has not begun has spent nothing."""
    assert RunDirectory.open(tmp_path).seconds() == {}


def test_a_full_disk_says_what_to_do_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writes are temporary-then-rename: the old bytes survive, no temporary file does."""
    run = RunDirectory.open(tmp_path)
    run.write("a.txt", b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_module.os, "fsync", full)
    with pytest.raises(
        ResourceError,
        match=r"cannot write 'a.txt' \(No space left on device\); free disk space or fix perm",
    ):
        run.write("a.txt", b"new")

    assert (tmp_path / "a.txt").read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_run_directory_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "taken").write_text("x", encoding="utf-8")
    with pytest.raises(ResourceError, match=r"cannot write run directory '.+taken' \(.+\); choose"):
        RunDirectory.open(tmp_path / "taken")
    run = RunDirectory.open(tmp_path)
    with pytest.raises(ResourceError, match=r"cannot write 'x.txt' \(.+\); free disk"):
        run.write("taken/x.txt", b"")


def test_times_that_cannot_be_written_are_an_error(tmp_path: Path) -> None:
    """A folder stands where the log should be."""
    (tmp_path / "timings.jsonl").mkdir()
    with pytest.raises((ResourceError, IsADirectoryError)):
        RunDirectory.open(tmp_path).log_time("a", seconds=1.0)


def test_records_are_canonical_lines(tmp_path: Path) -> None:
    """The log of times is itself canonical, so that its digests can be recomputed anywhere."""
    RunDirectory.open(tmp_path).log_time("a", seconds=1.0)

    line = (tmp_path / "timings.jsonl").read_bytes()
    assert canonical(json.loads(line)) + b"\n" == line


def test_seeds_depend_on_every_part_and_on_nothing_else() -> None:
    """Stable across processes, 63 bits, order matters, no part runs into the next."""
    assert derive_seed("init", 0) == 1216758492421960350  # the first 8 bytes of sha256, halved
    seeds = {
        derive_seed("a", "b"),
        derive_seed("b", "a"),
        derive_seed("ab"),
        derive_seed("a", "b", 0),
    }
    assert len(seeds) == 4
    assert all(0 <= derive_seed("x", i) < 2**63 for i in range(1000))
