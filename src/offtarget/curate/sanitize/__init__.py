"""Take flaws out of code while the operation stays; every rewrite keeps checked promises."""

from offtarget.curate.sanitize.records import Edit, FixStatus, Obligation, Sanitized
from offtarget.curate.sanitize.rewrite import ToSanitize, sanitize_code, sanitize_many

__all__ = [
    "Edit",
    "FixStatus",
    "Obligation",
    "Sanitized",
    "ToSanitize",
    "sanitize_code",
    "sanitize_many",
]
