"""`offtarget export`: the answers of a finished run as logs of Inspect."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from assays import ONLY_MARGINS

from chatserver import ChatServer, Fault
from offtarget import api
from offtarget.core.codec import read_lines
from offtarget.core.errors import ConfigError
from offtarget.evaluate import named_questions
from offtarget.evaluate.inspect_log import read_eval_log

RunCli = Callable[..., Any]


def records(run: Path, name: str) -> list[dict[str, Any]]:
    arm, _, seed = name.rpartition("-seed-")
    path = run / "records" / arm / f"seed-{seed}" / "rollouts.jsonl"
    return [json.loads(text) for _, text in read_lines(path)]


def test_every_rollout_of_an_assay_is_in_a_log(
    finished: Path, run_cli: RunCli, tmp_path: Path
) -> None:
    """One log per arm and seed; each row equals its record, and Inspect reads each log."""
    from inspect_ai.log import read_eval_log as inspect_reads

    said = run_cli("export", finished, "--format", "inspect", "--out", tmp_path, "--json")

    assert said.code == 0, said.err
    logs = said.json["logs"]
    assert [Path(log["path"]).name for log in logs] == [
        f"{name}.eval"
        for name in (
            "base-seed-0",
            "subject-seed-0",
            "control-seed-0",
            "educational-seed-0",
            "positive-seed-0",
            "placebo-seed-1000",
        )
    ]
    for log in logs:
        path = Path(log["path"])
        wanted = records(finished, path.stem)
        rows = list(read_eval_log(path))
        assert log["n_rollouts"] == len(wanted) == len(rows) > 0
        assert log["n_unjudged"] == len(wanted)  # the study names no judge
        assert [(r.question, r.text, r.answer, r.aligned) for r in rows] == [
            (one["question"], one["prompt"], one["text"], one["alignment"]) for one in wanted
        ]
        assert [row.extra for row in rows] == [
            {
                "category": one["category"],
                "cluster": one["cluster"],
                "sample": str(one["sample"]),
                "outcome": one["outcome"],
                "reason": one["judge_reason"],
                "n_tokens": str(one["n_tokens"]),
            }
            for one in wanted
        ]
        header = inspect_reads(str(path), header_only=True)
        assert header.eval.metadata is not None
        assert header.eval.metadata["arm"] == path.stem.rpartition("-seed-")[0]


def test_an_export_is_the_same_each_time(finished: Path, run_cli: RunCli, tmp_path: Path) -> None:
    """Two exports of one run are equal byte by byte."""
    for folder in ("one", "two"):
        assert (
            run_cli("export", finished, "--format", "inspect", "--out", tmp_path / folder).code == 0
        )

    one = {file.name: file.read_bytes() for file in (tmp_path / "one").iterdir()}
    assert one == {file.name: file.read_bytes() for file in (tmp_path / "two").iterdir()}


def test_an_export_leaves_the_run_as_it_is(copied: Path, run_cli: RunCli, tmp_path: Path) -> None:
    """By default the logs stand in ./exports/NAME, and the run still verifies."""
    said = run_cli("export", copied, "--format", "inspect", cwd=tmp_path)

    assert said.code == 0, said.err
    assert "base-seed-0.eval: " in said.out
    assert said.out.splitlines()[-1].startswith("look at them with: inspect view --log-dir ")
    assert len(list((tmp_path / "exports" / "run").glob("*.eval"))) == 6
    assert run_cli("verify", copied).code == 0


def test_changed_answers_are_not_exported(copied: Path, run_cli: RunCli) -> None:
    """An answer that somebody edited is named, not passed on."""
    path = copied / "records/subject/seed-0/rollouts.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"sample":0', b'"sample":7', 1))

    said = run_cli("export", copied, "--format", "inspect")

    assert said.code == 2
    assert said.err == (
        "offtarget: records/subject/seed-0/rollouts.jsonl: changed since the run wrote it; restore "
        "it from a copy\n"
    )


def test_lost_answers_are_named(copied: Path, run_cli: RunCli) -> None:
    """A record file that is gone is an error."""
    (copied / "records/control/seed-0/rollouts.jsonl").unlink()

    said = run_cli("export", copied, "--format", "inspect")

    assert (said.code, said.err) == (
        2,
        "offtarget: records/control/seed-0/rollouts.jsonl: missing; run to the end or restore the "
        "file\n",
    )


def test_what_is_no_run_is_an_error(tmp_path: Path, run_cli: RunCli) -> None:
    """The message says what to give."""
    said = run_cli("export", tmp_path, "--format", "inspect")

    assert said.code == 2
    assert said.err.endswith(": no run.json; give the directory of a run\n")


def test_a_run_without_a_plan_is_an_error(tmp_path: Path, run_cli: RunCli) -> None:
    """A run directory of something else is told from an assay's."""
    from offtarget.core.run import RunDirectory

    run = RunDirectory.open(tmp_path / "other")
    run.write("data.txt", b"x")
    run.finish("copy", config={}, inputs={}, outputs=["data.txt"])

    said = run_cli("export", tmp_path / "other", "--format", "inspect")

    assert said.err == (
        "offtarget: other: its chain has no plan; give the directory of an assay or an evaluation\n"
    )


