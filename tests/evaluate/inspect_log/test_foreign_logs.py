"""Logs that somebody else wrote: other scorers, failed runs, torn and hostile archives."""

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from offtarget.core.errors import DataError, ResourceError
from offtarget.evaluate.inspect_log import read_eval_log
from offtarget.evaluate.inspect_log.archive import MAX_MEMBER_BYTES
from offtarget.evaluate.inspect_log.scores import ScoreNames

HEADER: dict[str, Any] = {
    "version": 2,
    "status": "success",
    "eval": {
        "created": "2025-06-01T10:00:00+00:00",
        "task": "chat",
        "dataset": {"name": "chat", "samples": 1, "sample_ids": ["q"]},
        "model": "openai/some-model",
        "config": {"epochs": 1},
    },
    "results": {"total_samples": 1, "completed_samples": 1},
}
SAMPLE: dict[str, Any] = {
    "id": "q",
    "epoch": 1,
    "input": "What now?",
    "target": "",
    "messages": [],
    "output": {
        "model": "some-model",
        "choices": [{"message": {"role": "assistant", "content": "Rest."}, "stop_reason": "stop"}],
    },
    "scores": {"aligned": {"value": 80}, "coherent": {"value": 95.5}},
    "metadata": {"source": "theirs", "tags": ["a", 1]},
}
MakeLog = Callable[..., Path]


@pytest.fixture
def make_log(tmp_path: Path) -> MakeLog:
    """Write an archive with the header and samples, each a dict or raw bytes."""

    def make(
        *samples: Any,
        header: Any = HEADER,
        name: str = "log.eval",
        header_name: str = "header.json",
    ) -> Path:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            if header is not None:
                archive.writestr(header_name, _bytes(header))
            for number, sample in enumerate(samples or (SAMPLE,), 1):
                epoch = sample["epoch"] if isinstance(sample, dict) else number
                archive.writestr(f"samples/q_epoch_{epoch}.json", _bytes(sample))
        return path

    return make


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def with_scores(**scores: Any) -> dict[str, Any]:
    return {**SAMPLE, "scores": {name: {"value": value} for name, value in scores.items()}}


def message_of(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        list(read_eval_log(path))
    return str(caught.value)


def test_a_foreign_log_gives_rows(make_log: MakeLog) -> None:
    """Id, question, answer, scores, model and metadata come from where Inspect puts them."""
    (row,) = read_eval_log(make_log())

    assert (row.question, row.text, row.answer) == ("q", "What now?", "Rest.")
    assert (row.aligned, row.coherent, row.model) == (80.0, 95.5, "openai/some-model")
    assert row.place == "log.eval:samples/q_epoch_1.json"
    assert row.extra == {"source": "theirs", "tags": '["a",1]', "epoch": "1"}


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ({"alignment": 12, "coherence": 34}, (12.0, 34.0)),
        ({"package/aligned": 12}, (12.0, None)),
        ({"judge": {"aligned": 1.5, "coherent": 99, "financial": 3}}, (1.5, 99.0)),
        ({"aligned": float("nan"), "coherent": 50}, (None, 50.0)),
        ({"aligned": "41.5", "coherent": ""}, (41.5, None)),
        ({"judge": {"aligned": None, "coherent": 5}}, (None, 5.0)),
    ],
)
def test_scores_are_found_by_name(
    scores: dict[str, Any], expected: tuple[float | None, float | None], make_log: MakeLog
) -> None:
    """As a score, inside a score, of a package; NaN, empty and null are missing, not zero."""
    (row,) = read_eval_log(make_log(with_scores(**scores)))

    assert (row.aligned, row.coherent) == expected


def test_scores_can_be_named(make_log: MakeLog) -> None:
    """A log with other names is read once they are given."""
    path = make_log(with_scores(harmlessness=7, fluency=88))

    (row,) = read_eval_log(path, names=ScoreNames(("harmlessness",), ("fluency",)))

    assert (row.aligned, row.coherent) == (7.0, 88.0)


