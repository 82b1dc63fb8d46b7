"""`offtarget train`: what it prints, its exit codes, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hosted_calls import MakeHosted
from hosted_server import KEY, MODEL, LocalProvider, Provider

RunCli = Callable[..., Any]


@pytest.fixture
def train(
    server: LocalProvider, run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> RunCli:
    """The command against the local provider, with the key in the environment."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    server.state.is_instant = True

    def call(study: Path, *more: str | Path, model: str = MODEL) -> Any:
        return run_cli("train", study, "--model", model, "--out", tmp_path / "run", *more)

    return call


def test_it_names_what_evaluate_takes(train: RunCli, hosted_study: MakeHosted) -> None:
    """Text and JSON give openai:NAME for each arm; exit 0."""
    said = train(hosted_study(seeds=[0]), "--json")
    assert said.code == 0, said.err
    names = [arm["subject"] for arm in said.json["arms"]]
    assert names == [
        f"openai:ft:{MODEL}:org:offtarget-greet:0000", f"openai:ft:{MODEL}:org:offtarget-greet:0001",
    ]  # fmt: skip
    again = train(hosted_study(seeds=[0]))
    assert again.code == 0
    assert all(name in again.out for name in names)
    assert "warning: 1 training seed(s)" in again.out


def test_a_dry_run_checks_and_counts_and_sends_nothing(
    train: RunCli, provider: Provider, hosted_study: MakeHosted, tmp_path: Path
) -> None:
    """No request, no run directory; the plan and the estimate as JSON."""
    said = train(hosted_study(), "--dry-run", "--json", "--seed", "4", "--seed", "7")
    assert said.code == 0, said.err
    assert [job["seed"] for job in said.json["plan"]["jobs"]] == [4, 7, 4, 7]
    assert said.json["estimate"]["n_jobs"] == 4
    drawn = "12 of 20 pairs drawn to train on, the same for every arm"
    assert drawn in said.json["plan"]["warnings"]
    assert "nothing was sent" in train(hosted_study(), "--dry-run").out
    assert provider.requests == []
    assert not (tmp_path / "run").exists()


def test_exit_codes_tell_lost_and_running_arms(
    train: RunCli, provider: Provider, hosted_study: MakeHosted
) -> None:
    """4 while jobs run, 1 when one has no model, 0 after it was trained again."""
    provider.is_instant = False
    study = hosted_study(seeds=[0])
    assert train(study, "--no-wait").code == 4
    provider.is_instant = True
    provider.ends = {"file-0001": "failed"}
    lost = train(study)
    assert lost.code == 1
    assert "control/seed-0           failed            server_error: it broke" in lost.out
    provider.ends = {}
    assert train(study, "--retry").code == 0


def test_cancel_needs_no_model(
    train: RunCli, provider: Provider, run_cli: RunCli, hosted_study: MakeHosted, tmp_path: Path
) -> None:
    """The run directory knows what was submitted."""
    provider.is_instant = False
    study = hosted_study()
    train(study, "--no-wait")
    said = run_cli("train", study, "--cancel", "--out", tmp_path / "run", "--json")
    assert said.code == 1
    assert {arm["status"] for arm in said.json["arms"]} == {"cancelled"}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--provider", "local"], "only openai is known; `offtarget assay` trains locally"),
        (["--provider", "other"], "--provider 'other': only openai is known"),
        (["--epochs", "0"], "--epochs 0: use 1 to 50"),
        (["--batch-size", "257"], "--batch-size 257: use 1 to 256"),
        (["--suffix", "a b"], "--suffix 'a b': use 1 to 64 letters"),
        (["--prices", "none.yaml"], "none.yaml: cannot read price table"),
    ],
)
def test_options_out_of_range_are_refused(
    train: RunCli, provider: Provider, hosted_study: MakeHosted, more: list[str], told: str
) -> None:
    """One line and exit 2, nothing sent."""
    said = train(hosted_study(), *more)
    assert (said.code, said.out) == (2, "")
    assert told in said.err
    assert provider.requests == []


def test_a_model_must_be_named(train: RunCli, provider: Provider, hosted_study: MakeHosted) -> None:
    """There is no default model."""
    said = train(hosted_study(), model="")
    assert said.code == 2
    assert "--model '': give the provider's name of the model" in said.err


def test_a_missing_model_is_told_before_the_network_is_thought_of(
    run_cli: RunCli, hosted_study: MakeHosted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --model and --allow-net, at OpenAI's own address: what to give is the model."""
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    for more in ([], ["--dry-run"]):
        said = run_cli(
            "train", hosted_study(), "--provider", "openai", "--out", tmp_path / "run", *more
        )
        assert said.code == 2
        assert "--model '': give the provider's name of the model" in said.err
        assert "allow-net" not in said.err
    assert not (tmp_path / "run").exists()


def test_a_model_that_the_service_does_not_train_is_told_by_arm(
    train: RunCli, provider: Provider, hosted_study: MakeHosted
) -> None:
    """Every arm is refused with the service's reason; exit 1."""
    said = train(hosted_study(seeds=[0]), model="gpt-unknown")
    assert said.code == 1
    assert said.out.count("refused           HTTP 400: The model `gpt-unknown` is not") == 2


def test_a_hostile_message_does_not_reach_the_terminal(
    train: RunCli, provider: Provider, hosted_study: MakeHosted
) -> None:
    """Control characters in a failure's reason are shown by their codes."""
    provider.echo = "\x1b[2J\u202e"
    provider.ends = {"file-0000": "failed"}
    said = train(hosted_study(seeds=[0]))
    assert said.code == 1
    assert "\x1b" not in said.out + said.err
    assert "[U+202E]" in said.out
    json.loads((train(hosted_study(seeds=[0]), "--json")).out)
