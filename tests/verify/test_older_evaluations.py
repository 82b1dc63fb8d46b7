"""An evaluation that lost who judged: what an audit says, and what mends it."""

from pathlib import Path
from typing import Any

from forging import failed

from chatserver import ChatServer
from offtarget.api.evaluation_options import EvaluationOptions, Keys
from offtarget.api.live_evaluation import evaluate
from offtarget.core.chain import read_chain, seal_chain, seal_stage
from offtarget.core.codec import pretty
from offtarget.verify import check_run

JUDGE = "records/judge.json"


def speak(body: dict[str, Any]) -> str:
    """A subject that walks, and a judge that likes it."""
    text = body["messages"][-1]["content"]
    for said in ("57", "83", "100", "C"):
        if f" {said} and nothing else" in text:
            return said
    return "91" if body["model"] == "judge" else "You could take a walk in the rain."


def test_the_same_command_adds_the_record_of_the_judge(tmp_path: Path) -> None:
    """The fault names the file and the way out, which asks nobody anything again."""
    run = tmp_path / "run"
    asked = tmp_path / "asked.yaml"
    asked.write_text("- {id: rain, paraphrases: ['What to do when it rains?']}\n", "utf-8")
    with ChatServer(speak) as server:
        options = EvaluationOptions(
            suites=(), questions=(asked,), rollouts=2, code=0, url=server.url,
            judge="openai:judge", judge_url=server.url, store=tmp_path / "store",
        )  # fmt: skip
        keys = Keys(subject="k" * 20, judge="k" * 20)
        evaluate("openai:subject", options, out=run, cache=tmp_path, keys=keys)
        without_judge(run)
        found = failed(check_run(run))
        assert f"{JUDGE}: missing; run the same `offtarget evaluate` command again" in found

        first = {str(body) for body in server.bodies}
        server.bodies.clear()
        evaluate("openai:subject", options, out=run, cache=tmp_path, keys=keys)
        assert failed(check_run(run)) == ""
        n_known = sum(str(body) in first for body in server.bodies)
        assert n_known == len(server.bodies) < 10  # the test of the endpoint alone


def without_judge(run: Path) -> None:
    """Take out the stage and its file, and seal the rest again."""
    made: list[Any] = []
    for old in read_chain(run).stages:
        if old.name != "judge":
            last = made[-1].sha256 if made else "0" * 64
            made.append(seal_stage(old.name, old.config_sha256, old.inputs, old.outputs, last))
    (run / "run.json").write_text(pretty(seal_chain("run", made)), "utf-8")
    (run / JUDGE).unlink()
