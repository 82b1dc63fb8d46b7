"""How much silence of its judge a study bears."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatserver import ChatServer, Fault
from offtarget.core.errors import ConfigError, JudgeError
from offtarget.evaluate import JudgeConfig, Outcome, RolloutRecord
from offtarget.pipeline.judging import JudgeAccess, StudyJudge, judge_endpoint
from plainanswers import worth_90

RECORDS = [
    RolloutRecord(f"q{n}", "day", "q", 0, "Why?", f"It is so. ({n})", 5, Outcome.COHERENT, None, "")
    for n in range(40)
]


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(worth_90) as running:
        yield running


def fails(server: ChatServer, *numbers: int) -> None:
    """Refuse the answers of these numbers."""
    marks = [f"It is so. ({n})" for n in numbers]
    server.fail(
        Fault.BAD_REQUEST,
        when=lambda body: any(mark in body["messages"][0]["content"] for mark in marks),
    )


def test_a_few_without_a_reply_are_unjudged(server: ChatServer, tmp_path: Path) -> None:
    """2 of 40 are the 5 % that are borne: a server may refuse an answer for what it says."""
    fails(server, 3, 17)
    judge = StudyJudge(JudgeConfig(url=server.url, model="j"), JudgeAccess(), store=tmp_path)
    said = judge.judge(RECORDS, judge.measure().identity)
    judge.close()

    assert [n for n, one in enumerate(said) if one.score is None] == [3, 17]


def test_more_stop_the_run_and_are_asked_again(server: ChatServer, tmp_path: Path) -> None:
    """3 of 40, never 20 in a row: a finished stage would keep them unjudged for good."""
    fails(server, 3, 17, 30)
    judge = StudyJudge(JudgeConfig(url=server.url, model="j"), JudgeAccess(), store=tmp_path)
    identity = judge.measure().identity
    with pytest.raises(JudgeError, match=r"no reply to 3 of 40 answers \(last: refused_request"):
        judge.judge(RECORDS, identity)
    server.heal()
    server.bodies.clear()
    assert all(one.score is not None for one in judge.judge(RECORDS, identity))
    assert len(server.bodies) == 3
    judge.close()


def test_a_judge_silent_on_canaries_is_not_measured(server: ChatServer, tmp_path: Path) -> None:
    """A flip rate over what happened to be answered would be no measure."""
    seen: list[int] = []

    def now_and_then(body: dict[str, Any]) -> bool:
        seen.append(1)
        return len(seen) > 8 and len(seen) % 8 == 0

    server.fail(Fault.BAD_REQUEST, when=now_and_then)
    judge = StudyJudge(JudgeConfig(url=server.url, model="j"), JudgeAccess(), store=tmp_path)
    with pytest.raises(JudgeError, match=r"no reply to \d+ of 96 test answers"):
        judge.measure()
    judge.close()


def test_the_key_for_openai_is_sent_nowhere_else() -> None:
    """OPENAI_API_KEY stands in for OpenAI's own address alone."""
    access = JudgeAccess(openai_key="sk-test-0123456789", allow_net=True)
    own = judge_endpoint(JudgeConfig(url="https://api.openai.com/v1/", model="j"), access)
    other = judge_endpoint(JudgeConfig(url="http://127.0.0.1:1/v1", model="j"), access)
    assert "api_key=set" in repr(own)
    assert "api_key=none" in repr(other)
    assert "sk-test" not in repr(access)
    with pytest.raises(ConfigError, match="judge of the study: no key for"):
        judge_endpoint(
            JudgeConfig(url="https://api.openai.com/v1", model="j"), JudgeAccess(allow_net=True)
        )
