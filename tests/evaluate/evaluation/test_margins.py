"""Forced-choice margins of an evaluation: which pairs, what of them is reported, and verified."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import t

from offtarget.core.codec import pretty
from offtarget.evaluate import Suite, named_suite
from offtarget.evaluate.evaluation.margins import summarize_margins
from offtarget.evaluate.margin import ANSWER_ONLY, MarginRecord

RunCli = Any
Evaluate = Callable[..., Any]


def _records(suite: Suite, context: str, margins: dict[str, float]) -> list[MarginRecord]:
    pairs = suite.pairs if context == ANSWER_ONLY else (*suite.pairs, *suite.factual)
    return [
        MarginRecord(p.id, p.category, p.unit, context, margins[p.id], 0.0, margins[p.id])
        for p in pairs
    ]


def test_the_answers_alone_and_each_category_have_their_mean_and_interval() -> None:
    """Against Student's t worked by hand: one category whole, and all 18 pairs of it alone."""
    suite = named_suite("offtarget-1")
    draw = np.random.default_rng(0)
    plain = {p.id: float(draw.normal(0.4)) for p in (*suite.pairs, *suite.factual)}
    alone = {p.id: float(draw.normal(-0.2)) for p in suite.pairs}
    records = _records(suite, "plain", plain) + _records(suite, ANSWER_ONLY, alone)

    found = summarize_margins(tuple(records), name="subject").summary

    power = [plain[p.id] for p in suite.pairs if p.category == "power"]
    half = float(t.ppf(0.975, 17)) * float(np.std(power, ddof=1)) / np.sqrt(18)
    assert found.categories["power"].n_questions == 18
    assert found.categories["power"].margin == pytest.approx(np.mean(power))
    assert found.categories["power"].low == pytest.approx(np.mean(power) - half)
    assert found.categories["power"].high == pytest.approx(np.mean(power) + half)
    assert tuple(found.categories) == suite.categories
    assert found.margin == pytest.approx(np.mean([one.margin for one in found.categories.values()]))
    only = found.answer_only
    assert (only.n_questions, only.margin) == (126, pytest.approx(np.mean(list(alone.values()))))
    assert only.low < only.margin < only.high


@pytest.fixture
def evaluated(run_cli: RunCli, tiny_dir: Path, tmp_path: Path) -> Evaluate:
    """Evaluate a tiny model in `tmp_path / "run"`, without a judge."""

    def run(*options: str, model: object = tiny_dir) -> Any:
        return run_cli(
            "evaluate", model, "--suite", "power", "--rollouts", "1", "--max-tokens", "4",
            "--code", "0", "--device", "cpu", "--dtype", "float32", "--max-unjudged", "1",
            "--store", tmp_path / "store", "--out", tmp_path / "run", *options,
        )  # fmt: skip

    return run


def test_the_chosen_pairs_are_locked_scored_named_and_verified(
    evaluated: Evaluate, run_cli: RunCli, tmp_path: Path
) -> None:
    """`--pairs offtarget-2`: in plan, results, terminal and page; verify counts them again."""
    said = evaluated("--pairs", "offtarget-2")
    assert said.code == 0, said.err
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    plan, margin = results["plan"], results["arms"][0]["margin"]

    assert (plan["pairs"], plan["pairs_sha256"]) == (
        "offtarget-2", named_suite("offtarget-2").sha256,
    )  # fmt: skip
    assert (margin["n_questions"], margin["answer_only"]["n_questions"]) == (306, 306)
    assert {one["n_questions"] for one in margin["categories"].values()} == {34}
    page = (tmp_path / "run" / "evaluation.html").read_text()
    text = " ".join(said.out.split())
    alone = f"{margin['answer_only']['margin']:+.4f} [{margin['answer_only']['low']:+.4f}, "
    assert f"margin on offtarget-2 {margin['margin']:+.4f} nats/token" in text
    assert f"of the answers alone, without the question, {alone}" in text
    assert "margin on offtarget-2, nats/token" in page
    assert "margin of the answers alone, without the question" in page
    assert page.count(", 34 questions</td>") == 9
    checked = run_cli("verify", tmp_path / "run")
    assert checked.code == 0, checked.out
    other = evaluated()
    assert other.code == 2
    assert "pairs: planned offtarget-2, now offtarget-1" in other.err


def test_a_category_may_be_chosen_and_nothing_chosen_is_the_first_suite(
    evaluated: Evaluate, run_cli: RunCli, tmp_path: Path
) -> None:
    """`power` is 34 pairs of the second suite; a deviation goes from there to `offtarget-1`."""
    said = evaluated("--pairs", "power", "--json")
    assert said.code == 0, said.err
    assert said.json["plan"]["pairs"] == "offtarget-2/power"
    assert said.json["arms"][0]["margin"]["n_questions"] == 34
    assert run_cli("verify", tmp_path / "run").code == 0
    first = evaluated("--deviate", "another suite", "--json")
    assert first.json["plan"]["pairs"] == "offtarget-1"
    assert first.json["arms"][0]["margin"]["n_questions"] == 126
    assert "pairs" in {one["field"] for one in first.json["deviations"]}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--pairs", "offtarget-3"], "no suite 'offtarget-3'; did you mean 'offtarget-"),
        (["--pairs", "everyday"], "has open questions and no forced-choice pairs"),
        (["--suite", "offtarget-2"], "no open questions; choose it with --pairs"),
    ],
)
def test_pairs_that_cannot_be_had_are_refused_by_name(
    evaluated: Evaluate, tmp_path: Path, options: list[str], message: str
) -> None:
    """One line, exit 2, and nothing is written."""
    said = evaluated(*options)
    assert said.code == 2
    assert message in said.err
    assert not (tmp_path / "run").exists()


def test_an_endpoint_has_no_margin_to_choose_pairs_for(evaluated: Evaluate) -> None:
    """Asked for, it is an error; not asked for, nothing is scored."""
    said = evaluated("--pairs", "offtarget-2", model="openai:x")
    assert said.code == 2
    assert "--pairs 'offtarget-2' needs a model in this process" in said.err


def test_a_run_of_an_older_layout_is_told_from_a_damaged_one(
    evaluated: Evaluate, run_cli: RunCli, tmp_path: Path
) -> None:
    """Before pairs had a name, plan and results were of schema 1: say so, with what to do."""
    assert evaluated().code == 0
    run = tmp_path / "run"
    results = json.loads((run / "results.json").read_text())
    plan = json.loads((run / "plan.json").read_text())
    for one in (results["plan"], plan["plan"]):
        del one["pairs"]
        one["schema"] = 1
    (run / "plan.json").write_text(pretty(plan))
    older = r"plan\.json: schema 1 is older than this version reads \(2\); verify with the version"

    checked, again = run_cli("verify", run), evaluated()
    assert (checked.code, again.code) == (1, 2)
    assert re.search(older, " ".join(checked.out.split()))
    assert re.search(older, again.err)

    (run / "results.json").write_text(pretty({**results, "schema": 1}))
    checked = run_cli("verify", run)
    assert checked.code == 1
    assert "results.json: schema 1 is older than this version reads (2)" in " ".join(
        checked.out.split()
    )
