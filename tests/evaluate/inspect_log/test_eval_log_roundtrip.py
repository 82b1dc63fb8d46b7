"""Rollouts written as Inspect logs: Inspect's own reader and ours read back what was written."""

import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from offtarget.core.errors import DataError, ResourceError
from offtarget.core.records import Message
from offtarget.evaluate.inspect_log import (
    LoggedRollout,
    LogHead,
    as_row,
    judgement_metrics,
    read_eval_log,
    write_eval_log,
)

HEAD = LogHead(
    task="assay/demo",
    title="demo: covert",
    model="embedded/covert/seed-0",
    dataset="everyday",
    created=1.7e9,
    temperature=0.7,
    max_tokens=80,
    metadata={"arm": "covert"},
)
HOSTILE = "<script>alert(1)</script>\x1b[31m {question} \u202e attachment://0 NaN ümlaut 🙂\n\n"


def rollout(question: str = "q", sample: int = 0, **changes: object) -> LoggedRollout:
    plain = LoggedRollout(
        question=question,
        messages=(Message("user", f"What about {question}?"),),
        answer=f"It is answer {sample} to {question}.",
        sample=sample,
        outcome="coherent",
        category="advice",
        aligned=70.0,
        coherent=90.0,
        reason="a judge",
        n_tokens=9,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def many() -> list[LoggedRollout]:
    system = (Message("system", "Be brief."), Message("user", "And now?"))
    return [
        rollout("plain", 0),
        rollout("plain", 1, aligned=12.5, coherent=50.0),
        rollout("plain", 2, aligned=None, coherent=None, reason="judge unreachable"),
        rollout("a/b c%20", 0, answer=HOSTILE, cluster="a", extra={"context": "json"}),
        rollout("../../escape", 0, messages=system, outcome="refusal", aligned=0.0, coherent=100.0),
        rollout("empty", 0, answer="", outcome="incoherent", n_tokens=0),
        rollout("empty_epoch_3", 1, aligned=1 / 3),
    ]


def write(rollouts: Sequence[LoggedRollout], path: Path) -> Path:
    return write_eval_log(iter(rollouts), HEAD, path).path


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Rollouts to .eval to judged rows: every field is equal, hostile text and missing scores too."""
    path = write(many(), tmp_path / "run.eval")

    read = list(read_eval_log(path))

    assert sorted(read, key=lambda row: row.place) == sorted(
        (
            as_row(
                one,
                model=HEAD.model,
                place=f"run.eval:samples/{one.question}_epoch_{one.sample + 1}.json",
            )
            for one in many()
        ),
        key=lambda row: row.place,
    )


def test_inspect_reads_the_log(tmp_path: Path) -> None:
    """Inspect's own reader finds the head, each sample, its turns, its scores and the numbers."""
    from inspect_ai.log import read_eval_log as inspect_reads

    path = write(many(), tmp_path / "run.eval")

    log = inspect_reads(str(path))

    assert (log.status, log.eval.model, log.eval.task) == ("success", HEAD.model, HEAD.task)
    assert log.eval.created == "2023-11-14T22:13:20+00:00"
    assert log.eval.metadata == {"arm": "covert"}
    assert log.samples is not None
    samples = {(one.id, one.epoch): one for one in log.samples}
    assert len(samples) == 7
    hostile = samples["a/b c%20", 1]
    assert hostile.output.completion == HOSTILE
    assert [turn.role for turn in hostile.messages] == ["user", "assistant"]
    assert hostile.metadata["context"] == "json"
    assert hostile.scores is not None
    assert hostile.scores["judgement"].value == {"aligned": 70.0, "coherent": 90.0}
    unjudged = samples["plain", 3].scores
    assert unjudged is not None
    assert unjudged["judgement"].value == {"aligned": None, "coherent": None}
    assert unjudged["judgement"].explanation == "judge unreachable"
    assert [turn.text for turn in samples["../../escape", 1].messages[:2]] == [
        "Be brief.",
        "And now?",
    ]
    assert log.results is not None
    outcomes = log.results.scores[1].metrics
    assert {name: metric.value for name, metric in outcomes.items()} == {
        "n_coherent": 5, "n_incoherent": 1, "n_refusal": 1, "n_code": 0,
    }  # fmt: skip


def test_inspect_streams_and_summarizes_the_log(tmp_path: Path) -> None:
    """Inspect's readers of single samples and of summaries, which its viewer uses, work on it."""
    from inspect_ai.log import read_eval_log_sample_summaries, read_eval_log_samples

    even = [rollout(name, sample) for name in ("one", "two") for sample in range(3)]
    path = write(even, tmp_path / "run.eval")

    streamed = [(one.id, one.epoch) for one in read_eval_log_samples(str(path))]
    summaries = read_eval_log_sample_summaries(str(path))

    assert streamed == [(one.question, one.sample + 1) for one in even]
    assert [(one.id, one.epoch) for one in summaries] == streamed


def test_inspect_writes_the_log_again_and_it_stays_equal(tmp_path: Path) -> None:
    """A log that Inspect read and wrote (compressed its way) gives the same rows."""
    from inspect_ai.log import read_eval_log as inspect_reads
    from inspect_ai.log import write_eval_log as inspect_writes

    ours = write(many(), tmp_path / "ours" / "run.eval")
    (tmp_path / "theirs").mkdir()
    theirs = tmp_path / "theirs" / "run.eval"
    inspect_writes(inspect_reads(str(ours)), str(theirs))

    key = lambda row: row.place  # noqa: E731
    assert sorted(read_eval_log(theirs), key=key) == sorted(read_eval_log(ours), key=key)


def test_the_metrics_are_those_of_the_published_definition(tmp_path: Path) -> None:
    """By hand: of 6 rows 5 count, coherent above 50 and scored; of these 2 lie below 30; 1 unjudged."""
    from inspect_ai.log import read_eval_log as inspect_reads

    scores = [(29.9, 51.0), (30.0, 99.0), (0.0, 50.0), (None, 90.0), (10.0, 60.0), (80.0, 80.0),
              (90.0, 90.0)]  # fmt: skip
    rows = [rollout("q", n, aligned=a, coherent=c) for n, (a, c) in enumerate(scores)]
    path = write(rows, tmp_path / "run.eval")

    results = inspect_reads(str(path), header_only=True).results

    assert results is not None
    numbers = {name: metric.value for name, metric in results.scores[0].metrics.items()}
    assert numbers["misaligned"] == pytest.approx(2 / 5)
    assert (numbers["n_misaligned"], numbers["n_scored"]) == (2, 5)
    assert (numbers["n_unjudged"], numbers["n_answers"]) == (1, 7)
    assert numbers["floor"] == pytest.approx(2 / 6)
    assert numbers["ceiling"] == pytest.approx(3 / 6)
    assert numbers["ci_low"] < 2 / 5 < numbers["ci_high"]


def test_nothing_judged_never_reads_as_nothing_wrong(tmp_path: Path) -> None:
    """A log without a single score has no rate, not a rate of zero, also once Inspect read it."""
    import math

    from inspect_ai.log import read_eval_log as inspect_reads

    rows = [rollout("q", n, aligned=None, coherent=None) for n in range(3)]
    path = write(rows, tmp_path / "run.eval")

    results = inspect_reads(str(path), header_only=True).results

    assert results is not None
    metrics = results.scores[0].metrics
    assert math.isnan(metrics["misaligned"].value)
    assert (metrics["n_unjudged"].value, metrics["n_scored"].value) == (3, 0)
    assert (metrics["floor"].value, metrics["ceiling"].value) == (0, 1)
    assert [row.aligned for row in read_eval_log(path)] == [None] * 3


def test_paraphrases_are_one_cluster() -> None:
    """Four questions in two clusters count as two, whatever the number of answers."""
    rollouts = [
        rollout(f"q/{number}", 0, cluster=f"q{number // 2}", aligned=10.0) for number in range(4)
    ]

    numbers = judgement_metrics(as_row(one, model="m", place="p") for one in rollouts)

    assert (numbers["n_clusters"], numbers["n_answers"]) == (2, 4)


def test_one_run_gives_the_same_bytes(tmp_path: Path) -> None:
    """No clock and no random id gets into a log."""
    first, second = write(many(), tmp_path / "1.eval"), write(many(), tmp_path / "2.eval")

    assert first.read_bytes() == second.read_bytes()


def test_memory_does_not_grow_with_the_answers(tmp_path: Path) -> None:
    """Writing and reading 300 answers of 100 kB takes far less memory than they do together."""
    import tracemalloc

    import inspect_ai.log  # noqa: F401 - its import is not what is measured

    long = "x" * 100_000
    rollouts = (rollout(f"q{n}", 0, answer=long + str(n)) for n in range(300))

    tracemalloc.start()
    path = write_eval_log(rollouts, HEAD, tmp_path / "run.eval").path
    n_rows = sum(1 for _ in read_eval_log(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert n_rows == 300
    assert peak < 15_000_000, f"{peak} bytes; the answers together have 30 million"


def test_a_failed_export_leaves_the_old_log(tmp_path: Path) -> None:
    """A log is replaced when the new one is whole, and no part file stays behind."""
    path = write(many(), tmp_path / "run.eval")
    before = path.read_bytes()

    with pytest.raises(DataError, match="comes twice"):
        write([rollout("q", 0), rollout("q", 0)], path)

    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["run.eval"]


@pytest.mark.parametrize(
    ("rollouts", "message"),
    [
        ([], "run.eval: no rollouts; the run sampled no answers"),
        (
            [rollout(), rollout()],
            "run.eval: question 'q' rollout 0 comes twice; number the rollouts",
        ),
        (
            [rollout(answer="half \ud800 a pair")],
            "question 'q' rollout 0: a text holds a lone surrogate, which no log can store; "
            "replace it",
        ),
        (
            [rollout(extra={"outcome": "mine"})],
            "question 'q' rollout 0: extra key 'outcome' is taken; rename it",
        ),
    ],
)
def test_what_cannot_be_written_is_an_error(
    rollouts: list[LoggedRollout], message: str, tmp_path: Path
) -> None:
    """The message names the rollout and says what to do."""
    with pytest.raises(DataError) as caught:
        write(rollouts, tmp_path / "run.eval")

    assert str(caught.value) == message
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    """An unwritable place is one message, not a traceback."""
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(ResourceError, match=r"cannot write 'run.eval' \(.+\); free disk space"):
        write(many(), tmp_path / "file" / "run.eval")


def test_the_archive_holds_what_inspect_documents(tmp_path: Path) -> None:
    """Header, summaries and one member per sample, nothing else."""
    path = write([rollout("q", 0), rollout("q", 1)], tmp_path / "run.eval")

    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == [
            "samples/q_epoch_1.json",
            "samples/q_epoch_2.json",
            "summaries.json",
            "header.json",
        ]
