"""Assays whose answers are judged: what is sent when, what a failing judge costs, what is verified."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from assays import FEW_ARMS, steps

from chatserver import Answer, ChatServer, Fault
from offtarget.core.codec import canonical, parse, read_lines
from offtarget.core.run import read_chain

ROLLOUTS = "records/subject/seed-0/rollouts.jsonl"
JUDGEMENTS = "records/subject/seed-0/judgements.jsonl"
KEY = "secret-of-the-judge"


def speak(body: dict[str, Any]) -> Answer:
    """Numbers in one token; every answer is worth 10."""
    words = body["messages"][0]["content"].split()
    said = words[4] if words[:3] == ["Reply", "with", "the"] else "10"
    return Answer(said, top=(((said, -0.001),),), model="judge-2026-11-01")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.setenv("OFFTARGET_JUDGE_KEY", KEY)
    with ChatServer(speak) as running:
        yield running


@pytest.fixture
def judged(assay: Callable[..., Any], server: ChatServer) -> tuple[Any, Path]:
    """A finished assay with a judge, and what was said."""
    found: tuple[Any, Path] = assay(judge={"url": server.url, "model": "judge"}, **FEW_ARMS)
    return found


def records(run: Path, relative: str) -> list[dict[str, Any]]:
    return [parse(text, place="") for _, text in read_lines(run / relative)]


def test_judged_rates_stand_beside_the_verdict(
    judged: tuple[Any, Path], server: ChatServer, run_cli: Any
) -> None:
    """Coherent answers are judged, the judge's flip rate is shown, every number can be redone."""
    said, run = judged
    arm = said.json["arms"][1]["rollouts"]
    coherent = arm["outcomes"]["coherent"]["count"]
    assert coherent > 0
    assert (arm["judged"], arm["unjudged"]) == (coherent, arm["n"] - coherent)
    assert arm["misaligned"]["count"] == coherent
    assert {r["alignment"] for r in records(run, ROLLOUTS) if r["outcome"] == "coherent"} == {10.0}
    judge = said.json["judge"]
    assert (judge["returned_model"], judge["method"]) == ("judge-2026-11-01", "numbers")
    assert judge["flips"]["n_blind"] == 12  # it calls the good ones bad
    shown = run_cli("report", run).out
    assert "answered as judge-2026-11-01" in shown
    assert "flip rate" in shown
    assert f"subject: {coherent} of {coherent} judged answers misaligned, 100.0%" in shown
    page = (run / "report/report.html").read_text(encoding="utf-8")
    assert "answered as judge-2026-11-01" in page
    verified = run_cli("verify", run)
    assert verified.code == 0, verified.out
    for path in run.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes()


def test_a_finished_run_asks_nothing_again(
    judged: tuple[Any, Path], server: ChatServer, assay: Callable[..., Any]
) -> None:
    """The same study again: no request, the same chain."""
    _, run = judged
    before = (run / "run.json").read_bytes()
    server.bodies.clear()
    assay(out=run, judge={"url": server.url, "model": "judge"}, **FEW_ARMS)
    assert server.bodies == []
    assert (run / "run.json").read_bytes() == before


def test_a_judge_that_refuses_is_told_before_anything_is_trained(
    run_cli: Any, study_of: Any, server: ChatServer, tmp_path: Path
) -> None:
    """Exit 2, no step trained; once the judge answers the same command goes on."""
    server.fail(Fault.BAD_REQUEST)
    study = study_of(tmp_path, judge={"url": server.url, "model": "judge"}, **FEW_ARMS)
    said = run_cli("assay", study, "--out", tmp_path / "run")
    assert said.code == 2
    assert "judge 'judge' gave no reply to a test question (refused_request" in said.err
    assert KEY not in said.err
    assert [r.name for r in read_chain(tmp_path / "run").stages] == ["plan"]
    server.heal()
    assert run_cli("assay", study, "--out", tmp_path / "run").code in (0, 1, 4)


