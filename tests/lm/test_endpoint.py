"""The endpoint client against a real local server that misbehaves on request."""

import pickle
import traceback
from collections.abc import Iterator
from email.utils import formatdate

import pytest

from chatserver import Answer, ChatServer, Fault
from offtarget.core.errors import ConfigError
from offtarget.core.records import Message
from offtarget.lm.endpoint import ChatRequest, Endpoint, EndpointConfig, NoReply, Reply
from offtarget.lm.endpoint_client import OPENAI_URL, check_url, is_loopback
from offtarget.lm.endpoint_reply import is_same_model, parse_reply

KEY = "sk-test-0123456789abcdef"


def ask(text: str = "hi", **changes: object) -> ChatRequest:
    return ChatRequest((Message("user", text),), max_tokens=20, **changes)  # type: ignore[arg-type]


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(lambda body: f"You said {body['messages'][-1]['content']}") as running:
        yield running


def client(server: ChatServer, waits: list[float] | None = None, **limits: object) -> Endpoint:
    record = waits if waits is not None else []
    config = EndpointConfig(url=server.url, model="m", **limits)  # type: ignore[arg-type]
    return Endpoint(config, api_key=KEY, sleep=record.append)


def test_a_reply_carries_text_tokens_logprobs_and_names(server: ChatServer) -> None:
    """What the server returns arrives whole, and the request holds what was asked for."""
    top = ((("42", -0.1), ("41", -2.5)),)
    server.reply = lambda body: Answer("42", top=top, n_prompt=5, n_completion=1)
    with client(server) as endpoint:
        found = endpoint.chat(ask(seed=3, temperature=0.5, top_p=0.9, top_logprobs=2))
    assert found == Reply("42", "stop", "m", 5, 1, top, "fp_test")
    assert server.bodies == [
        {
            "model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 20,
            "temperature": 0.5, "top_p": 0.9, "seed": 3, "logprobs": True, "top_logprobs": 2,
        }
    ]  # fmt: skip
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


def test_other_servers_get_nothing_from_the_environment(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK's own variables (key, organization, headers, proxy) never reach a local server."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-environment")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-from-environment")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Mine: from-environment")
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:9")
    with Endpoint(EndpointConfig(url=server.url, model="m")) as endpoint:
        assert isinstance(endpoint.chat(ask()), Reply)
    assert "from-environment" not in str(server.headers)
    assert "authorization" not in server.headers[0]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.SERVER_ERROR, "server_error"),
        (Fault.RATE_LIMITED, "rate_limited"),
        (Fault.MALFORMED, "malformed"),
        (Fault.NOT_CHAT, "malformed"),
        (Fault.HALF_BODY, "cut_off"),
        (Fault.HALF_STREAM, "cut_off"),
        (Fault.NO_FINISH, "cut_off"),
        (Fault.CLOSED, "cut_off"),
    ],
)
def test_a_passing_fault_is_tried_again_and_a_lasting_one_is_named(
    server: ChatServer, fault: Fault, reason: str
) -> None:
    """Two failures are survived; failures without end become a reason that may pass later."""
    server.fail(fault, n=2)
    with client(server, max_retries=2) as endpoint:
        assert endpoint.chat(ask()) == Reply("You said hi", "stop", "m", 11, 7, (), "fp_test")
        assert (endpoint.traffic.n_requests, endpoint.traffic.n_retries) == (3, 2)
        server.fail(fault)
        found = endpoint.chat(ask())
    assert isinstance(found, NoReply)
    assert (found.reason, found.is_final) == (reason, False)
    assert len(server.bodies) == 6


@pytest.mark.parametrize("fault", [Fault.TIMEOUT, Fault.DRIP])
def test_a_silent_or_dripping_server_is_a_timeout(server: ChatServer, fault: Fault) -> None:
    """Neither silence nor one byte now and then holds the caller past the limit."""
    server.fail(fault)
    with client(server, max_retries=1, timeout_s=0.2) as endpoint:
        found = endpoint.chat(ask())
    assert found == NoReply("timeout", "no whole reply within 0.2 s", is_final=False)
    assert len(server.bodies) == 2


