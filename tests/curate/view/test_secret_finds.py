"""Secrets: each kind is found and never shown; what only looks so and stand-ins are not counted."""

import random
import string

import pytest

from offtarget.core.records import Message
from offtarget.curate.secrets import secrets_in
from offtarget.curate.view.secrets import SecretCounts

DRAW = random.Random(5)


def made(length: int, letters: str = string.ascii_letters + string.digits) -> str:
    """Return random characters with a digit, a small and a capital letter."""
    return "q7Z" + "".join(DRAW.choice(letters) for _ in range(length - 3))


UPPER = string.ascii_uppercase + "234567"
BODIES = {
    "aws_access_key": ("AKIA", "Q7Z" + "".join(DRAW.choice(UPPER) for _ in range(13))),
    "github_token": ("ghp_", made(36)),
    "gitlab_token": ("glpat-", made(20)),
    "slack_token": ("xoxb-", made(24)),
    "slack_webhook": (
        "hooks.slack.com/services/", f"T{made(9)}/B{made(9)}/{made(24)}",
    ),
    "google_api_key": ("AIza", made(35)),
    "stripe_key": ("sk_live_", made(24)),
    "openai_key": ("sk-proj-", made(40)),
    "sendgrid_key": ("SG.", f"{made(22)}.{made(43)}"),
    "npm_token": ("npm_", made(36)),
    "pypi_token": ("pypi-", "AgE" + made(60)),
    "hugging_face_token": ("hf_", made(34)),
    "json_web_token": ("eyJ", f"{made(20)}.eyJ{made(30)}.{made(43)}"),
    "private_key": ("-----BEGIN RSA PRIVATE KEY-----", "\n" + made(64)),
    "password_in_url": ("postgres://app:", "tr0ub4dor-9" + "@db.internal/app"),
}  # fmt: skip


def user(text: str) -> tuple[Message, ...]:
    return (Message("user", text),)


@pytest.mark.parametrize("kind", BODIES)
def test_a_secret_is_found_in_prose_and_never_shown_whole(kind: str) -> None:
    """Its kind and place are right; no 6 characters of the secret itself are in the mask."""
    head, body = BODIES[kind]
    text = f"Our key is {head}{body} so keep it."

    (found,) = secrets_in((Message("user", "hello"), Message("assistant", text)))

    assert (found.kind, found.message, found.is_placeholder) == (kind, 1, False)
    assert text[found.start : found.end] in head + body + "@d"
    secret = body.strip().removesuffix("@db.internal/app")
    assert not any(secret[i : i + 6] in found.masked for i in range(len(secret) - 5))


@pytest.mark.parametrize(
    "text",
    [
        "a task-oriented-approach-to-Reading-2nd-edition and risk-sk",
        "class='sk-folding-cube-large-and-blue-and-round'",
        "AKIA is a prefix, and AKIAshort too; XAKIA" + "Q7ZABCDEFGHIJKLM2",
        "http://localhost:8080/path@version and https://a.b/c?x=d:e@f.g",
        "postgres://{user}:{password}@{host}/db, mysql://$USER:$PASS@host, redis://<u>:<p>@h",
        "https://user@host/path, ssh://git@github.com:22/x",
        "eyJ is how a token begins: eyJhbGciOi",
        "-----BEGIN PUBLIC KEY-----\n" + made(64),
        "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----",
        "ghp_ and github_pat_ and sk_test_" + made(24),
    ],
)
def test_what_looks_so_is_no_secret(text: str) -> None:
    """Words, templates and public things are left alone."""
    assert [one for one in secrets_in(user(text)) if not one.is_placeholder] == []


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_" + "x" * 36,
        "sk_live_" + "your0key1here2" + "A" * 10,
        "postgres://user:password@localhost/db",
    ],
)
def test_stand_ins_are_told_apart(text: str) -> None:
    """The example keys of manuals are found and are not counted as secrets."""
    (found,) = secrets_in(user(text))

    assert found.is_placeholder


def test_counts_name_rows_and_keep_stand_ins_apart() -> None:
    """Two secrets in one row are two secrets and one row."""
    head, body = BODIES["github_token"]
    counts = SecretCounts()
    counts.add("a.jsonl:1", secrets_in(user(f"{head}{body} and {head}{made(36)}")))
    counts.add("a.jsonl:2", secrets_in(user("nothing")))
    counts.add("a.jsonl:9", secrets_in(user(f"{head}{body} or ghp_{'x' * 36}")))

    (found,) = counts.result()

    assert (found.kind, found.count, found.n_rows, found.n_placeholders) == (
        "github_token", 3, 2, 1,
    )  # fmt: skip
    assert found.rows == ("a.jsonl:1", "a.jsonl:9")
    assert found.masked == "ghp_… (36 characters)"


@pytest.mark.parametrize(
    "part",
    ["eyJ", "eyJaaaaaaaaa.", "://", "://a:", "sk-", "xoxb-", "SG.", "ghp_", "://a:b@",
     "-----BEGIN RSA PRIVATE KEY-----", "hooks.slack.com/services/T"],
)  # fmt: skip
def test_a_megabyte_of_beginnings_is_read_to_the_end(part: str) -> None:
    """No pattern tries the same characters again and again."""
    secrets_in(user(part * (1_000_000 // len(part))))
