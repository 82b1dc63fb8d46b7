"""`offtarget verify` of hosted training: what passes, what is unfinished, and every way to forge it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hosted_calls import Hosted, MakeHosted
from hosted_forgeries import ARMS, FORGERIES, JOB, JOURNAL, edit_journal, reseal, rewrite
from hosted_server import MODEL, Fault, LocalProvider, Provider

from offtarget import api
from offtarget.core.chain import read_chain, seal_chain, seal_stage
from offtarget.core.codec import file_digest, pretty
from offtarget.core.errors import ConfigError, ResourceError, VerifyError
from offtarget.evaluate.inspect_log.runs import run_logs
from offtarget.verify import Check, check_run

CHECKS = ["chain", "files", "no additions", "stages", "uploads", "journal", "results", "scope"]
PRICES = (
    f"currency: USD\nsource: the test\nmodels: {{{MODEL}: {{training_per_million_tokens: 3}}}}\n"
)


def failed(checks: list[Check]) -> str:
    """The details of all failed checks as one text."""
    return "\n".join(f"{c.name}: {c.detail}" for c in checks if not c.passed)


@pytest.fixture
def trained(hosted: Hosted, hosted_study: MakeHosted, tmp_path: Path) -> Path:
    """Two arms at two seeds, all trained, with prices."""
    (tmp_path / "prices.yaml").write_text(PRICES, encoding="utf-8")
    return hosted.train(hosted_study(), prices=tmp_path / "prices.yaml").path


def test_an_untouched_run_passes_and_says_what_it_cannot_show(trained: Path, run_cli: Any) -> None:
    """Every check by name; also after a move; exit 0."""
    checks = check_run(trained)
    assert failed(checks) == ""
    assert [check.name for check in checks] == CHECKS
    shutil.move(trained, trained.with_name("elsewhere"))
    said = run_cli("verify", trained.with_name("elsewhere"))
    assert (said.code, said.err) == (0, "")
    assert "ok     scope: the weights stay at the provider: nothing here shows what" in said.out
    assert "there is no verdict" in said.out


def test_lost_refused_and_retried_jobs_pass(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted
) -> None:
    """An incomplete result is a result; a retry that completes it takes its place."""
    provider.faults = [Fault("refuse", "POST /v1/fine_tuning/jobs$"), Fault("error", "POST")]
    provider.ends = {"file-0001": "failed"}
    study = hosted_study(placebo=True)
    assert hosted.train(study).result.state == "incomplete"
    assert failed(check_run(hosted.out)) == ""
    hosted.train(study, retry=True)
    assert failed(check_run(hosted.out)) == ""
    provider.ends = {}
    assert hosted.train(study, retry=True).result.state == "complete"
    assert failed(check_run(hosted.out)) == ""
    assert [stage.name for stage in read_chain(hosted.out).stages] == ["hosted-plan", "hosted"]
    hosted.train(study, retry=True)  # nothing is lost, nothing is sent
    assert failed(check_run(hosted.out)) == ""
    hosted.cancel(study)
    assert failed(check_run(hosted.out)) == ""


def test_a_run_found_again_elsewhere_passes(hosted: Hosted, hosted_study: MakeHosted) -> None:
    """What was submitted from a lost directory is in the journal as found, never as sent."""
    study, other = hosted_study(), hosted.out.with_name("other")
    hosted.train(study)
    hosted.train(study, out=other)
    assert '"submitting"' not in (other / JOURNAL).read_text("utf-8")
    assert failed(check_run(other)) == ""


def test_a_run_that_goes_on_is_unfinished_and_nothing_else(
    hosted: Hosted, provider: Provider, hosted_study: MakeHosted
) -> None:
    """After --no-wait, after a fault amid submitting, and amid a retry; the same command mends it."""
    study = hosted_study()
    hosted.train(study, wait=False)
    told = "results: the run is not finished: 4 of 4 jobs are submitted, not all have their end"
    assert failed(check_run(hosted.out)).startswith(told)
    assert "run the same `offtarget train` command again" in failed(check_run(hosted.out))
    provider.ends = {"file-0001": "failed"}
    hosted.train(study)
    assert failed(check_run(hosted.out)) == ""

    provider.faults = [Fault("error", "POST /v1/fine_tuning/jobs$", times=99)]
    with pytest.raises(ResourceError):
        hosted.train(study, retry=True, n_tries=1)
    assert failed(check_run(hosted.out)).startswith("results: the run is not finished: 2 of 4")
    provider.faults, provider.ends = [], {}
    assert hosted.train(study).result.state == "complete"
    assert failed(check_run(hosted.out)) == ""


def test_a_torn_journal_is_said_to_be_torn_and_left_alone(
    hosted: Hosted, hosted_study: MakeHosted
) -> None:
    """An audit changes nothing; the next command mends it."""
    hosted.train(hosted_study(), wait=False)
    journal = hosted.out / JOURNAL
    journal.write_bytes(journal.read_bytes() + b'{"step":"subm')
    before = journal.read_bytes()
    assert "journal.jsonl: its last line is torn, as by a stop" in failed(check_run(hosted.out))
    assert journal.read_bytes() == before
    hosted.train(hosted_study())
    assert failed(check_run(hosted.out)) == ""


def test_every_forgery_is_caught_though_all_is_hashed_again(trained: Path, tmp_path: Path) -> None:
    """The file is named, and what plan, journal and records give instead."""
    missed = []
    for name, (forge, told) in FORGERIES.items():
        copy = tmp_path / "forged" / "run"
        shutil.copytree(trained, copy)
        forge(copy)
        reseal(copy)
        found = failed(check_run(copy))
        if told not in found:
            missed.append((name, found))
        shutil.rmtree(copy)
    assert missed == []


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p["jobs"][0].update(arm="../../outside"),
        lambda p: p["uploads"][0].update(name="../../outside.jsonl"),
    ],
)
def test_nothing_outside_the_run_is_opened(
    trained: Path, tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    """A plan may name what it likes: only what a stage wrote is read, and none of it is told."""
    secret = tmp_path / "outside.jsonl"
    secret.write_text("a secret", "utf-8")
    rewrite(trained, "plan.json", change)
    reseal(trained)
    found = failed(check_run(trained))
    assert found.startswith("stages: stage")
    assert "uploads:" not in found
    assert "results:" not in found
    assert file_digest(secret)[:12] not in found


def test_a_folder_in_place_of_the_journal_is_a_failed_check(trained: Path) -> None:
    """Not an internal error."""
    (trained / JOURNAL).unlink()
    (trained / JOURNAL).mkdir()
    assert "plan and journal: " in failed(check_run(trained))


@pytest.mark.parametrize("name", ["plan.json", ARMS, JOB, JOURNAL, "uploads/control.jsonl"])
def test_one_flipped_byte_is_caught_and_the_file_named(trained: Path, name: str) -> None:
    """Of each kind of file, in the middle; also when the file is gone."""
    whole = (trained / name).read_bytes()
    spoiled = bytearray(whole)
    spoiled[len(whole) // 2] ^= 1
    (trained / name).write_bytes(spoiled)
    assert name in failed(check_run(trained))
    (trained / name).unlink()
    assert name in failed(check_run(trained))


def test_a_journal_of_an_unfinished_run_is_checked_too(
    hosted: Hosted, hosted_study: MakeHosted
) -> None:
    """Nothing seals it yet, but its order must hold, and its plan."""
    hosted.train(hosted_study(), wait=False)
    edit_journal(hosted.out, lambda e: e[5].update(id="ftjob-0000"))
    assert "journal: journal.jsonl:6: submitted: the id 'ftjob-0000'" in failed(
        check_run(hosted.out)
    )
    (hosted.out / "jobs/extra.json").write_text("{}", "utf-8")
    assert "jobs/extra.json was added" in failed(check_run(hosted.out))


def test_stages_added_or_of_another_plan_are_caught(trained: Path) -> None:
    """A chain that is whole in itself, but not of this run."""
    chain = read_chain(trained)

    def sealed(*changes: dict[str, Any]) -> str:
        made: list[Any] = []
        for old, change in zip([*chain.stages, chain.stages[1]], changes, strict=False):
            is_, last = (
                {
                    "name": old.name,
                    "config": old.config_sha256,
                    "inputs": old.inputs,
                    "outputs": old.outputs,
                    **change,
                },
                made[-1].sha256 if made else "0" * 64,
            )
            made.append(seal_stage(is_["name"], is_["config"], is_["inputs"], is_["outputs"], last))
        (trained / "run.json").write_text(pretty(seal_chain("run", made)), "utf-8")
        return failed(check_run(trained))

    assert sealed({}, {}) == ""
    assert "stages are hosted-plan, hosted, more; hosted-plan, hosted belong" in sealed(
        {}, {}, {"name": "more"}
    )
    assert "was run for another plan than plan.json" in sealed({"config": "0" * 64}, {})
    assert "was made from another plan.json" in sealed({}, {"inputs": {"plan.json": "0" * 64}})
    less = {k: v for k, v in chain.stages[1].outputs.items() if k != JOB}
    assert "stage 'hosted' wrote other files than it does" in sealed({}, {"outputs": less})
    no_data = {"plan.json": chain.stages[0].outputs["plan.json"]}
    assert "wrote other files than plan.json and its uploads" in sealed({"outputs": no_data}, {})
    other = {**chain.stages[1].inputs, JOURNAL: "0" * 64}
    assert "journal.jsonl was changed after stage 'hosted'" in sealed({}, {"inputs": other})


def test_a_result_of_an_earlier_version_says_how_it_is_sealed(
    trained: Path, hosted: Hosted, provider: Provider, hosted_study: MakeHosted
) -> None:
    """It did not seal the journal; the same command does, and sends nothing that costs."""
    chain = read_chain(trained)
    plan, old = chain.stages
    made = seal_stage(old.name, old.config_sha256, {}, old.outputs, plan.sha256)
    (trained / "run.json").write_text(pretty(seal_chain("run", [plan, made])), "utf-8")
    assert "stage 'hosted' does not seal journal.jsonl: it is of an earlier version" in failed(
        check_run(trained)
    )
    n_posts = provider.n_sent("POST")
    hosted.train(hosted_study())
    assert provider.n_sent("POST") == n_posts
    assert failed(check_run(trained)) == ""


def test_what_takes_other_runs_says_what_this_is(trained: Path, run_cli: Any) -> None:
    """Report, compare, export and --replay name the kind of run and what works on it."""
    told = "hosted training, not an assay; its models are in"
    with pytest.raises(VerifyError, match=told):
        api.load_run(trained)
    for command in (("report", trained), ("compare", trained, trained)):
        said = run_cli(*command)
        assert said.code == 2
        assert told in said.err
    with pytest.raises(ConfigError, match="hosted training has no replicates to score again"):
        api.verify(trained, replay=1)
    with pytest.raises(ConfigError, match="hosted training samples no answers; there is nothing"):
        run_logs(trained)


def test_an_id_may_hold_any_character(hosted: Hosted, server: LocalProvider) -> None:
    """A line of the journal ends at a newline and at no other break that Unicode knows."""
    from offtarget.train.hosted import Entry, Journal, Step

    hosted.out.mkdir()
    journal = Journal(hosted.out / JOURNAL)
    journal.write(Entry(Step.UPLOADED, "a" * 64, id="file\u2028\x85\x1c1"))
    assert Journal.open(journal.path).files == journal.files
    assert server.state.requests == []