def test_a_flood_is_refused_while_it_arrives(server: ChatServer) -> None:
    """A body without end is cut at the size limit instead of filling memory."""
    server.fail(Fault.FLOOD)
    with client(server, max_retries=0) as endpoint:
        found = endpoint.chat(ask())
    assert isinstance(found, NoReply)
    assert found.reason == "malformed"
    assert "larger than 8388608 bytes" in found.detail


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.WRONG_MODEL, "wrong_model"),
        (Fault.BAD_REQUEST, "refused_request"),
        (Fault.REDIRECT, "refused_request"),
        (Fault.QUOTA, "rate_limited"),
    ],
)
def test_what_waiting_cannot_cure_is_not_tried_again(
    server: ChatServer, fault: Fault, reason: str
) -> None:
    """Another model's answer, a refused request, a redirect and a spent quota end at once."""
    server.fail(fault)
    with client(server) as endpoint:
        found = endpoint.chat(ask())
    assert isinstance(found, NoReply)
    assert (found.reason, found.is_final) == (reason, True)
    assert len(server.bodies) == 1


def test_retry_after_is_kept_in_seconds_and_as_a_date(server: ChatServer) -> None:
    """The server's wait replaces the backoff; without one, waits double with jitter."""
    waits: list[float] = []
    server.retry_after = "7"
    server.fail(Fault.RATE_LIMITED, n=1)
    with client(server, waits) as endpoint:
        endpoint.chat(ask())
    assert len(waits) == 1
    assert 6.5 < waits[0] <= 7
    waits.clear()
    server.retry_after = formatdate(4102444800, usegmt=True)  # the year 2100: too long to wait
    server.fail(Fault.RATE_LIMITED, n=1)
    with client(server, waits) as endpoint:
        found = endpoint.chat(ask())
    assert isinstance(found, NoReply)
    assert (found.reason, waits) == ("rate_limited", [])


def test_backoff_doubles_with_jitter(server: ChatServer) -> None:
    """Wait k lies between half and all of 0.5 s times 2 to the k, and never above a minute."""
    waits: list[float] = []
    server.fail(Fault.SERVER_ERROR)
    with client(server, waits, max_retries=9) as endpoint:
        endpoint.chat(ask())
    bounds = [min(60.0, 0.5 * 2**k) for k in range(9)]
    assert all(b / 2 <= wait <= b for wait, b in zip(waits, bounds, strict=True))


def test_many_replies_come_in_order_with_bounded_concurrency(server: ChatServer) -> None:
    """Forty answers, some after retries, arrive in the order of the questions, three at a time."""
    server.fail(Fault.SERVER_ERROR, n=5, when=lambda b: b["messages"][0]["content"].endswith("3"))
    taken: list[int] = []

    def requests() -> Iterator[ChatRequest]:
        for number in range(40):
            taken.append(number)
            yield ask(f"q{number}")

    with client(server, concurrency=3) as endpoint:
        stream = endpoint.chat_many(requests())
        first = next(stream)
        assert len(taken) <= 6
        texts = [found.text for found in (first, *stream) if isinstance(found, Reply)]
    assert texts == [f"You said q{number}" for number in range(40)]
    assert server.peak <= 3


def test_leaving_the_loop_early_sends_no_more(server: ChatServer) -> None:
    """A caller that stops after one answer has asked at most the few held requests."""
    with client(server, concurrency=2) as endpoint:
        stream = endpoint.chat_many(ask(f"q{n}") for n in range(1000))
        next(stream)
        stream.close()  # type: ignore[attr-defined]
    assert len(server.bodies) <= 5


def test_requests_and_tokens_a_minute_are_kept(server: ChatServer) -> None:
    """At 60 requests a minute each call waits for its second; the true token count is settled."""
    waits: list[float] = []
    with client(server, waits, requests_per_minute=60) as endpoint:
        for _ in range(3):
            endpoint.chat(ask())
    assert [round(wait) for wait in waits] == [1, 2]  # no time passes: nothing really sleeps
    waits.clear()
    with client(server, waits, tokens_per_minute=60) as endpoint:
        for _ in range(2):
            endpoint.chat(ask())  # reserves 20 tokens, uses 18
    assert [round(wait) for wait in waits] == [18]


def test_the_key_never_shows(server: ChatServer) -> None:
    """Neither repr, error, traceback, pickle nor a server that echoes it gives the key away."""
    server.fail(Fault.BAD_KEY, n=1)
    server.reply = lambda body: f"Your key is {KEY}"
    with client(server) as endpoint:
        refused, echoed = endpoint.chat(ask()), endpoint.chat(ask())
        assert isinstance(refused, NoReply)
        assert "[key]" in refused.detail
        assert isinstance(echoed, Reply)
        assert echoed.text == "Your key is [key]"
        with pytest.raises(TypeError, match="holds a key"):
            pickle.dumps(endpoint)
        shown = repr(endpoint) + str(refused) + str(echoed) + str(vars(endpoint)["config"])
    with pytest.raises(ConfigError, match="the key for the endpoint is malformed") as caught:
        Endpoint(EndpointConfig(url=server.url, model="m"), api_key=KEY + "\n")
    shown += "".join(traceback.format_exception(caught.value))
    assert KEY not in shown


