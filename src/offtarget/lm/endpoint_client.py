"""A client of the `openai` package that keeps to our rules: hosts, keys, sizes, time, redirects."""

import ipaddress
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from offtarget.core.errors import ConfigError

if TYPE_CHECKING:
    import httpx2
    from openai import OpenAI

OPENAI_URL = "https://api.openai.com/v1"
MAX_REPLY_BYTES = 8 * 1024 * 1024
"""A larger body is refused while it arrives; an answer with 20 logprobs a token needs far less."""
_SENT_ELSEWHERE = frozenset(
    ["accept", "accept-encoding", "connection", "content-length", "content-type", "host",
     "user-agent"]
)  # fmt: skip
"""Headers that other servers than OpenAI's get; what the environment adds is left out there."""
_MIN_KEY = 8


def check_url(url: str, *, allow_net: bool) -> str:
    """Return the base address to use, without a final slash; "" stands for OpenAI's own.

    Raises:
        ConfigError: If it is no web address, holds credentials, or leaves this machine while
            `allow_net` is not set.
    """
    base = (url or OPENAI_URL).rstrip("/")
    try:
        parts = urlsplit(base)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise ConfigError(f"{url[:200]!r} is not a web address; write http://HOST/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError(
            f"the address of {host!r} holds a user, key or query; give the address alone and put "
            "the key in OPENAI_API_KEY"
        )
    if not (allow_net or is_loopback(host)):
        raise ConfigError(
            f"{host!r} is not on this machine and nothing goes out on the network unasked; "
            "add --allow-net (allow_net=True in Python) to send prompts there"
        )
    return base


def is_openai(url: str) -> bool:
    """Return whether `url` is OpenAI's own address; "" stands for it."""
    return (url or OPENAI_URL).rstrip("/") == OPENAI_URL


def is_loopback(host: str) -> bool:
    """Return whether `host` names this machine: localhost, 127.0.0.0/8 or ::1."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_key(api_key: str, *, url: str) -> str:
    """Return the key, or raise ConfigError without showing it.

    Raises:
        ConfigError: If it is too short or not printable ASCII (it would break the header), or is
            missing for OpenAI's own address.
    """
    if not api_key:
        if url == OPENAI_URL:
            raise ConfigError(f"no key for {OPENAI_URL}; set OPENAI_API_KEY in the environment")
        return ""
    is_plain = api_key.isascii() and api_key.isprintable() and " " not in api_key
    if not is_plain or len(api_key) < _MIN_KEY:
        raise ConfigError(
            f"the key for the endpoint is malformed ({len(api_key)} characters; it must be at least "
            f"{_MIN_KEY}, printable and without spaces); set it again, without quotes or newline"
        )
    return api_key


def open_client(url: str, *, api_key: str, timeout_s: float, allow_net: bool) -> "OpenAI":
    """Return a client that never retries by itself, never redirects and bounds each reply.

    Args:
        url: Base address; "" is OpenAI's own.
        api_key: Sent as a bearer token when not empty.
        timeout_s: Limit on connecting, on each wait for bytes, and on the whole reply.
        allow_net: Let it talk to hosts other than this machine.

    Raises:
        ConfigError: If the address or key cannot be used, or the `openai` package is missing.
    """
    base = check_url(url, allow_net=allow_net)
    key = check_key(api_key, url=base)
    try:
        import openai
    except ImportError as error:
        raise ConfigError(
            "the openai package is not installed; run: pip install 'offtarget[openai]'"
        ) from error
    return openai.OpenAI(
        api_key=key or "unused",
        base_url=base,
        max_retries=0,
        timeout=timeout_s,
        http_client=_http_client(base, key=key, timeout_s=timeout_s),
    )


def _http_client(base: str, *, key: str, timeout_s: float) -> "httpx2.Client":
    import httpx2

    def clean(request: httpx2.Request) -> None:
        """What the SDK takes from the environment goes to OpenAI only; the key is the one given."""
        if base != OPENAI_URL:
            for name in [name for name in request.headers if name not in _SENT_ELSEWHERE]:
                del request.headers[name]
        request.headers.pop("authorization", None)
        if key:
            request.headers["authorization"] = f"Bearer {key}"

    class BoundedClient(httpx2.Client):
        """Reads a body itself, so that neither a flood nor a drip holds the caller."""

        def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
            if options.pop("stream", False):
                return super().send(request, stream=True, **options)
            deadline = time.monotonic() + timeout_s
            response = super().send(request, stream=True, **options)
            try:
                body = _read(response, request, deadline)
            finally:
                response.close()
            kept = [
                (name, value)
                for name, value in response.headers.items()
                if name not in ("content-encoding", "content-length", "transfer-encoding")
            ]
            return httpx2.Response(
                response.status_code, headers=kept, content=body, request=request
            )

    host = urlsplit(base).hostname or ""
    return BoundedClient(
        timeout=timeout_s,
        follow_redirects=False,
        trust_env=not is_loopback(host),  # a proxy must not carry what stays on this machine
        event_hooks={"request": [clean]},
    )


def _read(response: "httpx2.Response", request: "httpx2.Request", deadline: float) -> bytes:
    import httpx2

    blocks: list[bytes] = []
    size = 0
    for block in response.iter_bytes():
        blocks.append(block)
        size += len(block)
        if size > MAX_REPLY_BYTES:
            raise httpx2.DecodingError(
                f"reply larger than {MAX_REPLY_BYTES} bytes", request=request
            )
        if time.monotonic() > deadline:
            raise httpx2.ReadTimeout("the whole reply took too long", request=request)
    return b"".join(blocks)
