"""HTML with escaped values."""

from markupsafe import Markup


def format_html(text: str, *values: object) -> Markup:
    """Escape the values and put them in."""
    return Markup(text).format(*values)