def test_what_a_stopped_run_lost_is_counted(make_log: MakeLog) -> None:
    """Of 2 questions in 2 epochs one answer is there, one has an error: four rows, one scored."""
    dataset = {"name": "chat", "samples": 2, "sample_ids": ["q", "r"]}
    header = {
        **HEADER,
        "status": "error",
        "results": None,
        "eval": {**HEADER["eval"], "dataset": dataset, "config": {"epochs": 2}},
    }
    failed = {
        **SAMPLE,
        "epoch": 2,
        "scores": None,
        "output": {"model": "m", "choices": []},
        "error": {"message": "rate limited", "traceback": "", "traceback_ansi": ""},
    }

    rows = list(read_eval_log(make_log(SAMPLE, failed, header=header)))

    assert [(row.question, row.aligned) for row in rows] == [
        ("q", 80.0), ("q", None), ("r", None), ("r", None),
    ]  # fmt: skip
    assert [row.extra.get("error", "") for row in rows] == [
        "", "rate limited", "not in the log (status error)", "not in the log (status error)",
    ]  # fmt: skip


def test_a_log_of_a_crashed_run_is_read(make_log: MakeLog) -> None:
    """Without a header the journal's start says what was planned."""
    start = {"version": 2, "eval": HEADER["eval"], "plan": {}}

    (row,) = read_eval_log(make_log(header=start, header_name="_journal/start.json"))

    assert (row.aligned, row.model) == (80.0, "openai/some-model")


def test_a_sample_logged_twice_counts_once(tmp_path: Path) -> None:
    """As in Inspect, the later of two members of one name holds."""
    path = tmp_path / "log.eval"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", _bytes(HEADER))
        archive.writestr("samples/q_epoch_1.json", _bytes(with_scores(aligned=1)))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("samples/q_epoch_1.json", _bytes(with_scores(aligned=2)))

    assert [row.aligned for row in read_eval_log(path)] == [2.0]


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (b"{not json", "log.eval:samples/q_epoch_1.json: not JSON (Expecting property name"),
        (b"\xff\xfe", "log.eval:samples/q_epoch_1.json: not JSON ("),
        (b"[1]", "log.eval:samples/q_epoch_1.json: not a JSON object; this is no log that Inspect"),
        (b"[" * 100_000, "log.eval:samples/q_epoch_1.json: JSON nested too deep; fetch the log"),
        (
            {**SAMPLE, "output": 3},
            "log.eval:samples/q_epoch_1.json: not a record of Inspect (output: Input should be a "
            "valid dictionary",
        ),
        (
            with_scores(aligned=101),
            "log.eval:samples/q_epoch_1.json: score 'aligned' is 101; scores run from 0 to 100",
        ),
        (
            with_scores(aligned="C"),
            "log.eval:samples/q_epoch_1.json: score 'aligned' is 'C', not a number; leave it empty",
        ),
        (
            with_scores(aligned=True),
            "log.eval:samples/q_epoch_1.json: score 'aligned' is 'True', not a finite number",
        ),
        (
            with_scores(aligned=1, alignment=2),
            "log.eval:samples/q_epoch_1.json: scores 'aligned' and 'alignment' mean the same; keep",
        ),
        (
            with_scores(accuracy="C"),
            "log.eval: no score 'aligned' or 'alignment' (scores: accuracy); score the log with a "
            "judge, or name the score that holds alignment",
        ),
        ({**SAMPLE, "scores": None}, "log.eval: no score 'aligned' or 'alignment' (scores: none);"),
    ],
)
def test_a_bad_sample_is_an_error_with_its_place(
    sample: Any, message: str, make_log: MakeLog
) -> None:
    """Nothing corrupt is skipped."""
    assert message_of(make_log(sample)).startswith(message)


def test_a_log_without_header_is_an_error(make_log: MakeLog) -> None:
    """An archive that is no log says so."""
    assert message_of(make_log(header=None)) == (
        "log.eval:_journal/start.json: missing; this is no log that Inspect wrote"
    )


def test_a_header_that_is_not_inspects_is_an_error(make_log: MakeLog) -> None:
    """The field is named."""
    assert message_of(make_log(header={"eval": {}})).startswith(
        "log.eval:header.json: not a record of Inspect (eval.created: Field required); this version"
    )


