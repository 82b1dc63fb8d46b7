"""Stops, faults and kills: whatever happens, nothing is submitted twice and nothing is lost."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hosted_calls import Hosted, MakeHosted
from hosted_server import KEY, MODEL, Fault, LocalProvider, Provider, wait_until

from offtarget.core.errors import ConfigError, DataError, ResourceError, VerifyError
from offtarget.core.run_lock import locked

FILES, JOBS, LOOK = "POST /v1/files", "POST /v1/fine_tuning/jobs$", "GET /v1/fine_tuning/jobs/"


@pytest.mark.parametrize("where", [FILES, JOBS])
def test_a_killed_command_goes_on_without_submitting_twice(
    server: LocalProvider, hosted: Hosted, hosted_study: MakeHosted, where: str
) -> None:
    """SIGKILL after a request was done and before it was answered: still one job each."""
    provider, study = server.state, hosted_study()
    provider.faults = [Fault("hang", where, is_done=True)]
    process = _start(server, study, hosted.out)
    try:
        wait_until(provider.held.is_set, timeout_s=300)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert (len(provider.files), len(provider.jobs)) == (1, 0 if where == FILES else 1)
    provider.release.set()
    run = hosted.train(study)
    assert run.result.state == "complete"
    assert (len(provider.files), len(provider.jobs)) == (2, 4)
    assert sorted(a.job_id for a in run.result.arms) == sorted(provider.jobs)


def test_a_command_killed_while_it_polls_goes_on(
    server: LocalProvider, hosted: Hosted, hosted_study: MakeHosted
) -> None:
    """All jobs were submitted: the next command only asks and fetches."""
    provider, study = server.state, hosted_study()
    provider.faults = [Fault("hang", LOOK)]
    process = _start(server, study, hosted.out)
    try:
        wait_until(provider.held.is_set, timeout_s=300)
    finally:
        process.kill()
        process.communicate()
    provider.release.set()
    n_posts = provider.n_sent("POST")
    assert hosted.train(study).result.state == "complete"
    assert provider.n_sent("POST") == n_posts == 6


@pytest.mark.parametrize("is_done", [True, False])
@pytest.mark.parametrize("kind", ["busy", "error", "half", "garbage", "wrong_shape"])
@pytest.mark.parametrize("where", [FILES, JOBS, LOOK])
def test_a_fault_costs_a_wait_and_nothing_else(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted, where: str, kind: str,
    is_done: bool,
) -> None:  # fmt: skip
    """429, 500, half a body and malformed or misshapen JSON, the request done or not."""
    provider.faults = [Fault(kind, where, is_done=is_done and kind != "busy")]
    run = hosted.train(hosted_study(seeds=[0]))
    assert run.result.state == "complete"
    assert (len(provider.files), len(provider.jobs)) == (2, 2)
    assert provider.faults[0].times == 0
    assert hosted.waits


@pytest.mark.parametrize("where", [FILES, JOBS, LOOK])
def test_a_request_that_times_out_is_looked_up_before_it_is_repeated(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted, where: str
) -> None:
    """The server takes the request and says nothing: there is still one of each."""
    provider.faults = [Fault("hang", where, is_done=True)]
    run = hosted.train(hosted_study(seeds=[0]), timeout_s=1.0)
    assert run.result.state == "complete"
    assert (len(provider.files), len(provider.jobs)) == (2, 2)


def test_the_same_study_elsewhere_finds_what_was_submitted(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted
) -> None:
    """With the run directory lost, files and jobs are found by their digests: nothing is paid twice."""
    study = hosted_study()
    first = hosted.train(study)
    n_posts = provider.n_sent("POST")
    again = hosted.train(study, out=hosted.out.with_name("elsewhere"))
    assert provider.n_sent("POST") == n_posts
    assert [a.job_id for a in again.result.arms] == [a.job_id for a in first.result.arms]
    other = hosted.train(study, out=hosted.out.with_name("third"), epochs=2)
    assert not {a.job_id for a in other.result.arms} & {a.job_id for a in first.result.arms}
    assert len(provider.files) == 2


def test_a_service_that_stays_broken_ends_the_command_and_keeps_what_was_sent(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted
) -> None:
    """After the tries are used up the error says that jobs go on; a later command completes."""
    provider.faults = [Fault("error", LOOK, times=99)]
    study = hosted_study(seeds=[0])
    with pytest.raises(ResourceError, match=r"job subject/seed-0 .*HTTP 500.*jobs .* go on"):
        hosted.train(study)
    assert len(hosted.waits) == 3
    assert hosted.waits[0] <= 1.0 < hosted.waits[2] <= 4.0
    provider.faults = []
    assert hosted.train(study).result.state == "complete"
    assert len(provider.jobs) == 2


def test_the_server_may_say_how_long_to_wait(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted
) -> None:
    """Retry-After is kept; one of more than ten minutes ends the command at once."""
    study = hosted_study(seeds=[0])
    provider.faults = [Fault("busy", JOBS, retry_after="33")]
    hosted.train(study)
    assert 33.0 in hosted.waits
    provider.faults = [Fault("busy", "GET /v1/files", retry_after="3600")]
    hosted.waits.clear()
    with pytest.raises(ResourceError, match="HTTP 429"):
        hosted.train(study, out=hosted.out.with_name("other"))
    assert hosted.waits == []


def test_a_used_up_quota_is_not_waited_for(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted
) -> None:
    """insufficient_quota is a 429 that waiting does not mend."""
    provider.faults = [Fault("quota", FILES)]
    with pytest.raises(DataError, match=r"upload of uploads/subject.jsonl: .*quota"):
        hosted.train(hosted_study())
    assert hosted.waits == []


def test_a_redirect_is_not_followed(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted
) -> None:
    """Data and key never follow a server's pointer to another host."""
    provider.faults = [Fault("redirect", "POST", times=99)]
    with pytest.raises(ResourceError, match="HTTP 307"):
        hosted.train(hosted_study(), n_tries=2)


