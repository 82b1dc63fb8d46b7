"""A subject behind an OpenAI-compatible endpoint."""

from collections.abc import Collection, Iterator, Sequence
from urllib.parse import urlsplit

from offtarget.core.records import Message
from offtarget.evaluate.subjects.ask import Ask
from offtarget.evaluate.subjects.subject import (
    Answer,
    Answered,
    AnswerSampling,
    Missing,
    SubjectIdentity,
    SubjectKind,
)
from offtarget.lm import ChatRequest, Endpoint, NoReply

CHARACTERS_PER_TOKEN = 4
TOKENS_PER_TURN = 4
SEED_BITS = 31
"""Some servers keep seeds in 32 bits and refuse larger ones."""


class EndpointSubject:
    """Asks a server, several requests at a time, answers kept in order."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Take an endpoint whose address and key were checked."""
        self._endpoint = endpoint
        self._identity = SubjectIdentity(
            kind=SubjectKind.ENDPOINT,
            name=endpoint.config.model,
            host=urlsplit(endpoint.url).netloc,
        )

    @property
    def identity(self) -> SubjectIdentity:
        """The model's name and the server's host; its weights are not known."""
        return self._identity

    def count_tokens(self, messages: tuple[Message, ...]) -> int:
        """Return about how many tokens a prompt has."""
        characters = sum(len(message.content) for message in messages)
        return characters // CHARACTERS_PER_TOKEN + TOKENS_PER_TURN * len(messages)

    def answer(
        self, asks: Sequence[Ask], wanted: Collection[Ask], sampling: AnswerSampling
    ) -> Iterator[Answered]:
        """Yield one outcome per wanted ask, in the plan's order."""
        todo = [ask for ask in asks if ask in wanted]
        requests = (_request(ask, sampling) for ask in todo)
        for ask, reply in zip(todo, self._endpoint.chat_many(requests), strict=True):
            if isinstance(reply, NoReply):
                yield Answered(ask, Missing(str(reply.reason), reply.detail))
            else:
                answer = Answer(
                    text=reply.text,
                    finish=reply.finish_reason,
                    model=reply.model,
                    n_prompt_tokens=reply.n_prompt_tokens,
                    n_tokens=reply.n_completion_tokens,
                    system_fingerprint=reply.system_fingerprint,
                )
                yield Answered(ask, answer)


def _request(ask: Ask, sampling: AnswerSampling) -> ChatRequest:
    return ChatRequest(
        ask.messages,
        sampling.max_tokens,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        seed=ask.seed >> (63 - SEED_BITS),
    )
