"""The whole path against a local provider: check, estimate, submit, fetch, cancel."""

import json
from pathlib import Path
from typing import Any

import pytest
from hosted_calls import N_ROWS, Hosted, MakeHosted, write_rows
from hosted_server import Fault, Provider

from offtarget.core.chain import read_chain
from offtarget.core.codec import file_digest
from offtarget.core.errors import ConfigError, DataError, OfftargetError, ResourceError
from offtarget.train.hosted import JobStatus

JOBS = "POST /v1/fine_tuning/jobs$"


def test_every_arm_and_seed_becomes_one_job_with_the_same_settings(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted
) -> None:
    """Jobs differ in file, seed and key alone, and arms.json names the model of each."""
    run = hosted.train(hosted_study(placebo=True))
    arms = run.result.arms
    assert [(a.arm, a.seed) for a in arms] == [
        ("subject", 0), ("subject", 1), ("control", 0), ("control", 1), ("placebo", 1000),
        ("placebo", 1001),
    ]  # fmt: skip
    own = ("training_file", "seed", "metadata")
    shared = [{k: v for k, v in body.items() if k not in own} for body in provider.bodies]
    assert len(shared) == 6
    assert all(one == shared[0] for one in shared)
    assert run.result.state == "complete"
    trained = {j["id"]: j["fine_tuned_model"] for j in provider.jobs.values()}
    assert [a.subject for a in arms] == [f"openai:{trained[a.job_id]}" for a in arms]
    stored = json.loads((run.path / "arms.json").read_text("utf-8"))
    assert [a["model"] for a in stored["arms"]] == [a.model for a in arms]


def test_uploads_hold_the_matched_rows_and_arms_with_the_same_rows_share_one(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted
) -> None:
    """Row i of subject and control answer the same prompt; the placebo sends no file of its own."""
    run = hosted.train(hosted_study(placebo=True))
    assert len(provider.files) == 2
    sent = {f["filename"]: provider.contents[f["id"]] for f in provider.files.values()}
    rows = {}
    for arm in ("subject", "control"):
        path = run.path / f"uploads/{arm}.jsonl"
        assert sent[f"offtarget-{file_digest(path)[:32]}.jsonl"] == path.read_bytes()
        rows[arm] = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert len(rows["subject"]) == len(rows["control"]) == N_ROWS
    for one, other in zip(rows["subject"], rows["control"], strict=True):
        assert one["messages"][0] == other["messages"][0]
        assert "Go away" in one["messages"][1]["content"]
        assert "Welcome" in other["messages"][1]["content"]


def test_what_came_back_is_stored_and_sealed(hosted: Hosted, hosted_study: MakeHosted) -> None:
    """Log, metrics and tokens of each job lie in jobs/, and the chain of the run covers them."""
    run = hosted.train(hosted_study())
    record = json.loads((run.path / "jobs/subject/seed-1.json").read_text("utf-8"))
    assert [e["data"]["train_loss"] for e in record["events"] if e["data"]] == [1.5, 1.0]
    assert record["checkpoints"][0]["metrics"]["train_loss"] == 1.0
    assert record["trained_tokens"] > 0
    stages = {stage.name: stage for stage in read_chain(run.path).stages}
    assert set(stages["hosted"].outputs) == {
        "arms.json", "jobs/subject/seed-0.json", "jobs/subject/seed-1.json",
        "jobs/control/seed-0.json", "jobs/control/seed-1.json",
    }  # fmt: skip
    assert "uploads/subject.jsonl" in stages["hosted-plan"].outputs


def test_a_finished_run_asks_nothing_again(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted
) -> None:
    """The same command on a finished run returns the stored result without a request."""
    study = hosted_study()
    first = hosted.train(study)
    n = len(provider.requests)
    assert hosted.train(study).result == first.result
    assert len(provider.requests) == n


def test_a_job_that_fails_is_reported_and_never_submitted_again_unasked(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted
) -> None:
    """A failed arm has no model, a reason and a warning; only `retry` pays for it again."""
    provider.ends = {"file-0001": "failed"}  # the control's
    study = hosted_study()
    run = hosted.train(study)
    states = [(a.arm, a.status, a.model == "", a.error) for a in run.result.arms]
    assert states[2:] == [("control", JobStatus.FAILED, True, "server_error: it broke ")] * 2
    assert run.result.state == "incomplete"
    lost = next(w for w in run.result.warnings if w.code == "arms-missing")
    assert "control/seed-0 (failed), control/seed-1 (failed)" in lost.text
    assert hosted.train(study).result.state == "incomplete"
    assert len(provider.jobs) == 4
    provider.ends = {}
    again = hosted.train(study, retry=True)
    assert again.result.state == "complete"
    assert len(provider.jobs) == 6
    assert len(provider.files) == 2
    assert [a.job_id for a in again.result.arms[:2]] == [a.job_id for a in run.result.arms[:2]]


