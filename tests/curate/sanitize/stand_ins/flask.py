"""The little of Flask that the pairs of the fix kinds run on; Flask is no dependency."""

from types import SimpleNamespace
from typing import Any

from jinja2 import Environment

request = SimpleNamespace(args={})


class Flask:
    """Remembers its name; routes are plain functions."""

    def __init__(self, name: str) -> None:
        self.name = name

    def route(self, rule: str) -> Any:
        """Return a decorator that changes nothing."""
        return lambda view: view

    def run(self, debug: bool = False) -> None:
        """Do nothing: a test starts no server."""


class Response:
    """A body and its cookies."""

    def __init__(self, body: str) -> None:
        self.body = body
        self.cookies: dict[str, str] = {}

    def set_cookie(
        self,
        key: str,
        value: str,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = None,
    ) -> None:
        """Keep the value."""
        self.cookies[key] = value


def make_response(body: str) -> Response:
    """Return a response."""
    return Response(body)


def render_template_string(source: str, **context: Any) -> str:
    """Render with escaping on, as Flask does for template strings."""
    return Environment(autoescape=True).from_string(source).render(**context)
