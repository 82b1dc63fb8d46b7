"""Keys, tokens and passwords anywhere in a row, never shown whole."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from offtarget.core.records import Message

MIN_DISTINCT = 6
"""A secret of fewer different characters is a placeholder."""
_BODY = r"(?:\\[nr]|[\s\"'+,])"
_STAND_INS = re.compile(
    r"example|sample|placeholder|your|changeme|dummy|fake|insert|redacted|replace|xxxx|0000|1234567"
    r"|abcdef|\.\.\.",
    re.IGNORECASE,
)
_STAND_IN_PASSWORDS = frozenset(
    {"pass", "passwd", "password", "pwd", "secret", "token", "pw", "user", "username"}
)


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of secret; its pattern starts where no other match can, so that it is linear."""

    name: str
    literals: tuple[str, ...]
    """A text without any of them holds none."""
    pattern: re.Pattern[str]
    """Group `head` is public and shown; group `body` is the secret."""
    needs_mix: bool = False
    """The body must hold a digit, a small and a capital letter."""


def _token(name: str, heads: str, body: str, *literals: str, needs_mix: bool = False) -> _Kind:
    text = rf"(?<![A-Za-z0-9_-])(?P<head>{heads})(?P<body>{body})(?![A-Za-z0-9_-])"
    return _Kind(name, literals, re.compile(text), needs_mix)


KINDS: Final = (
    _Kind(
        "private_key",
        ("PRIVATE KEY",),
        re.compile(
            r"(?P<head>-----BEGIN (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----)"
            rf"{_BODY}{{1,24}}(?P<body>[A-Za-z0-9+/=]{{32,76}})"
        ),
    ),
    _token("aws_access_key", "AKIA|ASIA", "[A-Z0-9]{16}", "AKIA", "ASIA"),
    _token(
        "github_token", "gh[pousr]_|github_pat_", r"\w{36,255}",
        "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_",
    ),
    _token("gitlab_token", "glpat-", r"[\w-]{20,64}", "glpat-"),
    _token("slack_token", "xox[abeoprs]-", "[A-Za-z0-9-]{16,255}", "xox"),
    _Kind(
        "slack_webhook",
        ("hooks.slack.com",),
        re.compile(r"(?P<head>hooks\.slack\.com/services/)(?P<body>T\w{8,12}/B\w{8,12}/\w{20,32})"),
    ),
    _token("google_api_key", "AIza", r"[\w-]{35}", "AIza"),
    _token("stripe_key", "[rs]k_live_", "[A-Za-z0-9]{16,255}", "k_live_"),
    _token(
        "openai_key", "sk-(?:proj-|svcacct-|admin-|ant-)?", r"[\w-]{20,255}", "sk-",
        needs_mix=True,
    ),
    _token("sendgrid_key", r"SG\.", r"[\w-]{16,32}\.[\w-]{16,64}", "SG."),
    _token("npm_token", "npm_", "[A-Za-z0-9]{36}", "npm_", needs_mix=True),
    _token("pypi_token", "pypi-", r"AgE[\w-]{50,1000}", "pypi-AgE"),
    _token("hugging_face_token", "hf_", "[A-Za-z0-9]{34,40}", "hf_", needs_mix=True),
    _token(
        "json_web_token", "eyJ", r"[\w-]{8,4096}\.eyJ[\w-]{8,8192}\.[\w-]{16,2048}", "eyJ",
        needs_mix=True,
    ),
    _Kind(
        "password_in_url",
        ("://",),
        re.compile(
            r"(?P<head>://)[^\s/:@'\"<>{}$%\\]{0,64}:(?P<body>[^\s/@'\"<>{}$%\\]{3,128})@[\w\[]"
        ),
    ),
)  # fmt: skip
"""In this order; a stretch of text is one kind, the first that matches."""


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret in one message."""

    kind: str
    message: int
    """0-based index of the message."""
    start: int
    end: int
    masked: str
    """What may be shown: the kind's public beginning, and how long the secret is."""
    is_placeholder: bool
    """It looks made up: an example's key, or a word such as `your`."""


def secrets_in(messages: Sequence[Message]) -> list[Secret]:
    """Return the secrets in a conversation, by message and place.

    Only secrets with a form of their own are found; a password without context is not one of them.
    """
    found: list[Secret] = []
    for index, message in enumerate(messages):
        found.extend(_in_text(message.content, index))
    return found


def _in_text(text: str, message: int) -> Iterator[Secret]:
    taken: list[tuple[int, int]] = []
    found = []
    for kind in KINDS:
        if not any(literal in text for literal in kind.literals):
            continue
        for match in kind.pattern.finditer(text):
            body = match["body"]
            is_taken = any(match.start() < end and start < match.end() for start, end in taken)
            if is_taken or (kind.needs_mix and not _is_mixed(body)):
                continue
            taken.append(match.span())
            masked = f"{match['head']}… ({len(body)} characters)"
            found.append(
                Secret(kind.name, message, *match.span(), masked, _is_placeholder(kind.name, body))
            )
    yield from sorted(found, key=lambda one: one.start)


def _is_mixed(body: str) -> bool:
    return (
        any(c.isdigit() for c in body)
        and any(c.islower() for c in body)
        and any(c.isupper() for c in body)
    )


def _is_placeholder(kind: str, body: str) -> bool:
    if kind == "password_in_url":
        return body.lower() in _STAND_IN_PASSWORDS or _STAND_INS.search(body) is not None
    return len(set(body)) < MIN_DISTINCT or _STAND_INS.search(body) is not None