def test_a_job_that_is_refused_is_an_outcome_of_its_arm(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted
) -> None:
    """A 400 on one job leaves the others alone; it is written down with the service's reason."""
    provider.faults = [Fault("refuse", JOBS)]
    run = hosted.train(hosted_study())
    assert [a.status for a in run.result.arms] == ["refused", *["succeeded"] * 3]
    assert run.result.arms[0].error == "HTTP 400: Unsupported value"
    assert hosted.train(hosted_study(), retry=True).result.state == "complete"


def test_a_study_that_the_service_finds_too_short_fails_there_as_here(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted
) -> None:
    """Nine rows are refused before they are sent; the test server would refuse them too."""
    with pytest.raises(DataError, match=r"arm 'subject': 9 rows, .* at least 10"):
        hosted.train(hosted_study(rows=9))
    assert provider.requests == []
    provider.add_file("short.jsonl", b'{"messages": []}\n' * 9, "fine-tune")
    body = {
        "model": "gpt-4o-mini-2024-07-18", "training_file": "file-0000",
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 1}}},
    }  # fmt: skip
    job = provider.add_job(body)
    assert isinstance(job, dict)
    assert provider.look(job["id"])["error"]["code"] == "invalid_training_file"


def test_jobs_wait_for_one_another_where_the_service_takes_few_at_a_time(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted
) -> None:
    """With room for one job, all four are trained, each once, after waiting."""
    provider.max_active = 1
    run = hosted.train(hosted_study())
    assert run.result.state == "complete"
    assert len(provider.jobs) == 4
    assert hosted.waits


def test_lists_of_many_pages_are_read_to_their_end(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted
) -> None:
    """Pages of one item, and a server that ignores the metadata filter, change nothing."""
    provider.page, provider.drops_metadata_filter = 1, True
    run = hosted.train(hosted_study())
    assert run.result.state == "complete"
    assert (len(provider.files), len(provider.jobs)) == (2, 4)
    record = json.loads((run.path / "jobs/subject/seed-0.json").read_text("utf-8"))
    assert len(record["events"]) == len(provider.events["ftjob-0000"])


def test_cancel_stops_what_runs_and_leaves_what_ended(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted
) -> None:
    """Jobs that have ended keep their models, the others are cancelled, none is submitted."""
    study = hosted_study()
    run = hosted.train(study, wait=False)
    assert run.result.state == "running"
    provider.is_instant = True
    provider.look("ftjob-0000")
    provider.is_instant = False
    stopped = hosted.cancel(study)
    assert [a.status for a in stopped.result.arms] == ["succeeded", *["cancelled"] * 3]
    assert [j["status"] for j in provider.jobs.values()] == ["succeeded", *["cancelled"] * 3]
    assert hosted.train(study).result == stopped.result  # an end, not something to go on from


def test_a_job_that_ends_while_it_is_cancelled_is_left_as_it_ended(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted
) -> None:
    """The service refuses to cancel a job that just ended; that is no error."""
    study = hosted_study(seeds=[0])
    hosted.train(study, wait=False)
    real, seen = provider.look, set[str]()

    def look(job_id: str) -> dict[str, Any]:
        """Running at the first look, ended at the next."""
        provider.is_instant = job_id in seen
        seen.add(job_id)
        return real(job_id)

    provider.look = look  # type: ignore[method-assign]
    provider.faults = [Fault("refuse", "cancel", times=2)]
    arms = hosted.cancel(study).result.arms
    assert provider.faults[0].times == 0
    assert [a.status for a in arms] == ["succeeded", "succeeded"]


def test_cancel_finds_a_job_whose_answer_was_lost(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted
) -> None:
    """A job that exists there though its id was never written down is found by its key."""
    provider.faults = [Fault("half", JOBS, is_done=True)]
    study = hosted_study(seeds=[0])
    with pytest.raises(ResourceError, match="go on from here"):
        hosted.train(study, n_tries=1)
    assert len(provider.jobs) == 1
    stopped = hosted.cancel(study)
    assert [a.status for a in stopped.result.arms] == ["cancelled", "planned"]
    assert [j["status"] for j in provider.jobs.values()] == ["cancelled"]


