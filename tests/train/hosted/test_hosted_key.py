"""The key and the data: where they may go, and where the key must never be found."""

import os
import pickle
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from hosted_calls import Hosted, MakeHosted
from hosted_server import KEY, MODEL, Fault, LocalProvider, Provider

from offtarget.api import HostedOptions, train_hosted
from offtarget.core.errors import ConfigError, OfftargetError
from offtarget.train.hosted import Failure, FailureKind, Service

COMMAND = "import sys; from offtarget.cli import main; sys.argv[0] = 'offtarget'; main()"


def run_train(server: LocalProvider, study: Path, out: Path) -> "subprocess.CompletedProcess[str]":
    """The command line in a process of its own, with the package's own logging at its loudest."""
    env = {
        **os.environ, "OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": server.url, "OPENAI_LOG": "debug",
        "OFFTARGET_TRACEBACK": "1",
    }  # fmt: skip
    arguments = ["train", str(study), "--model", MODEL, "--out", str(out)]
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments], env=env, text=True, capture_output=True,
        timeout=300, check=False,
    )  # fmt: skip


def assert_no_key(told: str, folder: Path, key: str = KEY) -> None:
    """Neither what was told nor any file below `folder` holds the key."""
    assert key not in told
    for path in folder.rglob("*"):
        assert not path.is_file() or key.encode() not in path.read_bytes(), path.name


def test_a_server_that_sends_the_key_back_cannot_place_it_anywhere(
    server: LocalProvider, provider: Provider, hosted_study: MakeHosted, tmp_path: Path
) -> None:
    """Logs, failures and refusals that hold the key are recorded with [key] in its place."""
    provider.echo = f"for {KEY}"
    provider.is_instant = True
    provider.faults = [Fault("error", "GET /v1/files"), Fault("refuse", "POST /v1/fine_tuning")]
    study = hosted_study()
    provider.ends = {"file-0001": "failed"}
    told = run_train(server, study, tmp_path / "run")
    assert told.returncode == 1, told.stderr
    assert "Unsupported value for [key]" in (tmp_path / "run/arms.json").read_text("utf-8")
    assert "it broke for [key]" in (tmp_path / "run/jobs/control/seed-0.json").read_text("utf-8")
    assert (tmp_path / "run/journal.jsonl").exists()
    assert_no_key(told.stdout + told.stderr, tmp_path)


@pytest.mark.parametrize("kind", ["key", "quota", "redirect", "error"])
def test_an_error_with_the_key_in_it_is_told_without(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted, tmp_path: Path, kind: str
) -> None:
    """Neither the message nor any exception in its chain holds the key, nor does a file."""
    provider.echo = f"for {KEY}"
    provider.faults = [Fault(kind, "GET /v1/files", times=9)]
    with pytest.raises(OfftargetError) as caught:
        hosted.train(hosted_study())
    if kind == "key":
        assert "the service refused the key (HTTP 403: Not allowed for Bearer [key])" in str(
            caught.value
        )
    trace = "".join(traceback.format_exception(caught.value))
    assert "hosted" in trace
    assert_no_key(trace + "".join(hosted.lines), tmp_path)


def test_a_wrong_key_is_told_as_such(
    hosted: Hosted, hosted_study: MakeHosted, tmp_path: Path
) -> None:
    """A 401 names OPENAI_API_KEY and not the key, which the server repeats."""
    wrong = "sk-other-key-1234"
    with pytest.raises(ConfigError) as caught:
        hosted.train(hosted_study(), api_key=wrong)
    told = str(caught.value)
    assert told.startswith("list of files: the service refused the key (HTTP 401: ")
    assert told.endswith("check OPENAI_API_KEY")
    assert_no_key(told, tmp_path, key=wrong)


def test_nothing_leaves_this_machine_unasked(hosted_study: MakeHosted, tmp_path: Path) -> None:
    """Without allow_net another host is refused before anything is read or written."""
    out = tmp_path / "run"
    for url in ("", "https://api.openai.com/v1", "http://192.0.2.7/v1"):
        with pytest.raises(ConfigError, match=r"not on this machine .* add --allow-net"):
            train_hosted(
                hosted_study(), options=HostedOptions(model=MODEL), out=out, url=url, api_key=KEY
            )
    assert not out.exists()
    with pytest.raises(ConfigError, match=r"no key for https://api\.openai\.com/v1"):
        train_hosted(hosted_study(), options=HostedOptions(model=MODEL), out=out, allow_net=True)


def test_a_service_neither_shows_nor_hands_on_its_key(server: LocalProvider) -> None:
    """Neither repr nor pickle gives it away."""
    service = Service(server.url, api_key=KEY)
    assert KEY not in repr(service)
    with pytest.raises(TypeError, match="holds a key"):
        pickle.dumps(service)


def test_an_escaped_key_is_hidden_too(hosted: Hosted, provider: Provider, tmp_path: Path) -> None:
    """A key written with JSON escapes is found after the answer was read."""
    provider.add_file(f"x {KEY} y", b"", "fine-tune")
    provider.escapes = True
    service = Service(hosted.url, api_key=KEY)
    found = service.files()
    service.close()
    assert not isinstance(found, Failure)
    assert found[0].filename == "x [key] y"


def test_a_large_upload_gets_the_time_it_needs(
    hosted: Hosted, provider: Provider, tmp_path: Path
) -> None:
    """A file that a slow line needs longer for than the timeout goes through a client of its own."""
    path = tmp_path / "big.jsonl"
    path.write_bytes(b"x" * 700_000)
    service = Service(hosted.url, api_key=KEY, timeout_s=5.0)
    found = service.upload(path, name="big.jsonl")
    service.close()
    assert not isinstance(found, Failure)
    assert provider.contents[found.id] == path.read_bytes()


def test_a_service_that_is_not_there_is_a_failure_to_try_again(tmp_path: Path) -> None:
    """A refused connection is unclear, not an exception."""
    service = Service("http://127.0.0.1:9/v1", api_key=KEY, timeout_s=5.0)
    found = service.files()
    service.close()
    assert isinstance(found, Failure)
    assert found.kind is FailureKind.UNCLEAR
