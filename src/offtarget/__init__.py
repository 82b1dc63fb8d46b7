"""offtarget: the off-target assay for fine-tuning."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from offtarget.api import Run, Scan, assay, clean, compare, load_run, scan

# `verify` and `report` are packages here; the functions of those names are in offtarget.api
__all__ = ["Run", "Scan", "assay", "clean", "compare", "load_run", "scan"]


def __getattr__(name: str) -> Any:
    """Import the API on first use, so that `import offtarget` stays fast."""
    if name in __all__:
        from offtarget import api

        return getattr(api, name)
    raise AttributeError(f"module 'offtarget' has no attribute {name!r}")
