"""A run directory holds its files itself: whatever is a link is named, though its target be right."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from forging import failed

from offtarget import api
from offtarget.core.codec import write_lines
from offtarget.core.run import RunDirectory
from offtarget.evaluate.evaluation.lock import PLAN
from offtarget.verify import check_run

LINK = "is a symbolic link: what a run holds lies in it; put the target there"


@pytest.fixture
def linked(copied: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Move a file or folder of a finished run elsewhere and put a link in its place."""

    def link(name: str) -> Path:
        elsewhere = tmp_path / "elsewhere"
        shutil.move(copied / name, elsewhere)
        (copied / name).symlink_to(elsewhere)
        return copied

    return link


@pytest.mark.parametrize(
    "name", ["plan.yaml", "run.json", "timings.jsonl", "records", "arms/subject"]
)
def test_a_link_in_place_of_a_file_or_folder_is_named(
    linked: Callable[[str], Path], name: str
) -> None:
    """The bytes are right, and still another one could change them from outside."""
    assert failed(check_run(linked(name))) == f"no additions: {name} {LINK}"


def test_a_link_to_a_folder_is_an_addition(copied: Path, tmp_path: Path) -> None:
    """Also one that holds nothing of the run."""
    (copied / "more").symlink_to(tmp_path)
    assert failed(check_run(copied)) == f"no additions: more {LINK}"


def test_a_linked_plan_of_an_evaluation_is_named(tmp_path: Path) -> None:
    """Its kind of run is told by the chain, whose files may be links like any other."""
    run = RunDirectory.open(tmp_path / "run")
    run.write(PLAN, write_lines([{"schema": 1}]))
    run.finish("plan", config={}, inputs={}, outputs=[PLAN])
    shutil.move(run.path / PLAN, tmp_path / PLAN)
    (run.path / PLAN).symlink_to(tmp_path / PLAN)
    checks = {check.name: check for check in api.verify(run.path)}
    assert checks["files"].passed
    assert checks["no additions"].detail == f"{PLAN} {LINK}"


def test_a_run_may_itself_be_reached_through_a_link(finished: Path, tmp_path: Path) -> None:
    """Where a run lies is its owner's choice."""
    (tmp_path / "latest").symlink_to(finished)
    assert failed(check_run(tmp_path / "latest")) == ""