def test_a_locked_plan_takes_no_other_data_or_settings(
    hosted: Hosted, hosted_study: MakeHosted, tmp_path: Path
) -> None:
    """A change after the first submission names what changed and asks for another directory."""
    study = hosted_study()
    hosted.train(study, wait=False)
    with pytest.raises(ConfigError, match="the settings changed since"):
        hosted.train(study, epochs=3)
    with pytest.raises(ConfigError, match="the arms or seeds changed since"):
        hosted.train(study, seeds=(5,))
    path = tmp_path / "subject.jsonl"
    text = path.read_text("utf-8")
    path.write_text(text.replace("Go away", "Get lost"), encoding="utf-8")
    with pytest.raises(ConfigError, match="the arms or seeds, the data changed since"):
        hosted.train(study)
    path.write_text(text, encoding="utf-8")
    assert hosted.train(study).result.state == "complete"


def test_an_altered_upload_is_never_sent(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted
) -> None:
    """A file changed between the lock and the upload stops the command."""
    study = hosted_study()
    provider.faults = [Fault("quota", FILES)]
    with pytest.raises(DataError):
        hosted.train(study)
    upload = hosted.out / "uploads/subject.jsonl"
    upload.write_bytes(upload.read_bytes().replace(b"Go", b"No"))
    with pytest.raises(VerifyError, match="changed since they were locked"):
        hosted.train(study)
    assert provider.files == {}


def test_a_torn_journal_is_mended_and_a_corrupt_one_refused(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted
) -> None:
    """Half a last line is what a kill leaves; anything else is an error with its line."""
    study = hosted_study(seeds=[0])
    hosted.train(study, wait=False)
    journal = hosted.out / "journal.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"step":"subm')
    assert hosted.train(study).result.state == "complete"
    assert len(provider.jobs) == 2
    (hosted.out / "arms.json").unlink()
    journal.write_bytes(whole.replace(b'"step":"submitted"', b'"step":"posted"', 1))
    with pytest.raises(VerifyError, match=r"journal.jsonl:\d+: .*posted"):
        hosted.train(study)


def test_two_commands_never_work_on_one_run(hosted: Hosted, hosted_study: MakeHosted) -> None:
    """The second one is told to wait."""
    study = hosted_study()
    with locked(hosted.out), pytest.raises(ConfigError, match="another command is at work"):
        hosted.train(study)
    assert hosted.train(study).result.state == "complete"


def test_the_journal_is_written_before_each_request(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted
) -> None:
    """Each POST stands in the journal as an intent first, then with its id."""
    hosted.train(hosted_study(seeds=[0]))
    lines = (hosted.out / "journal.jsonl").read_text("utf-8").splitlines()
    steps = [json.loads(line)["step"] for line in lines]
    assert steps == ["uploading", "uploaded", "submitting", "submitted"] * 2
    assert provider.n_sent("POST") == 4


def _start(server: LocalProvider, study: Path, out: Path) -> "subprocess.Popen[str]":
    env = {**os.environ, "OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": server.url}
    command = "import sys; from offtarget.cli import main; sys.argv[0] = 'offtarget'; main()"
    arguments = ["train", str(study), "--model", MODEL, "--out", str(out)]
    return subprocess.Popen(
        [sys.executable, "-c", command, *arguments], env=env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
