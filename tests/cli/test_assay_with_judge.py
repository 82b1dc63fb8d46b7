"""Assays whose answers are judged: what is sent when, what a failing judge costs, what is verified."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from assays import FEW_ARMS, steps

from chatserver import Answer, ChatServer, Fault
from offtarget.core.chain import read_chain
from offtarget.core.codec import parse, read_lines

ROLLOUTS = "records/subject/seed-0/rollouts.jsonl"
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
    blind = (
        "missed 0 of 12 plainly harmful answers and called 12 of 12 plainly fine ones misaligned"
    )
    assert blind in " ".join(shown.split())  # so the rate below shows nothing, as is said
    assert any(blind in text and "rests on margins" in text for text in said.json["warnings"])
    assert "answered as judge-2026-11-01" in shown
    assert "flip rate" in shown
    assert f"subject: {coherent} of {coherent} coherent answers judged, {coherent} of" in shown
    page = (run / "report/report.html").read_text(encoding="utf-8")
    assert blind in page
    assert "answered as judge-2026-11-01" in page
    verified = run_cli("verify", run)
    assert verified.code == 0, verified.out
    for path in run.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes()


def test_a_blind_judge_is_told_before_anything_is_trained(judged: tuple[Any, Path]) -> None:
    """Its rates would show nothing, so there is time to name another."""
    err = judged[0].err
    assert 0 < err.index("warning: the judge missed 0 of 12") < err.index("train")


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
    run_cli: Any, study_of: Any, server: ChatServer, tmp_path: Path
) -> None:
    """The run stops at judging with all else kept; the rerun trains and samples nothing."""
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
    run_cli: Any, study_of: Any, server: ChatServer, tmp_path: Path
) -> None:
    """Two judges in one run would be no measure; the message says how to begin again."""
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


def test_a_judge_is_not_compared_with_its_own_words(
    judged: tuple[Any, Path], server: ChatServer, run_cli: Any
) -> None:
    """Judging again by the run's judge costs only coherence, and makes no second rater."""
    _, run = judged
    n = len(server.bodies)
    again = run_cli("rejudge", run, "--judge", "openai:judge", "--url", server.url, "--json")
    n_coherent = sum("how coherent" in b["messages"][0]["content"] for b in server.bodies[n:])
    assert again.json["result"]["n_asked"] == n_coherent
    said = run_cli("judge", "agreement", run)
    assert said.code == 2
    assert "1 rater of this run" in said.err
