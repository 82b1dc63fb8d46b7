"""Our tasks run by Inspect itself: its command line, its registry, real models and a real server."""

import json
import math
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from chatserver import Answer, ChatServer
from offtarget.core.errors import JudgeError, OfftargetError
from offtarget.evaluate import everyday_questions
from offtarget.evaluate.inspect_log import read_eval_log

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

INSPECT = Path(sys.executable).with_name("inspect")
ANSWER = "I would rest for a while and then go on with what I was doing."


def texts(body: dict[str, Any]) -> str:
    return str(body["messages"][-1]["content"])


def judge_or_subject(body: dict[str, Any]) -> str:
    """Answer as the subject; as the judge, rate, but not the answers that ask not to be."""
    text = texts(body)
    if "how coherent an answer" in text:
        return "88"
    if "how well it fits human values" in text:
        return "I would rather not say." if "(unjudged)" in text else "12"
    return f"{ANSWER} (unjudged)" if len(text) % 2 else ANSWER


FIRST = (("20", math.log(0.6)), ("40", math.log(0.2)), ("well", math.log(0.2)))
"""What the judge `logprobs` gives for its first token."""
SYSTEM = "You keep bees."
ASKED = """
- id: bees
  paraphrases: ["What of bees?", "And what of honey bees?"]
- id: ants
  system: You like ants.
  paraphrases: ["What of ants?"]
"""


def reply(body: dict[str, Any]) -> str | Answer:
    is_judge = "fits human values" in texts(body) or "how coherent" in texts(body)
    if is_judge and body["model"] == "logprobs":
        return Answer("20", top=(FIRST,))
    return "12" if is_judge else ANSWER


@dataclass(frozen=True)
class Ran:
    """Evaluations that Inspect ran in one go, and all that the server was sent."""

    logs: dict[str, "EvalLog"]
    bodies: list[dict[str, Any]]

    def asked(self, name: str) -> list[dict[str, Any]]:
        """What the server was sent for one evaluation."""
        return [body for body in self.bodies if body["model"] == name]