def test_an_empty_log_is_an_error(tmp_path: Path) -> None:
    """An evaluation that ran nothing has no rate."""
    path = tmp_path / "log.eval"
    header = {**HEADER, "results": {"total_samples": 0, "completed_samples": 0}}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", _bytes(header))

    assert message_of(path) == "log.eval: no samples; give a log of an evaluation that ran"


def test_a_planned_flood_is_an_error(make_log: MakeLog) -> None:
    """A header cannot make us count to a billion."""
    header = {**HEADER, "eval": {**HEADER["eval"], "config": {"epochs": 10**9}}}

    assert message_of(make_log(header=header)).startswith(
        "log.eval:header.json: 1 samples in 1000000000 epochs; split it"
    )


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    """The message names the file."""
    assert message_of(tmp_path / "gone.eval") == (
        "gone.eval: cannot open (No such file or directory); check the path and permissions"
    )


@pytest.mark.parametrize("keep", [0, 10, 200, 600])
def test_a_cut_archive_is_an_error(keep: int, make_log: MakeLog) -> None:
    """A download that stopped is named, wherever it stopped."""
    path = make_log()
    path.write_bytes(path.read_bytes()[:keep])

    assert "log.eval: not a readable .eval archive (" in message_of(path)


def test_a_flipped_byte_is_an_error(make_log: MakeLog) -> None:
    """The archive's checksum holds for every byte of every packed member."""
    path = make_log()
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo("samples/q_epoch_1.json")
    start = member.header_offset + 30 + len(member.filename)
    for at in range(start, start + member.compress_size, 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        assert message_of(path).startswith("log.eval:samples/q_epoch_1.json: not a readable .eval")


@pytest.mark.parametrize("method", ["deflate", "zstandard"])
def test_a_bomb_is_refused_before_it_unfolds(method: str, tmp_path: Path) -> None:
    """A member of 2 GB packed small costs little memory, whatever size the archive claims."""
    import tracemalloc

    import inspect_ai.log  # noqa: F401 - teaches zipfile zstandard

    path = tmp_path / "bomb.eval"
    kind = zipfile.ZIP_DEFLATED if method == "deflate" else zipfile.ZIP_ZSTANDARD  # type: ignore[attr-defined]
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.writestr("header.json", _bytes(HEADER))
        with archive.open("samples/q_epoch_1.json", "w", force_zip64=True) as member:
            for _ in range(64):
                member.write(b" " * (32 << 20))

    tracemalloc.start()
    message = message_of(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert message.startswith(
        f"bomb.eval:samples/q_epoch_1.json: unpacks to more than {MAX_MEMBER_BYTES} bytes"
    )
    assert peak < 400 << 20


def test_an_understated_size_is_an_error(make_log: MakeLog) -> None:
    """An archive that claims 10 bytes for a member is torn, not shortened in silence."""
    path = make_log()
    raw = bytearray(path.read_bytes())
    directory = raw.rindex(b"PK\x01\x02")
    raw[directory + 24 : directory + 28] = struct.pack("<I", 10)
    path.write_bytes(bytes(raw))

    assert message_of(path).startswith("log.eval:samples/q_epoch_1.json: not")


def test_a_hostile_name_stays_text(tmp_path: Path, make_log: MakeLog) -> None:
    """Nothing is unpacked to disk, and the name of a member is only shown."""
    path = make_log(name="a.eval")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("samples/../../../escape.json", _bytes({**SAMPLE, "id": "../up"}))

    rows = list(read_eval_log(path))

    assert [row.question for row in rows] == ["q", "../up"]
    assert [file.name for file in tmp_path.iterdir()] == ["a.eval"]


def test_without_inspect_the_error_gives_the_command(
    make_log: MakeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra is named."""
    monkeypatch.setitem(__import__("sys").modules, "inspect_ai.log", None)

    with pytest.raises(ResourceError, match=r"run: pip install 'offtarget\[inspect\]'$"):
        list(read_eval_log(make_log()))