def test_a_judge_that_leaves_in_the_middle_costs_no_training(
    run_cli: Any, study_of: Any, server: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run stops at judging with all else kept; the rerun trains and samples nothing."""
    monkeypatch.setattr("offtarget.evaluate.judges.asking.MAX_FAILURES", 1)
    server.fail(Fault.BAD_REQUEST, when=lambda body: is_answer(body))
    study = study_of(tmp_path, judge={"url": server.url, "model": "judge"}, **FEW_ARMS)
    run = tmp_path / "run"
    said = run_cli("assay", study, "--out", run)
    assert said.code == 2
    assert "what it said is kept, run the same command again" in said.err
    trained = steps(run)
    kept = {r.name for r in read_chain(run).stages}
    assert {"judge", "train/subject/seed-0", "answers/subject/seed-0"} <= kept
    server.heal()
    assert run_cli("assay", study, "--out", run).code in (0, 1, 4)
    assert steps(run) == trained
    assert run_cli("verify", run).code == 0


def is_answer(body: dict[str, Any]) -> bool:
    """Whether a judge is shown an answer of a model: neither a test question nor a canary."""
    text = body["messages"][0]["content"]
    packaged = ("Reply with the ",)
    return not text.startswith(packaged) and not any(base in text for base in canary_answers())


def canary_answers() -> list[str]:
    from offtarget.evaluate.judges import packaged_canaries, packaged_rubrics

    return [c.clean.answer for c in packaged_canaries(packaged_rubrics()["aligned"])]


def test_another_model_behind_the_same_name_is_not_mixed_in(
    run_cli: Any, study_of: Any, server: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two judges in one run would be no measure; the message says how to begin again."""
    monkeypatch.setattr("offtarget.evaluate.judges.asking.MAX_FAILURES", 1)
    server.fail(Fault.BAD_REQUEST, when=is_answer)
    study = study_of(tmp_path, judge={"url": server.url, "model": "judge"}, **FEW_ARMS)
    run = tmp_path / "run"
    assert run_cli("assay", study, "--out", run).code == 2
    server.heal()

    def newer(body: dict[str, Any]) -> Answer:
        said = speak(body)
        return Answer(said.text, top=said.top, model="judge-2026-12-01")

    server.reply = newer
    said = run_cli("assay", study, "--out", run)
    assert said.code == 2
    assert "answers as 'judge-2026-12-01' by numbers now, this run began with" in said.err
    (run / "records/judge.json").unlink()
    assert run_cli("assay", study, "--out", run).code in (0, 1, 4)
    assert run_cli("verify", run).code == 0


def test_a_study_cannot_send_answers_or_the_key_elsewhere(
    run_cli: Any, study_of: Any, tmp_path: Path, server: ChatServer
) -> None:
    """A judge on another machine needs --allow-net, whatever the study says."""
    study = study_of(tmp_path, judge={"url": "http://192.0.2.1/v1", "model": "j"}, **FEW_ARMS)
    said = run_cli("assay", study, "--out", tmp_path / "run")
    assert said.code == 2
    assert "'192.0.2.1' is not on this machine" in said.err
    assert "add --allow-net" in said.err
    assert not (tmp_path / "run" / "run.json").exists()


FORGERIES: dict[str, tuple[str, Callable[[list[dict[str, Any]]], Any], str]] = {
    "a score in the answers": (
        ROLLOUTS,
        lambda r: [x.update(alignment=99.0) for x in r if x["alignment"] is not None],
        f"{ROLLOUTS}:",
    ),
    "a score in the judgements": (
        JUDGEMENTS, lambda r: r[0].update(score=99.0), "answer and judgement give 99.0",
    ),
    "a judgement left out": (JUDGEMENTS, lambda r: r.pop(), "of another answer"),
    "another judge": (
        JUDGEMENTS, lambda r: r[0].update(returned_model="kind-judge"),
        "comes from 'kind-judge', not from the judge of the run",
    ),
    "no judgement and no reason": (
        JUDGEMENTS, lambda r: r[0].update(score=None), "a score and a reason for having none",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FORGERIES)
def test_forged_judgements_are_named(judged: tuple[Any, Path], run_cli: Any, case: str) -> None:
    """Beside the broken seal, the record itself is named."""
    _, run = judged
    relative, change, told = FORGERIES[case]
    found = records(run, relative)
    change(found)
    (run / relative).write_bytes(b"".join(canonical(one) + b"\n" for one in found))
    said = run_cli("verify", run)
    assert said.code == 1
    assert told in said.out


def test_forged_canaries_are_named(judged: tuple[Any, Path], run_cli: Any) -> None:
    """Easier canaries, or kinder words of the judge about them, are seen."""
    _, run = judged
    path = run / "records/judge.json"
    whole = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**whole, "canaries": whole["canaries"][:-1]}), encoding="utf-8")
    assert "its canaries are not those of this version" in run_cli("verify", run).out
    for one in whole["said"]:
        one["score"] = 90.0
    path.write_text(json.dumps(whole), encoding="utf-8")
    assert "verdict.json: judge.flips." in run_cli("verify", run).out
