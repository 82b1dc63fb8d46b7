"""Commands for assays, given the run directory of something else."""

from pathlib import Path
from typing import Any

import pytest

from offtarget.core.run import RunDirectory


@pytest.fixture
def evaluation(tmp_path: Path) -> RunDirectory:
    """What `offtarget evaluate` leaves once its plan is locked."""
    run = RunDirectory.open(tmp_path / "evaluated")
    run.write("plan.json", b"{}")
    run.finish("plan", config={}, inputs={}, outputs=["plan.json"])
    return run


def test_report_and_compare_say_that_it_is_an_evaluation(
    evaluation: RunDirectory, finished: Path, run_cli: Any
) -> None:
    """They name its page and what contrasts two models, and do not speak of finishing an assay."""
    path = evaluation.path
    evaluation.write("evaluation.html", b"<html>")
    for command in (("report", path), ("compare", path, path), ("compare", finished, path)):
        said = run_cli(*command)
        assert (said.code, said.out) == (2, "")
        assert (
            f"{path}: an evaluation, not an assay; its page is {path}/evaluation.html" in said.err
        )
        assert "`offtarget evaluate MODEL --base OTHER` contrasts two models" in said.err
        assert "offtarget assay`" not in said.err


def test_an_evaluation_without_its_page_is_to_be_finished(
    evaluation: RunDirectory, run_cli: Any
) -> None:
    """No page is named that is not there."""
    said = run_cli("report", evaluation.path)
    assert "an evaluation, not an assay; run its command again to finish it" in said.err
    assert "evaluation.html" not in said.err


def test_an_assay_that_is_not_finished_is_to_be_finished(tmp_path: Path, run_cli: Any) -> None:
    """As before; and so for a folder that is no run at all."""
    run = RunDirectory.open(tmp_path / "assay")
    run.write("plan.yaml", b"{}")
    run.finish("plan", config={}, inputs={}, outputs=["plan.yaml"])
    for path in (run.path, tmp_path):
        said = run_cli("report", path)
        assert said.code == 2
        assert "no report/results.json; give the directory of a finished run, or finish" in said.err
