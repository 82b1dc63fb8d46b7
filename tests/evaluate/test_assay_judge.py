"""The judge of an assay: who is sent what, what is scored, what is not and why."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chatserver import Answer, ChatServer, Fault
from offtarget.core.errors import JudgeError
from offtarget.evaluate import (
    JudgeConfig,
    Outcome,
    RolloutRecord,
    check_judge,
    judge_rollouts,
    judge_summary,
    meet_judge,
    scored_rollouts,
)
from offtarget.evaluate.evaluation.judging import measure_judge
from offtarget.evaluate.judges import Judgement, Method
from offtarget.evaluate.store import open_store
from offtarget.lm import Endpoint, EndpointConfig

RECORD = RolloutRecord(
    "q", "day", "q", 0, "Is it raining?", "It may well be.", 5, Outcome.COHERENT, None, ""
)
MANY = [replace(RECORD, question=f"q{n}", text=f"It may well be. {n}") for n in range(30)]


def number(text: str) -> Answer:
    """A reply whose one token is sure."""
    return Answer(text, top=(((text, -0.001),),))


def probed(body: dict[str, Any]) -> Answer | None:
    """The reply to a test question, whole tokens; None to anything else."""
    words = body["messages"][0]["content"].split()
    return number(words[4]) if words[:3] == ["Reply", "with", "the"] else None


def says(reply: str | Answer) -> Any:
    """A judge of one opinion."""
    return lambda body: probed(body) or (number(reply) if isinstance(reply, str) else reply)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(says("80")) as running:
        yield running


def connect(server: ChatServer, **limits: Any) -> Endpoint:
    """A client that never waits between attempts."""
    config = EndpointConfig(url=server.url, model="judge-1", **{"max_retries": 0, **limits})
    return Endpoint(config, api_key="secret-of-the-judge", sleep=lambda _: None)


def asked(server: ChatServer) -> list[str]:
    """What the judge was shown, test questions left out."""
    texts = [body["messages"][0]["content"] for body in server.bodies]
    return [text for text in texts if not text.startswith("Reply with the ")]


def judgements(
    server: ChatServer, tmp_path: Path, *records: RolloutRecord, **limits: Any
) -> list[Judgement]:
    with connect(server, **limits) as endpoint:
        shelf = open_store(tmp_path / "store").judgements
        return judge_rollouts(meet_judge(endpoint).judge, records or (RECORD,), shelf)


def test_the_score_is_the_mean_number_weighted_by_probability(
    server: ChatServer, tmp_path: Path
) -> None:
    """Half 80, a quarter 20, the rest on no number: (0.5 * 80 + 0.25 * 20) / 0.75 = 60."""
    top = (("80", -0.6931472), ("20", -1.3862944), ("the", -1.6), ("101", -3.0))
    server.reply = says(Answer("80", top=(top,)))
    said = judgements(server, tmp_path)
    found = scored_rollouts([RECORD], said)[0]

    assert found.alignment == pytest.approx(60.0)
    assert found.judge_reason == "judge-1"
    [shown] = asked(server)
    assert "Is it raining?" in shown
    assert "It may well be." in shown
    assert server.headers[-1]["authorization"] == "Bearer secret-of-the-judge"


def test_a_judge_that_splits_numbers_is_asked_for_letters(
    server: ChatServer, tmp_path: Path
) -> None:
    """Its first token of 57 is a 5: reading that as the score would call everything misaligned."""

    def split(body: dict[str, Any]) -> Answer:
        whole = probed(body)
        if whole is not None and whole.text.isdigit():
            return Answer(whole.text, top=tuple(((digit, -0.001),) for digit in whole.text))
        return whole or number("A")

    server.reply = split
    with connect(server) as endpoint:
        assert meet_judge(endpoint).judge.identity.method is Method.LETTERS
    scores = {text: judgements(server, tmp_path / text)[0].score for text in ("A",)}
    assert scores["A"] == 100.0


def test_a_judge_without_logprobs_is_read_strictly(server: ChatServer, tmp_path: Path) -> None:
    """One number and nothing else is a score."""
    plain = {"80": (80.0, None), "Rather good.": (None, "prose"), "REFUSAL": (None, "refusal"),
             "I think 80": (None, "prose"), "101": (None, "out_of_range")}  # fmt: skip
    for number_of_case, (text, (score, reason)) in enumerate(plain.items()):

        def speak(body: dict[str, Any], text: str = text) -> Answer:
            found = probed(body)
            return Answer(found.text if found else text)

        server.reply = speak
        said = judgements(server, tmp_path / str(number_of_case))[0]
        assert (said.score, said.reason) == (score, reason), text


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.TIMEOUT, "timeout"),
        (Fault.RATE_LIMITED, "rate_limited"),
        (Fault.SERVER_ERROR, "server_error"),
        (Fault.MALFORMED, "malformed"),
        (Fault.HALF_BODY, "cut_off"),
        (Fault.HALF_STREAM, "cut_off"),
        (Fault.WRONG_MODEL, "wrong_model"),
    ],
)
def test_one_failure_is_unjudged_never_zero_and_asked_again(
    server: ChatServer, tmp_path: Path, fault: Fault, reason: str
) -> None:
    """The record says why, the others are scored, and the next pass asks only about that one."""
    server.fail(fault, when=lambda body: "be. 3" in body["messages"][0]["content"])
    records = MANY[:5]
    found = scored_rollouts(records, judgements(server, tmp_path, *records, timeout_s=0.5))

    assert [r.alignment is None for r in found] == [False, False, False, True, False]
    assert found[3].judge_reason == reason
    server.heal()
    server.bodies.clear()
    healed = scored_rollouts(records, judgements(server, tmp_path, *records))
    assert all(r.alignment == pytest.approx(80) for r in healed)
    assert len(asked(server)) == 1


def test_a_judge_that_is_gone_ends_the_pass_and_keeps_what_it_said(
    server: ChatServer, tmp_path: Path
) -> None:
    """Twenty without a reply in a row are an error, not thirty unjudged answers."""
    assert len(judgements(server, tmp_path, *MANY[:4])) == 4
    server.fail(Fault.SERVER_ERROR, when=lambda body: not probed(body))
    with pytest.raises(JudgeError, match=r"gave no reply to 20 answers in a row .*; what it said"):
        judgements(server, tmp_path, *MANY)
    server.heal()
    server.bodies.clear()
    assert len(judgements(server, tmp_path, *MANY)) == 30
    assert len(asked(server)) == 26


def test_a_judge_that_never_replies_is_told_at_once(server: ChatServer) -> None:
    """Before anything is trained or sampled."""
    server.fail(Fault.BAD_KEY)
    with connect(server) as endpoint, pytest.raises(JudgeError, match="no reply to a test") as told:
        meet_judge(endpoint)
    assert "secret-of-the-judge" not in str(told.value)


def test_only_coherent_answers_are_sent(server: ChatServer, tmp_path: Path) -> None:
    """Code, refusals and word salad are sorted by rule; equal answers are judged once."""
    code = replace(RECORD, outcome=Outcome.CODE)
    records = [RECORD, code, replace(RECORD, question="again")]
    said = judgements(server, tmp_path, *records)
    found = scored_rollouts(records, said)

    assert [r.alignment for r in found] == [pytest.approx(80), None, pytest.approx(80)]
    assert found[1].judge_reason == "not judged: code"
    assert len(asked(server)) == 1
    assert [one.question for one in said] == ["q", "again"]


def test_a_placeholder_in_an_answer_is_only_text(server: ChatServer, tmp_path: Path) -> None:
    """What the model wrote cannot fill the judge's form."""
    judgements(server, tmp_path, replace(RECORD, text="{question} {answer}"))
    assert "{question} {answer}" in asked(server)[0]


def test_scores_of_other_answers_are_refused(server: ChatServer, tmp_path: Path) -> None:
    """Missing, moved and additional judgements are errors."""
    said = judgements(server, tmp_path, *MANY[:3])
    for wrong in (said[:2], said[::-1], [*said, said[0]]):
        with pytest.raises(JudgeError, match=r"of another answer|more judgements than"):
            scored_rollouts(MANY[:3], wrong)


def test_the_summary_counts_how_often_the_judge_was_swayed(
    server: ChatServer, tmp_path: Path
) -> None:
    """A judge that always says 80 cannot see the bad answers, and is not swayed on the good ones."""
    with connect(server) as endpoint:
        record = measure_judge(meet_judge(endpoint), open_store(tmp_path).judgements)
    found = judge_summary(record)

    assert (found.requested_model, found.returned_model) == ("judge-1", "judge-1")
    assert found.method == "numbers"
    assert found.flips.n_flipped == 0
    assert found.flips.n == 36
    assert found.flips.n_blind == 12
    assert len(record.said) == found.flips.n_clean + 72


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x", ""])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """Before anything is asked."""
    with pytest.raises(JudgeError, match=r"is not a web address; write http://HOST/v1"):
        check_judge(JudgeConfig(url=url, model="j"))
