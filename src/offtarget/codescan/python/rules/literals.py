"""Texts that several rules need, for the gate that spares the walk."""

from typing import Final

REMOTE: Final = (
    "request",
    "req",
    "recv",
    "Handler",
    "get_argument",
    "get_query",
    "get_body",
    "event",
    "FieldStorage",
    "@",
)
"""Where anybody's data comes from, one of these stands in the code."""

ROUTES: Final = ("@", "Handler", "Resource", "View")
"""Without one of these no function is a web handler."""

REGEX: Final = (
    "re.compile",
    "re.match",
    "re.search",
    "re.fullmatch",
    "re.findall",
    "re.finditer",
    "re.sub",
    "re.split",
    "from re import",
    "import re as",
)

SECRETS: Final = (
    "passw",
    "Passw",
    "PASSW",
    "passphrase",
    "PASSPHRASE",
    "pwd",
    "PWD",
    "secret",
    "SECRET",
    "Secret",
    "token",
    "TOKEN",
    "Token",
    "_key",
    "_KEY",
    "apikey",
    "APIKEY",
    "apiKey",
    "ApiKey",
    "credential",
    "CREDENTIAL",
    "Credential",
    "auth",
    "AUTH",
)

FORMATTING: Final = ("%", "+", "{", "format", "join", "substitute", "replace")
