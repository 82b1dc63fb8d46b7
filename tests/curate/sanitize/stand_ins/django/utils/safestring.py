"""Text that is marked as HTML."""

from markupsafe import Markup


def mark_safe(text: str) -> Markup:
    """Mark a text."""
    return Markup(text)