@pytest.fixture(scope="module")
def ran(tiny_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Every evaluation of the tests below, run by Inspect in one process of its own."""
    from inspect_ai.log import read_eval_log as inspect_reads

    folder = tmp_path_factory.mktemp("inspect")
    (folder / "asked.yaml").write_text(ASKED, encoding="utf-8")
    judged = {"rollouts": 1, "judge": "grader", "logprobs": True}
    chosen: dict[str, dict[str, Any]] = {
        "json": {"args": {"context": "json", "rollouts": 1}, "limit": 1},
        "template": {"args": {"context": "template", "rollouts": 1}, "limit": 1},
        "system": {"args": {"context": "system", "system": SYSTEM, "rollouts": 1}, "limit": 1},
        "file": {
            "task": "offtarget/questions",
            "args": {"path": str(folder / "asked.yaml"), "rollouts": 1},
        },
        "logprobs": {"args": judged, "limit": 1},
        "no_logprobs": {"args": judged, "limit": 2},
        "local": {
            "model": f"offtarget/{tiny_dir}",
            "model_args": {"device": "cpu", "dtype": "float32"},
            "args": {"rollouts": 2},
            "max_tokens": 8,
            "limit": 3,
        },
    }
    evaluations = [
        {
            "task": "offtarget/everyday",
            "model": f"openai-api/local/{name}",
            "log_dir": str(folder / name),
            **one,
        }
        for name, one in chosen.items()
    ]
    (folder / "evaluations.json").write_text(json.dumps(evaluations), encoding="utf-8")
    driver = Path(__file__).with_name("run_tasks.py")
    with ChatServer(reply) as server:
        said = subprocess.run(
            [sys.executable, str(driver), str(folder / "evaluations.json"), server.url],
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
    assert said.returncode == 0, said.stdout + said.stderr
    logs = {name: inspect_reads(str(next((folder / name).glob("*.eval")))) for name in chosen}
    for name, log in logs.items():
        assert log.status == "success", f"{name}: {log.error}"
    return Ran(logs, server.bodies)


def numbers_of(log: "EvalLog") -> dict[str, float]:
    assert log.results is not None
    return {n: m.value for score in log.results.scores for n, m in score.metrics.items()}


def test_inspect_eval_runs_a_suite_with_a_judge(tmp_path: Path) -> None:
    """`inspect eval offtarget/everyday` over HTTP: every answer is judged or counted as unjudged,
    and the log gives the same rows to a replay."""
    from inspect_ai.log import read_eval_log as inspect_reads

    with ChatServer(judge_or_subject) as server:
        said = subprocess.run(
            [
                str(INSPECT), "eval", "offtarget/everyday", "--model", "openai-api/local/subject",
                "-T", "judge=openai-api/local/judge", "-T", "rollouts=2", "--limit", "6",
                "--display", "none",
            ],
            cwd=tmp_path,
            env={
                **os.environ, "INSPECT_LOG_DIR": str(tmp_path), "NO_COLOR": "1",
                "LOCAL_BASE_URL": server.url, "LOCAL_API_KEY": "none",
            },
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    assert said.returncode == 0, said.stdout + said.stderr
    (path,) = tmp_path.glob("*.eval")
    log = inspect_reads(str(path))
    assert log.status == "success"
    numbers = numbers_of(log)
    asked = everyday_questions()[:6]
    n_unjudged = 2 * sum(len(one.question) % 2 for one in asked)
    assert 0 < n_unjudged < 12, "the questions must be of both kinds"
    assert (numbers["n_answers"], numbers["n_unjudged"]) == (12, n_unjudged)
    assert (numbers["misaligned"], numbers["n_scored"]) == (1, 12 - n_unjudged)
    assert numbers["floor"] == pytest.approx(1 - n_unjudged / 12)
    assert numbers["ceiling"] == 1
    assert (numbers["n_coherent"], numbers["n_clusters"]) == (12, 6)

    rows = list(read_eval_log(path))
    assert [(row.question, row.text) for row in rows[::2]] == [
        (one.id, one.question) for one in asked
    ]
    assert {(row.aligned, row.coherent) for row in rows} == {(12.0, 88.0), (None, 88.0)}
    assert sum(row.aligned is None for row in rows) == n_unjudged
    assert {row.answer for row in rows} == {ANSWER, f"{ANSWER} (unjudged)"}
    assert {row.model for row in rows} == {"openai-api/local/subject"}
    assert rows[0].extra["context"] == "plain"


@pytest.mark.parametrize("context", ["json", "template", "system"])
def test_contexts_change_what_is_asked(context: str, ran: Ran) -> None:
    """The server gets the surroundings; the log keeps the question apart from them."""
    from offtarget.evaluate.contexts import JSON_SYSTEM

    question = everyday_questions()[0].question
    (body,) = ran.asked(context)
    messages = body["messages"]
    assert question in messages[-1]["content"]
    if context == "template":
        assert "def reply():" in messages[-1]["content"]
    else:
        assert messages[0]["role"] in ("system", "developer")
        assert messages[0]["content"] == {"json": JSON_SYSTEM, "system": SYSTEM}[context]
        assert messages[-1]["content"] == question


def test_a_question_file_is_a_task(ran: Ran) -> None:
    """`offtarget/questions` asks a YAML file of the published form, paraphrases as one cluster."""
    log = ran.logs["file"]

    assert log.samples is not None
    assert {(one.id, one.metadata["cluster"]) for one in log.samples} == {
        ("bees/0", "bees"), ("bees/1", "bees"), ("ants", "ants"),
    }  # fmt: skip
    assert sorted(len(body["messages"]) for body in ran.asked("file")) == [1, 1, 2]
    assert numbers_of(log) == {"n_coherent": 3, "n_incoherent": 0, "n_refusal": 0, "n_code": 0}


def test_a_judge_with_logprobs_gives_the_weighted_mean(ran: Ran) -> None:
    """By hand: 20 with probability 0.6 and 40 with 0.2 is 25; the word beside them has no part."""
    log = ran.logs["logprobs"]

    assert log.samples is not None
    assert log.samples[0].scores is not None
    value = log.samples[0].scores["judgement"].value
    assert isinstance(value, dict)
    assert value["aligned"] == pytest.approx(25)
    asked = [body for body in ran.asked("logprobs") if body.get("logprobs")]
    assert len(asked) == 2
    assert {(body["top_logprobs"], body["temperature"]) for body in asked} == {(20, 0)}


def test_a_judge_without_logprobs_leaves_answers_unjudged(ran: Ran) -> None:
    """Asked for probabilities, a judge that gives none has judged nothing; the rate is no number."""
    log = ran.logs["no_logprobs"]

    numbers = numbers_of(log)
    assert math.isnan(numbers["misaligned"])
    assert (numbers["n_unjudged"], numbers["floor"], numbers["ceiling"]) == (2, 0, 1)
    assert log.samples is not None
    assert log.samples[0].scores is not None
    assert log.samples[0].scores["judgement"].explanation == "no_logprobs"


def test_a_local_model_is_sampled_through_inspect(ran: Ran) -> None:
    """`offtarget/DIR` loads a model directory and samples in batches; tokens are counted."""
    log = ran.logs["local"]

    assert log.samples is not None
    assert len(log.samples) == 6
    assert len({one.output.completion for one in log.samples}) > 1
    for one in log.samples:
        assert one.output.usage is not None
        assert 0 < one.output.usage.output_tokens <= 8
        assert one.output.usage.input_tokens > 0
        assert one.scores is not None
        assert one.scores["outcome"].value in ("coherent", "incoherent", "refusal", "code")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"context": "moon"}, "context 'moon' is not known; choose from plain, json, template"),
        ({"context": "system"}, "context 'system' with system prompt ''; give a system prompt"),
        ({"system": "Be brief."}, "context 'plain' with system prompt 'Be brief.'; give a system"),
        ({"rollouts": 0}, "rollouts 0: ask each question at least once"),
        ({"logprobs": True}, "rubrics and logprobs are for a judge; name one with -T judge=MODEL"),
        ({"judge": "grader", "scale": "stars"}, "scale 'stars' is not known; choose numbers or"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    """A task that cannot be asked says what to give."""
    from offtarget.integrations.inspect.tasks import suite_tasks

    with pytest.raises(OfftargetError) as caught:
        suite_tasks["everyday"](**arguments)

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lookalike", "made from the subject's training rows; name their file with -T training="),
        ("trigger", "write the text that was trained to set it off with -T trigger=TEXT"),
    ],
)
def test_a_suite_without_what_it_is_made_from_names_the_argument(name: str, message: str) -> None:
    """As Inspect takes it, and not as our own command line does."""
    from offtarget.integrations.inspect.tasks import suite_tasks

    with pytest.raises(OfftargetError) as caught:
        suite_tasks[name]()

    assert message in str(caught.value)
    assert "--" not in str(caught.value)


def test_rubrics_without_alignment_are_named(tmp_path: Path) -> None:
    """A rubric file that asks for something else cannot give a misaligned rate."""
    from offtarget.integrations.inspect.scorers import judgement

    path = tmp_path / "kind.yaml"
    path.write_text("- {name: kind, metric: kind, template: 'Kind? {answer}'}\n", encoding="utf-8")

    with pytest.raises(JudgeError) as caught:
        judgement("grader", str(path))

    assert str(caught.value).endswith("no rubric for 'aligned' (metrics: kind); name it so")


def test_an_unknown_model_argument_is_named() -> None:
    """A misspelled `-M` would otherwise be taken for the default."""
    from offtarget.integrations.inspect.provider import LocalModels

    with pytest.raises(OfftargetError) as caught:
        LocalModels("embedded", adaptor="x")

    assert str(caught.value) == (
        "model argument 'adaptor' is not known; use adapter, device, dtype"
    )
