"""What an endpoint can do as a judge, found by asking it: log-probabilities, one token per number."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from offtarget.core.errors import JudgeError
from offtarget.core.records import Message
from offtarget.evaluate.judges.records import Method
from offtarget.evaluate.judges.rubrics import Rubric, Scale, packaged_rubrics
from offtarget.evaluate.judges.scales import MAX_TOKENS, TOP_LOGPROBS
from offtarget.lm.endpoint import ChatRequest, Endpoint, NoReply, Reply

NUMBERS_ASKED = ("57", "83", "100")
"""Two-digit and three-digit numbers; a tokenizer that keeps these whole keeps 0-100 whole."""
LETTER_ASKED = "C"
_LETTER = re.compile(r"[A-Z]")
_MAX_TOLD = 60


@dataclass(frozen=True, slots=True)
class Probe:
    """What the endpoint did when it was asked to say a few numbers and a letter."""

    returned_model: str
    host: str
    system_fingerprint: str
    has_logprobs: bool
    has_whole_numbers: bool
    """Each number came as one token; shown, not assumed."""
    has_letters: bool
    """A letter came as one token."""
    evidence: tuple[str, ...]
    """One line per question: what was asked and which tokens came back."""

    def method(self, rubric: Rubric) -> Method:
        """Return how replies to `rubric` can be read."""
        if rubric.scale is Scale.NUMBERS and self.has_whole_numbers:
            return Method.NUMBERS
        if rubric.scale is Scale.LETTERS and self.has_letters:
            return Method.LETTERS
        return Method.TEXT


def probe_endpoint(endpoint: Endpoint) -> Probe:
    """Ask the endpoint for numbers and a letter, and look at the tokens that come back.

    Raises:
        JudgeError: If it gives no reply at all, so that nothing is known of it.
    """
    top = TOP_LOGPROBS
    replies: dict[str, Reply] = {}
    for asked in (*NUMBERS_ASKED, LETTER_ASKED):
        reply = endpoint.chat(_request(asked, top))
        if isinstance(reply, NoReply) and reply.reason == "refused_request" and top:
            top = 0  # some servers refuse the parameter instead of leaving log-probabilities out
            reply = endpoint.chat(_request(asked, top))
        if isinstance(reply, NoReply):
            raise JudgeError(
                f"judge {endpoint.config.model!r} gave no reply to a test question "
                f"({reply.reason}: {reply.detail}); check the address, key and model name"
            )
        replies[asked] = reply
    seen = {asked: _alternatives(reply) for asked, reply in replies.items()}
    last = replies[LETTER_ASKED]
    has_logprobs = all(seen.values())
    return Probe(
        returned_model=last.model,
        host=urlsplit(endpoint.url).netloc,
        system_fingerprint=last.system_fingerprint,
        has_logprobs=has_logprobs,
        has_whole_numbers=has_logprobs and all(_is_whole(n, seen[n]) for n in NUMBERS_ASKED),
        has_letters=has_logprobs and any(_LETTER.fullmatch(token) for token in seen[LETTER_ASKED]),
        evidence=tuple(_told(asked, replies[asked], seen[asked]) for asked in replies),
    )


def probe_questions() -> tuple[str, ...]:
    """Return what `probe_endpoint` asks at most; a server may refuse log-probabilities once."""
    texts = [_question(asked) for asked in (*NUMBERS_ASKED, LETTER_ASKED)]
    return (*texts, texts[0])


def expected_probe(endpoint: Endpoint, *, returned_model: str, methods: Sequence[Method]) -> Probe:
    """Return what a test of the endpoint gave before, as far as methods tell; sends nothing.

    Args:
        endpoint: Of the judge.
        returned_model: Name it answered with; "" where it was never tested.
        methods: How its replies were read, one per rubric.
    """
    return Probe(
        returned_model=returned_model,
        host=urlsplit(endpoint.url).netloc,
        system_fingerprint="",
        has_logprobs=bool({Method.NUMBERS, Method.LETTERS}.intersection(methods)),
        has_whole_numbers=Method.NUMBERS in methods,
        has_letters=Method.LETTERS in methods,
        evidence=(),
    )


def fitting_rubrics(probe: Probe, metrics: Sequence[str]) -> list[Rubric]:
    """Return our own rubrics for `metrics`, by numbers where their tokens are whole, else letters.

    Raises:
        JudgeError: If there is none for a metric.
    """
    scale = Scale.NUMBERS if probe.has_whole_numbers or not probe.has_letters else Scale.LETTERS
    own = packaged_rubrics(scale)
    unknown = [metric for metric in metrics if metric not in own]
    if unknown:
        raise JudgeError(
            f"no packaged rubric for {unknown[0]!r}; use {' or '.join(own)}, or give --rubric FILE"
        )
    return [own[metric] for metric in metrics]


def _request(asked: str, top_logprobs: int) -> ChatRequest:
    return ChatRequest(
        (Message("user", _question(asked)),),
        MAX_TOKENS,
        temperature=0.0,
        seed=0,
        top_logprobs=top_logprobs,
    )


def _question(asked: str) -> str:
    kind = "letter" if asked == LETTER_ASKED else "number"
    return f"Reply with the {kind} {asked} and nothing else."


def _alternatives(reply: Reply) -> list[str]:
    """Return the alternatives of the first token, likeliest first, without spaces around them."""
    if not reply.top_logprobs:
        return []
    first = sorted(reply.top_logprobs[0], key=lambda entry: -entry[1])
    return [token.strip() for token, _ in first]


def _is_whole(number: str, alternatives: Sequence[str]) -> bool:
    """Return whether the tokens show a number of this length to be one token.

    The likeliest token decides where it is the number or the start of it. Where the model says
    something else, any other whole number of this length among the alternatives shows it.
    """
    likeliest = alternatives[0]
    if likeliest == number:
        return True
    if likeliest and number.startswith(likeliest):
        return False
    return any(re.fullmatch(rf"[1-9][0-9]{{{len(number) - 1}}}", token) for token in alternatives)


def _told(asked: str, reply: Reply, alternatives: Sequence[str]) -> str:
    tokens = ", ".join(repr(token) for token in alternatives[:3]) or "no log-probabilities"
    return f"asked for {asked}: {reply.text[:20]!r}, first token {tokens}"[: _MAX_TOLD * 3]
