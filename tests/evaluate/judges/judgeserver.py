"""A judge for the chat server: says what a function of the prompt says, in the tokens asked for."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import log
from typing import Any

from chatserver import Answer, ChatServer
from offtarget.evaluate.judges import (
    EndpointJudge,
    Item,
    Judgement,
    Rubric,
    packaged_rubrics,
    probe_endpoint,
)
from offtarget.lm.endpoint import Endpoint, EndpointConfig

Opinion = Callable[[str], str | Mapping[str, float]]
"""Prompt to the reply's text, or to the probabilities of the first token."""


def is_probe(body: Mapping[str, Any]) -> bool:
    """Whether a request is one of the test questions."""
    return str(body["messages"][0]["content"]).startswith("Reply with the ")


@dataclass
class JudgeModel:
    """What `ChatServer.reply` takes; opinion, tokenizer and name may change between requests."""

    opinion: Opinion = lambda _: "80"
    tokens: str = "whole"
    """`whole` numbers, `digits`, or `none`: no log-probabilities."""
    name: str = "judge-1-2026-01-01"
    finish: str = "stop"
    prompts: list[str] = field(default_factory=list)
    """What was asked, test questions left out."""
    n_probes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, body: dict[str, Any]) -> Answer:
        prompt = body["messages"][0]["content"]
        if is_probe(body):
            with self._lock:
                self.n_probes += 1
            return self._answer(prompt.split()[4], {})
        with self._lock:
            self.prompts.append(prompt)
        opinion = self.opinion(prompt)
        if isinstance(opinion, str):
            return self._answer(opinion, {})
        return self._answer(max(opinion, key=lambda token: opinion[token]), opinion)

    def _answer(self, said: str, shares: Mapping[str, float]) -> Answer:
        pieces = list(said) if self.tokens == "digits" and said.isdigit() else said.split(" ")
        tops: list[tuple[tuple[str, float], ...]] = [((piece, 0.0),) for piece in pieces]
        if shares:
            ordered = sorted(shares.items(), key=lambda entry: -entry[1])
            tops[0] = tuple((token, log(share)) for token, share in ordered)
        top = () if self.tokens == "none" else tuple(tops)
        return Answer(said, finish=self.finish, top=top, model=self.name)


def connect(server: ChatServer, **limits: Any) -> Endpoint:
    """A client of the server that never waits."""
    config = EndpointConfig(url=server.url, model="judge-1", **{"max_retries": 1, **limits})
    return Endpoint(config, sleep=lambda _: None)


def judged(
    server: ChatServer, *items: Item, rubric: Rubric | None = None, **limits: Any
) -> list[Judgement]:
    """What a judge on the server says of the items; tested first, as always."""
    chosen = rubric or packaged_rubrics()["aligned"]
    with connect(server, **limits) as endpoint:
        judge = EndpointJudge(endpoint, rubric=chosen, probe=probe_endpoint(endpoint))
        return list(judge.judge(items))
