"""A local HTTP server in front of a provider: routes, pages, errors, and faults on request."""

import email.parser
import email.policy
import json
import re
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hosted_provider import FINAL, KEY, MODEL, Fault, Provider
from published_api import violations

__all__ = ["KEY", "MODEL", "Fault", "LocalProvider", "Provider", "wait_until"]


class Handler(BaseHTTPRequestHandler):
    """Routes requests to a provider."""

    protocol_version = "HTTP/1.1"
    provider: Provider

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet."""

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _serve(self, body: bytes) -> None:
        state = self.provider
        path = urlsplit(self.path).path
        request = f"{self.command} {path}"
        with state.lock:
            state.requests.append(request)
            fault = state.fault(request)
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            given = self.headers.get("Authorization", "none")
            self._error(401, f"Incorrect API key provided: {given}", "invalid_api_key")
            return
        if fault is None:
            self._answer(*self._route(path, body))
            return
        if fault.is_done:
            self._route(path, body)
        self._fail(fault)

    def _route(self, path: str, body: bytes) -> tuple[str, Any]:
        state = self.provider
        query = parse_qs(urlsplit(self.path).query)
        with state.lock:
            if path == "/v1/files" and self.command == "POST":
                return "file", state.add_file(*self._multipart(body))
            if path == "/v1/files":
                purpose = query.get("purpose", ["fine-tune"])[0]
                found = [f for f in state.files.values() if f["purpose"] == purpose]
                return "files", self._paged(found[::-1], query)
            if path == "/v1/fine_tuning/jobs" and self.command == "POST":
                return self._create(json.loads(body))
            if path == "/v1/fine_tuning/jobs":
                return "jobs", self._paged(self._listed(query), query)
            match = re.fullmatch(r"/v1/fine_tuning/jobs/([^/]+)(?:/(\w+))?", path)
            if match is None or match[1] not in state.jobs:
                return "404", f"No such route or job: {path}"
            return self._of_job(match[1], match[2] or "", query)

    def _of_job(self, job_id: str, what: str, query: dict[str, list[str]]) -> tuple[str, Any]:
        state = self.provider
        if what == "events":
            return "events", self._paged(state.events[job_id][::-1], query)
        if what == "checkpoints":
            return "checkpoints", self._paged(state.checkpoints(job_id), query)
        if what == "cancel":
            job = state.jobs[job_id]
            if job["status"] in FINAL:
                return "400", f"Job has already completed: {job_id}"
            job.update(status="cancelled", finished_at=1_700_000_900)
            return "job", job
        return "job", state.look(job_id)

    def _create(self, body: dict[str, Any]) -> tuple[str, Any]:
        state = self.provider
        state.bodies.append(body)
        state.problems += violations("create_job", body)
        given = body["method"]["supervised"]["hyperparameters"]
        state.problems += violations("hyperparameters", given)
        active = sum(job["status"] not in FINAL for job in state.jobs.values())
        if active >= state.max_active:
            return "429", "You have too many active fine-tuning jobs"
        made = state.add_job(body)
        return ("400", made) if isinstance(made, str) else ("job", made)

    def _listed(self, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        wanted = {
            name[len("metadata[") : -1]: values[0]
            for name, values in query.items()
            if name.startswith("metadata[")
        }
        found = list(self.provider.jobs.values())[::-1]
        if self.provider.drops_metadata_filter:
            return found
        return [
            job
            for job in found
            if all((job["metadata"] or {}).get(k) == v for k, v in wanted.items())
        ]

    def _paged(self, items: list[dict[str, Any]], query: dict[str, list[str]]) -> dict[str, Any]:
        after = query.get("after", [""])[0]
        ids = [item["id"] for item in items]
        start = ids.index(after) + 1 if after in ids else 0
        size = min(self.provider.page, int(query.get("limit", ["20"])[0]))
        data = items[start : start + size]
        return {"object": "list", "data": data, "has_more": start + size < len(items)}

    def _multipart(self, body: bytes) -> tuple[str, bytes, str]:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        name, content, purpose = "", b"", ""
        for part in message.iter_parts():
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            if part.get_filename():
                name, content = str(part.get_filename()), payload
            else:
                purpose = payload.decode()
        return name, content, purpose

    def _answer(self, shape: str, body: Any) -> None:
        if shape.isdigit():
            self._error(int(shape), body, "invalid_request_error")
            return
        self.provider.problems += violations(shape, body)
        text = json.dumps(body)
        if self.provider.escapes:
            text = text.replace(KEY, "".join(f"\\u{ord(char):04x}" for char in KEY))
        self._send(200, text.encode())

    def _fail(self, fault: Fault) -> None:
        state, echo = self.provider, self.provider.echo
        if fault.kind == "busy":
            self._error(429, f"Rate limit reached {echo}", "rate_limit", fault.retry_after)
        elif fault.kind == "quota":
            self._error(429, "You exceeded your current quota", "insufficient_quota")
        elif fault.kind == "error":
            self._error(500, f"The server had an error {echo}", "server_error")
        elif fault.kind == "refuse":
            self._error(400, f"Unsupported value {echo}", "invalid_value")
        elif fault.kind == "key":
            self._error(403, f"Not allowed for {self.headers['Authorization']}", "forbidden")
        elif fault.kind == "garbage":
            self._send(200, b'{"id": "ftjob-')
        elif fault.kind == "wrong_shape":
            self._send(200, b'{"id": 7, "object": "list", "data": [{"id": 3}]}')
        elif fault.kind == "redirect":
            self._send(307, b"", location="http://192.0.2.1/v1/steal")
        elif fault.kind == "half":
            self._send(200, b'{"id": "ftjob-00', length=5000)
            self.close_connection = True
        elif fault.kind == "hang":
            state.held.set()
            state.release.wait(20)
            self.close_connection = True
        else:
            raise AssertionError(fault.kind)

    def _error(self, status: int, message: str, code: str, retry_after: str = "") -> None:
        body = {"error": {"message": message, "type": code, "param": None, "code": code}}
        self._send(status, json.dumps(body).encode(), retry_after=retry_after)

    def _send(
        self,
        status: int,
        body: bytes,
        *,
        length: int | None = None,
        retry_after: str = "",
        location: str = "",
    ) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body) if length is None else length))
            if retry_after:
                self.send_header("Retry-After", retry_after)
            if location:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


class LocalProvider:
    """Runs a provider on a free port of this machine for as long as the context lasts."""

    def __init__(self) -> None:
        self.state = Provider()
        handler = type("BoundHandler", (Handler,), {"provider": self.state})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        """Base address."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> "LocalProvider":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.state.release.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def wait_until(is_so: Callable[[], bool], *, timeout_s: float = 60.0) -> None:
    """Wait for something that another process or thread brings about."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not happen")
        time.sleep(0.02)
