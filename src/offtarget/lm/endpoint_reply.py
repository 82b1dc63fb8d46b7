"""What an endpoint sent back: an answer, or a stable reason why there is none."""

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from offtarget.core.codec import parse
from offtarget.core.errors import DataError

MAX_DETAIL = 300
_DATED = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8}|\d{6}|\d{4})")


class NoReplyReason(StrEnum):
    """Why a request has no answer."""

    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    MALFORMED = "malformed"
    CUT_OFF = "cut_off"
    WRONG_MODEL = "wrong_model"
    REFUSED_REQUEST = "refused_request"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer as the server gave it."""

    text: str
    """May be empty; the refusal's text where the server keeps refusals apart."""
    finish_reason: str
    """`stop`, `length`, `content_filter`, ... as returned."""
    model: str
    """As returned."""
    n_prompt_tokens: int
    """0 when the server reported no usage."""
    n_completion_tokens: int
    top_logprobs: tuple[tuple[tuple[str, float], ...], ...] = ()
    """Per output token, (token, log-probability in nats), likeliest first."""
    system_fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class NoReply:
    """A request that got no answer after all tries; a result, never a zero."""

    reason: str
    """A `NoReplyReason`."""
    detail: str
    """For people; holds no key."""
    is_final: bool
    """Whether the same request would fail again whenever it is sent."""


def parse_reply(body: str, *, model: str) -> Reply | NoReply:
    """Return what the body of a chat completion says.

    Args:
        body: The response's text.
        model: The name asked for; the returned one must be it or a dated version of it.
    """
    try:
        raw = parse(body, place="reply")
    except (DataError, RecursionError) as error:
        return NoReply(NoReplyReason.MALFORMED, str(error)[:MAX_DETAIL], is_final=False)
    try:
        return _reply(raw, model)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        detail = f"not a chat completion ({type(error).__name__}: {str(error)[:100]})"
        return NoReply(NoReplyReason.MALFORMED, detail, is_final=False)


def is_same_model(requested: str, returned: str) -> bool:
    """Return whether `returned` is `requested` or a dated version of it, `NAME-2024-08-06`."""
    if not returned.startswith(requested):
        return False
    rest = returned[len(requested) :]
    return not rest or _DATED.fullmatch(rest) is not None


def _reply(raw: Any, model: str) -> Reply | NoReply:
    returned = raw.get("model") if isinstance(raw, dict) else None
    choice = raw["choices"][0]
    message = choice["message"]
    text = message.get("content")
    if text is None:
        text = message.get("refusal") or ""
    if not isinstance(text, str):
        raise TypeError("content is not text")
    if not isinstance(returned, str) or not is_same_model(model, returned):
        named = repr(returned[:100]) if isinstance(returned, str) else "no name"
        detail = f"asked for {model!r}, the server answered as {named}"
        return NoReply(NoReplyReason.WRONG_MODEL, detail, is_final=True)
    finish = choice.get("finish_reason")
    if not isinstance(finish, str) or not finish:
        return NoReply(NoReplyReason.CUT_OFF, "the answer has no finish_reason", is_final=False)
    usage = raw.get("usage") or {}
    return Reply(
        text=_whole(text),
        finish_reason=finish[:40],
        model=returned,
        n_prompt_tokens=_count(usage.get("prompt_tokens", 0)),
        n_completion_tokens=_count(usage.get("completion_tokens", 0)),
        top_logprobs=_logprobs(choice.get("logprobs")),
        system_fingerprint=str(raw.get("system_fingerprint") or "")[:100],
    )


def _count(value: Any) -> int:
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("a token count is not a whole number")
    return value


def _logprobs(raw: Any) -> tuple[tuple[tuple[str, float], ...], ...]:
    if not raw or not raw.get("content"):
        return ()
    return tuple(
        tuple((_whole(str(t["token"])), _logprob(t["logprob"])) for t in token["top_logprobs"])
        for token in raw["content"]
    )


def _logprob(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("a log-probability is not finite")
    return number


def _whole(text: str) -> str:
    """Join surrogate pairs and replace lone halves, which no UTF-8 file can hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
