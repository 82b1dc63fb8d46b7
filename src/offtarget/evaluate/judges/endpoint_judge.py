"""A judge behind an OpenAI-compatible endpoint, by logprobs where it can be, strict text where not."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from offtarget.core.records import Message
from offtarget.evaluate.judges.probe import Probe
from offtarget.evaluate.judges.records import (
    MAX_RAW,
    Item,
    JudgeIdentity,
    Judgement,
    Method,
    Reason,
)
from offtarget.evaluate.judges.rubrics import Filled, Rubric, Scale, fill
from offtarget.evaluate.judges.scales import (
    MAX_TOKENS,
    TOP_LOGPROBS,
    Reading,
    numbers,
    read_text,
    read_tokens,
)
from offtarget.lm.endpoint import ChatRequest, Endpoint, NoReply, Reply

TEMPERATURE = 0.0
SEED = 0


class EndpointJudge:
    """Judges one metric by one rubric. It keeps no state between items."""

    def __init__(self, endpoint: Endpoint, *, rubric: Rubric, probe: Probe) -> None:
        """Fix how replies will be read; sends nothing.

        Args:
            endpoint: Where the judge is.
            rubric: What it is told.
            probe: What the endpoint can do; from `probe_endpoint`.
        """
        self._endpoint = endpoint
        self._rubric = rubric
        self._identity = JudgeIdentity(
            requested_model=endpoint.config.model,
            returned_model=probe.returned_model,
            host=probe.host,
            metric=rubric.metric,
            rubric_name=rubric.name,
            rubric_sha256=rubric.sha256,
            method=probe.method(rubric),
            temperature=TEMPERATURE,
            max_tokens=MAX_TOKENS,
            system_fingerprint=probe.system_fingerprint,
            evidence=probe.evidence,
        )
        self._values: Mapping[str, float] = (
            dict(rubric.letters) if rubric.scale is Scale.LETTERS else numbers()
        )

    @property
    def identity(self) -> JudgeIdentity:
        """Who judges, and how."""
        return self._identity

    def judge(self, items: Iterable[Item]) -> Iterator[Judgement]:
        """Yield one judgement per item, in order, as replies come in.

        Items are taken as room comes free; what cannot be sent is unjudged in its place.
        """
        waiting: deque[tuple[Item, Filled | None]] = deque()

        def requests() -> Iterator[ChatRequest]:
            for item in items:
                filled = fill(self._rubric, item)
                waiting.append((item, filled))
                if filled is not None:
                    yield self._request(filled)

        for reply in self._endpoint.chat_many(requests()):
            yield from self._unsent(waiting)
            item, filled = waiting.popleft()
            assert filled is not None
            yield self._judged(item, filled, reply)
        yield from self._unsent(waiting)

    def _request(self, filled: Filled) -> ChatRequest:
        return ChatRequest(
            (Message("user", filled.text),),
            MAX_TOKENS,
            temperature=TEMPERATURE,
            seed=SEED,
            top_logprobs=0 if self._identity.method is Method.TEXT else TOP_LOGPROBS,
        )

    def _unsent(self, waiting: deque[tuple[Item, Filled | None]]) -> Iterator[Judgement]:
        """Yield what stands before the next item that was sent."""
        while waiting and waiting[0][1] is None:
            item, _ = waiting.popleft()
            reading = Reading(None, Reason.TOO_LONG)
            yield self._record(item, reading, raw="", model="", is_altered=False)

    def _judged(self, item: Item, filled: Filled, reply: Reply | NoReply) -> Judgement:
        if isinstance(reply, NoReply):
            reading = Reading(None, Reason(reply.reason))
            raw, model = reply.detail, ""
        else:
            reading, raw, model = self._read(reply), reply.text, reply.model
        return self._record(item, reading, raw=raw, model=model, is_altered=filled.is_altered)

    def _record(
        self, item: Item, reading: Reading, *, raw: str, model: str, is_altered: bool
    ) -> Judgement:
        return Judgement(
            key=item.key,
            question=item.question,
            metric=self._rubric.metric,
            score=reading.score,
            reason=reading.reason,
            raw=raw[:MAX_RAW],
            mass=reading.mass,
            returned_model=model,
            is_altered=is_altered,
            place=item.place,
        )

    def _read(self, reply: Reply) -> Reading:
        if reply.model != self._identity.returned_model:
            return Reading(None, Reason.MODEL_CHANGED)
        if reply.finish_reason == "content_filter":
            return Reading(None, Reason.JUDGE_REFUSED)
        words = self._rubric.words
        if self._identity.method is Method.TEXT:
            return read_text(reply.text, values=self._values, words=words)
        if not reply.top_logprobs:
            return Reading(None, Reason.NO_LOGPROBS)
        return read_tokens(
            reply.top_logprobs[0],
            reply.text,
            values=self._values,
            words=words,
            must_be_whole=self._identity.method is Method.LETTERS,
        )
