"""Shared by every page: the template environment, and a policy that lets nothing else run."""

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from offtarget.evaluate.results import MeanInterval
from offtarget.report import numerals
from offtarget.report.charts import size_of
from offtarget.report.summary import words
from offtarget.report.text import ELLIPSIS, safe_text

MAX_NAME = 160
"""Characters of a name that a page shows."""
MAX_PREVIEW = 120
"""Characters of the beginning of an answer."""
MAX_PROSE = 2000
"""Characters of any other text, an answer among them."""


def render_page(template: str, values: dict[str, object], *, script: str = "") -> str:
    """Return a template of this package as one HTML document that loads and sends nothing.

    Args:
        template: File in `data`.
        values: What the template names. Every text among them is untrusted and is escaped.
        script: The page's one script, a file in `data`; none when empty.
    """
    style, code = asset("report.css"), asset(script) if script else ""
    page = environment().get_template(template)
    return page.render(
        values,
        policy=content_policy(style=style, script=code),
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(code),  # noqa: S704 - our own file
    )


def content_policy(*, style: str, script: str) -> str:
    """Return a Content-Security-Policy that allows these two texts and nothing else."""
    allowed = ["default-src 'none'", f"style-src '{_sha256(style)}'"]
    if script:
        allowed.append(f"script-src '{_sha256(script)}'")
    return "; ".join([*allowed, "base-uri 'none'", "form-action 'none'"])


def asset(name: str) -> str:
    """Return a packaged text file."""
    return (files("offtarget.report") / "data" / name).read_text(encoding="utf-8")


@cache
def environment() -> Environment:
    """Return the environment: text is escaped, and no hidden character passes any expression."""
    env = Environment(
        loader=PackageLoader("offtarget.report", "data"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    env.filters |= {
        "answer_text": _answer_text,
        "count": numerals.count,
        "duration": numerals.duration,
        "interval": numerals.interval,
        "n_cut": _n_cut,
        "number": numerals.number,
        "p_value": numerals.p_value,
        "percent": numerals.percent,
        "plural": numerals.plural,
        "preview": _preview,
        "short": _short,
        "signed": numerals.signed,
        "signed_interval": numerals.signed_interval,
        "size_of": _size_of,
        "words": words,
    }
    return env


def _shown(value: object) -> object:
    """Jinja calls this on each expression: what is not yet markup loses its hidden characters."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return safe_text(value, limit=MAX_PROSE)
    return value


def _short(text: str) -> Markup:
    return escape(safe_text(text, limit=MAX_NAME))


def _preview(text: str) -> Markup:
    shown = safe_text(text[: 2 * MAX_PREVIEW])
    if len(shown) > MAX_PREVIEW:
        shown = shown[:MAX_PREVIEW].rsplit(" ", 1)[0] + ELLIPSIS
    return escape(shown)


def _answer_text(text: str) -> Markup:
    return escape(safe_text(text[:MAX_PROSE], keep_lines=True))


def _n_cut(text: str) -> int:
    return max(0, len(text) - MAX_PROSE)


def _size_of(effect: MeanInterval) -> str:
    return size_of(effect)


def _sha256(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
