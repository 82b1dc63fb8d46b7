"""Chat with any OpenAI-compatible server: retries, limits, order kept, keys never shown."""

import email.utils
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from offtarget.core.errors import ConfigError
from offtarget.core.records import Message
from offtarget.lm.endpoint_client import OPENAI_URL, check_key, check_url, open_client
from offtarget.lm.endpoint_reply import MAX_DETAIL, NoReply, NoReplyReason, Reply, parse_reply
from offtarget.lm.pace import Pace

if TYPE_CHECKING:
    from openai import OpenAI

__all__ = ["ChatRequest", "Endpoint", "EndpointConfig", "NoReply", "NoReplyReason", "Reply"]

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 60.0
LONGEST_RETRY_AFTER_S = 600.0
"""A server that asks for a longer wait gets no further try; a later run goes on from there."""
CHARACTERS_PER_TOKEN = 4
_RETRIED_STATUS = frozenset([408, 409, 425, 429])


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointConfig:
    """Where the server is and how hard it may be asked."""

    url: str = ""
    """Base of an OpenAI-compatible server, `http://127.0.0.1:8000/v1`; "" is OpenAI's own."""
    model: str
    timeout_s: float = 60.0
    """On each wait for the server and on each whole reply."""
    max_retries: int = 6
    concurrency: int = 4
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One conversation to be continued."""

    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    top_logprobs: int = 0
    """Alternatives per output token, 0 to 20."""


@dataclass(slots=True)
class Traffic:
    """What one endpoint has sent and received."""

    n_requests: int = 0
    """Sent, retries included."""
    n_retries: int = 0
    n_prompt_tokens: int = 0
    """As reported by the server."""
    n_completion_tokens: int = 0
    n_unreported: int = 0
    """Replies without usage; their tokens are missing above."""


class Endpoint:
    """A client of one model on one server; threads may share it."""

    def __init__(
        self,
        config: EndpointConfig,
        *,
        api_key: str = "",
        allow_net: bool = False,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        """Check everything that needs no network.

        Args:
            config: Where to send requests and the limits to keep.
            api_key: Bearer token; kept in memory only.
            allow_net: Let requests leave this machine.
            sleep: Waits the given seconds; for tests. By default a wait that `close` ends.

        Raises:
            ConfigError: If the address, key or a limit cannot be used.
        """
        _check(config)
        self.config = config
        self.url = check_url(config.url, allow_net=allow_net)
        self._key = check_key(api_key, url=self.url)
        self._allow_net = allow_net
        self._client: OpenAI | None = None
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._sleep = sleep or (lambda seconds: void(self._stopped.wait(seconds)))
        self._jitter = random.Random()  # noqa: S311 - spreads retries; no result depends on it
        self._pace = Pace(
            requests_per_minute=config.requests_per_minute,
            tokens_per_minute=config.tokens_per_minute,
        )
        self.traffic = Traffic()

    def __repr__(self) -> str:
        return f"Endpoint({self.config!r}, api_key={'set' if self._key else 'none'})"

    def __reduce__(self) -> Any:
        raise TypeError("an endpoint holds a key and a connection; pass its config instead")

    def close(self) -> None:
        """End waits and open connections; requests after that fail."""
        self._stopped.set()
        with self._lock:
            if self._client is not None:
                self._client.close()

    def __enter__(self) -> "Endpoint":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def chat(self, request: ChatRequest) -> Reply | NoReply:
        """Return the server's answer, trying again where that may help.

        Retried with exponential backoff and jitter, or after the time that the server names:
        timeouts, 408, 409, 425, 429, 5xx, broken connections, cut and malformed bodies.
        """
        guess = _guess_tokens(request)
        found: Reply | NoReply = _stopped()
        for attempt in range(self.config.max_retries + 1):
            self._wait(self._pace.reserve(guess))
            if self._stopped.is_set():
                return found
            found, asked_wait = self._once(request)
            if isinstance(found, Reply):
                self._settle(found, guess)
                return found
            if found.is_final or attempt == self.config.max_retries:
                return found
            if asked_wait is not None and asked_wait > LONGEST_RETRY_AFTER_S:
                return found
            if asked_wait is not None:
                self._pace.hold(asked_wait)
            else:
                self._wait(self._backoff(attempt))
            self._count(n_retries=1)
        return found

    def chat_many(self, requests: Iterable[ChatRequest]) -> Iterator[Reply | NoReply]:
        """Yield one outcome per request in their order, up to `concurrency` at a time.

        Requests are taken from the iterable as room comes free: at most twice `concurrency` are
        held. Leaving the loop early cancels what has not been sent.
        """
        waiting: deque[Future[Reply | NoReply]] = deque()
        pool = ThreadPoolExecutor(self.config.concurrency, thread_name_prefix="endpoint")
        try:
            for request in requests:
                waiting.append(pool.submit(self.chat, request))
                if len(waiting) >= 2 * self.config.concurrency:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
            pool.shutdown(wait=True, cancel_futures=True)

    def _once(self, request: ChatRequest) -> tuple[Reply | NoReply, float | None]:
        """Send one request; return the outcome and how long the server asked to wait, if it did."""
        client = self._open()
        import httpx2  # after _open, whose error gives the pip command
        import openai

        self._count(n_requests=1)
        try:
            body = _body(request, self.config.model, url=self.url)
            response = client.post("/chat/completions", cast_to=httpx2.Response, body=body)
        except openai.APIStatusError as error:
            found = self._refusal(error.status_code, error.response.text)
            return found, _retry_after(error.response.headers)
        except openai.APITimeoutError:
            detail = f"no whole reply within {self.config.timeout_s:g} s"
            return NoReply(NoReplyReason.TIMEOUT, detail, is_final=False), None
        except openai.APIConnectionError as error:
            return self._broken(error.__cause__), None
        except (openai.OpenAIError, RuntimeError) as error:  # RuntimeError: closed meanwhile
            detail = self._clean(f"{type(error).__name__}: {error}")
            return NoReply(NoReplyReason.UNREACHABLE, detail, is_final=False), None
        text = response.content.decode("utf-8", "replace")
        return parse_reply(self._hide(text), model=self.config.model), None

    def _refusal(self, status: int, body: str) -> NoReply:
        detail = self._clean(f"HTTP {status}: {body}")
        if status == 429:
            reason, is_final = NoReplyReason.RATE_LIMITED, "insufficient_quota" in body
        elif status in _RETRIED_STATUS or status >= 500:
            reason, is_final = NoReplyReason.SERVER_ERROR, False
        else:
            reason, is_final = NoReplyReason.REFUSED_REQUEST, True
        return NoReply(reason, detail, is_final)

    def _broken(self, cause: BaseException | None) -> NoReply:
        import httpx2

        detail = self._clean(f"{type(cause).__name__}: {cause}")
        if isinstance(cause, httpx2.DecodingError):
            reason = NoReplyReason.MALFORMED
        elif isinstance(cause, httpx2.RemoteProtocolError | httpx2.ReadError):
            reason = NoReplyReason.CUT_OFF
        else:
            reason = NoReplyReason.UNREACHABLE
        return NoReply(reason, detail, is_final=False)

    def _open(self) -> "OpenAI":
        with self._lock:
            if self._client is None:
                self._client = open_client(
                    self.config.url,
                    api_key=self._key,
                    timeout_s=self.config.timeout_s,
                    allow_net=self._allow_net,
                )
            return self._client

    def _hide(self, text: str) -> str:
        """A server may send the key back; it must not reach a record or message."""
        return text.replace(self._key, "[key]") if self._key else text

    def _clean(self, text: str) -> str:
        return " ".join(self._hide(text).split())[:MAX_DETAIL]

    def _backoff(self, attempt: int) -> float:
        longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0**attempt)
        return longest * self._jitter.uniform(0.5, 1.0)

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self._sleep(seconds)

    def _settle(self, reply: Reply, guess: int) -> None:
        used = reply.n_prompt_tokens + reply.n_completion_tokens
        self._pace.settle(reserved=guess, used=used or guess)
        self._count(
            n_prompt_tokens=reply.n_prompt_tokens,
            n_completion_tokens=reply.n_completion_tokens,
            n_unreported=int(used == 0),
        )

    def _count(self, **more: int) -> None:
        with self._lock:
            for name, value in more.items():
                setattr(self.traffic, name, getattr(self.traffic, name) + value)


def void(_: object) -> None:
    """Drop a value that a callback must not return."""


def _stopped() -> NoReply:
    return NoReply(NoReplyReason.UNREACHABLE, "the endpoint was closed", is_final=False)


def _check(config: EndpointConfig) -> None:
    limits = (config.requests_per_minute, config.tokens_per_minute)
    if not config.model or len(config.model) > 200 or not config.model.isprintable():
        raise ConfigError(f"model name {config.model[:60]!r} is not usable; write openai:NAME")
    if not (config.timeout_s > 0 and config.max_retries >= 0 and 1 <= config.concurrency <= 256):
        raise ConfigError(
            f"endpoint limits timeout {config.timeout_s} s, {config.max_retries} retries, "
            f"{config.concurrency} at a time; use a positive timeout, 0 or more retries and 1 to "
            "256 at a time"
        )
    if any(limit is not None and not limit > 0 for limit in limits):
        raise ConfigError(
            f"rate limits {limits[0]} requests and {limits[1]} tokens a minute; use positive "
            "numbers, or none"
        )


def _body(request: ChatRequest, model: str, *, url: str) -> dict[str, Any]:
    # OpenAI's newer models refuse max_tokens; older servers know nothing else
    limit = "max_completion_tokens" if url == OPENAI_URL else "max_tokens"
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": m.role, "content": m.content} for m in request.messages],
        limit: request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
    }
    if request.seed is not None:
        body["seed"] = request.seed
    if request.top_logprobs:
        body |= {"logprobs": True, "top_logprobs": request.top_logprobs}
    return body


def _guess_tokens(request: ChatRequest) -> int:
    characters = sum(len(message.content) for message in request.messages)
    return characters // CHARACTERS_PER_TOKEN + request.max_tokens


def _retry_after(headers: Any) -> float | None:
    """Return the seconds that Retry-After asks for, as a number or as a date (RFC 9110, 10.2.3)."""
    value = str(headers.get("retry-after", "")).strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    return max(0.0, seconds) if seconds == seconds else None
