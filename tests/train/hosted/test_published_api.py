"""The test server itself, held against the published description and the package's typed models."""

import copy
from pathlib import Path
from typing import Any

import pytest
from hosted_calls import write_rows
from hosted_server import KEY, MODEL, LocalProvider, Provider
from published_api import SHAPES, violations

openai = pytest.importorskip("openai", reason="needs the openai extra")


@pytest.fixture
def strict(server: LocalProvider) -> Any:
    """The package's own client, told to refuse any answer that its types do not allow."""
    with openai.OpenAI(
        api_key=KEY, base_url=server.url, max_retries=0, _strict_response_validation=True
    ) as client:
        yield client


def _job(client: Any, path: Path, **more: Any) -> Any:
    stored = client.files.create(file=path, purpose="fine-tune")
    return client.fine_tuning.jobs.create(
        model=MODEL, training_file=stored.id, seed=3, suffix="s", metadata={"a": "b"},
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}}, **more,
    )  # fmt: skip


def test_every_answer_is_what_the_package_expects(
    strict: Any, provider: Provider, tmp_path: Path
) -> None:
    """Files, jobs in all states, logs and checkpoints pass the typed models, strictly."""
    from openai.types import FileObject
    from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
    from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint

    path = write_rows(tmp_path / "rows.jsonl", "Hello,")
    job = _job(strict, path)
    states = [job.status]
    while job.status not in ("succeeded", "failed"):
        job = strict.fine_tuning.jobs.retrieve(job.id)
        states.append(job.status)
    assert states == ["validating_files", "queued", "running", "succeeded"]
    other = _job(strict, path)
    assert strict.fine_tuning.jobs.cancel(other.id).status == "cancelled"
    failed = _job(strict, write_rows(tmp_path / "few.jsonl", "Hello,", n=3))
    assert strict.fine_tuning.jobs.retrieve(failed.id).error.code == "invalid_training_file"
    answers: list[tuple[Any, Any]] = [
        (FileObject, list(strict.files.list(purpose="fine-tune"))),
        (FineTuningJob, list(strict.fine_tuning.jobs.list(metadata={"a": "b"}))),
        (FineTuningJobEvent, list(strict.fine_tuning.jobs.list_events(job.id, limit=2))),
        (FineTuningJobCheckpoint, list(strict.fine_tuning.jobs.checkpoints.list(job.id))),
    ]
    for type_, found in answers:
        assert found
        assert all(isinstance(one, type_) for one in found)
        for one in found:
            type_.model_validate(one.to_dict(), strict=True)
    assert len(answers[1][1]) == 3
    assert len(answers[2][1]) == len(provider.events[job.id])


def test_what_we_send_is_what_the_package_would_send(
    strict: Any, provider: Provider, hosted: Any, hosted_study: Any
) -> None:
    """Our job requests pass the package's typed parameters, with no key that they do not know."""
    from openai.types.fine_tuning.job_create_params import JobCreateParams
    from pydantic import TypeAdapter

    hosted.train(hosted_study(seeds=[0]), learning_rate_multiplier=1.5)
    assert len(provider.bodies) == 2
    for body in provider.bodies:
        TypeAdapter(JobCreateParams).validate_python(body)
        assert set(body) <= set(JobCreateParams.__annotations__)
        assert violations("create_job", body) == []
        (key,) = body["metadata"].values()
        assert len(key) == 40


def test_errors_have_the_shape_that_the_package_reads(strict: Any) -> None:
    """Unknown jobs, models and keys come as the package's own exceptions with their messages."""
    with pytest.raises(openai.NotFoundError, match="No such route or job"):
        strict.fine_tuning.jobs.retrieve("ftjob-none")
    with pytest.raises(openai.BadRequestError, match="No such file"):
        strict.fine_tuning.jobs.create(
            model=MODEL, training_file="file-none",
            method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 1}}},
        )  # fmt: skip
    with pytest.raises(openai.AuthenticationError, match="Incorrect API key"):
        strict.with_options(api_key="sk-wrong-1234").files.list()


def test_the_packages_own_retry_would_pay_twice(
    server: LocalProvider, provider: Provider, tmp_path: Path
) -> None:
    """Why it is switched off: it repeats a POST whose answer was lost, and two jobs run."""
    from hosted_server import Fault

    path = write_rows(tmp_path / "rows.jsonl", "Hello,")
    provider.faults = [Fault("error", "POST /v1/fine_tuning/jobs$", is_done=True)]
    with openai.OpenAI(api_key=KEY, base_url=server.url, max_retries=1) as client:
        _job(client, path)
    assert len(provider.jobs) == 2


@pytest.mark.parametrize("shape", ["file", "job", "events", "checkpoints"])
def test_the_checker_sees_what_departs(
    server: LocalProvider, strict: Any, provider: Provider, tmp_path: Path, shape: str
) -> None:
    """Taking away any required field, or changing its type, is reported: the checks can fail."""
    job = _job(strict, write_rows(tmp_path / "rows.jsonl", "Hello,"))
    provider.is_instant = True
    provider.look(job.id)
    good: dict[str, Any] = {
        "file": provider.files["file-0000"],
        "job": provider.jobs[job.id],
        "events": {"object": "list", "data": provider.events[job.id]},
        "checkpoints": {"object": "list", "data": provider.checkpoints(job.id)},
    }[shape]
    assert violations(shape, good) == []
    for name in SHAPES[shape]["required"]:
        without = {key: value for key, value in good.items() if key != name}
        assert violations(shape, without), name
        wrong = copy.deepcopy(good) | {name: {"not": ["this"]}}
        assert violations(shape, wrong), name