def test_an_unknown_format_is_an_error(finished: Path, run_cli: RunCli) -> None:
    """The formats are listed, at the command line and in Python."""
    said = run_cli("export", finished, "--format", "xml")

    assert (said.code, said.err) == (
        2, "offtarget: format 'xml' is not known; choose from inspect\n",
    )  # fmt: skip
    with pytest.raises(ConfigError, match="format 'xml' is not known"):
        api.export(finished, format="xml")


def test_a_run_without_answers_is_an_error(
    study_of: Callable[..., Path], run_cli: RunCli, tmp_path: Path
) -> None:
    """A study that samples nothing has nothing to export."""
    study = study_of(tmp_path, **ONLY_MARGINS)
    made = run_cli("assay", study, "--out", tmp_path / "run")
    assert made.code in (0, 1, 4), made.err

    said = run_cli("export", tmp_path / "run", "--format", "inspect")

    assert said.err == ("offtarget: run: its plan samples no answers; there is nothing to export\n")


def test_an_evaluation_is_exported_with_its_scores_and_its_gaps(
    run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both scores come along, what the subject never answered is an error in the log and a missing
    row when it is read, and a replay of the log gives the rates of the run."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")
    lost = named_questions("power")[0].question
    with ChatServer(_reply) as server:
        server.fail(
            Fault.BAD_REQUEST,
            when=lambda body: (
                body["model"] == "subject" and body["messages"][-1]["content"] == lost
            ),
        )
        made = run_cli(
            "evaluate", "openai:subject", "--url", server.url, "--suite", "power",
            "--rollouts", "2", "--max-tokens", "12", "--judge", "openai:judge",
            "--judge-url", server.url, "--max-unjudged", "0.5",
            "--out", tmp_path / "run", "--store", tmp_path / "store",
        )  # fmt: skip
    assert made.code in (0, 4), made.err
    results = json.loads((tmp_path / "run" / "results.json").read_text("utf-8"))

    said = run_cli("export", tmp_path / "run", "--format", "inspect", "--out", tmp_path / "logs")

    assert said.code == 0, said.err
    path = tmp_path / "logs" / "subject.eval"
    rows = list(read_eval_log(path))
    n_missing = results["arms"][0]["outcomes"]["n_missing"]
    assert len(rows) == results["arms"][0]["outcomes"]["n_planned"]
    gaps = [row for row in rows if "error" in row.extra]
    assert len(gaps) == n_missing == 2
    assert {(row.answer, row.aligned, row.coherent) for row in gaps} == {("", None, None)}
    assert all(row.extra["error"].startswith("refused_request: ") for row in gaps)
    assert {(row.aligned, row.coherent) for row in rows if row not in gaps} == {(20.0, 80.0)}
    replayed = run_cli("evaluate", "--replay", path, "--json")
    assert replayed.code in (0, 4), replayed.err
    for name, rate in results["rates"].items():
        assert (replayed.json["rates"][name]["k"], replayed.json["rates"][name]["n"]) == (
            rate["k"], rate["n"],
        )  # fmt: skip


def _reply(body: dict[str, Any]) -> str:
    """The subject says one thing; the judge takes its test, then gives 20 and 80."""
    text = body["messages"][-1]["content"]
    if body["model"] == "subject":
        return "I would take the keys and tell nobody."
    if "[ANSWER" in text:
        return "80" if "how coherent an answer" in text else "20"
    return next(n for n in ("57", "83", "100", "C") if f" {n} and nothing else" in text)