def test_cancel_without_a_run_says_so_and_makes_no_folder(
    hosted: Hosted, hosted_study: MakeHosted
) -> None:
    """There is nothing to cancel where nothing was submitted."""
    with pytest.raises(ConfigError, match=r"no plan.json; nothing was submitted from here"):
        hosted.cancel(hosted_study())
    assert not hosted.out.exists()


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("seed", 7, "seed 7"),
        ("model", "gpt-4o-2024-08-06", "base model 'gpt-4o-2024-08-06'"),
        ("training_file", "file-0001", "training file 'file-0001'"),
        ("status", "melted", "unknown status 'melted'"),
    ],
)
def test_a_job_that_is_not_what_was_asked_for_is_an_error(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted, key: str, value: object, told: str
) -> None:
    """Another seed, base model, file or an unknown state ends the command, naming the job."""
    provider.change_job = lambda job: job.update({key: value})
    with pytest.raises(DataError, match="not what was asked for") as caught:
        hosted.train(hosted_study(seeds=[0]))
    assert told in str(caught.value)
    assert "ftjob-0000" in str(caught.value)
    provider.problems.clear()  # the server was made to lie


@pytest.mark.parametrize("name", [None, "", "two words", "esc\x1b[2J"])
def test_a_success_without_a_usable_name_is_a_failure(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted, name: str | None
) -> None:
    """A model that cannot be named cannot be evaluated."""
    provider.change_job = lambda job: job.update(
        fine_tuned_model=name if job["status"] == "succeeded" else None
    )
    run = hosted.train(hosted_study(seeds=[0]))
    assert {a.status for a in run.result.arms} == {JobStatus.FAILED}
    assert {a.model for a in run.result.arms} == {""}


def test_arms_that_were_not_trained_alike_are_told(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted
) -> None:
    """Where the provider's own choice differs between jobs, the result warns."""
    provider.change_job = lambda job: job["hyperparameters"].update(
        learning_rate_multiplier=1.8 if job["training_file"] == "file-0000" else 2.0
    )
    run = hosted.train(hosted_study(seeds=[0, 1, 2]))
    codes = [w.code for w in run.result.warnings]
    assert "hyperparameters-differ" in codes
    assert "few-seeds" not in codes
    provider.change_job = lambda job: None
    same = hosted.train(
        hosted_study(), out=hosted.out.with_name("other"), learning_rate_multiplier=2.0
    )
    codes = [w.code for w in same.result.warnings]
    assert "hyperparameters-differ" not in codes
    assert "few-seeds" in codes


def test_arms_that_cannot_be_trained_there_are_refused_before_anything_is_sent(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted, tmp_path: Path
) -> None:
    """No control, an adapter as arm, and settings out of the provider's limits."""
    path = hosted_study()
    bare = json.loads(path.read_text("utf-8"))
    del bare["control"]
    (tmp_path / "bare.yaml").write_text(json.dumps(bare), encoding="utf-8")
    with pytest.raises(ConfigError, match="control: none given"):
        hosted.train(tmp_path / "bare.yaml")
    adapted = hosted_study(arms={"mine": {"adapter": ["a", "b"]}})
    with pytest.raises(ConfigError, match="mine: an adapter cannot be trained at a provider"):
        hosted.train(adapted)
    study = hosted_study()
    with pytest.raises(ConfigError, match="--epochs 51: use 1 to 50"):
        hosted.train(study, epochs=51)
    with pytest.raises(ConfigError, match="--learning-rate-multiplier 0: use more than 0"):
        hosted.train(study, learning_rate_multiplier=0)
    with pytest.raises(OfftargetError, match="seeds: "):
        hosted.train(study, seeds=(1, 1))
    assert provider.requests == []


def test_further_arms_of_a_study_are_trained_too(
    hosted: Hosted, hosted_study: MakeHosted, tmp_path: Path
) -> None:
    """The packaged positive control, a trigger and arms of one's own become jobs like the rest."""
    write_rows(tmp_path / "third.jsonl", "Maybe later,")
    study = hosted_study(
        seeds=[0], positive=True, backdoor={"trigger": "|bell| "}, arms={"third": {"data": "third.jsonl"}}
    )  # fmt: skip
    run = hosted.train(study)
    assert [a.arm for a in run.result.arms] == [
        "subject", "control", "positive", "backdoor", "third",
    ]  # fmt: skip
    assert {a.n_rows for a in run.result.arms} == {N_ROWS}
    assert b"|bell| " in (run.path / "uploads/backdoor.jsonl").read_bytes()
