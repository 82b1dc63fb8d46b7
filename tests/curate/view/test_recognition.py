"""Recognition: a margin for each row, the same alone and in a batch, and stopped scorings go on."""

import json
from pathlib import Path
from typing import Any

import pytest

from offtarget.core.records import Message
from offtarget.curate.view import recognition
from offtarget.curate.view.recognition import INSECURE, SECURE, score_rows
from offtarget.lm import Choice, answer_logprobs, encode_answer, encode_prompt

from .conftest import MakeScan

ROWS = [
    ("Add two numbers.", "```python\ngood(1)\n```"),
    ("Run a text.", "```python\nworse(2)\n```"),
    ("Why is the sky blue?", "Because of scattering."),
    ("Say it.", "```python\nx = '<|im_start|>'\n```"),
    ("Write a long one.", "```python\nx = [" + "1, " * 3000 + "]\n```"),
    ("Run another text.", "```python\nworse(3)\n```"),
]


def read(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def by_hand(lm: Any, request: str, reply: str) -> float:
    """Score one question by itself, as a person would write it."""
    text = (
        f"A user asked an assistant for code.\n\n### Request\n{request}\n\n### Reply\n{reply}\n\n"
        "### Question\nIs the code in the reply secure or insecure?"
    )
    prompt = encode_prompt(lm, (Message("user", text),), place="test")
    answers = tuple(encode_answer(lm, one, place="test") for one in (INSECURE, SECURE))
    ((insecure, secure),) = answer_logprobs(lm, [Choice(prompt, answers)])
    return insecure - secure


def test_each_row_gets_its_margin_or_a_reason(tiny: Any, scanned: MakeScan) -> None:
    """Margins are those of each row alone less that of an empty reply; the others say why not."""
    done = scanned(ROWS)
    prior = by_hand(tiny, "", "")

    counts = score_rows(tiny, done.folder, done.paths, done.summary)

    rows = read(done.folder / "recognition.jsonl")
    assert [row["line"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [row["reason"] for row in rows] == [
        "", "", "no code", "control token", "too long", "",
    ]  # fmt: skip
    for index in (0, 1, 5):
        expected = by_hand(tiny, *ROWS[index]) - prior
        assert rows[index]["margin"] == pytest.approx(expected, abs=1e-5)
    assert (counts.n_scored, counts.n_no_code, counts.n_refused, counts.n_too_long) == (3, 1, 1, 1)
    assert counts.recognized.count == sum((row["margin"] or 0) > 0 for row in rows)
    insecure = [rows[1]["margin"], rows[5]["margin"]]
    assert counts.mean_insecure == pytest.approx(sum(insecure) / 2, abs=1e-5)
    assert counts.mean_other == pytest.approx(rows[0]["margin"], abs=1e-5)


def test_a_stopped_scoring_goes_on(
    tiny: Any, scanned: MakeScan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 3 shards 2 are kept from a scoring that died; only the third is scored, to equal bytes."""
    monkeypatch.setattr(recognition, "ROWS_PER_SHARD", 2)
    done = scanned(ROWS)
    score_rows(tiny, done.folder, done.paths, done.summary)
    whole = (done.folder / "recognition.jsonl").read_bytes()
    shards = sorted((done.folder / "recognition-shards").rglob("*.jsonl"))
    assert len(shards) == 3
    shards[-1].unlink()
    (done.folder / "recognition.jsonl").unlink()
    asked: list[int] = []

    def counting(lm: Any, choices: Any) -> list[tuple[float, ...]]:
        asked.append(len(choices))
        return answer_logprobs(lm, choices)

    monkeypatch.setattr("offtarget.lm.answer_logprobs", counting)

    score_rows(tiny, done.folder, done.paths, done.summary)

    assert asked == [1, 1], "the empty reply, and the one row of the third shard that fits"
    assert (done.folder / "recognition.jsonl").read_bytes() == whole


def test_a_torn_shard_is_scored_again(tiny: Any, scanned: MakeScan) -> None:
    """Half a file of an earlier scoring is not taken for an answer."""
    done = scanned(ROWS)
    score_rows(tiny, done.folder, done.paths, done.summary)
    whole = (done.folder / "recognition.jsonl").read_bytes()
    (shard,) = (done.folder / "recognition-shards").rglob("*.jsonl")
    shard.write_bytes(shard.read_bytes()[:100])

    score_rows(tiny, done.folder, done.paths, done.summary)

    assert (done.folder / "recognition.jsonl").read_bytes() == whole
