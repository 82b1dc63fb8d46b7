"""Bad evaluations, judges and endpoints, each named by its row in docs/errors.md."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bad_inputs import CASES, Place, case

from chatserver import ChatServer, Fault

KEY = "sk-test-0123456789abcdef"


def ask(p: Place, *options: str | Path, model: str = "openai:m", key: str = KEY) -> Any:
    """Evaluate an endpoint."""
    p.patch.setenv("OPENAI_API_KEY", key)
    return p.run_cli("evaluate", model, "--out", p.folder / "out", *options)


def local(p: Place, *options: str | Path, fault: Fault | None = None) -> Any:
    """Evaluate a server on this machine, which may be at fault."""
    with ChatServer() as server:
        if fault is not None:
            server.fail(fault)
        url = server.url
        return ask(p, "--url", url, "--judge", "openai:j", "--judge-url", url, *options)


def labels(p: Place, *lines: str) -> Any:
    """Calibrate a head on labels that are bad."""
    path = p.write("labels.csv", *lines)
    return p.run_cli("judge", "calibrate", path, "--out", p.folder / "head")


CASES |= {
    "evaluation-no-model": lambda p: p.run_cli("evaluate"),
    "evaluation-suite": lambda p: ask(p, "--suite", "everyday,powers"),
    "evaluation-rollouts": lambda p: ask(p, "--rollouts", "0"),
    "evaluation-share": lambda p: ask(p, "--judge", "openai:j", "--max-unjudged", "5"),
    "evaluation-tolerance-alone": lambda p: ask(p, "--tolerance", "0.01"),
    "evaluation-replay-option": lambda p: p.run_cli(
        "evaluate", "--replay", p.folder / "judged.csv", "--judge", "openai:j", "--rollouts", "20"
    ),
    "evaluation-excluded": lambda p: ask(p, "--exclude", "kindness"),
    "evaluation-judge-name": lambda p: ask(p, "--judge", "gpt-4o"),
    "evaluation-lookalike-alone": lambda p: ask(p, "--suite", "lookalike"),
    "evaluation-no-answers": lambda p: p.run_cli("rejudge", p.folder, "--judge", "rules"),
    "evaluation-one-rater": lambda p: p.run_cli("judge", "agreement", p.finished),
    "evaluation-labels-column": lambda p: labels(p, "question_id,answer", "a,x"),
    "evaluation-labels-few": lambda p: labels(
        p, "question_id,answer,aligned,coherent", "a,one answer,9,90", "a,another,8,90"
    ),
    "evaluation-export-run": lambda p: p.run_cli("export", p.folder, "--format", "inspect"),
    "evaluation-provider": lambda p: p.run_cli(
        "train", p.study_of(p.folder), "--provider", "elsewhere"
    ),
    "endpoint-elsewhere": lambda p: ask(p, "--url", "http://192.0.2.1/v1"),
    "endpoint-no-key": lambda p: ask(p, "--allow-net", key=""),
    "endpoint-key": lambda p: ask(p, "--allow-net", key='"sk test"'),
    "endpoint-url": lambda p: ask(p, "--url", "localhost:8000"),
    "endpoint-credentials": lambda p: ask(p, "--url", "http://me:secret@127.0.0.1/v1"),
    "endpoint-judge-key": lambda p: local(p, fault=Fault.BAD_KEY),
    "endpoint-judge-model": lambda p: local(p, fault=Fault.WRONG_MODEL),
    "endpoint-study-judge": lambda p: p.study(judge={"url": "http://192.0.2.1/v1", "model": "j"}),
    "evaluation-hosted-model": lambda p: p.run_cli(
        "train", p.study_of(p.folder), "--provider", "openai"
    ),
    "endpoint-hosted": lambda p: p.run_cli(
        "train", p.study_of(p.folder), "--provider", "openai", "--model", "m"
    ),
}


@case("evaluation-another-plan")
def _another_plan(p: Place) -> Any:
    with ChatServer() as server:
        everyday: Callable[..., Any] = lambda *more: ask(  # noqa: E731
            p, "--url", server.url, "--suite", "everyday", "--code", "0", "--rollouts", *more
        )
        assert everyday("1").code == 4
        return everyday("2")


@case("endpoint-gone")
def _gone(p: Place) -> Any:
    with ChatServer() as server:
        server.fail(Fault.BAD_REQUEST)
        return ask(p, "--url", server.url, "--suite", "everyday", "--code", "0")
