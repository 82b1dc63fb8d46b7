"""A study that has less than before, in the same run directory: the rest is moved beside it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from assays import FEW_ARMS, NOTHING, ONLY_MARGINS, contents, steps

from chatserver import ChatServer
from plainanswers import worth_90


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(worth_90) as running:
        yield running


def test_a_judge_and_then_answers_are_switched_off(
    assay: Callable[..., Any], run_cli: Any, server: ChatServer
) -> None:
    """Each rerun passes the audit, trains nothing, and says what it moved."""
    _, run = assay(judge={"url": server.url, "model": "judge"}, **FEW_ARMS)
    trained = steps(run)
    judged = set(contents(run))
    assert {"records/judge.json", "records/subject/seed-0/judgements.jsonl"} <= judged

    said, _ = assay(out=run, **FEW_ARMS)
    assert run_cli("verify", run).out.count("ok ") == 8
    assert judged - set(contents(run)) == {"records/judge.json"} | {
        f"records/{arm}/seed-0/{name}.jsonl"
        for arm in ("base", "subject", "control") for name in ("answers", "judgements")
    }  # fmt: skip
    former = run.with_name(f"{run.name}.former") / "1"
    told = f"moved 7 files of stages that are not in the plan any more to {former}: records/"
    assert told in said.err
    assert (former / "records/judge.json").is_file()

    assay(out=run, **ONLY_MARGINS)
    assert run_cli("verify", run).code == 0
    assert not list(run.rglob("rollouts.jsonl"))

    assay(out=run, judge={"url": server.url, "model": "judge"}, **FEW_ARMS)
    assert run_cli("verify", run).code == 0
    assert steps(run) == trained


def test_arms_and_seeds_are_left_out(assay: Callable[..., Any], run_cli: Any) -> None:
    """Rows, weights and records of what is left out are kept beside; the rest is not made again."""
    more = {**ONLY_MARGINS, "placebo": True, "seeds": [0, 1]}
    _, run = assay(**more)
    trained = steps(run)
    weights = contents(run / "arms/placebo/seed-1001")

    assay(out=run, **ONLY_MARGINS)
    assert run_cli("verify", run).code == 0
    assert [p.name for p in sorted((run / "arms").iterdir())] == ["control", "subject"]
    assert not (run / "data/placebo.jsonl").exists()
    assert steps(run) == trained
    former = run.with_name(f"{run.name}.former") / "1"
    assert contents(former / "arms/placebo/seed-1001") == weights


def test_weights_of_another_recipe_are_kept(assay: Callable[..., Any], run_cli: Any) -> None:
    """Settings changed by mistake cost no hours of training: the former weights lie beside."""
    _, run = assay(**ONLY_MARGINS)
    weights = contents(run / "arms")
    assay(out=run, train={"rank": 4, "heldout_rows": 4, "epochs": 2}, **ONLY_MARGINS)
    assert contents(run / "arms") != weights
    assert contents(run.with_name(f"{run.name}.former") / "1/arms") == weights
    assert run_cli("verify", run).code == 0


def test_an_untouched_rerun_moves_nothing(assay: Callable[..., Any]) -> None:
    """The same study again says nothing of moving."""
    _, run = assay(rollouts=NOTHING, **FEW_ARMS)
    before = contents(run)
    said, _ = assay(out=run, rollouts=NOTHING, **FEW_ARMS)
    assert "moved" not in said.err
    assert contents(run) == before
