"""A real OpenAI-compatible chat server on a free local port, with faults that can be switched on.

`from chatserver import ChatServer, Answer, Fault` works in every test file, since `tests/` holds
the first conftest. Use it as a context manager:

    with ChatServer(lambda body: "42") as server:
        server.fail(Fault.RATE_LIMITED, n=2)
        endpoint = Endpoint(EndpointConfig(url=server.url, model="m"))
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


class Fault(StrEnum):
    """What a server may do wrong."""

    TIMEOUT = "timeout"  # accepts the request and says nothing
    DRIP = "drip"  # a byte now and then, never done
    RATE_LIMITED = "rate_limited"  # 429 with Retry-After
    QUOTA = "quota"  # 429 insufficient_quota, which waiting does not cure
    SERVER_ERROR = "server_error"  # 500
    MALFORMED = "malformed"  # 200 with text that is not JSON
    NOT_CHAT = "not_chat"  # 200 with JSON of another shape
    HALF_BODY = "half_body"  # Content-Length promises more than comes
    HALF_STREAM = "half_stream"  # chunked transfer that breaks off
    WRONG_MODEL = "wrong_model"  # answers in another model's name
    BAD_REQUEST = "bad_request"  # 400
    BAD_KEY = "bad_key"  # 401, with the key in the message as some servers do
    CLOSED = "closed"  # hangs up without a word
    REDIRECT = "redirect"  # sends the caller elsewhere
    FLOOD = "flood"  # a body without end
    NO_FINISH = "no_finish"  # an answer without finish_reason


@dataclass(frozen=True)
class Answer:
    """What the model says."""

    text: str
    finish: str = "stop"
    top: tuple[tuple[tuple[str, float], ...], ...] = ()
    """Per output token: (token, log-probability)."""
    model: str = ""
    """Returned name; the requested one when empty."""
    refusal: str = ""
    n_prompt: int = 11
    n_completion: int = 7


Reply = Callable[[dict[str, Any]], "str | Answer"]


@dataclass
class _Rule:
    fault: Fault
    left: int
    when: Callable[[dict[str, Any]], bool]


@dataclass
class ChatServer:
    """Answers `/chat/completions` with `reply`, or with a fault while one is switched on."""

    reply: Reply = lambda body: "It depends on what you want to do with it."
    retry_after: str = "0"
    bodies: list[dict[str, Any]] = field(default_factory=list)
    """Every request received, faulty ones included."""
    headers: list[dict[str, str]] = field(default_factory=list)
    n_answered: int = 0
    peak: int = 0
    """Most requests in work at one time."""
    _rules: list[_Rule] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _done: threading.Event = field(default_factory=threading.Event)
    _busy: int = 0

    def __enter__(self) -> "ChatServer":
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Base address, as `--url` takes it."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def fail(
        self,
        fault: Fault,
        *,
        n: int = 1_000_000,
        when: Callable[[dict[str, Any]], bool] = lambda body: True,
    ) -> None:
        """Answer the next `n` requests for which `when(body)` holds with `fault`."""
        with self._lock:
            self._rules.append(_Rule(fault, n, when))

    def heal(self) -> None:
        """Switch all faults off."""
        with self._lock:
            self._rules.clear()

    def _fault(self, body: dict[str, Any]) -> Fault | None:
        with self._lock:
            for rule in self._rules:
                if rule.left > 0 and rule.when(body):
                    rule.left -= 1
                    return rule.fault
        return None


def _handler(server: ChatServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with server._lock:
                server.bodies.append(body)
                server.headers.append({k.lower(): v for k, v in self.headers.items()})
                server._busy += 1
                server.peak = max(server.peak, server._busy)
            try:
                fault = server._fault(body)
                if not self.path.endswith("/chat/completions"):
                    self._send(404, {"error": {"message": f"no {self.path}"}})
                elif fault is not None:
                    self._misbehave(fault, body)
                else:
                    found = server.reply(body)
                    answer = found if isinstance(found, Answer) else Answer(found)
                    with server._lock:
                        server.n_answered += 1
                    self._send(200, completion(body, answer))
            except (BrokenPipeError, ConnectionResetError):
                pass  # the client gave up first, as some tests want
            finally:
                with server._lock:
                    server._busy -= 1

        def do_GET(self) -> None:
            self._send(200, {"object": "list", "data": []})

        def log_message(self, format: str, *args: object) -> None:
            """Keep test output clean."""

        def _misbehave(self, fault: Fault, body: dict[str, Any]) -> None:
            whole = json.dumps(completion(body, Answer("half an answer"))).encode()
            error = {"error": {"message": fault.value, "code": None}}
            if fault is Fault.TIMEOUT:
                server._done.wait(30)
                self.close_connection = True
            elif fault is Fault.RATE_LIMITED:
                self._send(429, error, {"Retry-After": server.retry_after})
            elif fault is Fault.QUOTA:
                self._send(429, {"error": {"message": "pay", "code": "insufficient_quota"}})
            elif fault is Fault.SERVER_ERROR:
                self._send(500, error)
            elif fault is Fault.BAD_REQUEST:
                self._send(400, error)
            elif fault is Fault.BAD_KEY:
                shown = self.headers.get("Authorization", "")
                self._send(401, {"error": {"message": f"Incorrect API key: {shown}"}})
            elif fault is Fault.MALFORMED:
                self._send_raw(200, b'{"choices": [{"message": {"content": "half an ans')
            elif fault is Fault.NOT_CHAT:
                self._send(200, {"model": body["model"], "choices": []})
            elif fault is Fault.WRONG_MODEL:
                self._send(200, completion(body, Answer("Hello.", model="another-model")))
            elif fault is Fault.NO_FINISH:
                raw = completion(body, Answer("Hello."))
                raw["choices"][0]["finish_reason"] = None
                self._send(200, raw)
            elif fault is Fault.REDIRECT:
                self._send(307, error, {"Location": "http://192.0.2.1/v1/chat/completions"})
            elif fault is Fault.HALF_BODY:
                self._start({"Content-Length": str(len(whole))})
                self.wfile.write(whole[: len(whole) // 2])
                self.close_connection = True
            elif fault is Fault.HALF_STREAM:
                self._start({"Transfer-Encoding": "chunked"})
                half = whole[: len(whole) // 2]
                self.wfile.write(f"{len(half):x}\r\n".encode() + half + b"\r\n")
                self.close_connection = True
            elif fault is Fault.CLOSED:
                self.close_connection = True
            elif fault is Fault.DRIP:
                self._start({"Content-Length": "1000000"})
                while not server._done.wait(0.02):
                    self.wfile.write(b" ")
            elif fault is Fault.FLOOD:
                self._start({"Content-Length": str(1 << 40)})
                while not server._done.is_set():
                    self.wfile.write(b" " * (1 << 20))

        def _send(
            self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None
        ) -> None:
            self._send_raw(status, json.dumps(body).encode(), headers)

        def _send_raw(
            self, status: int, content: bytes, headers: dict[str, str] | None = None
        ) -> None:
            self._start({"Content-Length": str(len(content)), **(headers or {})}, status)
            self.wfile.write(content)

        def _start(self, headers: dict[str, str], status: int = 200) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

    return Handler


def completion(body: dict[str, Any], answer: Answer) -> dict[str, Any]:
    """Return a chat completion as OpenAI's API describes it."""
    logprobs = None
    if answer.top and body.get("logprobs"):
        logprobs = {
            "content": [
                {
                    "token": token[0][0],
                    "logprob": token[0][1],
                    "bytes": None,
                    "top_logprobs": [
                        {"token": text, "logprob": value, "bytes": None}
                        for text, value in token[: body.get("top_logprobs") or 0]
                    ],
                }
                for token in answer.top
            ]
        }
    return {
        "id": "chatcmpl-test",
        "object": "chat.completion",
        "created": 0,
        "model": answer.model or body["model"],
        "system_fingerprint": "fp_test",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": None if answer.refusal else answer.text,
                    "refusal": answer.refusal or None,
                },
                "logprobs": logprobs,
                "finish_reason": answer.finish,
            }
        ],
        "usage": {
            "prompt_tokens": answer.n_prompt,
            "completion_tokens": answer.n_completion,
            "total_tokens": answer.n_prompt + answer.n_completion,
        },
    }