def test_nothing_leaves_this_machine_unasked() -> None:
    """Other hosts need --allow-net; loopback in all its spellings does not."""
    for url in ("", "http://192.0.2.1/v1", "http://127.0.0.1.example.org/v1", "http://0.0.0.0/v1"):
        with pytest.raises(ConfigError, match="--allow-net"):
            check_url(url, allow_net=False)
        assert check_url(url, allow_net=True)
    for url in ("http://localhost:1/v1", "http://127.9.9.9/v1", "http://[::1]:8000/v1/"):
        assert check_url(url, allow_net=False) == url.rstrip("/")
    assert not is_loopback("localhost.example.org")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"url": "ftp://127.0.0.1/v1"}, "is not a web address"),
        ({"url": "http://127.0.0.1:99999/v1"}, "is not a web address"),
        ({"url": "http://me:secret@127.0.0.1/v1"}, "holds a user, key or query"),
        ({"url": "http://127.0.0.1/v1?api-key=secret"}, "holds a user, key or query"),
        ({"model": ""}, "model name '' is not usable"),
        ({"model": "a\x1b[31m"}, "is not usable"),
        ({"timeout_s": 0.0}, "endpoint limits timeout 0.0 s"),
        ({"concurrency": 0}, "endpoint limits"),
        ({"requests_per_minute": 0.0}, "rate limits 0.0 requests"),
    ],
)
def test_what_cannot_work_is_refused_before_any_request(
    changes: dict[str, object], message: str
) -> None:
    """Each bad setting is named; a credential in the address is not repeated."""
    settings = {"url": "http://127.0.0.1/v1", "model": "m", **changes}
    with pytest.raises(ConfigError, match=message) as caught:
        Endpoint(EndpointConfig(**settings))  # type: ignore[arg-type]
    assert "secret" not in str(caught.value)


def test_openai_itself_needs_a_key() -> None:
    """Without a key the error says which variable to set."""
    with pytest.raises(ConfigError, match="set OPENAI_API_KEY"):
        Endpoint(EndpointConfig(model="gpt-4o"), allow_net=True)


def test_the_missing_package_is_named_with_its_pip_command(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the openai package the error gives the command that installs it."""
    import sys

    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(ConfigError, match=r"pip install 'offtarget\[openai\]'"):
        client(server).chat(ask())


@pytest.mark.parametrize(
    ("returned", "same"),
    [
        ("gpt-4o", True),
        ("gpt-4o-2024-08-06", True),
        ("gpt-4-0613", False),
        ("gpt-4o-0613", True),
        ("gpt-4o-mini", False),
        ("gpt-4o-mini-2024-07-18", False),
        ("other", False),
    ],
)
def test_only_the_name_or_a_dated_version_of_it_is_the_same_model(
    returned: str, same: bool
) -> None:
    """`gpt-4o-mini` is not a version of `gpt-4o`; `gpt-4o-2024-08-06` is."""
    assert is_same_model("gpt-4o", returned) is same


def test_hostile_bodies_are_reasons_and_never_answers() -> None:
    """Deep nesting, NaN, lone surrogates, wrong types and negative counts do no harm."""
    good = '{"model":"m","choices":[{"message":{"content":%s},"finish_reason":"stop"%s}]%s}'
    for content, more, tail in (
        ("[" * 500 + "]" * 500, "", ""),
        ("{}", "", ""),
        ('"x"', "", ',"usage":{"prompt_tokens":-1}'),
        ('"x"', "", ',"usage":{"prompt_tokens":NaN}'),
        ('"x"', ',"logprobs":{"content":[{"top_logprobs":[{"token":"a","logprob":"b"}]}]}', ""),
        ('"x"', ',"logprobs":{"content":7}', ""),
    ):
        found = parse_reply(good % (content, more, tail), model="m")
        assert isinstance(found, NoReply)
        assert found.reason == "malformed"
    half = parse_reply(good % ('"a\\ud800b"', "", ""), model="m")
    assert isinstance(half, Reply)
    assert half.text == "a�b"
    message = '{"content":null,"refusal":"No."}'
    refusal = good.replace('{"content":%s}', message) % ("", "")
    found = parse_reply(refusal, model="m")
    assert isinstance(found, Reply)
    assert found.text == "No."
    assert OPENAI_URL.startswith("https://")
